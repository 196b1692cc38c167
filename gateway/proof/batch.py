"""Sealing: statements become one payload, one root and one signed manifest; and reading them back (DESIGN §2b, §5.7).

    version root  = RFC 9162 root over (group, commitment), the envelope first, then the groups by name
    batch root    = RFC 9162 root over the version roots, in the order of the stream

Each group of a payload is a ciphertext of its own, under a key expanded from its observation's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag

from gateway.proof import merkle
from gateway.proof.errors import PayloadAltered, ProofInvalid
from gateway.proof.manifest import PURPOSE, Manifest
from gateway.proof.signing import Signer
from gateway.proof.suite import HASH_BYTES, INTL, NONCE_BYTES, Suite, Values, canonical, framed, suite_named

PAYLOAD_FORMAT: Final = "shuqiao-payload/1"
ENVELOPE: Final = "envelope"
ENVELOPE_FIELDS: Final = (
    *("handle", "version", "op", "dataset", "schema", "county"),
    *("feed", "channel", "as_of", "evidence", "code_versions", "period"),
)
PUT, GONE = "put", "gone"
_COMMITMENT_DOMAIN: Final = b"shuqiao/1/commitment"
_SHARED: Final = ("county", "dataset", "schema")
"""What the manifest says for all of its versions."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One version as it goes into a batch. `groups` hold canonical JSON; without a key there are none."""

    envelope: Values
    groups: Mapping[str, bytes]
    key: bytes | None


@dataclass(frozen=True, slots=True)
class BatchOf:
    """What a batch is of: persisted before it is built, so that building again makes the same batch."""

    stream: str
    county: str | None
    dataset: str
    schema: str
    first: int
    sealed_at: str
    submitter: str
    previous: str | None = None
    period: str | None = None
    terms: str | None = None
    kind: str = "versions"


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """A batch ready to be delivered."""

    manifest: Manifest
    manifest_bytes: bytes
    signature: bytes
    payload: bytes
    roots: tuple[bytes, ...]
    """Version roots, in order."""

    @property
    def batch_id(self) -> str:
        return self.manifest.batch_id


class SealedGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One group of one version in a payload."""

    commitment: str
    ciphertext: bytes


class SealedVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version in a payload."""

    envelope: Values
    groups: dict[str, SealedGroup]

    def root(self, suite: Suite) -> bytes:
        """Raises ProofInvalid GROUP for a commitment that is no hash."""
        return version_root(suite, self.envelope, {name: unhex(name, g.commitment) for name, g in self.groups.items()})


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    suite: str
    stream: str
    first: str
    count: str


def commit(suite: Suite, schema: str, group: str, salt: bytes, text: bytes) -> bytes:
    """The salted commitment to one group; the envelope, always disclosed, has an empty salt."""
    return suite.hash(framed(_COMMITMENT_DOMAIN, suite.name.encode(), schema.encode(), group.encode(), salt, text))


def version_root(suite: Suite, envelope: Values, commitments: Mapping[str, bytes]) -> bytes:
    """The root over the envelope and the commitments to the groups. Raises ProofInvalid ENVELOPE for a malformed one."""
    schema = check_envelope(envelope)
    if commitments and envelope["op"] == GONE:
        raise _envelope("注销版本不得有披露组")
    own = commit(suite, schema, ENVELOPE, b"", canonical(envelope))
    named = [(ENVELOPE, own), *((name, commitments[name]) for name in sorted(commitments))]
    return merkle.root(suite.hash, [merkle.leaf_hash(suite.hash, framed(name.encode(), c)) for name, c in named])


def check_envelope(envelope: Values) -> str:
    """The envelope's schema. Raises ProofInvalid ENVELOPE unless it has exactly the agreed members."""
    if envelope.keys() != set(ENVELOPE_FIELDS):
        raise _envelope("成员不符")
    schema, version, op = envelope["schema"], envelope["version"], envelope["op"]
    if not (envelope["handle"] and schema and version and version.isdecimal() and version.isascii()):
        raise _envelope("缺编号、版本号或模式")
    if op not in (PUT, GONE):
        raise _envelope("操作只能是 put 或 gone")
    return schema


def build(statements: Sequence[Statement], of: BatchOf, signer: Signer, suite: Suite = INTL) -> SealedBatch:
    """Seals a gapless range of a stream. The same statements and `of` give the same bytes.

    Raises:
        ValueError: the statements are none, not canonical, or not of this batch. Nothing that is wrong gets anchored.
        ProofInvalid: ENVELOPE, for a malformed one.
    """
    if not statements:
        raise ValueError("an empty batch")
    h, encode = suite.hash, msgspec.json.encode
    head = _Head(PAYLOAD_FORMAT, suite.name, of.stream, str(of.first), str(len(statements)))
    lines, roots, gone = [encode(head)], [], 0
    for statement in statements:
        version, root = _seal(suite, statement, of)
        lines.append(encode(version, order="sorted"))
        roots.append(root)
        gone += statement.envelope["op"] == GONE
    payload = b"\n".join(lines) + b"\n"
    manifest = Manifest(
        suite=suite.name,
        kind=of.kind,
        stream=of.stream,
        county=of.county,
        dataset=of.dataset,
        schema=of.schema,
        period=of.period,
        first=of.first,
        last=of.first + len(roots) - 1,
        count=len(roots),
        puts=len(roots) - gone,
        gone=gone,
        root=merkle.root(h, [merkle.leaf_hash(h, root) for root in roots]).hex(),
        payload_digest=h(payload).hex(),
        previous=of.previous,
        sealed_at=of.sealed_at,
        submitter=of.submitter,
        terms=of.terms,
    )
    manifest.check()
    encoded = manifest.encode()
    return SealedBatch(manifest, encoded, signer.sign(PURPOSE, encoded), payload, tuple(roots))


def _seal(suite: Suite, statement: Statement, of: BatchOf) -> tuple[SealedVersion, bytes]:
    envelope, groups, key = statement.envelope, statement.groups, statement.key
    schema = check_envelope(envelope)
    if any(envelope[name] != getattr(of, name) for name in _SHARED):
        raise ValueError("a version of another county, dataset or schema")
    if groups and (key is None or ENVELOPE in groups):
        raise ValueError("groups without a key, or named envelope")
    sealed, commitments = {}, {}
    for group, text in groups.items():
        if canonical(msgspec.json.decode(text)) != text:
            raise ValueError("a group that is not canonical")
        secret = suite.expand(key, int(envelope["version"] or 0), group)  # type: ignore[arg-type] # groups have a key
        commitment = commit(suite, schema, group, secret[32:], text)
        # the key is this group's own, and the commitment as its nonce keeps even a second plaintext under it apart
        cipher = suite.seal(secret[:32], commitment[:NONCE_BYTES], text, _associated(envelope, group))
        sealed[group] = SealedGroup(commitment.hex(), cipher)
        commitments[group] = commitment
    return SealedVersion(envelope, sealed), version_root(suite, envelope, commitments)


def read_payload(manifest: Manifest, payload: bytes) -> list[SealedVersion]:
    """The versions of a payload, after everything that the manifest anchors of them was recomputed.

    Raises:
        PayloadAltered: the bytes are not those that were anchored.
        ProofInvalid: PAYLOAD, ENVELOPE, GROUP or ROOT: anchored, but not what the manifest says they are.
    """
    suite = suite_named(manifest.suite)
    if suite.hash(payload).hex() != manifest.payload_digest:
        raise PayloadAltered("批次 {batch} 的载荷与上链的摘要不符", batch=manifest.batch_id)
    first, *lines = payload.split(b"\n")
    try:
        head = msgspec.json.decode(first, type=_Head)
        versions = [msgspec.json.decode(line, type=SealedVersion) for line in lines[:-1]]
    except msgspec.DecodeError:
        raise ProofInvalid("PAYLOAD", "载荷不是 {format} 格式", format=PAYLOAD_FORMAT) from None
    if head != _Head(PAYLOAD_FORMAT, suite.name, manifest.stream, str(manifest.first), str(manifest.count)):
        raise ProofInvalid("PAYLOAD", "载荷抬头与批次清单不符")
    h = suite.hash
    roots = [version.root(suite) for version in versions]
    for version in versions:
        agree(version.envelope, manifest)
    if len(versions) != manifest.count or sum(v.envelope["op"] == GONE for v in versions) != manifest.gone:
        raise ProofInvalid("PAYLOAD", "载荷条数与批次清单不符")
    if merkle.root(h, [merkle.leaf_hash(h, root) for root in roots]).hex() != manifest.root:
        raise ProofInvalid("ROOT", "载荷各版本算出的默克尔根与上链的不符")
    return versions


def agree(envelope: Values, manifest: Manifest) -> None:
    """Raises ProofInvalid ENVELOPE when a version is of another county, dataset or schema than its batch."""
    if any(envelope[name] != getattr(manifest, name) for name in _SHARED):
        raise _envelope("县区、数据资源或模式与批次清单不符")


def open_group(suite: Suite, version: SealedVersion, group: str, secret: bytes) -> Values:
    """The values of one group, opened with its 64 bytes and found equal to the commitment.

    Raises ProofInvalid GROUP when there is no such group or the key does not open it.
    """
    sealed = version.groups.get(group)
    if sealed is None:
        raise ProofInvalid("GROUP", "版本里没有披露组 {group}", group=group)
    commitment = unhex(group, sealed.commitment)
    try:
        text = suite.open(
            secret[:32], commitment[:NONCE_BYTES], sealed.ciphertext, _associated(version.envelope, group)
        )
        values = msgspec.json.decode(text, type=Values)
    except (InvalidTag, ValueError):
        raise ProofInvalid("GROUP", "密钥打不开披露组 {group}", group=group) from None
    if commit(suite, str(version.envelope["schema"]), group, secret[32:], canonical(values)) != commitment:
        raise ProofInvalid("GROUP", "披露组 {group} 的内容与承诺不符", group=group)
    return values


def unhex(group: str, commitment: str) -> bytes:
    """The bytes of a commitment. Raises ProofInvalid GROUP."""
    try:
        raw = bytes.fromhex(commitment)
    except ValueError:
        raw = b""
    if len(raw) != HASH_BYTES or raw.hex() != commitment or group == ENVELOPE:
        raise ProofInvalid("GROUP", "披露组 {group} 的承诺格式不对", group=group)
    return raw


def _associated(envelope: Values, group: str) -> bytes:
    return framed(*(str(part).encode() for part in (envelope["handle"], envelope["version"], group)))


def _envelope(why: str) -> ProofInvalid:
    return ProofInvalid("ENVELOPE", "信封无效：{why}", why=why)
