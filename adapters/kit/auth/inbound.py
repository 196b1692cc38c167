"""How what a platform sends to us is signed: the other way round than every profile beside it (china-facts §1.6).

The signed text is every member of the message but the signature itself and blank ones, sorted by name, as `name=value`
joined with `&`. A text member stands without its quotes, anything else exactly as it was sent, so that nobody has to write
JSON the way the other side does.

    rule            signature, in hex of either case
    hmac_sha256     HMAC-SHA256 of the text under the secret
    hmac_sm3        HMAC-SM3 of the text under the secret
    md5             MD5 of the text followed by `&key=` and the secret
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from hashlib import md5
from typing import Final, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from adapters.kit.base import Secrets

BLANK: Final = frozenset({b"", b"null", b'""'})


class InboundModel(BaseModel):
    """What a file may say of a sender's signature: which rule, and which secret of the account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: Literal["hmac_sha256", "hmac_sm3", "md5"] = "hmac_sha256"
    secret: StrictStr = Field(default="push_secret", pattern=r"^[A-Za-z0-9_.-]+$")

    def holds(self, members: Mapping[str, bytes], sign: str, secrets: Secrets) -> bool:
        """Whether this signature is the sender's. `members`: name -> JSON as sent, without the signature.

        Raises:
            SourceDenied: AUTH_CONFIG, we do not have the secret.
        """
        made = _RULES[self.rule](secrets.get(self.secret).encode(), signed_text(members))
        return hmac.compare_digest(made.encode(), sign.strip().lower().encode())


def signed_text(members: Mapping[str, bytes]) -> bytes:
    """What is signed."""
    told = [(name, raw) for name, raw in sorted(members.items()) if raw not in BLANK]
    return b"&".join(name.encode() + b"=" + _plain(raw) for name, raw in told)


def _plain(raw: bytes) -> bytes:
    return msgspec.json.decode(raw, type=str).encode() if raw[:1] == b'"' else raw


_RULES: Final[Mapping[str, Callable[[bytes, bytes], str]]] = {
    "hmac_sha256": lambda secret, text: hmac.new(secret, text, "sha256").hexdigest(),
    "hmac_sm3": lambda secret, text: hmac.new(secret, text, "sm3").hexdigest(),
    "md5": lambda secret, text: md5(text + b"&key=" + secret, usedforsecurity=False).hexdigest(),
}
