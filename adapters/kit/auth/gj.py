"""GJ: the national data exchange platform and the provinces that copy it (china-facts §1.1 P3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree

from adapters.kit.auth.base import UNUSABLE, Renewable, from_millis, incomplete
from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope
from adapters.kit.signed import Signed


class GJ(Renewable):
    """Calls signed with a rotating secret; the account keeps `app_key`, which signs the renewals.

    REST wants the four members as HTTP headers; SOAP behind Tongtech's bus wants them as elements of its header (§1.3).
    """

    _name = "request_secret"

    def __init__(
        self,
        ports: Ports,
        base_url: str,
        rid: str,
        sid: str,
        *,
        prefix: str = "gjgxjhpt_",
        sign_prefix: str | None = None,
        wrapper: str | None = None,
    ) -> None:
        """`rid` is the requester's id; `sid` the service id that renewals are signed for.

        `prefix` differs from platform to platform (`gjzwfwpt_`, `jsjhpt_`); some give the signature another one.
        `wrapper` is the SOAP header element that holds the members, `{namespace}name` if it has a namespace.
        """
        super().__init__(ports)
        self._url = f"{base_url}/sysapi/auth/refreshappsecret"
        self._rid, self._sid, self._wrapper = rid, sid, wrapper
        self._prefix, self._sign_prefix = prefix, prefix if sign_prefix is None else sign_prefix

    def sign(self, service: str) -> Signed:
        secret = self._current()
        members = self._members(service, secret)
        if self._wrapper is None:
            return Signed(members, credential=secret)
        return Signed(soap=(_element(self._wrapper, members),), credential=secret)

    def _members(self, sid: str, key: str) -> dict[str, str]:
        rtime, prefix = self._millis(), self._prefix
        return {
            f"{prefix}rid": self._rid,
            f"{prefix}sid": sid,
            f"{prefix}rtime": rtime,
            f"{self._sign_prefix}sign": gj_sign(key, sid, self._rid, rtime),
        }

    def _obtain(self) -> Rotating:
        label, app_key = "POST refreshappsecret", self._secret("app_key")
        envelope = Envelope(rows="data", total=None, message="message")
        data = self._ask("POST", self._url, label, envelope, json=self._members(self._sid, app_key))
        try:
            return Rotating(gj_decrypt(str(data["secret"]), app_key), from_millis(data["secretEndTime"]))
        except UNUSABLE as error:
            raise incomplete(label) from error


def gj_sign(secret: str, sid: str, rid: str, rtime: str) -> str:
    """Base64(HMAC-SHA256(secret, sid + rid + rtime)) (P3)."""
    return base64.b64encode(hmac.digest(secret.encode(), f"{sid}{rid}{rtime}".encode(), "sha256")).decode()


def gj_decrypt(ciphertext: str, app_key: str) -> str:
    """The secret out of its Base64 AES-128/ECB/PKCS5 text; the platform fixes the cipher (P3).

    Raises:
        ValueError: not encrypted with this key.
    """
    seed = hashlib.sha1(app_key.encode()).digest()  # noqa: S324 # Java's SHA1PRNG, which the platform prescribes
    key = hashlib.sha1(seed).digest()[:16]  # noqa: S324
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 # prescribed too
    padded = decryptor.update(base64.b64decode(ciphertext, validate=True)) + decryptor.finalize()
    unpadder = PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode()


def _element(wrapper: str, members: Mapping[str, str]) -> str:
    root = etree.Element(wrapper)
    for name, value in members.items():
        etree.SubElement(root, name).text = value
    return etree.tostring(root, encoding="unicode")
