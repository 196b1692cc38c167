"""Cryptographic suites, framing and the canonical form. Every batch names its suite, so another fits beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.proof.errors import ProofInvalid
from gateway.proof.keys import expand

Scalar: TypeAlias = str | None
Values: TypeAlias = dict[str, Scalar]

HASH_BYTES: Final = 32
NONCE_BYTES: Final = 12
_ZERO_NONCE: Final = bytes(NONCE_BYTES)
_WRAP_INFO: Final = b"shuqiao/1/key-file"

_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(values: Mapping[str, Scalar]) -> bytes:
    """Sorted-key UTF-8 JSON without spaces. Raises TypeError for a value that is neither text nor null."""
    for name, value in values.items():
        if value is not None and type(value) is not str:
            raise TypeError(f"{name}: a canonical scalar is text or null")
    return _encode(values)


def framed(*parts: bytes) -> bytes:
    """Each part behind its length (4 bytes, big endian): no two lists of parts have the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


@dataclass(frozen=True, slots=True)
class Suite:
    """The algorithms of a batch. `seal` and `open` take (key, nonce, data, associated data)."""

    name: str
    hash: Callable[[bytes], bytes]
    expand: Callable[[bytes, int, str], bytes]
    seal: Callable[[bytes, bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes, bytes], bytes]
    """Raises `cryptography.exceptions.InvalidTag`."""
    wrap: Callable[[bytes, bytes, bytes, bytes], bytes]
    """(ephemeral private key, recipient's public key, data, associated data)"""
    unwrap: Callable[[bytes, bytes, bytes, bytes], bytes]
    """(recipient's private key, ephemeral public key, data, associated data); raises InvalidTag or ValueError."""


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _seal(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, data, associated)


def _open(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, data, associated)


def _wrapping_key(private: X25519PrivateKey, other: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    shared = private.exchange(X25519PublicKey.from_public_bytes(other))
    return HKDF(SHA256(), 32, salt=ephemeral + recipient, info=_WRAP_INFO).derive(shared)


def _wrap(ephemeral: bytes, recipient: bytes, data: bytes, associated: bytes) -> bytes:
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    key = _wrapping_key(private, recipient, private.public_key().public_bytes_raw(), recipient)
    # the key is as fresh as the ephemeral key pair: it meets one plaintext only
    return _seal(key, _ZERO_NONCE, data, associated)


def _unwrap(recipient: bytes, ephemeral: bytes, data: bytes, associated: bytes) -> bytes:
    private = X25519PrivateKey.from_private_bytes(recipient)
    key = _wrapping_key(private, ephemeral, ephemeral, private.public_key().public_bytes_raw())
    return _open(key, _ZERO_NONCE, data, associated)


INTL: Final = Suite("intl-1", _sha256, expand, _seal, _open, _wrap, _unwrap)
"""SHA-256, HMAC-SHA-512, AES-256-GCM, Ed25519, X25519 + HKDF-SHA-256 + AES-256-GCM."""

SUITES: Final[Mapping[str, Suite]] = {INTL.name: INTL}


def suite_named(name: Any) -> Suite:
    """Raises ProofInvalid SUITE, saying which there are."""
    if name not in SUITES:
        raise ProofInvalid("SUITE", "算法套件 {name} 未知；可用的有：{known}", name=name, known="、".join(SUITES))
    return SUITES[name]
