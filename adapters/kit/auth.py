"""How calls are signed: the auth profiles of china-facts §1.1 behind one protocol.

A renewal invalidates the secret before it (P2, P3). It therefore happens under the account's renewal lock, and the stored
secret is looked at again inside the lock: another worker may have renewed it while we waited. An expired credential is
renewed once and the call repeated once; refused again, a person must act.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope
from adapters.kit.errors import SourceDenied, SourceMalformed

T = TypeVar("T")

MARGIN: Final = timedelta(seconds=60)
"""A credential this close to its end is renewed before it is used."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Headers of one call, and the credential they were made with, so that a renewal knows what was refused."""

    headers: Mapping[str, str] = field(repr=False)
    credential: str = field(default="", repr=False)


class Auth(Protocol):
    """One account's way to sign."""

    renewable: bool

    def sign(self, service: str) -> Signed:
        """Headers for a call of this service, valid now; logs in or renews first if it must."""
        ...

    def renew(self, refused: Signed) -> None:
        """Replaces the credential that was refused, unless another worker has done so."""
        ...


def exchange(ports: Ports, auth: Auth, service: str, send: Callable[[Mapping[str, str]], T]) -> T:
    """One call inside the account's budget, repeated once with a renewed credential if the source says AUTH_EXPIRED.

    A renewable credential's first AUTH_EXPIRED reaches the budget as such and must not stop the account.

    Raises:
        SourceDenied: CREDENTIAL_REFUSED, renewing did not help or is not possible; AUTH_CONFIG.
        SourceUnavailable, SourceMalformed: from `send`.
    """
    signed = auth.sign(service)
    if auth.renewable:
        try:
            with ports.budget.call():
                return send(signed.headers)
        except SourceDenied as error:
            if error.code != "AUTH_EXPIRED":
                raise
        auth.renew(signed)
        signed = auth.sign(service)
    with ports.budget.call():
        try:
            return send(signed.headers)
        except SourceDenied as error:
            if error.code != "AUTH_EXPIRED":
                raise
            sentence = "凭证仍被对方判为过期，请核对密钥，并核对本机时钟是否准确"
            raise SourceDenied("CREDENTIAL_REFUSED", sentence, evidence=error.evidence) from error


class NoAuth:
    """A source that knows us by our address."""

    renewable = False

    def sign(self, service: str) -> Signed:
        return Signed({})

    def renew(self, refused: Signed) -> None:
        """There is nothing to renew."""


class Bearer:
    """A token that was issued once; the account keeps it under `name`."""

    renewable = False

    def __init__(
        self, ports: Ports, name: str = "token", header: str = "Authorization", scheme: str = "Bearer "
    ) -> None:
        self._ports, self._name, self._header, self._scheme = ports, name, header, scheme

    def sign(self, service: str) -> Signed:
        return Signed({self._header: self._scheme + self._ports.secrets.get(self._name)})

    def renew(self, refused: Signed) -> None:
        """There is nothing to renew: a person has to ask for a new token."""


class _Renewable(ABC):
    """A credential that expires, kept by the account under `_name`."""

    renewable = True
    _name: str

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @abstractmethod
    def _obtain(self) -> Rotating:
        """Asks the source for a new credential."""

    def _current(self) -> str:
        stored = self._ports.secrets.rotating(self._name)
        return stored.text if stored and self._is_fresh(stored) else self._renewed(None)

    def renew(self, refused: Signed) -> None:
        self._renewed(refused.credential)

    def _renewed(self, refused: str | None) -> str:
        with self._ports.secrets.renewal(self._name):
            stored = self._ports.secrets.rotating(self._name)
            if stored and stored.text != refused and self._is_fresh(stored):
                return stored.text
            renewed = self._obtain()
            self._ports.secrets.store(self._name, renewed)
            return renewed.text

    def _is_fresh(self, stored: Rotating) -> bool:
        return stored.expires_at - MARGIN > self._ports.now()

    def _ask(self, url: str, label: str, body: Mapping[str, str], envelope: Envelope) -> dict[str, Any]:
        with self._ports.budget.call():
            answer = self._ports.http.request("POST", url, json=body, label=label)
            found = envelope.payload(answer.body, label)
        return found if isinstance(found, dict) else {}


def _incomplete(label: str, error: Exception) -> SourceMalformed:
    sentence = "{label}：答复里没有可用的凭证与有效期"
    malformed = SourceMalformed("ENVELOPE_UNKNOWN", sentence, label=label)
    malformed.__cause__ = error
    return malformed


class LoginBearer(_Renewable):
    """P8: a log-in call gives a token for a while. The account keeps `app_id` and `app_secret`."""

    _name = "token"

    def __init__(self, ports: Ports, url: str) -> None:
        super().__init__(ports)
        self._url = url

    def sign(self, service: str) -> Signed:
        token = self._current()
        return Signed({"Authorization": f"Bearer {token}"}, token)

    def _obtain(self) -> Rotating:
        secrets, label = self._ports.secrets, "POST 登录"
        body = {"appId": secrets.get("app_id"), "appSecret": secrets.get("app_secret")}
        data = self._ask(self._url, label, body, Envelope(rows="data", total=None))
        try:
            return Rotating(str(data["token"]), self._ports.now() + timedelta(seconds=float(data["expires_in"])))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _incomplete(label, error) from error


class GJ(_Renewable):
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
            raise _incomplete(label, error) from error


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
