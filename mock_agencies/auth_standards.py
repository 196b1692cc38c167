"""Doors by international standards: HTTP Basic and Digest, WS-Security, client certificates."""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from lxml import etree

from mock_agencies.auth_doors import Door, as_json, same
from mock_agencies.faults import soap_fault
from mock_agencies.server import Request, Response

_WSS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE: Final = f"{{{_WSS}wssecurity-secext-1.0.xsd}}"
_WSU: Final = f"{{{_WSS}wssecurity-utility-1.0.xsd}}"
_MEMBER: Final = re.compile(r"([\w*]+)=(?:\"([^\"]*)\"|([^\s,]+))")


class Basic(Door):
    """RFC 7617."""

    def check(self, request: Request) -> Response | None:
        pair = base64.b64encode(f"{self.keys['username']}:{self.keys['password']}".encode()).decode()
        if same(request.headers.get("Authorization") or "", f"Basic {pair}"):
            return None
        return as_json({"msg": "未登录"}, 401, {"WWW-Authenticate": 'Basic realm="desk", charset="UTF-8"'})


class Digest(Door):
    """RFC 7616; an answer counts once, and says 未授权 on every 401, the first included."""

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(name, keys)
        self.algorithms = ("SHA-512-256", "SHA-256", "MD5")
        self._nonces: dict[str, set[str]] = {}

    def expire(self) -> None:
        """No nonce is fresh any more."""
        self._nonces.clear()

    def check(self, request: Request) -> Response | None:
        header = request.headers.get("Authorization") or ""
        given = {name: quoted or plain for name, quoted, plain in _MEMBER.findall(header)}
        if not header.startswith("Digest ") or not self._held(request, given):
            self.asked["refused" if header else "unasked"] += 1
            return self._challenge("false")
        with self.guard:
            answers = self._nonces.get(given["nonce"])
            if answers is None or given["nc"] in answers:
                self.asked["stale"] += 1
                return self._challenge("true")
            answers.add(given["nc"])
        return None

    def _held(self, request: Request, given: Mapping[str, str]) -> bool:
        algorithm = {"MD5": "md5", "SHA-256": "sha256"}.get(given.get("algorithm", "MD5"))
        username = self.keys["username"]
        named = given.get("username*") == f"UTF-8''{quote(username)}" or given.get("username") == username
        if algorithm is None or not named or given.get("uri") != request.target or given.get("qop") != "auth":
            return False

        def digest(*parts: str) -> str:
            return hashlib.new(algorithm, ":".join(parts).encode()).hexdigest()

        secret = digest(self.keys["username"], given["realm"], self.keys["password"])
        asked = digest(request.method, given["uri"])
        return same(digest(secret, given["nonce"], given["nc"], given["cnonce"], "auth", asked), given["response"])

    def _challenge(self, stale: str) -> Response:
        nonce = secrets.token_urlsafe(12) + ","
        self._nonces[nonce] = set()
        same = f'Digest realm="auth, desk", qop="auth,auth-int", nonce="{nonce}", opaque="o", stale={stale}, algorithm='
        offers = ", ".join(same + algorithm for algorithm in self.algorithms)
        return as_json({"code": 401, "msg": "未授权"}, 401, {"WWW-Authenticate": f'Basic realm="desk", {offers}'})


class Wsse(Door):
    """WS-Security UsernameToken: five minutes, and no nonce twice; the password as text only under /text."""

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(name, keys)
        self._nonces: set[str] = set()

    def check(self, request: Request) -> Response | None:
        if request.method == "GET":
            return None
        found = etree.fromstring(request.body).find(f"{{*}}Header/{_WSSE}Security/{_WSSE}UsernameToken")
        if found is None:
            return soap_fault("An error was discovered processing the wsse:Security header", "wsse:InvalidSecurity")
        username, password = (found.findtext(f"{_WSSE}{name}") or "" for name in ("Username", "Password"))
        kind = next((e.get("Type", "") for e in found.iter(f"{_WSSE}Password")), "").rpartition("#")[2]
        nonce, created = found.findtext(f"{_WSSE}Nonce") or "", found.findtext(f"{_WSU}Created") or ""
        right = self.keys["password"]
        if kind == "PasswordDigest":
            right = base64.b64encode(
                hashlib.sha1(base64.b64decode(nonce) + (created + right).encode()).digest()
            ).decode()
            if abs(time.time() - _utc(created)) > 300:
                return soap_fault("The message has expired", "wsse:MessageExpired")
        known = nonce in self._nonces if kind == "PasswordDigest" else not request.path.endswith("/text")
        if known or username != self.keys["username"] or not same(right, password):
            text = "The security token could not be authenticated or authorized"
            return soap_fault(text, "wsse:FailedAuthentication")
        self._nonces.add(nonce)
        return None


class Mutual(Door):
    """As nginx does where a certificate is wanted."""

    def check(self, request: Request) -> Response | None:
        if request.certified:
            return None
        page = b"<html><head><title>400 No required SSL certificate was sent</title></head></html>"
        return Response(page, 400, "text/html")


def _utc(created: str) -> float:
    return time.mktime(time.strptime(created, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
