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

from gateway.proof.errors import KeysUnreadable
from gateway.proof.keys import EXPANSION_BYTES
from gateway.proof.signing import key_bytes, key_text
from gateway.proof.suite import INTL, SUITES, Suite, framed

FORMAT: Final = "shuqiao-keys/1"
PUBLIC: Final = "x25519"
PRIVATE: Final = "x25519-private"
_MEMBER_DOMAIN: Final = b"shuqiao/1/member"

Secrets = dict[str, bytes]
"""Group -> its 64 bytes."""


@dataclass(frozen=True, slots=True)
class MemberPublic:
    """Whom a key file is for; written `x25519:<base64>`."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> MemberPublic:
        """Raises KeyMalformed."""
        return cls(key_bytes(PUBLIC, text))

    @property
    def text(self) -> str:
        return key_text(PUBLIC, self.raw)

    @property
    def id(self) -> str:
        """32 hex digits that name the key in the shared folder."""
        return INTL.hash(framed(_MEMBER_DOMAIN, self.raw)).hex()[:32]


@dataclass(frozen=True, slots=True, repr=False)
class MemberKey:
    """A member's private key; written `x25519-private:<base64>`, held by nobody else."""

    raw: bytes

    @classmethod
    def new(cls) -> MemberKey:
        return cls(os.urandom(32))

    @classmethod
    def parse(cls, text: str) -> MemberKey:
        """Raises KeyMalformed."""
        return cls(key_bytes(PRIVATE, text))

    @property
    def text(self) -> str:
        return key_text(PRIVATE, self.raw)

    @property
    def public(self) -> MemberPublic:
        return MemberPublic(X25519PrivateKey.from_private_bytes(self.raw).public_key().public_bytes_raw())


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


def keys_folder(batch_id: str, member: MemberPublic) -> str:
    """Where the payload store keeps the issues for one batch and member; their names sort by issue."""
    return f"keys/{batch_id}/{member.id}"


def issue_keys(
    batch_id: str, member: MemberPublic, secrets: Sequence[Mapping[str, bytes]], *, issue: int = 1, suite: Suite = INTL
) -> KeyFile:
    """Encrypts the granted groups' keys to a member.

    Args:
        batch_id: the batch they belong to; the file opens for no other.
        member: the recipient.
        secrets: for each version, in the order of the payload, group -> 64 bytes of `expand`; nothing granted is `{}`.
        issue: 1 for the first; higher supersedes.
        suite: the batch's.
    """
    private = X25519PrivateKey.generate()
    head = _Head(FORMAT, suite.name, batch_id, member.id, str(issue), private.public_key().public_bytes_raw())
    line = msgspec.json.encode(head, order="sorted")
    plain = msgspec.json.encode(secrets, order="sorted")
    content = line + b"\n" + suite.wrap(private.private_bytes_raw(), member.raw, plain, line)
    return KeyFile(f"{keys_folder(batch_id, member)}/{issue:06d}-{suite.hash(content).hex()[:32]}", content)


def open_keys(member: MemberKey, batch_id: str, content: bytes) -> list[Secrets]:
    """The keys granted, version by version. Raises KeysUnreadable: another member's, another batch's, or altered."""
    line, _, sealed = content.partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
        if head.format != FORMAT or head.batch != batch_id or head.member != member.public.id:
            raise KeysUnreadable("密钥文件不是给本成员或本批次的：{batch}", batch=batch_id)
        plain = SUITES[head.suite].unwrap(member.raw, head.ephemeral, sealed, line)
        secrets = msgspec.json.decode(plain, type=list[Secrets])
    except (InvalidTag, ValueError, KeyError):
        raise KeysUnreadable("密钥文件打不开，可能被改动：{batch}", batch=batch_id) from None
    if any(len(secret) != EXPANSION_BYTES for granted in secrets for secret in granted.values()):
        raise KeysUnreadable("密钥文件里的密钥长度不对：{batch}", batch=batch_id)
    return secrets
