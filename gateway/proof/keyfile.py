"""Key files: which groups of a batch one member may open, encrypted to that member.

They travel beside the payload and are issued again (a member came late, an observation was erased) without touching it:
the highest issue counts, older ones are withdrawn.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.proof import libcrypto
from gateway.proof.errors import KeysUnreadable
from gateway.proof.keys import EXPANSION_BYTES
from gateway.proof.signing import key_bytes, key_text
from gateway.proof.suite import INTL, NONCE_BYTES, SUITES, Suite, framed

FORMAT: Final = "shuqiao-keys/1"
_PUBLIC_BYTES: Final = {"x25519": 32, "sm2": libcrypto.PUBLIC_BYTES}
_PRIVATE_BYTES: Final = {"x25519-private": 32, "sm2-private": libcrypto.PRIVATE_BYTES}
_SUITES: Final = {suite.agreement: suite for suite in SUITES.values()}
_PRIVATE: Final = "-private"
_MEMBER_DOMAIN: Final = b"shuqiao/1/member"
_ZERO_NONCE: Final = bytes(NONCE_BYTES)

Secrets = dict[str, bytes]
"""Group -> its 64 bytes."""


@dataclass(frozen=True, slots=True)
class MemberPublic:
    """Whom a key file is for; written `x25519:<base64>` or `sm2:<base64>`."""

    algorithm: str
    raw: bytes

    @classmethod
    def parse(cls, text: str) -> MemberPublic:
        """Raises KeyMalformed."""
        return cls(*key_bytes(text, _PUBLIC_BYTES))

    @property
    def suite(self) -> Suite:
        """The suite of key files for this member."""
        return _SUITES[self.algorithm]

    @property
    def text(self) -> str:
        return key_text(self.algorithm, self.raw)

    @property
    def id(self) -> str:
        """32 hex digits that name the key in the shared folder."""
        return self.suite.hash(framed(_MEMBER_DOMAIN, self.raw)).hex()[:32]


@dataclass(frozen=True, slots=True, repr=False)
class MemberKey:
    """A member's private key; written `x25519-private:<base64>` or `sm2-private:<base64>`, held by nobody else."""

    raw: bytes
    algorithm: str = INTL.agreement

    @classmethod
    def new(cls, suite: Suite = INTL) -> MemberKey:
        """A key for key files of this suite."""
        return cls(os.urandom(32) if suite is INTL else libcrypto.generate(), suite.agreement)

    @classmethod
    def parse(cls, text: str) -> MemberKey:
        """Raises KeyMalformed."""
        algorithm, raw = key_bytes(text, _PRIVATE_BYTES)
        return cls(raw, algorithm.removesuffix(_PRIVATE))

    @property
    def text(self) -> str:
        return key_text(self.algorithm + _PRIVATE, self.raw)

    @property
    def public(self) -> MemberPublic:
        if self.algorithm == INTL.agreement:
            raw = X25519PrivateKey.from_private_bytes(self.raw).public_key().public_bytes_raw()
        else:
            raw = libcrypto.public_of(self.raw)
        return MemberPublic(self.algorithm, raw)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file and the name it has in the payload store."""

    name: str
    content: bytes


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    suite: str
    batch: str
    member: str
    issue: str
    ephemeral: bytes
    """What lets the member find the file's key: an ephemeral public key, or the key under SM2."""


def keys_folder(batch_id: str, member: MemberPublic) -> str:
    """Where the payload store keeps the issues for one batch and member; their names sort by issue."""
    return f"keys/{batch_id}/{member.id}"


def issue_keys(
    batch_id: str, member: MemberPublic, secrets: Sequence[Mapping[str, bytes]], *, issue: int = 1
) -> KeyFile:
    """Encrypts the granted groups' keys to a member, under the suite of the member's key: a batch may have another.

    Args:
        batch_id: the batch they belong to; the file opens for no other.
        member: the recipient.
        secrets: for each version, in the order of the payload, group -> 64 bytes of the batch's `expand`; nothing granted is `{}`.
        issue: 1 for the first; higher supersedes.
    """
    suite = member.suite
    key, ephemeral = suite.encapsulate(member.raw)
    head = _Head(FORMAT, suite.name, batch_id, member.id, str(issue), ephemeral)
    line = msgspec.json.encode(head, order="sorted")
    plain = msgspec.json.encode(secrets, order="sorted")
    # the key is as fresh as the file: it meets one plaintext only
    content = line + b"\n" + suite.seal(key, _ZERO_NONCE, plain, line)
    return KeyFile(f"{keys_folder(batch_id, member)}/{issue:06d}-{suite.hash(content).hex()[:32]}", content)


def open_keys(member: MemberKey, batch_id: str, content: bytes) -> list[Secrets]:
    """The keys granted, version by version. Raises KeysUnreadable: another member's, another batch's, or altered."""
    line, _, sealed = content.partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
        if head.format != FORMAT or head.batch != batch_id or head.member != member.public.id:
            raise KeysUnreadable("密钥文件不是给本成员或本批次的：{batch}", batch=batch_id)
        suite = member.public.suite
        if head.suite != suite.name:
            raise ValueError(head.suite)
        plain = suite.open(suite.decapsulate(member.raw, head.ephemeral), _ZERO_NONCE, sealed, line)
        secrets = msgspec.json.decode(plain, type=list[Secrets])
    except (InvalidTag, ValueError, KeyError):
        raise KeysUnreadable("密钥文件打不开，可能被改动：{batch}", batch=batch_id) from None
    if any(len(secret) != EXPANSION_BYTES for granted in secrets for secret in granted.values()):
        raise KeysUnreadable("密钥文件里的密钥长度不对：{batch}", batch=batch_id)
    return secrets
