"""A session of a SOAP source: a token that a call of its own gives, sent with every other call until the source ends it (§1.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from adapters.kit.auth import Auth, Renewable
from adapters.kit.base import Ports, Rotating
from adapters.kit.errors import SourceDenied
from adapters.kit.nested import Headers, Nested
from adapters.kit.signed import Signed


class Session(BaseModel):
    """How a source is logged in to. Texts may hold `{secret.NAME}`; the token is `{session}` in what the streams send."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    operation: str
    token: str
    """Where the answer has the token: a local name or a path of them; a document inside a text is gone into."""
    params: dict[str, Nested] = Field(default_factory=dict)
    headers: Headers = Field(default_factory=dict)
    expired: tuple[str, ...] = ()
    """Codes, or parts of texts, with which this source says that the session is over, besides those of china-facts §1.1."""
    lifetime: int = Field(default=1200, ge=120)
    """Seconds after which we log in again unasked."""


LogIn: TypeAlias = Callable[[Session, Signed], str]


class SessionAuth(Renewable):
    """What the source's profile signs, and the token. One log-in at a time for an account and source."""

    def __init__(self, ports: Ports, profile: Auth, name: str, session: Session, log_in: LogIn) -> None:
        super().__init__(ports)
        self._profile, self._name, self._session, self._log_in = profile, name, session, log_in

    def sign(self, service: str) -> Signed:
        token = self._current()
        return replace(self._profile.sign(service), credential=token)

    def _obtain(self) -> Rotating:
        signed = self._profile.sign(self._session.operation)
        with self._ports.budget.call():
            try:
                token = self._log_in(self._session, signed)
            except SourceDenied as error:
                raise self._refused(error.evidence) from error
            if not token:
                raise self._refused(None)
        return Rotating(token, self._ports.now() + timedelta(seconds=self._session.lifetime))

    def _refused(self, evidence: bytes | None) -> SourceDenied:
        sentence = "SOAP {operation}：登录没有给出令牌，请核对账号、密码与 session 的写法"
        return SourceDenied("CREDENTIAL_REFUSED", sentence, evidence=evidence, operation=self._session.operation)
