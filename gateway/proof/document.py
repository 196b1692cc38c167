"""The proof of one version, as a bank receives it: `docs/proof-format.md` (DESIGN §5.7).

Whoever holds a payload and the keys of some groups can make one; whoever trusts the chain and the pinned key checks it
with nothing else of ours. Groups that are not disclosed stay hidden behind their commitments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from gateway.proof import merkle
from gateway.proof.batch import agree, commit, open_group, read_payload, unhex, version_root
from gateway.proof.errors import ProofInvalid
from gateway.proof.manifest import Manifest, verify_manifest
from gateway.proof.signing import PublicKey
from gateway.proof.suite import HASH_BYTES, Values, canonical, suite_named

FORMAT: Final = "shuqiao-proof/1"
SALT_BYTES: Final = 32


class Anchor(Protocol):
    """Where a chain keeps a batch."""

    @property
    def ledger(self) -> str: ...
    @property
    def block(self) -> int: ...
    @property
    def block_hash(self) -> str: ...
    @property
    def tx(self) -> str: ...
    @property
    def at(self) -> str: ...


class Anchors(Protocol):
    """A chain, or its exported headers, already verified."""

    def receipt(self, batch_id: str) -> Anchor | None: ...


@dataclass(frozen=True, slots=True)
class Trust:
    """All that a verifier has to believe: the gateway's public key and the chain."""

    signer: PublicKey
    chain: Anchors


class Disclosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    values: Values
    salt: str


class AnchorText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ledger: str
    block: str
    block_hash: str
    tx: str
    at: str

    @classmethod
    def of(cls, anchor: Anchor) -> AnchorText:
        return cls(anchor.ledger, str(anchor.block), anchor.block_hash, anchor.tx, anchor.at)


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All scalars are text. `commitments` are those of every group, disclosed or not."""

    format: str
    manifest: dict[str, str | None]
    signature: str
    envelope: Values
    disclosed: dict[str, Disclosed]
    commitments: dict[str, str]
    index: str
    path: list[str]
    receipt: AnchorText


@dataclass(frozen=True, slots=True)
class Verified:
    """What a document proves."""

    manifest: Manifest
    envelope: Values
    groups: dict[str, Values]
    closed: tuple[str, ...]
    """Groups that exist and were not disclosed."""
    ledger: str
    block: int
    block_hash: str
    at: str
    """When the chain took it."""


class OpenBatch:
    """A batch as the store keeps it, read and recomputed once: documents of its versions come from the tree in memory."""

    def __init__(self, manifest_bytes: bytes, signature: bytes, payload: bytes) -> None:
        """Raises ProofInvalid, PayloadAltered: the batch itself does not hold."""
        self._manifest: dict[str, str | None] = msgspec.json.decode(manifest_bytes)
        self._signature = signature.hex()
        manifest = Manifest.parse(manifest_bytes)
        self.suite = suite_named(manifest.suite)
        self._versions = read_payload(manifest, payload)
        h = self.suite.hash
        self._tree = merkle.levels(h, [merkle.leaf_hash(h, v.root(self.suite)) for v in self._versions])

    def groups(self, index: int) -> list[str]:
        """The names of a version's groups. Raises IndexError."""
        return sorted(self._versions[index].groups)

    def document(self, index: int, secrets: Mapping[str, bytes], anchor: Anchor) -> dict[str, Any]:
        """The document for one version, disclosing exactly the groups whose 64 bytes are in `secrets`.

        Raises:
            ProofInvalid: GROUP, a key does not open what it should.
            IndexError: the batch has no such version.
        """
        version = self._versions[index]
        document = Document(
            format=FORMAT,
            manifest=self._manifest,
            signature=self._signature,
            envelope=version.envelope,
            disclosed={
                group: Disclosed(open_group(self.suite, version, group, secret), secret[-SALT_BYTES:].hex())
                for group, secret in sorted(secrets.items())
            },
            commitments={group: sealed.commitment for group, sealed in sorted(version.groups.items())},
            index=str(index),
            path=[sibling.hex() for sibling in merkle.path(self._tree, index)],
            receipt=AnchorText.of(anchor),
        )
        made: dict[str, Any] = msgspec.to_builtins(document)
        return made


def verify_document(document: bytes | Mapping[str, Any], trust: Trust) -> Verified:
    """Checks a document from the pinned key down to each disclosed value, and up to the chain.

    Raises:
        ProofInvalid: `code` names the first thing that is not proven.
    """
    doc = _read(document)
    manifest = verify_manifest(canonical(doc.manifest), _unhex(doc.signature), trust.signer)
    suite = suite_named(manifest.suite)
    commitments = {group: unhex(group, text) for group, text in doc.commitments.items()}
    root = version_root(suite, doc.envelope, commitments)
    agree(doc.envelope, manifest)
    for group, shown in doc.disclosed.items():
        schema = str(doc.envelope["schema"])
        made = commit(suite, schema, group, _unhex(shown.salt), canonical(shown.values))
        if commitments.get(group) != made:
            raise ProofInvalid("GROUP", "披露组 {group} 的内容与承诺不符", group=group)
    try:
        leaf = merkle.leaf_hash(suite.hash, root)
        top = merkle.root_of_path(suite.hash, leaf, _index(doc.index), manifest.count, [*map(_hash, doc.path)])
    except ValueError:
        raise ProofInvalid("PATH", "默克尔路径与批次的条数不符") from None
    if top.hex() != manifest.root:
        raise ProofInvalid("ROOT", "信封和承诺算不出上链的默克尔根")
    anchor = trust.chain.receipt(manifest.batch_id)
    if anchor is None:
        raise ProofInvalid("ANCHOR", "链上没有批次 {batch}", batch=manifest.batch_id)
    if AnchorText.of(anchor) != doc.receipt:
        raise ProofInvalid("RECEIPT", "回执与链上记录不符：区块 {block}", block=anchor.block)
    return Verified(
        manifest=manifest,
        envelope=doc.envelope,
        groups={group: shown.values for group, shown in doc.disclosed.items()},
        closed=tuple(sorted(doc.commitments.keys() - doc.disclosed.keys())),
        ledger=anchor.ledger,
        block=anchor.block,
        block_hash=anchor.block_hash,
        at=anchor.at,
    )


def _read(document: bytes | Mapping[str, Any]) -> Document:
    try:
        if isinstance(document, bytes):
            doc = msgspec.json.decode(document, type=Document)
        else:
            doc = msgspec.convert(document, Document)
    except msgspec.DecodeError:
        raise ProofInvalid("FORMAT", "证明文件的结构不是 {format}", format=FORMAT) from None
    if doc.format != FORMAT:
        raise ProofInvalid("FORMAT", "证明文件的结构不是 {format}", format=FORMAT)
    return doc


def _index(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("no index")
    return int(text)


def _hash(text: str) -> bytes:
    raw = bytes.fromhex(text)
    if len(raw) != HASH_BYTES:
        raise ValueError("no hash")
    return raw


def _unhex(text: str) -> bytes:
    """Bytes of hex, or none: what follows then fails by its own name."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
