"""ZJ: Zhejiang's public data platform and the city gateways built like it (china-facts §1.1 P2)."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from adapters.kit.auth.base import UNUSABLE, Renewable, from_millis, incomplete
from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope
from adapters.kit.errors import SourceDenied, SourceMalformed
from adapters.kit.signed import Signed

ENVELOPE: Final = Envelope(rows="datas", total=None, success={"code": ("00",)})
_REFRESH: Final = "refresh_secret"


class ZJ(Renewable):
    """Two secrets that rotate together: calls are signed with one (15 min), its renewal with the other (48 h).

    The account keeps `app_key` and `app_secret`. A refresh secret that has expired or is refused is given up and the pair
    got anew with the app secret; only a refusal of that one stops the account.
    """

    _name = "request_secret"

    def __init__(self, ports: Ports, base_url: str, place: Literal["headers", "query"] = "headers") -> None:
        """`place` is where the platform looks for `appKey`, `sign` and `requestTime` of a call."""
        super().__init__(ports)
        self._base_url, self._place = base_url, place

    def sign(self, service: str) -> Signed:
        secret = self._current()
        members = self._members(secret)
        if self._place == "query":
            return Signed(params=members, credential=secret)
        return Signed(members, credential=secret)

    def _members(self, secret: str) -> dict[str, str]:
        app_key, time = self._secret("app_key"), self._millis()
        return {"appKey": app_key, "sign": zj_sign(app_key, secret, time), "requestTime": time}

    def _obtain(self) -> Rotating:
        refresh = self._ports.secrets.rotating(_REFRESH)
        if refresh and self._is_fresh(refresh):
            try:
                return self._refreshed("refreshTokenBySec", refresh.text, spare=True)
            except (SourceDenied, SourceMalformed):
                pass  # whatever the platform has against it, the app secret is tried next and has its own error
        return self._refreshed("refreshTokenByKey", self._secret("app_secret"), spare=False)

    def _refreshed(self, call: str, secret: str, *, spare: bool) -> Rotating:
        """The refresh secret is stored first: were the request secret, a crash between would leave an outdated one."""
        label, url = f"GET {call}", f"{self._base_url}/gateway/app/{call}.htm"
        found = self._ask("GET", url, label, ENVELOPE, signed=Signed(params=self._members(secret)), spare=spare)
        try:
            refresh = Rotating(str(found["refreshSecret"]), from_millis(found["refreshSecretEndTime"]))
            request = Rotating(str(found["requestSecret"]), from_millis(found["requestSecretEndTime"]))
        except UNUSABLE as error:
            raise incomplete(label) from error
        self._ports.secrets.store(_REFRESH, refresh)
        return request


def zj_sign(app_key: str, secret: str, time: str) -> str:
    """Lower-case hex MD5(appKey + secret + requestTime); the time in milliseconds (P2)."""
    return hashlib.md5(f"{app_key}{secret}{time}".encode()).hexdigest()  # noqa: S324 # the platform prescribes it
