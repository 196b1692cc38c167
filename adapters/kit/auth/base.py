"""How calls are signed: one protocol, one exchange, and what all credentials that expire have in common.

A renewal invalidates the secret before it (P2, P3). It therefore happens under the account's renewal lock, and the stored
secret is looked at again inside the lock: another worker may have renewed it while we waited. An expired credential is
renewed once and the call repeated once; refused again, a person must act.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

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


class Renewable(ABC):
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


def incomplete(label: str, error: Exception) -> SourceMalformed:
    sentence = "{label}：答复里没有可用的凭证与有效期"
    malformed = SourceMalformed("ENVELOPE_UNKNOWN", sentence, label=label)
    malformed.__cause__ = error
    return malformed
