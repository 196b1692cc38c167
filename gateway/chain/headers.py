"""Exported headers: a ledger as JSON lines, for members who cannot reach it. The first line is the signed head."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from gateway.chain.base import ChainBroken, ChainUnavailable, Head, Placed, Receipt
from gateway.chain.blocks import GENESIS, Block, SignedHead, verified
from gateway.chain.evm import headers as evm
from gateway.proof.errors import ProofError
from gateway.proof.manifest import Manifest
from gateway.proof.signing import PublicKey
from gateway.proof.suite import suite_named

FORMAT: Final = "shuqiao-headers/1"


class _Top(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    ledger: str
    number: str
    hash: str
    signature: str
    """Of the head; empty for a ledger without blocks."""


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    previous: str
    at: str
    batch_id: str
    root: str
    manifest: str
    manifest_hash: str
    manifest_signature: str
    signer: str
    hash: str
    signature: str


def write_headers(path: Path, ledger: str, head: SignedHead | None, blocks: Iterable[Block]) -> Head:
    """Writes the file whole or leaves the old one; returns the head it ends with."""
    top = head or SignedHead(0, GENESIS, b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with draft.open("xb") as file:
            line = _Top(FORMAT, ledger, str(top.number), top.hash, top.signature.hex())
            file.write(msgspec.json.encode(line, order="sorted") + b"\n")
            for block in blocks:
                file.write(msgspec.json.encode(_line(block), order="sorted") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return top.head


class HeaderChain:
    """A chain as its exported headers tell it, verified when it is opened. Answers receipts; takes nothing.

    Raises:
        ChainUnavailable: there is no such file.
        ChainBroken: a header does not hold, blocks are missing at the end, or `expected_head` is no part of it.
    """

    def __init__(self, path: Path, pinned_signer: PublicKey, expected_head: Head | None = None) -> None:
        text = _text(path)
        self._blocks: list[tuple[Placed, Manifest]]
        if _format(text) == evm.FORMAT:
            self.name, found, self.head = evm.read_headers(text, pinned_signer, expected_head)
            self._blocks = list(found)
        else:
            self.name, head, blocks = _read(text)
            self._blocks = list(verified(blocks, head, pinned_signer, expected_head))
            self.head = head.head if head else Head(0, GENESIS)
        self._by_batch = {block.batch_id: block for block, _manifest in self._blocks}

    def receipt(self, batch_id: str) -> Receipt | None:
        block = self._by_batch.get(batch_id)
        return block.receipt(self.name) if block else None

    def read(self, batch_id: str) -> bytes | None:
        block = self._by_batch.get(batch_id)
        return block.manifest if block else None

    def blocks(self) -> Iterator[tuple[Placed, Manifest]]:
        return iter(self._blocks)


def _line(block: Block) -> _Line:
    manifest = Manifest.parse(block.manifest)
    return _Line(
        number=str(block.number),
        previous=block.previous,
        at=block.at,
        batch_id=block.batch_id,
        root=manifest.root,
        manifest=block.manifest.decode(),
        manifest_hash=suite_named(manifest.suite).hash(block.manifest).hex(),
        manifest_signature=block.manifest_signature.hex(),
        signer=block.signer,
        hash=block.hash,
        signature=block.signature.hex(),
    )


def _text(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise ChainUnavailable("账本头文件不存在") from None
    if not text.strip():
        raise ChainBroken(0, "账本头文件是空的")
    return text


def _format(text: bytes) -> str | None:
    """Which kind of ledger the first line says it is of."""
    try:
        return str(msgspec.json.decode(text.partition(b"\n")[0], type=dict[str, str]).get("format"))
    except msgspec.DecodeError:
        return None


def _read(text: bytes) -> tuple[str, SignedHead | None, Iterator[Block]]:
    first, *lines = text.splitlines()
    try:
        top = msgspec.json.decode(first, type=_Top)
        head = SignedHead(int(top.number), top.hash, bytes.fromhex(top.signature))
    except ValueError:
        raise ChainBroken(0, "账本头文件的首行无效") from None
    if top.format != FORMAT:
        raise ChainBroken(0, f"账本头文件的格式不是 {FORMAT}")
    return top.ledger, head if head.number or head.signature else None, _blocks(lines)


def _blocks(lines: list[bytes]) -> Iterator[Block]:
    for position, text in enumerate(lines, 1):
        try:
            line = msgspec.json.decode(text, type=_Line)
            block = Block(
                number=int(line.number),
                previous=line.previous,
                at=line.at,
                batch_id=line.batch_id,
                manifest=line.manifest.encode(),
                manifest_signature=bytes.fromhex(line.manifest_signature),
                signer=line.signer,
                hash=line.hash,
                signature=bytes.fromhex(line.signature),
            )
        except ValueError:
            raise ChainBroken(position, "账本头的这一行无法读取") from None
        try:
            # whatever a member reads in a line is checked, also what could be computed
            agrees = line == _line(block)
        except ProofError as error:
            raise ChainBroken(position, str(error)) from error
        if not agrees:
            raise ChainBroken(position, "账本头的这一行与清单不符")
        yield block
