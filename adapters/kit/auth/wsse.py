"""WS-Security UsernameToken (OASIS WSS UsernameToken Profile 1.1), as an element of the SOAP header."""

from __future__ import annotations

import base64
import hashlib
import secrets
from datetime import UTC
from typing import Final, Literal

from lxml import etree

from adapters.kit.auth.base import Profile
from adapters.kit.base import Ports
from adapters.kit.signed import Signed

_OASIS: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_WSSE: Final = f"{_OASIS}-wssecurity-secext-1.0.xsd"
_WSU: Final = f"{_OASIS}-wssecurity-utility-1.0.xsd"
_TYPES: Final = {
    "text": f"{_OASIS}-username-token-profile-1.0#PasswordText",
    "digest": f"{_OASIS}-username-token-profile-1.0#PasswordDigest",
}
_BASE64: Final = f"{_OASIS}-soap-message-security-1.0#Base64Binary"


class UsernameToken(Profile):
    """The account keeps `username` and `password`. A digest holds for the moment and once: servers refuse it again."""

    def __init__(self, ports: Ports, password: Literal["digest", "text"] = "digest") -> None:  # noqa: S107 # a form
        super().__init__(ports)
        self._form = password

    def sign(self, service: str) -> Signed:
        username, password = self._secret("username"), self._secret("password")
        security = etree.Element(f"{{{_WSSE}}}Security", nsmap={"wsse": _WSSE, "wsu": _WSU})
        token = etree.SubElement(security, f"{{{_WSSE}}}UsernameToken")
        etree.SubElement(token, f"{{{_WSSE}}}Username").text = username
        shown = etree.SubElement(token, f"{{{_WSSE}}}Password", Type=_TYPES[self._form])
        shown.text = password
        if self._form == "digest":
            nonce = secrets.token_bytes(16)
            created = self._ports.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            shown.text = wsse_digest(nonce, created, password)
            given = etree.SubElement(token, f"{{{_WSSE}}}Nonce", EncodingType=_BASE64)
            given.text = base64.b64encode(nonce).decode()
            etree.SubElement(token, f"{{{_WSU}}}Created").text = created
        return Signed(soap=(etree.tostring(security, encoding="unicode"),))


def wsse_digest(nonce: bytes, created: str, password: str) -> str:
    """Base64(SHA-1(nonce + created + password))."""
    digest = hashlib.sha1(nonce + f"{created}{password}".encode()).digest()  # noqa: S324 # the standard prescribes it
    return base64.b64encode(digest).decode()
