"""The fault table: whatever a node, a chain or the way to it does, each batch is there exactly once, and its receipt is true."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from gateway.chain import ChainConflict, ChainRefused, ChainUnavailable, Head
from gateway.chain.evm import TxState
from gateway.store import Store
from gateway.store.tables import metadata
from tests.proof.sample import chain_of
from tests.support.anvil import CHAIN_ID, Anvil, anvil, attempt, kept, must_hold, new_key, settle, sink
from tests.support.proxy import proxy

pytestmark = pytest.mark.sockets
BATCHES = chain_of(3)


def deployed(store: Store, node: Anvil, **options: Any) -> Any:
    made = sink(store, node.url, **options)
    made.deploy()
    return made


def sent_by(chain: Any) -> int:
    """Transactions of the sender in blocks, without the two of the deployment."""
    return int(chain.node.nonce(chain.sender.address)) - 2


def foreign(chain: Any, key: str, nonce: int) -> bytes:
    """A transaction that somebody else signed with our key."""
    fields = {
        "nonce": nonce,
        "gasPrice": 0,
        "gas": 50_000,
        "to": chain.sender.address,
        "value": 0,
        "data": b"",
        "chainId": CHAIN_ID,
    }
    return bytes(Account.sign_transaction(fields, key).raw_transaction)


def test_a_node_that_is_down(store: Store, tmp_path: Path) -> None:
    with anvil(*kept(tmp_path / "state")) as node:
        chain = deployed(store, node)
        settle(chain, BATCHES[:1])
        node.stop()
        with pytest.raises(ChainUnavailable, match="连不上"):
            attempt(chain, BATCHES[1])
        node.start()
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        assert sent_by(chain) == 3


def test_a_node_that_is_frozen(store: Store) -> None:
    with anvil() as node:
        chain = deployed(store, node, timeout=0.5)
        chain.sender.look()
        node.freeze()
        began = time.monotonic()
        with pytest.raises(ChainUnavailable, match="超时"):
            settle_once(chain)
        assert time.monotonic() - began < 3
        node.thaw()
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        assert sent_by(chain) == 3


def settle_once(chain: Any) -> None:
    time.sleep(0.3)
    attempt(chain, BATCHES[0])


def test_an_answer_that_is_lost(store: Store) -> None:
    """The node has it, we do not know: the same bytes again, never a second transaction."""
    with anvil() as node, proxy(node.url) as way:
        chain = sink(store, way.url)
        chain.deploy()
        way.lose = {"eth_sendRawTransaction"}
        with pytest.raises(ChainUnavailable):
            attempt(chain, BATCHES[0])
        signed = chain._journal.of_batch(BATCHES[0].batch_id)
        assert signed.state is TxState.SIGNED
        time.sleep(0.3)
        way.lose = set()
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        assert chain._journal.of_batch(BATCHES[0].batch_id).hash == signed.hash
        assert sent_by(chain) == 3


def test_every_answer_is_lost_for_a_while(store: Store) -> None:
    """Answers to sending never arrive at all: receipts alone tell."""
    with anvil() as node, proxy(node.url) as way:
        chain = sink(store, way.url)
        chain.deploy()
        way.lose = {"eth_sendRawTransaction"}
        settle(chain, BATCHES)
        way.lose = set()
        must_hold(chain, BATCHES)
        assert sent_by(chain) == 3


def test_a_transaction_that_the_pool_dropped(store: Store) -> None:
    with anvil() as node:
        chain = deployed(store, node)
        node.rpc("evm_setAutomine", False)
        assert attempt(chain, BATCHES[0]) is None
        signed = chain._journal.of_batch(BATCHES[0].batch_id)
        node.rpc("anvil_dropTransaction", "0x" + signed.hash)
        assert node.rpc("eth_getTransactionByHash", "0x" + signed.hash) is None
        time.sleep(0.7)
        assert attempt(chain, BATCHES[0]) is None
        assert node.rpc("eth_getTransactionByHash", "0x" + signed.hash) is not None
        node.rpc("evm_setAutomine", True)
        node.rpc("anvil_mine")
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        assert sent_by(chain) == 3


@pytest.mark.parametrize("pooled", [True, False], ids=["in the pool", "in a block"])
def test_a_nonce_that_somebody_else_took(store: Store, pooled: bool) -> None:
    key = new_key()
    with anvil() as node:
        chain = deployed(store, node, key=key)
        if pooled:
            node.rpc("evm_setAutomine", False)
        chain.sender.look()
        chain.sender.nonce = nonce = chain.node.nonce(chain.sender.address)
        node.rpc("eth_sendRawTransaction", "0x" + foreign(chain, key, nonce).hex())
        chain.sender._asked = time.monotonic() + 1  # what the lane knows is from before
        assert attempt(chain, BATCHES[0]) is None
        chain.sender._asked = 0.0
        signed = chain._journal.of_batch(BATCHES[0].batch_id)
        assert signed.nonce == nonce
        if pooled:
            node.rpc("evm_setAutomine", True)
            node.rpc("anvil_mine")
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        (taken,) = [s for s in chain._journal.since(nonce) if s.nonce == nonce]
        assert taken.state is TxState.SUPERSEDED
        assert chain._journal.of_batch(BATCHES[0].batch_id).nonce > nonce


@pytest.mark.parametrize("needed", [True, False], ids=["by its batch", "by nobody"])
def test_a_gap_in_the_nonces_is_filled(store: Store, needed: bool) -> None:
    """A store put back to an older copy forgot a transaction that the pool lost as well: a batch takes its nonce, or nothing does."""
    other = chain_of(1, stream="beef")
    with anvil() as node:
        chain = deployed(store, node)
        node.rpc("evm_setAutomine", False)
        for batch in (BATCHES[0], *other):
            attempt(chain, batch)
        forgotten = chain._journal.of_batch(BATCHES[0].batch_id)
        table = metadata.tables["chain_tx"]
        with store.engine.begin() as connection:
            connection.execute(table.delete().where(table.c.nonce == forgotten.nonce))
        node.rpc("anvil_dropTransaction", "0x" + forgotten.hash)
        node.rpc("evm_setAutomine", True)
        wanted = [*BATCHES, *other] if needed else other
        settle(chain, wanted)
        must_hold(chain, wanted)


def test_transactions_that_arrive_in_the_wrong_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with anvil() as node:
        chain = deployed(store, node)
        send, held = chain.node.send, []
        monkeypatch.setattr(chain.node, "send", held.append)
        for batch in BATCHES:
            attempt(chain, batch)
        assert len(held) == 3
        for raw in reversed(held):
            send(raw)
        monkeypatch.undo()
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        assert sent_by(chain) == 3


def test_a_batch_that_is_there_already(store: Store) -> None:
    """The store forgot everything: the contract knows, and nothing is sent."""
    key = new_key()
    with anvil() as node:
        chain = deployed(store, node, key=key)
        first = settle(chain, BATCHES)
        again = sink(store, node.url, name="again", contract=chain.contract, key=key)
        assert settle(again, BATCHES) == first
        assert sent_by(again) == 3


def test_a_batch_sent_twice_is_taken_once(store: Store) -> None:
    """The second transaction was on its way already: the contract refuses it, and the receipt is that of the first."""
    key = new_key()
    with anvil() as node:
        chain = deployed(store, node, key=key)
        node.rpc("evm_setAutomine", False)
        attempt(chain, BATCHES[0])
        again = sink(store, node.url, name="again", contract=chain.contract, key=key)
        again.sender.look()
        again.sender.nonce += 1
        again.sender._asked = time.monotonic() + 1
        attempt(again, BATCHES[0])
        again.sender._asked = 0.0
        assert chain._journal.of_batch(BATCHES[0].batch_id).hash != again._journal.of_batch(BATCHES[0].batch_id).hash
        node.rpc("anvil_mine")
        node.rpc("evm_setAutomine", True)
        assert settle(chain, BATCHES[:1]) == settle(again, BATCHES[:1])
        assert again._journal.of_batch(BATCHES[0].batch_id).state is TxState.REVERTED
        must_hold(chain, BATCHES[:1])


def test_a_reorganised_chain(store: Store) -> None:
    with anvil() as node:
        chain = deployed(store, node)
        node.rpc("anvil_mine")
        before = settle(chain, BATCHES)
        node.rpc("anvil_reorg", 3, [])
        assert not any(chain.stands(Head(r.block, r.block_hash)) for r in before)
        assert chain.receipt(BATCHES[0].batch_id) is None
        after = settle(chain, BATCHES)
        assert {r.block_hash for r in after}.isdisjoint(r.block_hash for r in before)
        assert [r.tx for r in after] == [r.tx for r in before]
        assert all(chain.stands(Head(r.block, r.block_hash)) for r in after)
        must_hold(chain, BATCHES)


def test_a_chain_that_was_put_back(store: Store) -> None:
    with anvil() as node:
        chain = deployed(store, node)
        snapshot = node.rpc("evm_snapshot")
        before = settle(chain, BATCHES)
        node.rpc("evm_revert", snapshot)
        assert not chain.stands(Head(before[-1].block, before[-1].block_hash))
        after = settle(chain, BATCHES)
        assert [r.tx for r in after] == [r.tx for r in before]
        must_hold(chain, BATCHES)


def test_a_node_of_another_chain(store: Store) -> None:
    """A node that would take our transaction into its pool, never mine it, and hold the nonce for good."""
    with anvil() as node, anvil(chain_id=1) as other:
        chain = deployed(store, node)
        lost = sink(store, other.url, contract=chain.contract)
        with pytest.raises(ChainRefused, match="属于链 1，应为 20200"):
            attempt(lost, BATCHES[0])
        assert list(lost._journal.since(0)) == []
        with pytest.raises(ChainRefused, match="没有合约"):
            attempt(sink(store, node.url, name="empty", contract="0x" + "11" * 20), BATCHES[0])


def test_another_chain_of_the_same_id(store: Store) -> None:
    """The chain was made anew under its old number and address: an alarm, never a new beginning."""
    key = new_key()
    with anvil() as node, anvil("--timestamp", "1700000000") as other:
        chain = deployed(store, node, key=key)
        settle(chain, BATCHES[:1])
        twin = sink(store, other.url, name="twin", key=key)
        twin.deploy()
        assert twin.contract == chain.contract
        moved = sink(store, other.url, key=key)
        with pytest.raises(ChainConflict, match="创世块"):
            attempt(moved, BATCHES[1])
        node.rpc("anvil_setCode", chain.contract, "0x6000")
        with pytest.raises(ChainConflict, match="合约代码"):
            attempt(sink(store, node.url, key=key), BATCHES[1])


def test_an_engine_as_narrow_as_fisco_bcos(store: Store) -> None:
    """Ten blocks of logs, eight calls a batch, long extraData, milliseconds, its own words: and nothing else is asked."""
    batches = chain_of(24)
    with anvil() as node, proxy(node.url) as way:
        way.fisco = True
        chain = sink(store, way.url, profile="fisco-bcos")
        chain.deploy()
        for batch in batches:
            settle(chain, [batch])
            if batch.manifest.first > 54:
                node.rpc("anvil_mine", "0x4")
        way.lose = {"eth_sendRawTransaction"}
        more = chain_of(25)[24:]
        settle(chain, more)
        way.lose = set()
        receipts = [chain.receipt(b.batch_id) for b in [*batches, *more]]
        assert receipts[-1].block - receipts[0].block > 30
        assert receipts[0].at[:2] == "20"
        must_hold(chain, [*batches, *more])
        assert max(way.batches) == 8
        assert way.calls.keys() & {"eth_feeHistory", "eth_maxPriorityFeePerGas", "eth_getTransactionByHash"} == set()


def test_slow_blocks_and_a_finality_of_three(store: Store) -> None:
    with anvil("--block-time", "1") as node:
        chain = deployed(store, node, confirmations=3)
        receipts = settle(chain, BATCHES, 30)
        assert chain.node.tip() - receipts[-1].block >= 2
        must_hold(chain, BATCHES)
        assert sent_by(chain) == 3


def test_a_pool_that_is_lost_with_its_node(store: Store, tmp_path: Path) -> None:
    with anvil(*kept(tmp_path / "state")) as node:
        chain = deployed(store, node)
        settle(chain, BATCHES[:1])
        node.rpc("evm_setAutomine", False)
        attempt(chain, BATCHES[1])
        signed = chain._journal.of_batch(BATCHES[1].batch_id)
        node.stop(signal.SIGTERM)
        node.start()
        assert node.rpc("eth_getTransactionByHash", "0x" + signed.hash) is None
        settle(chain, BATCHES)
        must_hold(chain, BATCHES)
        assert chain._journal.of_batch(BATCHES[1].batch_id).hash == signed.hash
        assert sent_by(chain) == 3


def test_a_lane_has_a_window(store: Store) -> None:
    batches = chain_of(8)
    with anvil() as node:
        chain = deployed(store, node, window=3)
        time.sleep(0.3)  # what the lane knows is from after the deployment
        node.rpc("evm_setAutomine", False)
        for batch in batches:
            attempt(chain, batch)
        assert len(chain.sender.in_flight) == 3
        node.rpc("evm_setAutomine", True)
        node.rpc("anvil_mine")
        settle(chain, batches)
        must_hold(chain, batches)
