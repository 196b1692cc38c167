"""Signatures of the gateway. A signature names its purpose, so that one for a block never passes for a manifest."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.proof import libcrypto
from gateway.proof.errors import KeyMalformed
from gateway.proof.suite import INTL, framed

_DOMAIN: Final = b"shuqiao/1/signature"


class _Algorithm(NamedTuple):
    public_bytes: int
    public_of: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    """(private key, message)"""
    verify: Callable[[bytes, bytes, bytes], bool]
    """(public key, message, signature); raises ValueError for what is no public key."""


def _ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


_ALGORITHMS: Final[Mapping[str, _Algorithm]] = {
    "ed25519": _Algorithm(
        32,
        lambda seed: Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw(),
        lambda seed, message: Ed25519PrivateKey.from_private_bytes(seed).sign(message),
        _ed25519_verify,
    ),
    "sm2": _Algorithm(libcrypto.PUBLIC_BYTES, libcrypto.public_of, libcrypto.sign, libcrypto.verify),
}


def key_text(algorithm: str, raw: bytes) -> str:
    return f"{algorithm}:{base64.b64encode(raw).decode()}"


def key_bytes(text: str, sizes: Mapping[str, int]) -> tuple[str, bytes]:
    """The algorithm and the bytes of a key written `algorithm:base64`. Raises KeyMalformed, which never repeats the text.

    `sizes`: what is allowed, each with its number of bytes.
    """
    name, _, encoded = text.strip().partition(":")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if sizes.get(name) != len(raw):
        allowed = "、".join(f"{known}:（{size} 字节）" for known, size in sizes.items())
        raise KeyMalformed("不是有效的密钥，应为下列之一后接 Base64：{allowed}", allowed=allowed)
    return name, raw


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose signatures are trusted; written `ed25519:<base64>` or `sm2:<base64>`.

    A gateway that changed its suite has signed with several keys: they are written a line each, the current one first.
    """

    algorithm: str
    raw: bytes
    earlier: tuple[PublicKey, ...] = ()

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Raises KeyMalformed."""
        sizes = {name: algorithm.public_bytes for name, algorithm in _ALGORITHMS.items()}
        newest, *earlier = [key_bytes(line, sizes) for line in text.split()] or [key_bytes("", sizes)]
        return cls(*newest, tuple(cls(*key) for key in earlier))

    @property
    def text(self) -> str:
        """The current key alone."""
        return key_text(self.algorithm, self.raw)

    @property
    def lines(self) -> str:
        """As it is pinned: every key, a line each."""
        return "".join(f"{key.text}\n" for key in (self, *self.earlier))

    def named(self, text: str) -> PublicKey | None:
        """The one of these keys that is written so."""
        return next((PublicKey(k.algorithm, k.raw) for k in (self, *self.earlier) if k.text == text), None)

    def verify(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Whether one of these keys signed `message` for `purpose`. Raises SuiteUnavailable."""
        preimage = _preimage(purpose, message)
        return any(_verified(key, preimage, signature) for key in (self, *self.earlier))


class Signer:
    """Signs with a private key of 32 bytes: an Ed25519 seed (the same message has the same signature) or an SM2 scalar."""

    def __init__(self, private: bytes, algorithm: str = INTL.signing, earlier: tuple[PublicKey, ...] = ()) -> None:
        """`earlier`: keys this gateway signed with before. Raises ValueError for what is no private key."""
        self._private, self._sign = private, _ALGORITHMS[algorithm].sign
        self.public = PublicKey(algorithm, _ALGORITHMS[algorithm].public_of(private), earlier)

    @property
    def public_text(self) -> str:
        return self.public.text

    def sign(self, purpose: str, message: bytes) -> bytes:
        return self._sign(self._private, _preimage(purpose, message))


def _verified(key: PublicKey, preimage: bytes, signature: bytes) -> bool:
    try:
        return _ALGORITHMS[key.algorithm].verify(key.raw, preimage, signature)
    except ValueError:
        return False


def _preimage(purpose: str, message: bytes) -> bytes:
    return framed(_DOMAIN, purpose.encode(), message)
