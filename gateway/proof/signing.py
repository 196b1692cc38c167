"""Signatures of the gateway. A signature names its purpose, so that one for a block never passes for a manifest."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.proof.errors import KeyMalformed
from gateway.proof.suite import framed

ED25519: Final = "ed25519"
KEY_BYTES: Final = 32
_DOMAIN: Final = b"shuqiao/1/signature"


def key_text(algorithm: str, raw: bytes) -> str:
    return f"{algorithm}:{base64.b64encode(raw).decode()}"


def key_bytes(algorithm: str, text: str) -> bytes:
    """The 32 bytes of a key written `algorithm:base64`. Raises KeyMalformed, which never repeats the text."""
    name, _, encoded = text.strip().partition(":")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if name != algorithm or len(raw) != KEY_BYTES:
        raise KeyMalformed("不是有效的密钥，应为 {algorithm}: 后接 32 字节的 Base64", algorithm=algorithm)
    return raw


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whose signatures are trusted; written `ed25519:<base64>`."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Raises KeyMalformed."""
        return cls(key_bytes(ED25519, text))

    @property
    def text(self) -> str:
        return key_text(ED25519, self.raw)

    def verify(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Whether this key signed `message` for `purpose`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, _preimage(purpose, message))
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """Signs with an Ed25519 seed of 32 bytes. Deterministic: the same message has the same signature."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(self._private.public_key().public_bytes_raw())

    @property
    def public_text(self) -> str:
        return self.public.text

    def sign(self, purpose: str, message: bytes) -> bytes:
        return self._private.sign(_preimage(purpose, message))


def _preimage(purpose: str, message: bytes) -> bytes:
    return framed(_DOMAIN, purpose.encode(), message)
