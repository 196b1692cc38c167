"""Platforms that know a caller by a digest over its id, the time and a secret, in headers (china-facts §1.1 P1, P4, P5).

The secret never changes by itself. The body is not signed. How far our clock may be off is the platform's choice, and a
platform that finds it too far often says no more than 鉴权失败.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from adapters.kit.auth.base import Profile
from adapters.kit.signed import Signed


class TIF(Profile):
    """P1: Tencent's TIF/Rio gateway. The account keeps `paasid` and `token`. Clocks may differ by 180 s."""

    def sign(self, service: str) -> Signed:
        timestamp, nonce = str(int(self._ports.now().timestamp())), secrets.token_hex(16)
        return Signed(
            {
                "x-tif-paasid": self._secret("paasid"),
                "x-tif-timestamp": timestamp,
                "x-tif-nonce": nonce,
                "x-tif-signature": tif_sign(self._secret("token"), timestamp, nonce),
            }
        )


class XCLIENT(Profile):
    """P4: data-open gateways of Shandong, Liaoning and others. The account keeps `client_id` and `token_secret`; 10 min."""

    def sign(self, service: str) -> Signed:
        client, timestamp, nonce = self._secret("client_id"), self._millis(), secrets.token_hex(16)
        return Signed(
            {
                "X-Client-Id": client,
                "X-Timestamp": timestamp,
                "X-Nonce": nonce,
                "X-Signature": xclient_sign(self._secret("token_secret"), client, timestamp, nonce),
            }
        )


class Sha1Concat(Profile):
    """P5, the published concatenation of city bureaus. The account keeps `app_key` and `app_secret`; 1 h."""

    def sign(self, service: str) -> Signed:
        app_key, timestamp = self._secret("app_key"), self._millis()
        signature = sha1_sign(app_key, self._secret("app_secret"), timestamp)
        return Signed({"appKey": app_key, "signature": signature, "timestamp": timestamp})


def tif_sign(token: str, timestamp: str, nonce: str) -> str:
    """Upper-case hex SHA-256(timestamp + token + nonce + timestamp); the time in seconds (P1)."""
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest().upper()


def xclient_sign(secret: str, client: str, timestamp: str, nonce: str) -> str:
    """Base64(HMAC-SHA256(secret, client id + timestamp + nonce)); the time in milliseconds (P4)."""
    return base64.b64encode(hmac.digest(secret.encode(), f"{client}{timestamp}{nonce}".encode(), "sha256")).decode()


def sha1_sign(app_key: str, app_secret: str, timestamp: str) -> str:
    """Lower-case hex SHA-1(appKey + appSecret + timestamp); the time in milliseconds (P5)."""
    text = f"{app_key}{app_secret}{timestamp}"
    return hashlib.sha1(text.encode()).hexdigest()  # noqa: S324 # the platforms prescribe it
