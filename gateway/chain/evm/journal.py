"""What a sender must not forget: signed bytes before they are sent, and which chain it first met. The store keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class TxState(StrEnum):
    SIGNED = "signed"
    """Persisted; whether it was ever sent is unknown."""
    SENT = "sent"
    MINED = "mined"
    """It anchored its batch, finally."""
    REVERTED = "reverted"
    """Mined and refused by the contract."""
    SUPERSEDED = "superseded"
    """Another transaction of the same key took its nonce: it can never be mined."""


@dataclass(frozen=True, slots=True)
class Signed:
    """One transaction. `batch_id` is empty for one that only fills a gap in the lane."""

    nonce: int
    hash: str
    batch_id: str
    raw: bytes
    state: TxState
    sent_at: float
    """Epoch seconds of the last time it was sent; 0 for never."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The chain and contract as they were met first; anything else later is an alarm."""

    chain_id: int
    genesis: str
    contract: str
    code_hash: str


class Journal(Protocol):
    """The memory of one sink's lane. Every method is durable when it returns."""

    def add(self, signed: Signed) -> None: ...

    def mark(self, nonce: int, state: TxState, sent_at: float | None = None) -> None:
        """Changes the state; `sent_at` where it was sent just now."""

    def of_batch(self, batch_id: str) -> Signed | None:
        """The newest transaction signed for a batch."""

    def since(self, nonce: int) -> Sequence[Signed]:
        """Every transaction with this nonce or a later one, in order."""

    def pinned(self) -> Pin | None: ...

    def pin(self, pin: Pin) -> None: ...

    def observed(self, tip: int, balance: int, nonce: int) -> None:
        """Keeps how the chain looked, for `status`."""
