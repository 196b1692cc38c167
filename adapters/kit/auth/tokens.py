"""Credentials that travel as they are: tokens issued once or got by logging in (china-facts §1.1 P8)."""

from __future__ import annotations

from datetime import timedelta

from adapters.kit.auth.base import Renewable, Signed, incomplete
from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope


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


class LoginBearer(Renewable):
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
            raise incomplete(label, error) from error
