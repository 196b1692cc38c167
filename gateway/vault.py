"""Keys, names and ciphertexts: what keeps a person's data unreadable outside the vault (DESIGN §2b, §5.6). Pure.

master keys      rotate; wrap observation keys, encrypt evidence, cursors and secrets
names key        never rotates; makes handles and the names of subjects and joins (keyed hash, 160 bits)
observation key  random, one per observation; deleting its wrapped form erases that observation and nobody else's
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Namer: TypeAlias = Callable[[Sequence[str]], list[bytes]]
"""Texts of one domain to their names, 20 bytes each, in step."""

NAME_BYTES: Final = 20
NONCE_BYTES: Final = 12
MATERIAL_BYTES: Final = 64
TAG_BYTES: Final = 4
"""The id of a master key, in front of everything it sealed."""


class Keyring(msgspec.Struct, frozen=True):
    """The vault's key file (mode 0600). `masters` is keyed by id; `current` names the one that encrypts.

    `naming` is the keyed hash that makes names: `blake2b` (RFC 7693), or `hmac-sha256` in rings made before ADR 0009.
    """

    current: str
    masters: dict[str, bytes]
    names: bytes
    answers: bytes
    naming: Literal["blake2b", "hmac-sha256"] = "hmac-sha256"

    @classmethod
    def new(cls) -> Keyring:
        masters = {"m1": os.urandom(32)}
        return cls("m1", masters, names=os.urandom(32), answers=os.urandom(32), naming="blake2b")

    def rotated(self) -> Keyring:
        """A ring with a fresh current master; the old ones still open what they wrapped."""
        fresh = f"m{len(self.masters) + 1}"
        return msgspec.structs.replace(self, current=fresh, masters={**self.masters, fresh: os.urandom(32)})


class ObservationKey(NamedTuple):
    """Key material of one observation in the clear, only ever in memory, and its wrapped form for the store."""

    disclosure: bytes
    """32 bytes from which the keys and salts of disclosure groups expand (`gateway.proof.expand`)."""
    rest: bytes
    """32 bytes that encrypt its versions at rest."""
    wrapped: bytes


class Vault:
    """Seals and names. Holds keys in memory; raises `cryptography.exceptions.InvalidTag` on anything altered.

    Key material is random, so wrapping it is one block cipher call for a whole page; that a wrapped key was altered shows
    when what it should open does not authenticate.
    """

    def __init__(self, ring: Keyring) -> None:
        self._masters = {key_id: AESGCM(key) for key_id, key in ring.masters.items()}
        self._wraps = {
            key_id: Cipher(algorithms.AES256(hmac.digest(key, b"wrap", "sha256")), modes.ECB())  # noqa: S305 # random blocks only
            for key_id, key in ring.masters.items()
        }
        self._current = ring.current
        self._seal = self._masters[ring.current].encrypt
        self._names, self._naming = ring.names, ring.naming
        self._answers = ring.answers
        self._tag = ring.current.encode().ljust(TAG_BYTES, b"\0")

    def name(self, domain: str, text: str) -> bytes:
        """The opaque name of a thing: equal things get equal names, nobody without the key can guess one."""
        return self.namer(domain)([text])[0]

    def namer(self, domain: str) -> Namer:
        """`name` with its domain bound, for whole columns."""
        return _NAMING[self._naming](self._names, f"{domain}\0".encode())

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

    def new_keys(self, count: int) -> tuple[list[bytes], list[bytes]]:
        """Fresh key material for so many observations: the halves that encrypt at rest, and the wrapped forms for the store."""
        clear = os.urandom(count * MATERIAL_BYTES)
        tag, covered = self._tag, self._wraps[self._current].encryptor().update(clear)
        starts = range(0, len(clear), MATERIAL_BYTES)
        rest = [clear[at + 32 : at + MATERIAL_BYTES] for at in starts]
        return rest, [tag + covered[at : at + MATERIAL_BYTES] for at in starts]

    def unwrap(self, wrapped: bytes) -> ObservationKey:
        key_id = wrapped[:TAG_BYTES].rstrip(b"\0").decode()
        clear = self._wraps[key_id].decryptor().update(wrapped[TAG_BYTES:])
        return ObservationKey(clear[:32], clear[32:], wrapped)

    @staticmethod
    def seal_versions(
        rest: Sequence[bytes], numbers: Sequence[int], handles: Sequence[bytes], texts: Sequence[bytes]
    ) -> list[bytes]:
        """Versions at rest, in step: one ciphertext each, bound to its handle and number."""
        noise = os.urandom(len(texts) * NONCE_BYTES)
        nonces = [noise[at : at + NONCE_BYTES] for at in range(0, len(noise), NONCE_BYTES)]
        return [
            nonce + AESGCM(key).encrypt(nonce, text, handle + number.to_bytes(8, "big"))
            for key, number, handle, text, nonce in zip(rest, numbers, handles, texts, nonces, strict=True)
        ]

    def open_version(self, key: ObservationKey, version: int, handle: bytes, sealed: bytes) -> bytes:
        associated = handle + version.to_bytes(8, "big")
        return AESGCM(key.rest).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)

    def seal(self, purpose: str, data: bytes) -> bytes:
        """Encrypts evidence, a cursor, a secret or a quarantined item under the current master key."""
        nonce = os.urandom(NONCE_BYTES)
        return self._tag + nonce + self._seal(nonce, data, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        return self._open(sealed, purpose.encode())

    def _open(self, sealed: bytes, purpose: bytes) -> bytes:
        key_id, body = sealed[:TAG_BYTES].rstrip(b"\0").decode(), sealed[TAG_BYTES:]
        return self._masters[key_id].decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], purpose)


def _blake2b(key: bytes, domain: bytes) -> Namer:
    copy = blake2b(domain, digest_size=NAME_BYTES, key=key).copy

    def names(texts: Sequence[str]) -> list[bytes]:
        out = []
        for text in texts:
            state = copy()
            state.update(text.encode())
            out.append(state.digest())
        return out

    return names


def _hmac_sha256(key: bytes, domain: bytes) -> Namer:
    return lambda texts: [hmac.digest(key, domain + text.encode(), "sha256")[:NAME_BYTES] for text in texts]


_NAMING: Final = {"blake2b": _blake2b, "hmac-sha256": _hmac_sha256}


def handle_text(name: bytes) -> str:
    """A name as people see it: 32 characters, base32, lower case."""
    return base64.b32encode(name).decode().lower()


def handle_bytes(text: str) -> bytes:
    """The inverse. Raises ValueError for anything else than a handle."""
    raw = base64.b32decode(text.strip().upper())
    if len(raw) != NAME_BYTES:
        raise ValueError("not a handle")
    return raw
