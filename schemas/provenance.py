"""Versions of the rules that turn a raw value into a canonical one, taken from the rules themselves.

A digest over the sources cannot be forgotten: any change makes unchanged rows be mapped again, and a version that comes
out the same is still no new version.
"""

from hashlib import blake2b
from importlib.resources import files
from typing import Final


def _digest(names: list[str], folder: str = "") -> str:
    root = files("schemas").joinpath(folder) if folder else files("schemas")
    digest = blake2b(digest_size=8)
    for name in sorted(names):
        digest.update(name.encode() + b"\0" + root.joinpath(name).read_bytes())
    return digest.hexdigest()


def _names(folder: str, suffix: str) -> list[str]:
    return [f.name for f in files("schemas").joinpath(folder).iterdir() if f.name.endswith(suffix)]


CLEANING_VERSION: Final = _digest(
    [n for n in _names("", ".py") if n.startswith(("cleaning", "identifiers", "divisions", "plain"))]
)
CODES_VERSION: Final = _digest(_names("data/codes", ".json"), "data/codes")
