"""Keys of one disclosure group of one version, expanded in one call from the observation's key (DESIGN §2b)."""

from __future__ import annotations

import hmac
from typing import Final

EXPANSION_BYTES: Final = 64
_PREFIX: Final = b"shuqiao/1/group\0"


def expand(key: bytes, version: int, group: str) -> bytes:
    """64 bytes: cipher key (first 32) and salt (last 32). Whoever holds them opens this group of this version, no other."""
    return hmac.digest(key, _PREFIX + version.to_bytes(8, "big") + group.encode(), "sha512")
