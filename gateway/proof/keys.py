"""Keys of one disclosure group of one version, expanded in one call from the observation's key (DESIGN §2b)."""

from __future__ import annotations

import hmac
from typing import Final

EXPANSION_BYTES: Final = 64
_PREFIX: Final = b"shuqiao/1/group\0"


def expand(key: bytes, version: int, group: str) -> bytes:
    """64 bytes: cipher key (first 32) and salt (last 32). Whoever holds them opens this group of this version, no other."""
    return hmac.digest(key, _message(version, group), "sha512")


def expand_sm3(key: bytes, version: int, group: str) -> bytes:
    """As `expand`, of two HMAC-SM3 over the message and a counter; SM4 takes the first 16 bytes."""
    message = _message(version, group)
    return hmac.digest(key, message + b"\1", "sm3") + hmac.digest(key, message + b"\2", "sm3")


def _message(version: int, group: str) -> bytes:
    return _PREFIX + version.to_bytes(8, "big") + group.encode()
