"""A member at a node: the chain's id, the contract, the pinned key, and nothing of the gateway's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.chain import ChainBroken, ChainRefused, ChainUnavailable, Head
from gateway.chain.evm import Endpoint
from gateway.member import fetch, verify
from gateway.proof import DirectoryPayloadStore, MemberKey, issue_keys, payload_name
from gateway.store import Store, upgrade
from tests.proof.sample import OTHER_SIGNER, SIGNER, chain_of, secrets_of, statements
from tests.support.anvil import anvil, settle, sink
from tests.support.suite import member_key

pytestmark = pytest.mark.sockets
BATCHES = chain_of(3, 12)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, MemberKey, Endpoint, Any]]:
    """A shared folder, a member, and a node that has three batches of one stream."""
    root, key = tmp_path_factory.mktemp("member"), member_key()
    shared, store = DirectoryPayloadStore(root / "shared"), Store.at(root / "store.db")
    upgrade(store)
    with anvil() as node:
        chain = sink(store, node.url)
        chain.deploy()
        for at, batch in enumerate(BATCHES):
            shared.put(payload_name(batch.manifest.payload_digest), batch.payload)
            file = issue_keys(batch.batch_id, key.public, secrets_of(statements(12, at * 12), "content", "holder/0"))
            shared.put(file.name, file.content)
        settle(chain, BATCHES)
        yield shared.path, key, chain.endpoint, node
        chain.close()
    store.close()


def test_everything_granted_is_opened(place: tuple[Path, MemberKey, Endpoint, Any]) -> None:
    shared, key, endpoint, _node = place
    report = verify(shared, key, SIGNER.public, endpoint=endpoint)
    assert report.ok
    assert (report.batches, report.versions, report.groups_opened, report.groups_closed) == (3, 36, 66, 66)
    assert verify(shared, key, SIGNER.public, endpoint=endpoint, expected_head=report.head) == report
    with pytest.raises(ChainBroken, match="同号"):
        verify(shared, key, SIGNER.public, endpoint=endpoint, expected_head=Head(report.head.number, "00" * 32))


def test_another_key_finds_nothing_under_its_name(place: tuple[Path, MemberKey, Endpoint, Any]) -> None:
    """Batches of a bureau are looked for under the key that is pinned: there are none, and none is taken for ours."""
    shared, key, endpoint, _node = place
    assert verify(shared, key, OTHER_SIGNER.public, endpoint=endpoint).batches == 0


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"chain_id": 1}, ChainRefused, "应为 1"),
        ({"contract": "0x" + "22" * 20}, ChainRefused, "没有合约"),
        ({"url": "http://127.0.0.1:1"}, ChainUnavailable, "连不上"),
    ],
)
def test_what_is_not_the_chain_is_named(
    place: tuple[Path, MemberKey, Endpoint, Any], wrong: dict[str, Any], error: type[Exception], told: str
) -> None:
    shared, key, endpoint, _node = place
    with pytest.raises(error, match=told):
        verify(shared, key, SIGNER.public, endpoint=replace(endpoint, **wrong))


def member(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "member", *words]
    env = {"PATH": os.environ["PATH"], "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_from_the_command_line_in_an_empty_environment(
    place: tuple[Path, MemberKey, Endpoint, Any], tmp_path: Path
) -> None:
    shared, key, endpoint, _node = place
    (tmp_path / "bank.key").write_text(key.text)
    (tmp_path / "signer.pub").write_text(SIGNER.public_text)
    known = ["--key", str(tmp_path / "bank.key"), "--signer", str(tmp_path / "signer.pub"), "--shared", str(shared)]
    chain = ["--endpoint", endpoint.url, "--chain-id", "20200", "--contract", str(endpoint.contract)]
    done = member("verify", *known, *chain)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 批、36 个版本全部相符；打开 66 组" in done.stdout
    for words, told in (
        (chain[:2], "一起给出"),
        ([*chain, "--ledger", "x"], "之一"),
        ([*chain[:5], "0x12"], "40"),
        ([], "之一"),
    ):
        wrong = member("verify", *known, *words)
        assert (wrong.returncode, told in wrong.stderr) == (2, True), wrong.stderr


def test_exported_headers_need_no_web3(place: tuple[Path, MemberKey, Endpoint, Any], tmp_path: Path) -> None:
    """The library of the chain is for whoever asks a node; everybody else does without, and is told in a sentence."""
    shared, key, endpoint, _node = place
    fetch(shared, key, SIGNER.public, tmp_path, endpoint=endpoint)
    program = """
import sys
from pathlib import Path
for name in ("web3", "eth_account", "eth_abi", "eth_utils"):
    sys.modules[name] = None
from gateway import app, member
from gateway.chain import ChainRefused
from gateway.chain.evm import Endpoint
from gateway.proof import MemberKey, PublicKey
mine = Path(sys.argv[1])
who = MemberKey.parse(sys.argv[2]), PublicKey.parse(sys.argv[3])
print(member.verify(mine, *who, headers=mine / "headers.jsonl").groups_opened)
try:
    member.verify(mine, *who, endpoint=Endpoint("http://127.0.0.1:1", 1, "0x" + "00" * 20))
except ChainRefused as error:
    print(error)
"""
    arguments = [str(tmp_path), key.text, SIGNER.public_text]
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["66", "读取节点要先安装：pip install 'shuqiao[evm]'"], done.stderr


def test_a_fetch_notices_a_chain_that_forgot(place: tuple[Path, MemberKey, Endpoint, Any], tmp_path: Path) -> None:
    """The last test of this node: what it holds is another chain afterwards."""
    shared, key, endpoint, node = place
    fetched = fetch(shared, key, SIGNER.public, tmp_path, endpoint=endpoint)
    assert (fetched.batches, fetched.problems) == (3, [])
    node.rpc("anvil_reorg", 1, [])
    with pytest.raises(ChainBroken):
        fetch(shared, key, SIGNER.public, tmp_path, endpoint=endpoint)
