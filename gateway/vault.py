"""Keys, names and ciphertexts: what keeps a person's data unreadable outside the vault (DESIGN §2b, §5.6). Pure.

master keys      rotate; wrap observation keys, encrypt evidence, cursors and secrets
names key        never rotates; makes handles and the names of subjects and joins (HMAC, 160 bits kept)
observation key  random, one per observation; deleting its wrapped form erases that observation and nobody else's
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.proof.keys import expand

NAME_BYTES: Final = 20
NONCE_BYTES: Final = 12
AT_REST: Final = ""
"""The group name under which a version's single ciphertext at rest is keyed; no dataset has such a group."""


class Keyring(msgspec.Struct, frozen=True):
    """The vault's key file (mode 0600). `masters` is keyed by id; `current` names the one that encrypts."""

    current: str
    masters: dict[str, bytes]
    names: bytes
    answers: bytes

    @classmethod
    def new(cls) -> Keyring:
        return cls(current="m1", masters={"m1": os.urandom(32)}, names=os.urandom(32), answers=os.urandom(32))

    def rotated(self) -> Keyring:
        """A ring with a fresh current master; the old ones still open what they wrapped."""
        fresh = f"m{len(self.masters) + 1}"
        return msgspec.structs.replace(self, current=fresh, masters={**self.masters, fresh: os.urandom(32)})


@dataclass(frozen=True, slots=True)
class ObservationKey:
    """A key in the clear, only ever in memory, and its wrapped form for the store."""

    key: bytes
    wrapped: bytes


class Vault:
    """Seals and names. Holds keys in memory; raises `cryptography.exceptions.InvalidTag` on anything altered."""

    def __init__(self, ring: Keyring) -> None:
        self._masters = {key_id: AESGCM(key) for key_id, key in ring.masters.items()}
        self._current = ring.current
        self._seal = self._masters[ring.current].encrypt
        self._names = ring.names
        self._answers = ring.answers
        self._tag = ring.current.encode().ljust(4, b"\0")

    def name(self, domain: str, text: str) -> bytes:
        """The opaque name of a thing: equal things get equal names, nobody without the key can guess one."""
        return hmac.digest(self._names, f"{domain}\0{text}".encode(), "sha256")[:NAME_BYTES]

    def namer(self, domain: str) -> Callable[[str], bytes]:
        """`name` with its domain bound, for whole columns."""
        prefix, key, digest = f"{domain}\0".encode(), self._names, hmac.digest
        return lambda text: digest(key, prefix + text.encode(), "sha256")[:NAME_BYTES]

    def recogniser(self, feed_uid: str) -> Callable[[bytes], bytes]:
        """Keyed digest of a feed's raw rows; 16 bytes."""
        base = blake2b(f"{feed_uid}\0".encode(), digest_size=16, key=self._answers)
        copy = base.copy

        def digest(raw: bytes) -> bytes:
            h = copy()
            h.update(raw)
            return h.digest()

        return digest

    def answer_hash(self, body: bytes) -> bytes:
        """Keyed hash of a source's answer: a plain one could be confirmed by guessing (DESIGN §5.6)."""
        return blake2b(body, digest_size=32, key=self._answers).digest()

    def content_digest(self, canonical: bytes) -> bytes:
        """Keyed digest of a canonical record; decides whether content changed."""
        return blake2b(canonical, digest_size=16, key=self._names).digest()

    def new_keys(self, count: int) -> list[ObservationKey]:
        """Fresh observation keys, wrapped under the current master."""
        seal, tag = self._seal, self._tag
        noise = os.urandom(count * (32 + NONCE_BYTES))
        out = []
        for at in range(0, len(noise), 32 + NONCE_BYTES):
            key, nonce = noise[at : at + 32], noise[at + 32 : at + 32 + NONCE_BYTES]
            out.append(ObservationKey(key, tag + nonce + seal(nonce, key, b"observation")))
        return out

    @staticmethod
    def noise(count: int) -> bytes:
        """Random bytes for a page's nonces, in one call."""
        return os.urandom(count)

    def unwrap(self, wrapped: bytes) -> bytes:
        return self._open(wrapped, b"observation")

    def seal_version(self, key: bytes, version: int, handle: bytes, canonical: bytes, nonce: bytes) -> bytes:
        """A version at rest: one ciphertext under a key of its own, bound to its handle."""
        return nonce + AESGCM(expand(key, version, AT_REST)[:32]).encrypt(nonce, canonical, handle)

    def open_version(self, key: bytes, version: int, handle: bytes, sealed: bytes) -> bytes:
        cipher = AESGCM(expand(key, version, AT_REST)[:32])
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], handle)

    def seal(self, purpose: str, data: bytes) -> bytes:
        """Encrypts evidence, a cursor, a secret or a quarantined item under the current master key."""
        nonce = os.urandom(NONCE_BYTES)
        return self._tag + nonce + self._seal(nonce, data, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        return self._open(sealed, purpose.encode())

    def _open(self, sealed: bytes, purpose: bytes) -> bytes:
        key_id = sealed[:4].rstrip(b"\0").decode()
        return self._masters[key_id].decrypt(sealed[4 : 4 + NONCE_BYTES], sealed[4 + NONCE_BYTES :], purpose)


def handle_text(name: bytes) -> str:
    """A name as people see it: 32 characters, base32, lower case."""
    return base64.b32encode(name).decode().lower()


def handle_bytes(text: str) -> bytes:
    """The inverse. Raises ValueError for anything else than a handle."""
    raw = base64.b32decode(text.strip().upper())
    if len(raw) != NAME_BYTES:
        raise ValueError("not a handle")
    return raw
