"""HTTP Digest (RFC 7616) with MD5 or SHA-256 and qop=auth.

The challenge is the credential that expires: a call is refused with a new one, answers it and is repeated once, inside the
budget like any other. Answers count up within a challenge, so that a whole run costs one refusal.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Final
from urllib.parse import quote

from adapters.kit.auth.base import Profile
from adapters.kit.base import Ports
from adapters.kit.errors import SourceDenied, SourceMalformed
from adapters.kit.signed import UNSIGNED, Signed

_ALGORITHMS: Final = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_BEGINNING: Final = re.compile(r"(?:^|,)\s*Digest\s+", re.IGNORECASE)
_MEMBER: Final = re.compile(r'\s*,?\s*(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server wants answered."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    opaque: str | None = None
    _answers: Iterator[int] = field(default_factory=lambda: count(1), repr=False, compare=False)

    def answer(self, username: str, password: str, method: str, target: str, cnonce: str | None = None) -> str:
        """The Authorization header of a request; each call is another answer (`nc`)."""
        cnonce = cnonce or secrets.token_hex(16)
        serial = f"{next(self._answers):08x}"
        ours = self._hash(f"{username}:{self.realm}:{password}")
        response = self._hash(f"{ours}:{self.nonce}:{serial}:{cnonce}:auth:{self._hash(f'{method}:{target}')}")
        members = [
            _named(username),
            f'realm="{self.realm}"',
            f'uri="{target}"',
            f"algorithm={self.algorithm}",
            f'nonce="{self.nonce}"',
            f"nc={serial}",
            f'cnonce="{cnonce}"',
            "qop=auth",
            f'response="{response}"',
        ]
        if self.opaque is not None:
            members.append(f'opaque="{self.opaque}"')
        return f"Digest {', '.join(members)}"

    def _hash(self, text: str) -> str:
        return _ALGORITHMS[self.algorithm](text.encode()).hexdigest()


class Digest(Profile):
    """Answers challenges; the account keeps `username` and `password`. One challenge is answered by many threads."""

    renewable = True

    def __init__(self, ports: Ports) -> None:
        super().__init__(ports)
        self._guard = threading.Lock()
        self._challenge: Challenge | None = None

    def sign(self, service: str) -> Signed:
        username, password = self._secret("username"), self._secret("password")
        challenge = self._challenge
        if challenge is None:
            return UNSIGNED
        return Signed(authorize=partial(challenge.answer, username, password), credential=challenge.nonce)

    def renew(self, refused: Signed, denied: SourceDenied) -> None:
        """Takes up the challenge that came with the refusal, be it the first, another one or none at all.

        Raises:
            SourceMalformed: CHALLENGE_UNKNOWN, none that we can answer.
        """
        with self._guard:
            outdated = self._challenge is None or self._challenge.nonce == refused.credential
            if outdated and denied.challenge:
                self._challenge = first_known(denied.challenge)


def first_known(header: str) -> Challenge:
    """The first challenge of `WWW-Authenticate` that we can answer: the order is the server's preference (RFC 7616 §3.7).

    Raises:
        SourceMalformed: CHALLENGE_UNKNOWN.
    """
    for members in _challenges(header):
        algorithm = members.get("algorithm", "MD5").upper()
        qops = re.split(r"[\s,]+", members.get("qop", ""))
        if algorithm in _ALGORITHMS and "auth" in qops and {"realm", "nonce"} <= members.keys():
            return Challenge(members["realm"], members["nonce"], algorithm, members.get("opaque"))
    sentence = "对方要求的认证方式不受支持，摘要认证可用 MD5 或 SHA-256、qop=auth"
    raise SourceMalformed("CHALLENGE_UNKNOWN", sentence, evidence=header.encode())


def _challenges(header: str) -> Iterator[dict[str, str]]:
    for beginning in _BEGINNING.finditer(header):
        members, at = {}, beginning.end()
        while member := _MEMBER.match(header, at):
            members[member[1].lower()] = member[2] if member[2] is not None else member[3]
            at = member.end()
        yield members


def _named(username: str) -> str:
    if username.isascii():
        quoted = username.replace("\\", r"\\").replace('"', r"\"")
        return f'username="{quoted}"'
    return f"username*=UTF-8''{quote(username, safe='')}"
