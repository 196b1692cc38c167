"""Blocks of the embedded ledger: signed, linked by hash; and the check that no column of any of them was changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from gateway.chain.base import ChainBroken, Head, Receipt
from gateway.proof.errors import ProofError
from gateway.proof.manifest import Manifest, verify_manifest
from gateway.proof.signing import PublicKey, Signer
from gateway.proof.suite import framed, suite_named

GENESIS: Final = "0" * 64
_BLOCK_DOMAIN: Final = b"shuqiao/1/block"
_BLOCK, _HEAD = "block", "head"


@dataclass(frozen=True, slots=True)
class Block:
    """One anchored batch."""

    number: int
    previous: str
    at: str
    batch_id: str
    manifest: bytes
    manifest_signature: bytes
    signer: str
    hash: str
    signature: bytes

    def digest(self) -> str:
        """What `hash` must be: over everything but itself and the signature, which is over it; in the manifest's suite.

        Raises ProofInvalid: the manifest is none.
        """
        h = suite_named(Manifest.parse(self.manifest).suite).hash
        parts = (self.previous, self.at, self.batch_id, self.signer)
        number = self.number.to_bytes(8, "big")
        text = (part.encode() for part in parts)
        return h(framed(_BLOCK_DOMAIN, number, *text, h(self.manifest), self.manifest_signature)).hex()

    def receipt(self, ledger: str) -> Receipt:
        return Receipt(ledger, self.number, self.hash, self.batch_id, self.at)


@dataclass(frozen=True, slots=True)
class SignedHead:
    """How far the ledger goes, signed: a block less at its end is noticed."""

    number: int
    hash: str
    signature: bytes

    @property
    def head(self) -> Head:
        return Head(self.number, self.hash)

    def signed_by(self, key: PublicKey) -> bool:
        return key.verify(_HEAD, _head_bytes(self.head), self.signature)


def forge(signer: Signer, head: Head, *, at: str, batch_id: str, manifest: bytes, signature: bytes) -> Block:
    """The block that follows `head`."""
    draft = Block(head.number + 1, head.hash, at, batch_id, manifest, signature, signer.public_text, "", b"")
    digest = draft.digest()
    return replace(draft, hash=digest, signature=signer.sign(_BLOCK, digest.encode()))


def sign_head(signer: Signer, head: Head) -> SignedHead:
    return SignedHead(head.number, head.hash, signer.sign(_HEAD, _head_bytes(head)))


def verified(
    blocks: Iterable[Block], head: SignedHead | None, pinned: PublicKey, expected: Head | None = None
) -> Iterator[tuple[Block, Manifest]]:
    """Yields each block with its manifest once it is checked; whoever exhausts it has checked the whole ledger.

    Args:
        blocks: in order.
        head: the signed head kept with them; None for a ledger that never had a block.
        pinned: the only key whose signatures count.
        expected: a head known from elsewhere (a receipt, headers exported earlier) that must still be part of it.

    Raises:
        ChainBroken: names the first block that does not hold.
    """
    last = Head(0, GENESIS)
    for block in blocks:
        manifest = _checked(block, last, pinned)
        last = Head(block.number, block.hash)
        if expected and expected.number == last.number and expected != last:
            raise ChainBroken(last.number, "与先前见过的同号区块不同")
        if head is None or last.number > head.number:
            raise ChainBroken(last.number, "不在签过名的账本头之内")
        yield block, manifest
    if head is not None:
        if not head.signed_by(pinned):
            raise ChainBroken(head.number, "账本头的签名无效，或不是由钉住的签名公钥签署")
        if last != head.head:
            raise ChainBroken(last.number + 1, f"缺失；账本头记到区块 {head.number}")
    if expected and expected.number > last.number:
        raise ChainBroken(last.number + 1, f"缺失；先前见过区块 {expected.number}")


def _checked(block: Block, last: Head, pinned: PublicKey) -> Manifest:
    number = last.number + 1
    if block.number != number:
        raise ChainBroken(number, "缺失或序号被改动")
    signer = pinned.named(block.signer)
    if signer is None:
        raise ChainBroken(number, "签名者不是钉住的签名公钥")
    if block.previous != last.hash:
        raise ChainBroken(number, "与前一区块的链接断开")
    try:
        if block.digest() != block.hash or not signer.verify(_BLOCK, block.hash.encode(), block.signature):
            raise ChainBroken(number, "内容、哈希或签名被改动")
        manifest = verify_manifest(block.manifest, block.manifest_signature, pinned)
    except ProofError as error:
        raise ChainBroken(number, str(error)) from error
    if manifest.batch_id != block.batch_id:
        raise ChainBroken(number, "批次编号与清单不符")
    return manifest


def _head_bytes(head: Head) -> bytes:
    return f"{head.number}:{head.hash}".encode()
