"""One protocol to sign with, one exchange, and what all credentials that expire have in common.

A renewal invalidates the secret before it (P2, P3). It therefore happens under the account's renewal lock, and the stored
secret is looked at again inside the lock: another worker may have renewed it while we waited. An expired credential is
renewed once and the call repeated once; refused again, a person must act.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeVar

from adapters.kit.base import Ports, Rotating
from adapters.kit.envelope import Envelope
from adapters.kit.errors import SourceDenied, SourceMalformed
from adapters.kit.signed import UNSIGNED, Signed

T = TypeVar("T")

MARGIN: Final = timedelta(seconds=60)
"""A credential this close to its end is renewed before it is used."""


class Auth(Protocol):
    """One account's way to sign."""

    @property
    def renewable(self) -> bool:
        """Whether `renew` can do something about a credential that was refused as expired."""
        ...

    def sign(self, service: str) -> Signed:
        """What a call of this service needs, valid now; logs in or renews first if it must.

        Raises:
            SourceDenied: AUTH_CONFIG, a secret is missing; what `exchange` raises, for a renewal.
        """
        ...

    def renew(self, refused: Signed, denied: SourceDenied) -> None:
        """Replaces the credential that was refused with these words, unless another worker has done so."""
        ...


def exchange(ports: Ports, auth: Auth, service: str, send: Callable[[Signed], T]) -> T:
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
                return send(signed)
        except SourceDenied as error:
            if error.code != "AUTH_EXPIRED":
                raise
            denied = error
        auth.renew(signed, denied)
        signed = auth.sign(service)
    with ports.budget.call():
        try:
            return send(signed)
        except SourceDenied as error:
            if error.code != "AUTH_EXPIRED":
                raise
            sentence = "凭证仍被对方判为过期，请核对密钥，并核对本机时钟是否准确"
            raise SourceDenied("CREDENTIAL_REFUSED", sentence, evidence=error.evidence) from error


class NoAuth:
    """A source that knows us by our address."""

    renewable = False

    def sign(self, service: str) -> Signed:
        return UNSIGNED

    def renew(self, refused: Signed, denied: SourceDenied) -> None:
        """There is nothing to renew."""


class Profile(ABC):
    """One family's way to sign, with the secrets of an account. What is not renewable, only a person can replace."""

    renewable = False

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    @abstractmethod
    def sign(self, service: str) -> Signed:
        """See `Auth`."""

    def renew(self, refused: Signed, denied: SourceDenied) -> None:
        """There is nothing to renew."""

    def _secret(self, name: str) -> str:
        return self._ports.secrets.get(name)

    def _millis(self) -> str:
        return str(int(self._ports.now().timestamp() * 1000))


class Renewable(Profile):
    """A credential that expires, kept by the account under `_name`."""

    renewable = True
    _name: str

    @abstractmethod
    def _obtain(self) -> Rotating:
        """Asks the source for a new credential."""

    def renew(self, refused: Signed, denied: SourceDenied) -> None:
        self._renewed(refused.credential)

    def _current(self) -> str:
        stored = self._ports.secrets.rotating(self._name)
        return stored.text if stored and self._is_fresh(stored) else self._renewed(None)

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

    def _ask(
        self,
        method: str,
        url: str,
        label: str,
        envelope: Envelope,
        *,
        signed: Signed = UNSIGNED,
        json: Mapping[str, str] | None = None,
        spare: bool = False,
    ) -> dict[str, Any]:
        """Members of the answer to a request for a credential. A refusal stops the account, unless there is a spare one.

        Raises:
            SourceDenied: AUTH_CONFIG, CREDENTIAL_REFUSED; AUTH_EXPIRED for any refusal if there is a spare one.
            SourceUnavailable, SourceMalformed: as any call.
        """
        with self._ports.budget.call():
            try:
                answer = self._ports.http.request(method, url, label=label, signed=signed, json=json)
                found = envelope.payload(answer.body, label)
            except SourceDenied as error:
                if error.code == "AUTH_CONFIG" and not spare:
                    raise
                code = "AUTH_EXPIRED" if spare else "CREDENTIAL_REFUSED"
                sentence = "{label}：换取新凭证被拒，请核对账号与密钥"
                raise SourceDenied(code, sentence, evidence=error.evidence, label=label) from error
        return found if isinstance(found, dict) else {}


UNUSABLE: Final = (KeyError, TypeError, ValueError, OverflowError, OSError)
"""What reading a credential and its end from an answer may raise."""


def incomplete(label: str) -> SourceMalformed:
    """The answer to a request for a credential holds none."""
    return SourceMalformed("ENVELOPE_UNKNOWN", "{label}：答复里没有可用的凭证与有效期", label=label)


def from_millis(value: Any) -> datetime:
    """The moment a platform gives in milliseconds. Raises one of `UNUSABLE`."""
    return datetime.fromtimestamp(int(value) / 1000, UTC)
