"""The manifest: what is anchored of a batch, and nothing about a person. Its hash is the batch id (DESIGN §2b)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from gateway.proof.errors import ProofInvalid
from gateway.proof.signing import PublicKey
from gateway.proof.suite import canonical, framed, suite_named

FORMAT: Final = "shuqiao-manifest/1"
PURPOSE: Final = "manifest"
_BATCH_DOMAIN: Final = b"shuqiao/1/batch"
_HEX = re.compile(r"[0-9a-f]{64}")
_NUMBERS: Final = ("first", "last", "count", "puts", "gone")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Written as canonical JSON in which the numbers are decimal text."""

    suite: str
    kind: str
    stream: str
    county: str | None
    dataset: str | None
    schema: str | None
    """`<dataset>/<version>`"""
    period: str | None
    first: int
    last: int
    count: int
    puts: int
    gone: int
    root: str
    payload_digest: str
    previous: str | None
    """Batch id of the stream's batch before this one."""
    sealed_at: str
    submitter: str
    terms: str | None
    """Approval number of the sharing terms."""
    format: str = FORMAT

    def encode(self) -> bytes:
        """The bytes that are hashed, signed and anchored."""
        values = msgspec.structs.asdict(self)
        return canonical({name: str(v) if name in _NUMBERS else v for name, v in values.items()})

    @property
    def batch_id(self) -> str:
        """Hash of the manifest without its signature: 64 hex digits."""
        return suite_named(self.suite).hash(framed(_BATCH_DOMAIN, self.suite.encode(), self.encode())).hex()

    @classmethod
    def parse(cls, encoded: bytes) -> Manifest:
        """Reads exactly the canonical form. Raises ProofInvalid MANIFEST or SUITE."""
        try:
            values: dict[str, Any] = msgspec.json.decode(encoded, type=dict[str, str | None])
            made = msgspec.convert({k: int(v) if k in _NUMBERS else v for k, v in values.items()}, cls)
        except (msgspec.DecodeError, ValueError, TypeError):
            raise _refused("字段不全或类型不对") from None
        if made.format != FORMAT:
            raise _refused("格式不是 " + FORMAT)
        suite_named(made.suite)
        if made.encode() != encoded:
            raise _refused("不是规范形式")
        made.check()
        return made

    def check(self) -> None:
        """Raises ProofInvalid MANIFEST when the figures contradict each other."""
        if not (0 < self.first <= self.last and self.count == self.last - self.first + 1):
            raise _refused("序号与条数不符")
        if min(self.puts, self.gone) < 0 or self.puts + self.gone != self.count:
            raise _refused("变更数与注销数之和不等于条数")
        hashes = [self.root, self.payload_digest, *([self.previous] if self.previous is not None else [])]
        if not all(map(_HEX.fullmatch, hashes)):
            raise _refused("哈希值格式不对")


def verify_manifest(encoded: bytes, signature: bytes, signer: PublicKey) -> Manifest:
    """The manifest, if the pinned key signed it. Raises ProofInvalid MANIFEST, SUITE or SIGNATURE."""
    manifest = Manifest.parse(encoded)
    if not signer.verify(PURPOSE, encoded, signature):
        raise ProofInvalid("SIGNATURE", "清单不是由钉住的签名公钥签署")
    return manifest


def _refused(why: str) -> ProofInvalid:
    return ProofInvalid("MANIFEST", "批次清单无效：{why}", why=why)
