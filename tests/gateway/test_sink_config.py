"""What gateway.yaml may say of a chain, and how it is told what it may not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config import EvmSinkModel, read
from gateway.errors import Usage
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
GOOD = (
    "{kind: evm, profile: fisco-bcos, url: 'http://127.0.0.1:8545', chain_id: 20200, secrets: {sender: {env: ACCOUNT}}}"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.setenv("ACCOUNT", "11" * 32)
    return tmp_path


def said(home: Path, **sinks: str) -> list[str]:
    file = home / "config" / "gateway.yaml"
    lines = "".join(f"  {name}: {sink}\n" for name, sink in sinks.items())
    text = (ROOT / "config" / "gateway.yaml").read_text("utf-8")
    file.write_text(text.replace("payloads:", f"{lines}payloads:", 1), "utf-8")
    return [str(problem) for problem in read(home / "config").problems]


def test_a_chain_beside_the_ledger(home: Path) -> None:
    assert said(home, bank=GOOD) == []
    gateway = read(home / "config").gateway
    assert gateway is not None
    sink = gateway.sinks["bank"]
    assert isinstance(sink, EvmSinkModel)
    assert (sink.profile, sink.gas_price, sink.confirmations, sink.window) == ("fisco-bcos", 0, None, 64)


@pytest.mark.parametrize(
    ("sink", "told"),
    [
        (GOOD.replace("ACCOUNT", "NOBODY"), "环境变量 NOBODY 没有设置"),
        (GOOD.replace("20200", "0"), "应不小于 1"),
        (GOOD.replace("}}}", "}}, client_cert: c.pem}"), "要写就都写"),
    ],
)
def test_a_fault_has_its_place_and_its_sentence(home: Path, sink: str, told: str) -> None:
    (problem,) = said(home, bank=sink)
    assert "gateway.yaml:5:" in problem
    assert told in problem


def test_one_account_writes_for_one_sink(home: Path) -> None:
    (problem,) = said(home, bank=GOOD, other=GOOD)
    assert "gateway.yaml:6:" in problem
    assert "与 bank 是同一条链上的同一个账户" in problem


def test_a_key_is_never_in_what_is_published_nor_in_the_store(home: Path) -> None:
    said(home, bank=GOOD)
    gateway = Gateway(Settings(config=home / "config", data=home / "data"))
    gateway.config  # noqa: B018 # publishes
    assert gateway.chains["bank"].name == "bank"
    gateway.close()
    found = [p.name for p in (home / "data").rglob("*") if p.is_file() and b"11" * 32 in p.read_bytes()]
    assert found == []


def test_a_key_that_is_none_is_refused_without_repeating_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.chain import ChainRefused

    said(home, bank=GOOD)
    monkeypatch.setenv("ACCOUNT", "not-a-key")
    gateway = Gateway(Settings(config=home / "config", data=home / "data"))
    with pytest.raises(ChainRefused, match="不合规") as refused:
        _ = gateway.chains
    assert "not-a-key" not in str(refused.value)
    monkeypatch.delenv("ACCOUNT")
    with pytest.raises(Usage, match="取不到"):
        _ = gateway.chains
    gateway.close()
