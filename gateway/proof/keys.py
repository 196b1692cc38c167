"""Expansion of an observation's key into the keys of its versions and groups (docs/proof-format.md)."""

import hmac
from typing import Final

_LABEL: Final = b"shuqiao/1/group\0"


def expand(observation_key: bytes, version: int, group: str) -> bytes:
    """64 bytes for one (version, group): the cipher key, then the salt."""
    return hmac.digest(observation_key, _LABEL + version.to_bytes(8, "big") + group.encode(), "sha512")
