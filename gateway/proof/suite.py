"""Cryptographic suites, framing and the canonical form. Every batch names its suite, so another fits beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.proof import libcrypto
from gateway.proof.errors import ProofInvalid, SuiteUnavailable
from gateway.proof.keys import expand, expand_sm3

Scalar: TypeAlias = str | None
Values: TypeAlias = dict[str, Scalar]

HASH_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
SM4_BYTES: Final = 16
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
    """The algorithms of a batch. `seal` and `open` take (key, nonce, data, associated data), a key of 32 bytes."""

    name: str
    hash: Callable[[bytes], bytes]
    expand: Callable[[bytes, int, str], bytes]
    seal: Callable[[bytes, bytes, bytes, bytes], bytes]
    open: Callable[[bytes, bytes, bytes, bytes], bytes]
    """Raises `cryptography.exceptions.InvalidTag`."""
    signing: str
    """How its signer's key is written: `ed25519`, `sm2`."""
    agreement: str
    """How its members' keys are written: `x25519`, `sm2`."""
    encapsulate: Callable[[bytes], tuple[bytes, bytes]]
    """Recipient's public key -> a fresh key of 32 bytes, and what lets the recipient find it."""
    decapsulate: Callable[[bytes, bytes], bytes]
    """(recipient's private key, what came with it) -> the key; raises ValueError."""


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _seal(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, data, associated)


def _open(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, data, associated)


def _wrapping_key(private: X25519PrivateKey, other: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    shared = private.exchange(X25519PublicKey.from_public_bytes(other))
    return HKDF(SHA256(), 32, salt=ephemeral + recipient, info=_WRAP_INFO).derive(shared)


def _agree(recipient: bytes) -> tuple[bytes, bytes]:
    private = X25519PrivateKey.generate()
    ephemeral = private.public_key().public_bytes_raw()
    return _wrapping_key(private, recipient, ephemeral, recipient), ephemeral


def _agreed(recipient: bytes, ephemeral: bytes) -> bytes:
    private = X25519PrivateKey.from_private_bytes(recipient)
    return _wrapping_key(private, ephemeral, ephemeral, private.public_key().public_bytes_raw())


def _sm3(data: bytes) -> bytes:
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        raise SuiteUnavailable("本机 Python 的 hashlib 没有 SM3；套件 gm-1 需要 OpenSSL 1.1.1 以上") from None


def _sm4_seal(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    cipher = Cipher(SM4(key[:SM4_BYTES]), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(associated)
    return cipher.update(data) + cipher.finalize() + cipher.tag


def _sm4_open(key: bytes, nonce: bytes, data: bytes, associated: bytes) -> bytes:
    if len(data) < TAG_BYTES:
        raise InvalidTag
    cipher = Cipher(SM4(key[:SM4_BYTES]), modes.GCM(nonce, data[-TAG_BYTES:])).decryptor()
    cipher.authenticate_additional_data(associated)
    return cipher.update(data[:-TAG_BYTES]) + cipher.finalize()


def _sm2_wrap(recipient: bytes) -> tuple[bytes, bytes]:
    key = os.urandom(HASH_BYTES)
    return key, libcrypto.encrypt(recipient, key)


INTL: Final = Suite("intl-1", _sha256, expand, _seal, _open, "ed25519", "x25519", _agree, _agreed)
"""SHA-256, HMAC-SHA-512, AES-256-GCM, Ed25519, X25519 + HKDF-SHA-256."""

GM: Final = Suite("gm-1", _sm3, expand_sm3, _sm4_seal, _sm4_open, "sm2", "sm2", _sm2_wrap, libcrypto.decrypt)
"""国密: SM3, HMAC-SM3, SM4-GCM, SM2 signatures, SM2 encryption (GB/T 32905, 32907, 32918)."""

SUITES: Final[Mapping[str, Suite]] = {suite.name: suite for suite in (INTL, GM)}


def suite_named(name: Any) -> Suite:
    """Raises ProofInvalid SUITE, saying which there are."""
    if name not in SUITES:
        raise ProofInvalid("SUITE", "算法套件 {name} 未知；可用的有：{known}", name=name, known="、".join(SUITES))
    return SUITES[name]
