"""What an auth profile adds to one call, wherever its platform wants to see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Certificate:
    """What we show a server that asks who we are, as PEM texts."""

    chain: str = field(repr=False)
    key: str = field(repr=False)
    authority: str = field(default="", repr=False)
    """Who issued the server's own certificate, if no public authority did."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature of one call, and the credential it was made with, so that a renewal knows what was refused."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Query parameters."""
    soap: tuple[str, ...] = field(default=(), repr=False)
    """Elements of the SOAP header, as XML; a call that is not SOAP leaves them out."""
    authorize: Callable[[str, str], str] | None = field(default=None, repr=False)
    """The Authorization header, from the method and the request target as they are sent (RFC 7616)."""
    certificate: Certificate | None = None
    credential: str = field(default="", repr=False)


UNSIGNED: Final = Signed()
