"""ConsortiumAnchor itself: what it refuses and to whom, what it costs, and that its Merkle verification is ours."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import HTTPProvider, Web3

from gateway.chain.evm.contract import KINDS, Artefact, artefact, batch_of, bureau_of, content_of, gas_for, refusal
from gateway.proof import GM, merkle
from tests.proof.sample import SIGNER, chain_of
from tests.support.anvil import CHAIN_ID, CONTRACTS, anvil, missing, new_key

pytestmark = pytest.mark.sockets
BUREAU, OTHER = bureau_of(SIGNER.public), bytes(range(32))
NOBODY = bytes(32)
BATCHES = chain_of(3)


class Deployed:
    """The contract, and accounts that may do this or that."""

    def __init__(self, url: str) -> None:
        self.w3 = Web3(HTTPProvider(url, request_kwargs={"timeout": 5}, exception_retry_configuration=None))
        self.admin, self.writer, self.stranger = (Account.from_key(new_key()) for _ in range(3))
        address, self.deploy_gas = self._deploy()
        self.contract = self.w3.eth.contract(address, abi=artefact().abi)
        assert self.do(self.admin, "setWriter", self.writer.address, BUREAU) is None

    def _deploy(self) -> tuple[Any, int]:
        mined = self._mined(self.admin, b"", artefact().bytecode)
        return mined["contractAddress"], mined["gasUsed"]

    def _mined(self, account: Any, to: Any, data: str) -> Any:
        nonce = self.w3.eth.get_transaction_count(account.address)
        fields = {
            "nonce": nonce,
            "gasPrice": 0,
            "gas": 3_000_000,
            "to": to,
            "value": 0,
            "data": data,
            "chainId": CHAIN_ID,
        }
        sent = self.w3.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
        return self.w3.eth.wait_for_transaction_receipt(sent, timeout=10, poll_latency=0.01)

    def do(self, account: Any, function: str, *arguments: Any) -> str | None:
        """The name of the error that a transaction met; None when it passed. What is told beforehand is what happens."""
        told = None
        try:
            self.contract.functions[function](*arguments).call({"from": account.address})
        except Exception as error:  # noqa: BLE001 # read below
            told = refusal(error.data).name  # type: ignore[attr-defined]
        mined = self._mined(account, self.contract.address, self.contract.encode_abi(function, list(arguments)))
        self.gas = mined["gasUsed"]
        assert (mined["status"] == 1) == (told is None)
        return told


@pytest.fixture(scope="module")
def node() -> Iterator[str]:
    with anvil() as running:
        yield running.url


@pytest.fixture
def made(node: str) -> Deployed:
    return Deployed(node)


def batch(number: int = 0, **changed: Any) -> tuple[Any, ...]:
    sealed = BATCHES[number]
    names = ("id", "kind", "stream", "previous", "root", "first", "last", "manifest", "signature")
    values = dict(zip(names, batch_of(sealed.manifest, sealed.manifest_bytes, sealed.signature), strict=True))
    return tuple((values | changed).values())


def test_a_batch_is_kept_and_told_once(made: Deployed) -> None:
    assert made.do(made.writer, "anchor", batch(0)) is None
    assert made.do(made.writer, "anchor", batch(1)) is None
    kept = made.contract.functions.anchorOf(BUREAU, batch(1)[0]).call()
    assert kept[:6] == (batch(1)[4], content_of(batch(1)), batch(1)[2], batch(0)[0], 4, 6)
    assert kept[8] == made.writer.address
    assert made.contract.functions.count(BUREAU).call() == 2
    found, blocks = made.contract.functions.page(BUREAU, 0, 10).call()
    assert found == [batch(0)[0], batch(1)[0]]
    (event,) = made.contract.events.Anchored.get_logs(from_block=blocks[1], to_block=blocks[1])
    assert (event.args.manifest, event.args.signature) == batch(1)[7:]
    assert made.contract.functions.page(BUREAU, 1, 10).call()[0] == [batch(1)[0]]
    assert made.contract.functions.page(BUREAU, 2, 10).call()[0] == []


def test_an_id_is_taken_once_whatever_it_holds(made: Deployed) -> None:
    assert made.do(made.writer, "anchor", batch()) is None
    assert made.do(made.writer, "anchor", batch()) == "AlreadyAnchored"
    assert made.do(made.writer, "anchor", batch(root=b"\x01" * 32)) == "AlreadyAnchored"


def test_a_stream_has_no_gap_and_no_fork(made: Deployed) -> None:
    assert made.do(made.writer, "anchor", batch(1)) == "OutOfOrder"
    assert made.do(made.writer, "anchor", batch(0)) is None
    assert made.do(made.writer, "anchor", batch(0, id=b"\x02" * 32)) == "OutOfOrder"
    assert made.do(made.writer, "anchor", batch(1, previous=b"\x03" * 32)) == "OutOfOrder"
    assert made.do(made.writer, "anchor", batch(1, first=5)) == "OutOfOrder"
    assert made.do(made.writer, "anchor", batch(1)) is None


@pytest.mark.parametrize("changed", [{"id": NOBODY}, {"manifest": b""}, {"last": 0}])
def test_what_is_no_batch_is_refused(made: Deployed, changed: dict[str, Any]) -> None:
    assert made.do(made.writer, "anchor", batch(**changed)) == "Malformed"


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_every_kind_of_statement_has_the_same_form(made: Deployed, kind: int) -> None:
    assert made.do(made.writer, "anchor", batch(kind=kind, stream=bytes([kind]) * 32)) is None
    assert made.contract.functions.anchorOf(BUREAU, batch()[0]).call()[7] == kind


def test_only_the_list_may_write_and_only_for_its_own_bureau(made: Deployed) -> None:
    for who in (made.stranger, made.admin):
        assert made.do(who, "anchor", batch()) == "NotWriter"
    assert made.do(made.admin, "setWriter", made.stranger.address, OTHER) is None
    assert made.do(made.stranger, "anchor", batch(root=b"\x01" * 32)) is None
    assert made.contract.functions.anchorOf(BUREAU, batch()[0]).call()[6] == 0
    assert made.do(made.writer, "anchor", batch()) is None
    assert made.do(made.admin, "setWriter", made.writer.address, NOBODY) is None
    assert made.do(made.writer, "anchor", batch(1)) == "NotWriter"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("setWriter", [OTHER]), ("setAdmin", [True]), ("setPaused", [])],
    ids=lambda v: str(v)[:9],
)
@pytest.mark.parametrize("who", ["writer", "stranger"])
def test_only_an_admin_may_change_the_rules(made: Deployed, who: str, function: str, arguments: list[Any]) -> None:
    account = getattr(made, who)
    given = [True] if function == "setPaused" else [account.address, *arguments]
    assert made.do(account, function, *given) == "NotAdmin"
    assert made.do(made.admin, function, *given) is None


def test_admins_come_and_go_but_one_stays(made: Deployed) -> None:
    assert made.do(made.admin, "setAdmin", made.admin.address, False) == "LastAdmin"
    assert made.do(made.admin, "setAdmin", made.stranger.address, True) is None
    assert made.do(made.stranger, "setAdmin", made.admin.address, False) is None
    assert made.do(made.admin, "setPaused", True) == "NotAdmin"
    assert made.do(made.stranger, "setAdmin", made.stranger.address, False) == "LastAdmin"


def test_a_pause_stops_writing_and_nothing_else(made: Deployed) -> None:
    assert made.do(made.admin, "setPaused", True) is None
    assert made.do(made.writer, "anchor", batch()) == "IsPaused"
    assert made.contract.functions.count(BUREAU).call() == 0
    assert made.do(made.admin, "setPaused", False) is None
    assert made.do(made.writer, "anchor", batch()) is None


def test_what_it_costs(made: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures of docs/connect-a-chain.md."""
    assert made.do(made.writer, "anchor", batch(0)) is None
    assert made.do(made.writer, "anchor", batch(1)) is None
    data = bytes.fromhex(made.contract.encode_abi("anchor", [batch(1)])[2:])
    with capsys.disabled():
        print(
            f"\ngas: deploy {made.deploy_gas:,}, anchor {made.gas:,} of {gas_for(data):,} ({len(data):,} bytes of input)"
        )
    assert made.deploy_gas < 1_100_000
    assert made.gas < 320_000
    big = batch(2, manifest=b"\xff" * 40_000)
    assert made.do(made.writer, "anchor", big) is None
    assert made.gas < gas_for(bytes.fromhex(made.contract.encode_abi("anchor", [big])[2:]))


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def verify(made: Deployed, leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    return bool(made.contract.functions.verify(leaf, index, size, path, root).call())


@pytest.fixture(scope="module")
def verifier(node: str) -> Deployed:
    return Deployed(node)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(1, 300), seed=st.binary(max_size=8))
def test_solidity_verifies_what_we_verify(verifier: Deployed, data: st.DataObject, size: int, seed: bytes) -> None:
    """Random trees and indices: the right path proves, and whatever differs from it proves to neither of the two."""
    leaves = [merkle.leaf_hash(sha, seed + number.to_bytes(4, "big")) for number in range(size)]
    root, index = merkle.root(sha, leaves), data.draw(st.integers(0, size - 1))
    path = merkle.path(merkle.levels(sha, leaves), index)
    assert verify(verifier, leaves[index], index, size, path, root)
    tried_index, tried_size = data.draw(st.integers(0, size + 1)), data.draw(st.integers(0, size + 2))
    tried_path = data.draw(st.sampled_from([path, path[:-1], [*path, sha(b"")], path[::-1]]))
    leaf = leaves[data.draw(st.integers(0, size - 1))]
    try:
        ours = merkle.root_of_path(sha, leaf, tried_index, tried_size, tried_path) == root
    except ValueError:
        ours = False
    assert verify(verifier, leaf, tried_index, tried_size, tried_path, root) == ours


def test_a_changed_bit_proves_nothing(verifier: Deployed) -> None:
    leaves = [merkle.leaf_hash(sha, bytes([n])) for n in range(11)]
    root, path = merkle.root(sha, leaves), merkle.path(merkle.levels(sha, leaves), 7)
    for at in range(len(path)):
        bent = [*path]
        bent[at] = bytes([bent[at][0] ^ 1]) + bent[at][1:]
        assert not verify(verifier, leaves[7], 7, 11, bent, root)
    assert not verify(verifier, leaves[6], 7, 11, path, root)


@pytest.mark.parametrize("size", [1, 2, 11])
def test_of_an_sm3_tree_it_proves_nothing(verifier: Deployed, size: int) -> None:
    """What docs/connect-a-chain.md says of suite gm-1: a path that members verify is no path to the contract."""
    leaves = [merkle.leaf_hash(GM.hash, bytes([n])) for n in range(size)]
    root, path = merkle.root(GM.hash, leaves), merkle.path(merkle.levels(GM.hash, leaves), 0)
    assert merkle.root_of_path(GM.hash, leaves[0], 0, size, path) == root
    assert verify(verifier, leaves[0], 0, size, path, root) == (size == 1), "a tree of one leaf hashes nothing"


def test_the_artefact_is_what_the_source_compiles_to(tmp_path: Path) -> None:
    """`make contract` changes nothing."""
    assert artefact().source == hashlib.sha256((CONTRACTS / "ConsortiumAnchor.sol").read_bytes()).hexdigest()
    if shutil.which("node") is None or not (CONTRACTS / "node_modules/solc").exists():
        pytest.skip(f"no compiler: {missing() or 'node is not installed'}")
    made = tmp_path / "made.json"
    subprocess.run(["node", CONTRACTS / "compile.cjs", made], check=True, timeout=120)
    shipped = Path(__import__("gateway.chain.evm", fromlist=["x"]).__file__).with_name("ConsortiumAnchor.json")
    assert made.read_bytes() == shipped.read_bytes()
    assert isinstance(artefact(), Artefact)


def test_the_lock_names_no_address() -> None:
    assert "resolved" not in (CONTRACTS / "package-lock.json").read_text("utf-8")
