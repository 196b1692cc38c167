"""Chains that batches are anchored on, and what members verify against."""

from gateway.chain.base import (
    Chain,
    ChainBroken,
    ChainConflict,
    ChainError,
    ChainRefused,
    ChainUnavailable,
    Head,
    Placed,
    Receipt,
    Submission,
)
from gateway.chain.blocks import Block
from gateway.chain.headers import HeaderChain
from gateway.chain.local import LocalChain, LocalLedger

__all__ = [
    "Block",
    "Chain",
    "ChainBroken",
    "ChainConflict",
    "ChainError",
    "ChainRefused",
    "ChainUnavailable",
    "Head",
    "HeaderChain",
    "LocalChain",
    "LocalLedger",
    "Placed",
    "Receipt",
    "Submission",
]
