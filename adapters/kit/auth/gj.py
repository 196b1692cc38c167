"""GJ: the national data exchange platform and the provinces that copy it (china-facts §1.1 P3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.kit.auth.base import Renewable, Signed, incomplete
from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope


class GJ(Renewable):
    """P3: national and provincial exchange platforms. The account keeps `app_key`; calls are signed with a rotating secret."""

    _name = "request_secret"

    def __init__(self, ports: Ports, base_url: str, rid: str, sid: str) -> None:
        """`rid` is the requester's id; `sid` the service id that renewals are signed for."""
        super().__init__(ports)
        self._url = f"{base_url}/sysapi/auth/refreshappsecret"
        self._rid, self._sid = rid, sid

    def sign(self, service: str) -> Signed:
        secret = self._current()
        return Signed(self._members(service, secret), secret)

    def _members(self, sid: str, key: str) -> dict[str, str]:
        rtime = str(int(self._ports.now().timestamp() * 1000))
        return {
            "gjgxjhpt_rid": self._rid,
            "gjgxjhpt_sid": sid,
            "gjgxjhpt_rtime": rtime,
            "gjgxjhpt_sign": gj_sign(key, sid, self._rid, rtime),
        }

    def _obtain(self) -> Rotating:
        label, app_key = "POST refreshappsecret", self._ports.secrets.get("app_key")
        body = self._members(self._sid, app_key)
        data = self._ask(self._url, label, body, Envelope(rows="data", total=None, message="message"))
        try:
            until = datetime.fromtimestamp(int(data["secretEndTime"]) / 1000, UTC)
            return Rotating(gj_decrypt(str(data["secret"]), app_key), until)
        except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
            raise incomplete(label, error) from error


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
