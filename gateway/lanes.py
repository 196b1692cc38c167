"""What a chain's sender must not forget, kept in the store: the journal of one sink (`gateway.chain.evm`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.chain.evm import Pin, Signed, TxState
from gateway.store import Store


class StoreJournal:
    """The `Journal` of one sink and one sender: a key that is replaced begins a lane of its own."""

    def __init__(self, store: Store, sink: str, sender: str) -> None:
        self._store, self._lane = store, {"sink": sink, "sender": sender}
        self._sink = sink
        self._last: tuple[int, int, int] | None = None

    def add(self, signed: Signed) -> None:
        with self._store.write() as tx:
            tx.run(
                "chain_tx_add",
                nonce=signed.nonce,
                hash=signed.hash,
                batch_id=signed.batch_id,
                raw=signed.raw,
                state=signed.state.value,
                sent_at=signed.sent_at,
                **self._lane,
            )

    def mark(self, nonce: int, state: TxState, sent_at: float | None = None) -> None:
        with self._store.write() as tx:
            tx.run("chain_tx_mark", nonce=nonce, state=state.value, sent_at=sent_at, **self._lane)

    def of_batch(self, batch_id: str) -> Signed | None:
        with self._store.read() as tx:
            row = tx.one("chain_tx_of_batch", batch_id=batch_id, **self._lane)
        return None if row is None else _signed(row)

    def since(self, nonce: int) -> Sequence[Signed]:
        with self._store.read() as tx:
            return [_signed(row) for row in tx.all("chain_tx_since", nonce=nonce, **self._lane)]

    def pinned(self) -> Pin | None:
        with self._store.read() as tx:
            row = tx.one("chain_pin_get", sink=self._sink)
        return Pin(row.chain_id, row.genesis, row.contract, row.code_hash) if row and row.contract else None

    def pin(self, pin: Pin) -> None:
        with self._store.write() as tx:
            tx.run(
                "chain_pin_put",
                sink=self._sink,
                chain_id=pin.chain_id,
                genesis=pin.genesis,
                contract=pin.contract,
                code_hash=pin.code_hash,
            )

    def observed(self, tip: int, balance: int, nonce: int) -> None:
        if self._last == (tip, balance, nonce):
            return
        seen_at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._store.write() as tx:
            tx.run("chain_observed", tip=tip, balance=str(balance), nonce=nonce, seen_at=seen_at, **self._lane)
        self._last = (tip, balance, nonce)


def _signed(row: Any) -> Signed:
    return Signed(row.nonce, row.hash, row.batch_id, bytes(row.raw), TxState(row.state), row.sent_at)
