"""The ways in which a reader may be given a chain: exported headers, the embedded ledger's file, or a node."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from gateway.chain.base import ChainRefused, Head, Placed, Receipt
from gateway.chain.evm import Endpoint
from gateway.chain.headers import HeaderChain
from gateway.chain.local import LocalLedger
from gateway.proof.manifest import Manifest
from gateway.proof.signing import PublicKey

Held: TypeAlias = tuple[Placed, Manifest]
"""A batch that was checked, and where the chain holds it."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """The receipts of a chain that was checked whole."""

    ledger: str
    blocks: Mapping[str, Placed]

    def receipt(self, batch_id: str) -> Receipt | None:
        block = self.blocks.get(batch_id)
        return block.receipt(self.ledger) if block else None


class Source(Protocol):
    """One of the ways to know the chain."""

    @property
    def ledger(self) -> str:
        """How its receipts name it."""

    def blocks(self, expected: Head | None) -> Iterator[Held]: ...
    def keep(self, kept: Path) -> None:
        """Leaves its headers in a file."""


@dataclass(frozen=True, slots=True)
class _Headers:
    path: Path
    pinned: PublicKey

    @property
    def ledger(self) -> str:
        return HeaderChain(self.path, self.pinned).name

    def blocks(self, expected: Head | None) -> Iterator[Held]:
        return HeaderChain(self.path, self.pinned, expected).blocks()

    def keep(self, kept: Path) -> None:
        draft = kept.with_name(f".{uuid.uuid4().hex}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(self.path.read_bytes())
        draft.replace(kept)


@dataclass(frozen=True, slots=True)
class _Ledger:
    path: Path
    pinned: PublicKey

    @property
    def ledger(self) -> str:
        with closing(LocalLedger(self.path)) as opened:
            return opened.name

    def blocks(self, expected: Head | None) -> Iterator[Held]:
        with closing(LocalLedger(self.path)) as opened:
            yield from opened.blocks(self.pinned, expected)

    def keep(self, kept: Path) -> None:
        with closing(LocalLedger(self.path)) as opened:
            opened.export_headers(kept)


@dataclass(frozen=True, slots=True)
class _Node:
    endpoint: Endpoint
    pinned: PublicKey

    @property
    def ledger(self) -> str:
        return self.endpoint.ledger

    def blocks(self, expected: Head | None) -> Iterator[Held]:
        with closing(self._open()) as opened:
            yield from opened.blocks(self.pinned, expected)

    def keep(self, kept: Path) -> None:
        with closing(self._open()) as opened:
            opened.export_headers(kept)

    def _open(self) -> Any:
        try:
            from gateway.chain.evm.ledger import EvmLedger
        except ImportError as error:
            raise ChainRefused("读取节点要先安装：pip install 'shuqiao[evm]'") from error
        return EvmLedger(self.endpoint, self.pinned)


def source_of(pinned: PublicKey, headers: Path | None, ledger: Path | None, endpoint: Endpoint | None) -> Source:
    """The one way that is given. Raises ValueError for none, or several."""
    given: list[Source] = []
    if headers is not None:
        given.append(_Headers(headers, pinned))
    if ledger is not None:
        given.append(_Ledger(ledger, pinned))
    if endpoint is not None:
        given.append(_Node(endpoint, pinned))
    if len(given) != 1:
        raise ValueError("either headers, a ledger or an endpoint")
    return given[0]
