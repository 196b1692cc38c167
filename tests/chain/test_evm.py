"""A sink on a real node: what it promises when nothing goes wrong, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.chain import ChainBroken, ChainConflict, ChainRefused, Head, HeaderChain
from gateway.chain.evm import TxState
from gateway.chain.evm.inspect import findings
from gateway.chain.evm.ledger import EvmLedger
from gateway.proof import GM, INTL, Signer, Suite
from gateway.store import Store
from tests.proof.sample import OTHER_SIGNER, SIGNER, chain_of, sealed
from tests.support.anvil import Anvil, anvil, attempt, must_hold, new_key, settle, sink

pytestmark = pytest.mark.sockets
BATCHES = chain_of(4)


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil() as running:
        yield running


@pytest.fixture
def chain(node: Anvil, store: Store) -> Iterator[Any]:
    made = sink(store, node.url)
    made.deploy()
    yield made
    made.close()


def test_a_batch_is_final_and_reads_back(chain: Any) -> None:
    receipts = settle(chain, BATCHES)
    must_hold(chain, BATCHES)
    assert {r.ledger for r in receipts} == {f"evm:20200:{chain.contract}"}
    assert [chain.receipt(b.batch_id) for b in BATCHES] == receipts
    assert chain.verify(expected_head=Head(receipts[0].block, receipts[0].block_hash)).number == receipts[-1].block
    assert chain.receipt("0" * 64) is None
    assert chain.read("0" * 64) is None


def test_the_same_batch_twice_has_one_receipt_and_one_transaction(chain: Any) -> None:
    first = settle(chain, BATCHES)
    nonce = chain.sender.nonce
    assert settle(chain, BATCHES) == first
    assert chain.node.nonce(chain.sender.address) == max(nonce, 2 + len(BATCHES))


def test_signed_bytes_are_kept_before_they_are_sent(chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []

    def send(raw: bytes) -> None:
        kept.append([s for s in chain._journal.since(0) if s.raw == raw])
        raise KeyboardInterrupt

    monkeypatch.setattr(chain.node, "send", send)
    with pytest.raises(KeyboardInterrupt):
        attempt(chain, BATCHES[0])
    (((signed,),)) = kept
    assert signed.state is TxState.SIGNED
    monkeypatch.undo()
    settle(chain, BATCHES[:1])
    assert chain._journal.of_batch(BATCHES[0].batch_id).hash == signed.hash


def test_what_the_gateway_did_not_sign_is_refused(chain: Any) -> None:
    foreign = sealed(3, signer=OTHER_SIGNER)
    for manifest, signature in ((foreign.manifest_bytes, foreign.signature), (b"{}", b"")):
        with pytest.raises(ChainRefused, match="拒收"):
            chain.submit(manifest, signature)


def test_another_place_in_the_stream_is_a_conflict(chain: Any) -> None:
    settle(chain, BATCHES)
    other = sealed(2, 4, BATCHES[0].batch_id)
    with pytest.raises(ChainConflict, match="同一段"):
        settle(chain, [other])


def test_a_batch_waits_for_the_one_before_it(chain: Any) -> None:
    assert attempt(chain, BATCHES[1]) is None
    assert chain._journal.of_batch(BATCHES[1].batch_id) is None
    settle(chain, BATCHES)
    must_hold(chain, BATCHES)


def test_other_content_under_our_id_is_an_alarm(chain: Any, node: Anvil, store: Store) -> None:
    """A second writer of our bureau took the id with another root."""
    rival = sink(store, node.url, name="rival", contract=chain.contract, key=new_key())
    allow = chain._encode("setWriter", rival.sender.address, rival.bureau(rival.signer))
    chain._finish(chain.sender, chain._checksummed, allow, None)
    from gateway.chain.evm.contract import batch_of

    batch = list(batch_of(BATCHES[0].manifest, BATCHES[0].manifest_bytes, BATCHES[0].signature))
    batch[4] = b"\x01" * 32
    rival._finish(rival.sender, chain._checksummed, rival._encode("anchor", tuple(batch)), None)
    with pytest.raises(ChainConflict, match="是别的内容"):
        settle(chain, BATCHES[:1])
    with pytest.raises(ChainBroken, match="内容与清单不符"):
        chain.verify()


@pytest.mark.parametrize(("before", "after"), [(INTL, GM), (GM, INTL)], ids=["to 国密", "back"])
def test_a_gateway_that_changed_its_suite_keeps_its_name(
    node: Anvil, store: Store, before: Suite, after: Suite
) -> None:
    """Streams go on where they were, batches of both suites stand under one name; who pinned only the first key is told."""
    first = Signer(bytes(range(32)), before.signing)
    then = Signer(bytes(range(32)), after.signing, (first.public,))
    one = sealed(3, suite=before, signer=first)
    two = sealed(3, 4, one.batch_id, suite=after, signer=then)
    account = new_key()
    chain = sink(store, node.url, signer=first, key=account)
    chain.deploy()
    settle(chain, [one])
    changed = sink(store, node.url, signer=then, key=account, contract=chain.contract)
    settle(changed, [two])
    assert [finding for finding in findings(changed) if not finding.ok] == []
    with closing(EvmLedger(chain.endpoint, then.public)) as ledger:
        assert [manifest.suite for _block, manifest in ledger.blocks(then.public)] == [before.name, after.name]
    with closing(EvmLedger(chain.endpoint, first.public)) as ledger, pytest.raises(ChainBroken, match="签名"):
        list(ledger.blocks(first.public))
    for each in (chain, changed):
        each.close()


def test_a_paused_contract_and_a_lost_right_are_told_and_mended(chain: Any) -> None:
    def operator(function: str, *arguments: Any) -> None:
        chain._finish(chain.sender, chain._checksummed, chain._encode(function, *arguments), None)

    operator("setPaused", True)
    with pytest.raises(ChainRefused, match="暂停"):
        settle(chain, BATCHES[:1])
    operator("setPaused", False)
    operator("setWriter", chain.sender.address, bytes(32))
    with pytest.raises(ChainRefused, match="名单"):
        settle(chain, BATCHES[:1])
    operator("setWriter", chain.sender.address, chain.bureau(chain.signer))
    settle(chain, BATCHES)
    must_hold(chain, BATCHES)


def test_too_much_input_is_refused_before_it_is_signed(chain: Any) -> None:
    from dataclasses import replace

    chain.node.profile = replace(chain.node.profile, calldata=500)
    with pytest.raises(ChainRefused, match="500 字节"):
        attempt(chain, BATCHES[0])
    assert chain._journal.of_batch(BATCHES[0].batch_id) is None


def test_a_contract_is_deployed_once(chain: Any, node: Anvil) -> None:
    with pytest.raises(ChainRefused, match="已有合约"):
        chain.deploy()


def test_exported_headers_tell_the_same(chain: Any, tmp_path: Path) -> None:
    receipts = settle(chain, BATCHES)
    path = tmp_path / "headers.jsonl"
    head = chain.export_headers(path)
    told = HeaderChain(path, SIGNER.public, head)
    assert (told.name, told.head) == (chain.endpoint.ledger, head)
    assert [told.receipt(b.batch_id) for b in BATCHES] == receipts
    assert [told.read(b.batch_id) for b in BATCHES] == [b.manifest_bytes for b in BATCHES]
    with pytest.raises(ChainBroken, match="先前见过"):
        HeaderChain(path, SIGNER.public, Head(head.number, "00" * 32))
    with pytest.raises(ChainBroken, match="钉住"):
        HeaderChain(path, OTHER_SIGNER.public)
    lines = path.read_bytes().splitlines(keepends=True)
    for bent in (
        lines[:-1],
        [*lines[:2], *lines[3:]],
        [lines[0], lines[1].replace(b'"at":"2', b'"at":"3'), *lines[2:]],
    ):
        path.write_bytes(b"".join(bent))
        with pytest.raises(ChainBroken, match="摘要"):
            HeaderChain(path, SIGNER.public)
