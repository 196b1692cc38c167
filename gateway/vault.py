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
from time import monotonic
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.errors import Usage
from gateway.proof import GM, INTL, Suite, suite_named

Namer: TypeAlias = Callable[[Sequence[str]], list[bytes]]
"""Texts of one domain to their names, 20 bytes each, in step."""

NAME_BYTES: Final = 20
DIGEST_BYTES: Final = 16
SM4_BYTES: Final = 16
NONCE_BYTES: Final = 12
MATERIAL_BYTES: Final = 64
TAG_BYTES: Final = 4
"""The id of a master key, in front of everything it sealed."""
RING_SECONDS: Final = 1.0
"""How long a rotation goes unnoticed."""


class Keyring(msgspec.Struct, frozen=True):
    """The vault's key file (mode 0600). `masters` is keyed by id; `current` names the one that encrypts.

    `suites` says for which suite a master encrypts; one it does not name is of `intl-1`. `naming` is the keyed hash that
    makes names and digests, for good, whatever the masters become: `blake2b` (RFC 7693), `hmac-sm3`, or in rings made
    before ADR 0009 `hmac-sha256` (whose digests are BLAKE2b).
    """

    current: str
    masters: dict[str, bytes]
    names: bytes
    answers: bytes
    naming: Literal["blake2b", "hmac-sha256", "hmac-sm3"] = "hmac-sha256"
    suites: dict[str, str] = {}

    @classmethod
    def new(cls, suite: Suite = INTL) -> Keyring:
        masters, names, answers = {"m1": os.urandom(32)}, os.urandom(32), os.urandom(32)
        naming: Literal["blake2b", "hmac-sm3"] = "hmac-sm3" if suite is GM else "blake2b"
        return cls("m1", masters, names, answers, naming, {"m1": suite.name})

    def suite_of(self, key_id: str) -> Suite:
        """Raises ProofInvalid SUITE."""
        return suite_named(self.suites.get(key_id, INTL.name))

    @property
    def suite(self) -> Suite:
        """Of the current master."""
        return self.suite_of(self.current)

    def rotated(self, suite: Suite | None = None) -> Keyring:
        """A ring with a fresh current master, of another suite if so asked; the old ones still open what they wrapped."""
        fresh = f"m{max(int(key_id[1:]) for key_id in self.masters) + 1}"
        return msgspec.structs.replace(
            self,
            current=fresh,
            masters={**self.masters, fresh: os.urandom(32)},
            suites={**self.suites, fresh: (suite or self.suite).name},
        )

    def without(self, key_id: str) -> Keyring:
        """A ring that lost a master: what it wrapped is lost with it."""
        return msgspec.structs.replace(
            self,
            masters={name: key for name, key in self.masters.items() if name != key_id},
            suites={name: suite for name, suite in self.suites.items() if name != key_id},
        )


class _Master:
    """One master key at work: AES-256 or SM4, by its suite."""

    def __init__(self, key_id: str, key: bytes, suite: Suite) -> None:
        self.suite, self.tag = suite, key_id.encode().ljust(TAG_BYTES, b"\0")
        digest = "sm3" if suite is GM else "sha256"
        covering = hmac.digest(key, b"wrap", digest)
        self._key = hmac.digest(key, b"seal", digest) if suite is GM else key
        block = algorithms.SM4(covering[:SM4_BYTES]) if suite is GM else algorithms.AES256(covering)
        self.cover = Cipher(block, modes.ECB())  # noqa: S305 # random blocks only

    def seal(self, nonce: bytes, data: bytes, purpose: bytes) -> bytes:
        return self.suite.seal(self._key, nonce, data, purpose)

    def open(self, nonce: bytes, data: bytes, purpose: bytes) -> bytes:
        return self.suite.open(self._key, nonce, data, purpose)


class ObservationKey(NamedTuple):
    """Key material of one observation in the clear, only ever in memory, and its wrapped form for the store."""

    disclosure: bytes
    """32 bytes from which the keys and salts of disclosure groups expand (`gateway.proof.expand`)."""
    rest: bytes
    """32 bytes that encrypt its versions at rest."""
    wrapped: bytes


def _masters(ring: Keyring) -> dict[str, _Master]:
    return {key_id: _Master(key_id, key, ring.suite_of(key_id)) for key_id, key in ring.masters.items()}


class Vault:
    """Seals and names. Holds keys in memory; raises `cryptography.exceptions.InvalidTag` on anything altered.

    Key material is random, so wrapping it is one block cipher call for a whole page; that a wrapped key was altered shows
    when what it should open does not authenticate.
    """

    def __init__(self, ring: Keyring, refresh: Callable[[], Keyring] | None = None) -> None:
        """`refresh` reads the ring again: another process may have rotated it. This vault follows within a second, so that a
        master that holds nothing can be forgotten; it never changes its suite, since all of a page is of one.
        """
        self._refresh, self._read_at = refresh, monotonic()
        self._names, self._naming = ring.names, ring.naming
        self._answers = ring.answers
        self._masters = _masters(ring)
        self._current = self._masters[ring.current]

    @property
    def suite(self) -> Suite:
        """With which it encrypts now."""
        return self._current.suite

    @property
    def tag(self) -> bytes:
        """In front of everything it encrypts now."""
        return self._current.tag

    def _writing(self) -> _Master:
        """The master that encrypts now. Raises Usage: another process changed the suite, and this one is of the past."""
        if self._refresh is not None and monotonic() - self._read_at > RING_SECONDS:
            ring, self._read_at = self._refresh(), monotonic()
            if ring.suite is not self.suite:
                raise Usage("算法套件已换成 {suite}，本进程还是原来的；请重启", suite=ring.suite.name)
            if ring.current not in self._masters:
                self._masters = _masters(ring)
            self._current = self._masters[ring.current]
        return self._current

    def _master(self, sealed: bytes) -> _Master:
        """Raises KeyError: wrapped by a master that the ring does not hold."""
        key_id = sealed[:TAG_BYTES].rstrip(b"\0").decode()
        if key_id not in self._masters and self._refresh is not None:
            self._masters = _masters(self._refresh())
        return self._masters[key_id]

    def name(self, domain: str, text: str) -> bytes:
        """The opaque name of a thing: equal things get equal names, nobody without the key can guess one."""
        return self.namer(domain)([text])[0]

    def namer(self, domain: str) -> Namer:
        """`name` with its domain bound, for whole columns."""
        return _NAMING[self._naming](self._names, f"{domain}\0".encode())

    def recogniser(self, feed_uid: str) -> Callable[[bytes], bytes]:
        """Keyed digest of a feed's raw rows; 16 bytes."""
        if self._naming == "hmac-sm3":
            prefix, key = f"{feed_uid}\0".encode(), self._answers
            return lambda raw: hmac.digest(key, prefix + raw, "sm3")[:DIGEST_BYTES]
        base = blake2b(f"{feed_uid}\0".encode(), digest_size=DIGEST_BYTES, key=self._answers)
        copy = base.copy

        def digest(raw: bytes) -> bytes:
            h = copy()
            h.update(raw)
            return h.digest()

        return digest

    def answer_hash(self, body: bytes) -> bytes:
        """Keyed hash of a source's answer: a plain one could be confirmed by guessing (DESIGN §5.6)."""
        if self._naming == "hmac-sm3":
            return hmac.digest(self._answers, body, "sm3")
        return blake2b(body, digest_size=32, key=self._answers).digest()

    def new_keys(self, count: int) -> tuple[list[bytes], list[bytes]]:
        """Fresh key material for so many observations: the halves that encrypt at rest, and the wrapped forms for the store."""
        clear = os.urandom(count * MATERIAL_BYTES)
        master = self._writing()
        tag, covered = master.tag, master.cover.encryptor().update(clear)
        starts = range(0, len(clear), MATERIAL_BYTES)
        rest = [clear[at + 32 : at + MATERIAL_BYTES] for at in starts]
        return rest, [tag + covered[at : at + MATERIAL_BYTES] for at in starts]

    def unwrap(self, wrapped: bytes) -> ObservationKey:
        clear = self._master(wrapped).cover.decryptor().update(wrapped[TAG_BYTES:])
        return ObservationKey(clear[:32], clear[32:], wrapped)

    def rewrap(self, wrapped: bytes) -> bytes:
        """The same key material under the current master."""
        key = self.unwrap(wrapped)
        master = self._writing()
        return master.tag + master.cover.encryptor().update(key.disclosure + key.rest)

    def reseal(self, purpose: str, sealed: bytes) -> bytes:
        """The same content under the current master."""
        return self.seal(purpose, self.open(purpose, sealed))

    def seal_versions(
        self, rest: Sequence[bytes], numbers: Sequence[int], handles: Sequence[bytes], texts: Sequence[bytes]
    ) -> list[bytes]:
        """Versions at rest, in step: one ciphertext each, bound to its handle and number, in the suite of now."""
        seal = self._writing().suite.seal
        noise = os.urandom(len(texts) * NONCE_BYTES)
        nonces = [noise[at : at + NONCE_BYTES] for at in range(0, len(noise), NONCE_BYTES)]
        return [
            nonce + seal(key, nonce, text, handle + number.to_bytes(8, "big"))
            for key, number, handle, text, nonce in zip(rest, numbers, handles, texts, nonces, strict=True)
        ]

    @staticmethod
    def open_version(key: ObservationKey, version: int, handle: bytes, sealed: bytes, suite: str) -> bytes:
        """`suite`: in which it was sealed."""
        associated = handle + version.to_bytes(8, "big")
        return suite_named(suite).open(key.rest, sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)

    def seal(self, purpose: str, data: bytes) -> bytes:
        """Encrypts evidence, a cursor, a secret or a quarantined item under the current master key."""
        nonce, master = os.urandom(NONCE_BYTES), self._writing()
        return master.tag + nonce + master.seal(nonce, data, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        body = sealed[TAG_BYTES:]
        return self._master(sealed).open(body[:NONCE_BYTES], body[NONCE_BYTES:], purpose.encode())


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


def _hmac_sm3(key: bytes, domain: bytes) -> Namer:
    return lambda texts: [hmac.digest(key, domain + text.encode(), "sm3")[:NAME_BYTES] for text in texts]


_NAMING: Final = {"blake2b": _blake2b, "hmac-sha256": _hmac_sha256, "hmac-sm3": _hmac_sm3}


def handle_text(name: bytes) -> str:
    """A name as people see it: 32 characters, base32, lower case."""
    return base64.b32encode(name).decode().lower()


def handle_bytes(text: str) -> bytes:
    """The inverse. Raises ValueError for anything else than a handle."""
    raw = base64.b32decode(text.strip().upper())
    if len(raw) != NAME_BYTES:
        raise ValueError("not a handle")
    return raw
