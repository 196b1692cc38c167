"""Credentials that travel as they are: user and password, keys and tokens issued once or got by logging in (P8)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from adapters.kit.auth.base import UNUSABLE, Profile, Renewable, incomplete
from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope
from adapters.kit.signed import Signed


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where a token travels: `Authorization: Bearer …`, another header as it is, or a query parameter."""

    header: str = "Authorization"
    scheme: str | None = None
    """What stands before it in the header; None is `Bearer` in Authorization and nothing elsewhere."""
    query: str | None = None

    def carry(self, token: str) -> Signed:
        """The call that carries this token."""
        if self.query is not None:
            return Signed(params={self.query: token}, credential=token)
        scheme = self.scheme
        if scheme is None:
            scheme = "Bearer" if self.header.lower() == "authorization" else ""
        return Signed({self.header: f"{scheme} {token}".lstrip()}, credential=token)


BEARER: Final = Carrier()
API_KEY: Final = Carrier("X-Api-Key")


class Bearer(Profile):
    """A token that was issued once; the account keeps it under `name`."""

    def __init__(self, ports: Ports, name: str = "token", carrier: Carrier = BEARER) -> None:
        super().__init__(ports)
        self._name, self._carrier = name, carrier

    def sign(self, service: str) -> Signed:
        return self._carrier.carry(self._secret(self._name))


class ApiKey(Bearer):
    """A key that was issued once; the account keeps it as `api_key`."""

    def __init__(self, ports: Ports, carrier: Carrier = API_KEY) -> None:
        super().__init__(ports, "api_key", carrier)


class Basic(Profile):
    """RFC 7617, in UTF-8. The account keeps `username` and `password`."""

    def sign(self, service: str) -> Signed:
        pair = f"{self._secret('username')}:{self._secret('password')}"
        return Signed({"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"})


@dataclass(frozen=True, slots=True)
class LoginMembers:
    """What a platform calls the members of its log-in: two that are sent, two that `data` of the answer holds."""

    app_id: str = "appId"
    app_secret: str = "appSecret"  # noqa: S105 # the name of a member
    token: str = "token"  # noqa: S105 # the name of a member
    expires: str = "expires_in"
    """Seconds."""


LOGIN: Final = LoginMembers()


class LoginBearer(Renewable):
    """P8: a log-in call gives a token for a while. The account keeps `app_id` and `app_secret`.

    Whether our address is on the platform's list shows at the first call: a refusal names it and stops the account.
    """

    _name = "token"

    def __init__(
        self,
        ports: Ports,
        url: str,
        carrier: Carrier = BEARER,
        members: LoginMembers = LOGIN,
        lifetime: timedelta | None = None,
    ) -> None:
        """`lifetime` is for a platform whose answer does not say how long its token holds."""
        super().__init__(ports)
        self._url, self._carrier, self._members, self._lifetime = url, carrier, members, lifetime

    def sign(self, service: str) -> Signed:
        return self._carrier.carry(self._current())

    def _obtain(self) -> Rotating:
        members, label = self._members, "POST 登录"
        body = {members.app_id: self._secret("app_id"), members.app_secret: self._secret("app_secret")}
        data = self._ask("POST", self._url, label, Envelope(rows="data", total=None), json=body)
        try:
            lifetime = self._lifetime or timedelta(seconds=float(data[members.expires]))
            return Rotating(str(data[members.token]), self._ports.now() + lifetime)
        except UNUSABLE as error:
            raise incomplete(label) from error
