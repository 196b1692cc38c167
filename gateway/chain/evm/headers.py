"""Exported headers of an EVM chain: every anchored batch and where it stands, as JSON lines; needs no node and no web3.

The first line names the chain and is signed by the gateway that exported them (docs/proof-format.md §5). A member that
fetched them itself leaves the signature empty: it asked the chain, and keeps the answer on its own disk.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gateway.chain.base import ChainBroken, Head, Receipt
from gateway.proof.errors import ProofError
from gateway.proof.manifest import Manifest, verify_manifest
from gateway.proof.signing import PublicKey, Signer
from gateway.proof.suite import framed

FORMAT: Final = "shuqiao-evm-headers/1"
PURPOSE: Final = "headers"


@dataclass(frozen=True, slots=True)
class EvmBlock:
    """One anchored batch, and the block that holds it; several may share a block."""

    number: int
    hash: str
    tx: str
    at: str
    batch_id: str
    manifest: bytes
    manifest_signature: bytes

    def receipt(self, ledger: str) -> Receipt:
        return Receipt(ledger, self.number, self.hash, self.tx, self.at)


class _Top(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    ledger: str
    count: str
    number: str
    hash: str
    digest: str
    """SHA-256 of the lines that follow, line ends included."""
    signature: str


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: str
    hash: str
    tx: str
    at: str
    batch_id: str
    root: str
    manifest: str
    manifest_signature: str


def write_headers(path: Path, ledger: str, blocks: Iterable[EvmBlock], signer: Signer | None) -> Head:
    """Writes the file whole or leaves the old one; returns the newest block in it."""
    lines, head, count = [], Head(0, ""), 0
    for block in blocks:
        lines.append(msgspec.json.encode(_line(block), order="sorted") + b"\n")
        head, count = Head(block.number, block.hash), count + 1
    body = b"".join(lines)
    top = _Top(FORMAT, ledger, str(count), str(head.number), head.hash, hashlib.sha256(body).hexdigest(), "")
    if signer is not None:
        top = msgspec.structs.replace(top, signature=signer.sign(PURPOSE, _signed(top)).hex())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex}")
    try:
        with draft.open("xb") as file:
            file.write(msgspec.json.encode(top, order="sorted") + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return head


def read_headers(
    text: bytes, pinned: PublicKey, expected: Head | None = None
) -> tuple[str, list[tuple[EvmBlock, Manifest]], Head]:
    """The ledger's name, every batch after it was checked, and the newest block.

    Raises:
        ChainBroken: a line does not hold, lines are missing, or `expected` is no part of them.
    """
    first, _, body = text.partition(b"\n")
    try:
        top = msgspec.json.decode(first, type=_Top)
        count, head = int(top.count), Head(int(top.number), top.hash)
        signature = bytes.fromhex(top.signature)
    except ValueError:
        raise ChainBroken(0, "账本头文件的首行无效") from None
    if hashlib.sha256(body).hexdigest() != top.digest:
        raise ChainBroken(head.number, "账本头的内容与首行的摘要不符")
    if signature and not pinned.verify(PURPOSE, _signed(top), signature):
        raise ChainBroken(head.number, "账本头的签名无效，或不是由钉住的签名公钥签署")
    found = [(block, check(block, pinned)) for block in _blocks(body.splitlines())]
    last = found[-1][0] if found else None
    if len(found) != count or Head(last.number if last else 0, last.hash if last else "") != head:
        raise ChainBroken(head.number, "账本头的条数或末块与首行不符")
    if expected and expected.number and expected not in {Head(b.number, b.hash) for b, _ in found}:
        raise ChainBroken(expected.number, "先前见过的区块不在其中，或已被替换")
    return top.ledger, found, head


def check(block: EvmBlock, pinned: PublicKey) -> Manifest:
    """The manifest of a batch. Raises ChainBroken: the pinned key did not sign it, or its id is another."""
    try:
        manifest = verify_manifest(block.manifest, block.manifest_signature, pinned)
    except ProofError as error:
        raise ChainBroken(block.number, str(error)) from error
    if manifest.batch_id != block.batch_id:
        raise ChainBroken(block.number, "批次编号与清单不符")
    return manifest


def _signed(top: _Top) -> bytes:
    return framed(*(part.encode() for part in (top.ledger, top.count, top.number, top.hash, top.digest)))


def _line(block: EvmBlock) -> _Line:
    return _Line(
        number=str(block.number),
        hash=block.hash,
        tx=block.tx,
        at=block.at,
        batch_id=block.batch_id,
        root=Manifest.parse(block.manifest).root,
        manifest=block.manifest.decode(),
        manifest_signature=block.manifest_signature.hex(),
    )


def _blocks(lines: Iterable[bytes]) -> Iterator[EvmBlock]:
    for position, text in enumerate(lines, 1):
        try:
            line = msgspec.json.decode(text, type=_Line)
            block = EvmBlock(
                int(line.number),
                line.hash,
                line.tx,
                line.at,
                line.batch_id,
                line.manifest.encode(),
                bytes.fromhex(line.manifest_signature),
            )
        except ValueError:
            raise ChainBroken(position, "账本头的这一行无法读取") from None
        try:
            agrees = line == _line(block)
        except ProofError as error:
            raise ChainBroken(block.number, str(error)) from error
        if not agrees:
            raise ChainBroken(block.number, "账本头的这一行与清单不符")
        yield block
