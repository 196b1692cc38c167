"""Several sinks at once: each at its own pace, whatever becomes of another (DESIGN §8); and the verbs that watch them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.chain import ChainUnavailable, LocalChain
from gateway.errors import Unreconciled
from gateway.forwarder import Forwarder
from gateway.member import fetch as member_fetch
from gateway.member import verify as member_verify
from gateway.status import reconcile, sink_statuses
from gateway.trace import trace
from gateway.vault import handle_text
from tests.support.anvil import Anvil, anvil, declared, new_key
from tests.support.house import House, house
from tests.support.proxy import Proxy, proxy
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil() as running:
        yield running


@pytest.fixture
def way(node: Anvil) -> Iterator[Proxy]:
    with proxy(node.url) as made:
        yield made


@pytest.fixture
def made(node: Anvil, way: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A county with the embedded ledger, a bank at a node, and a second bank behind a way that can fail."""
    monkeypatch.setenv("BANK", new_key())
    monkeypatch.setenv("OTHER", new_key())
    sinks = {"bank": declared(node.url, "BANK"), "other": declared(way.url, "OTHER")}
    with house(tmp_path, monkeypatch, households=40, sinks=sinks) as opened:
        for name in sinks:
            assert shuqiao(opened.gateway.settings, "chain", "deploy", name).exit_code == 0
        opened.gateway.close()
        opened.gateway = type(opened.gateway)(opened.gateway.settings)
        opened.sync()
        yield opened


def confirmed(made: House) -> dict[str, int]:
    with made.gateway.store.read() as tx:
        return {name: len(tx.all("deliveries_confirmed", sink=name)) for name in ("local", "bank", "other")}


def until_all_there(made: House) -> int:
    deadline = time.monotonic() + 30
    while made.gateway.forwarder.forward().waiting:
        assert time.monotonic() < deadline
    assert len(set(confirmed(made).values())) == 1
    return confirmed(made)["local"]


def test_every_sink_has_every_batch_and_a_member_verifies_at_any(made: House) -> None:
    batches = until_all_there(made)
    assert batches > 5
    assert reconcile(made.gateway.store, ["local", "bank", "other"]) == []
    found = made.gateway.verify_chains()
    assert found["local"] == batches
    chain = made.gateway.chains["bank"]
    signer, shared = made.gateway.signer.public, made.gateway.payloads.path
    by_node = member_verify(shared, made.member_key, signer, endpoint=chain.endpoint)
    by_file = member_verify(shared, made.member_key, signer, ledger=made.gateway.settings.data / "chain.db")
    assert by_node.ok
    assert (by_node.batches, by_node.versions, by_node.groups_opened) == (
        by_file.batches,
        by_file.versions,
        by_file.groups_opened,
    )
    fetched = member_fetch(shared, made.member_key, signer, made.home / "mine", endpoint=chain.endpoint)
    assert (fetched.batches, fetched.head) == (batches, by_node.head)
    again = member_verify(made.home / "mine", made.member_key, signer, headers=made.home / "mine" / "headers.jsonl")
    assert again == by_node


def test_a_sink_that_hangs_delays_nobody(made: House, way: Proxy) -> None:
    way.hang = True
    began = time.monotonic()
    report = made.gateway.forwarder.forward(1.0)
    assert time.monotonic() - began < 10
    assert report.waiting > 0
    while confirmed(made)["bank"] == 0 or confirmed(made)["bank"] < confirmed(made)["local"]:
        assert time.monotonic() - began < 20
        made.gateway.forwarder.forward(0.2)
    assert confirmed(made)["other"] == 0
    # also what is sealed while it hangs
    made.advance(1)
    made.sync()
    before = confirmed(made)["bank"]
    while confirmed(made)["bank"] == before:
        assert time.monotonic() - began < 40
        made.gateway.forwarder.forward(0.5)
    way.hang = False
    until_all_there(made)


def test_a_sink_that_is_down_is_told_and_made_up(made: House, way: Proxy) -> None:
    way.cut = True
    made.gateway.forwarder.forward()
    (row,) = [r for r in sink_statuses(made.gateway.store, ["other"]) if r.sentence]
    assert "连不上" in (row.sentence or "")
    assert row.lag_batches == confirmed(made)["bank"] > 0
    assert row.unconfirmed_since is not None
    way.cut = False
    until_all_there(made)
    (row,) = sink_statuses(made.gateway.store, ["other"])
    assert (row.lag_batches, row.unconfirmed_since, row.in_flight) == (0, None, 0)
    assert row.nonce == 2 + confirmed(made)["other"]


def test_a_root_that_differs_is_an_alarm_and_the_others_are_served(
    made: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = made.gateway.chains["bank"]
    monkeypatch.setattr(chain, "read", lambda _batch: b"something else")
    with pytest.raises(Unreconciled, match="bank 读回"):
        made.gateway.forwarder.forward()
    assert confirmed(made)["bank"] == 0
    assert confirmed(made)["local"] == confirmed(made)["other"] > 0


def test_blocks_that_leave_the_chain_take_their_batches_back(made: House, node: Anvil) -> None:
    batches = until_all_there(made)
    with made.gateway.store.read() as tx:
        rows = tx.all("deliveries_newest", sink="bank", count=1, skip=0)
    depth = int(node.rpc("eth_blockNumber"), 16) - int(rows[0].block) + 3
    node.rpc("anvil_reorg", depth, [])
    done = shuqiao(made.gateway.settings, "chain", "reconcile", "--json")
    assert (done.exit_code, json.loads(done.stdout)["bank"]["receipts"]) == (1, batches)
    assert json.loads(done.stdout)["bank"]["demoted"] >= 2
    until_all_there(made)
    made.gateway.verify_chains()
    assert shuqiao(made.gateway.settings, "chain", "reconcile", "bank").exit_code == 0


def test_the_worker_notices_a_reorganisation_by_itself(
    made: House, node: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All was confirmed and nothing is new: the newest receipts are looked at all the same, back to where all stands."""
    batches = until_all_there(made)
    monkeypatch.setattr("gateway.delivery.REREAD_SECONDS", 0.0)
    for name in ("bank", "other"):
        monkeypatch.setattr(made.gateway.chains[name], "rereads", 2, raising=False)
    with made.gateway.store.read() as tx:
        oldest = min(int(r.block) for s in ("bank", "other") for r in tx.all("deliveries_confirmed", sink=s))
    node.rpc("anvil_reorg", int(node.rpc("eth_blockNumber"), 16) - oldest + 1, [])
    made.gateway.forwarder.forward()
    until_all_there(made)
    assert confirmed(made)["bank"] == batches
    made.gateway.verify_chains()


def test_a_field_is_traced_at_any_sink_that_answers(made: House, way: Proxy) -> None:
    until_all_there(made)
    with made.gateway.store.read() as tx:
        row = tx.one("observation_well_known", feed="360981/household_member")
    handle = handle_text(row.handle)
    assert trace(made.gateway, handle).ledger == "local"
    way.cut = True
    made.gateway.chains = {name: made.gateway.chains[name] for name in ("other", "bank")}  # type: ignore[misc]
    found = trace(made.gateway, handle)
    assert found.proven
    assert found.ledger == made.gateway.chains["bank"].endpoint.ledger  # type: ignore[attr-defined]
    del made.gateway.chains["bank"]  # type: ignore[attr-defined]
    with pytest.raises(ChainUnavailable):
        trace(made.gateway, handle)


def test_the_verbs_tell_what_stands(made: House, tmp_path: Path) -> None:
    settings = made.gateway.settings
    until_all_there(made)
    checked = json.loads(shuqiao(settings, "chain", "check", "--json").stdout)
    assert {name: all(layer["ok"] for layer in layers) for name, layers in checked.items()} == {
        "local": True,
        "bank": True,
        "other": True,
    }
    assert [layer["layer"] for layer in checked["bank"]] == ["节点", "链号", "创世块", "合约", "账户", "写入权", "序号"]
    rows = json.loads(shuqiao(settings, "chain", "status", "--json").stdout)
    assert [(r["sink"], r["lag_batches"]) for r in rows] == [("local", 0), ("bank", 0), ("other", 0)]
    assert "bank" in shuqiao(settings, "status").stdout
    headers = tmp_path / "headers.jsonl"
    assert shuqiao(settings, "chain", "export-headers", "bank", "--to", str(headers)).exit_code == 0
    report = member_verify(made.gateway.payloads.path, made.member_key, made.gateway.signer.public, headers=headers)
    assert report.ok
    wrong = shuqiao(settings, "chain", "export-headers", "none", "--to", str(headers))
    assert "local、bank、other" in str(wrong.exception)
    assert "内置账本" in str(shuqiao(settings, "chain", "deploy", "local").exception)


def test_a_delivery_is_one_process_s_at_a_time(made: House) -> None:
    gateway = made.gateway
    with gateway.leases.take(gateway.chains["bank"].lane):
        report = gateway.forwarder.forward()
    assert report.waiting > 0
    assert confirmed(made)["bank"] == 0
    assert confirmed(made)["local"] > 0
    until_all_there(made)
    assert isinstance(gateway.chains["local"], LocalChain)
    assert isinstance(gateway.forwarder, Forwarder)
