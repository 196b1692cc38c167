"""What we need of a chain, and how it can fail (DESIGN §8).

ChainError
├── ChainUnavailable  no answer, or none that tells what happened: look (`receipt`) before sending the same bytes again
├── ChainRefused      the chain will never take this: not canonical, or not signed by the submitter
├── ChainConflict     something else stands where this batch should: an alarm, never retried
└── ChainBroken       a record of the chain is not what was signed; `block` says where
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.errors import Told


class ChainError(Told):
    """What a chain refused or failed at."""


class ChainUnavailable(ChainError):
    """The outcome is unknown: look before sending the same bytes again."""


class ChainRefused(ChainError):
    """The chain will never take this."""


class ChainConflict(ChainError):
    """Something else stands where this batch should."""


class ChainBroken(ChainError):
    """A record of the chain is not what was signed."""

    def __init__(self, block: int, why: str) -> None:
        super().__init__("区块 {block}：{why}", block=block, why=why)
        self.block = block


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a batch stands, final."""

    ledger: str
    block: int
    block_hash: str
    tx: str
    at: str
    """When the chain took it: ISO, UTC, real time."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a batch that was sent. `receipt` is None until it is final."""

    batch_id: str
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Head:
    """The newest block somebody knows of."""

    number: int
    hash: str


class Placed(Protocol):
    """One anchored batch, as some chain holds it."""

    @property
    def number(self) -> int: ...
    @property
    def hash(self) -> str: ...
    @property
    def batch_id(self) -> str: ...
    @property
    def manifest(self) -> bytes: ...
    def receipt(self, ledger: str) -> Receipt: ...


class Chain(Protocol):
    """One sink. All methods may raise ChainUnavailable."""

    name: str
    lane: str
    """The lease that whoever submits must hold: one key has one writer."""
    pace: float
    """Seconds between two looks at what was submitted and is not final yet."""
    rereads: int
    """How many of the newest receipts are to be looked at again; 0 where a block never changes."""

    def submit(self, manifest: bytes, signature: bytes) -> Submission:
        """Anchors a manifest; idempotent on its batch id: again answers the same receipt.

        Raises:
            ChainRefused: not a manifest, or not signed by this gateway.
            ChainConflict: the id, or part of the stream's range, is taken by other content.
        """

    def receipt(self, batch_id: str) -> Receipt | None:
        """None while the batch is not final."""

    def read(self, batch_id: str) -> bytes | None:
        """The manifest as the chain holds it."""

    def stands(self, block: Head) -> bool:
        """Whether a block of a receipt is still part of the chain."""

    def export_headers(self, path: Path) -> Head:
        """Writes what members need to verify without this chain; returns the newest block in it."""

    def verify(self, *, expected_head: Head | None = None) -> Head:
        """Re-checks everything; `expected_head` is a block that must still be there.

        Raises:
            ChainBroken: at the first block that does not hold.
        """

    def close(self) -> None: ...
