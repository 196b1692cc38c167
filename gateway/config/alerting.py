"""What `gateway.yaml` may say of alerts: where they go, to whom, and when they are held back."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from adapters.kit import Span
from gateway.config.base import CountyCode, FeedKey, SecretRef, Strict

Owner = Literal["county", "agency", "gateway", "chain"]


class MailSecrets(Strict):
    password: SecretRef | None = None


class HookSecrets(Strict):
    url: SecretRef
    """The whole address: a robot's key stands in it."""
    sign: SecretRef | None = None
    """The key messages are signed with."""


class MailModel(Strict):
    """E-mail by SMTP."""

    kind: Literal["mail"]
    host: StrictStr
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: StrictStr | None = None
    secrets: MailSecrets = MailSecrets()
    sender: StrictStr = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    to: tuple[Annotated[StrictStr, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(min_length=1)
    lang: Literal["zh", "en"] = "zh"


class HookModel(Strict):
    """A webhook: our own JSON, or as the robots of WeCom and DingTalk read it."""

    kind: Literal["webhook", "wecom", "dingtalk"]
    secrets: HookSecrets
    lang: Literal["zh", "en"] = "zh"


ChannelModel = Annotated[MailModel | HookModel, Field(discriminator="kind")]


class EscalationModel(Strict):
    """Who is told when nobody has taken an alert up."""

    after: Span
    to: tuple[FeedKey, ...] = Field(min_length=1)


class RouteModel(Strict):
    """Which alerts go where; whatever is not said is any."""

    owners: tuple[Owner, ...] = ()
    counties: tuple[CountyCode, ...] = ()
    kinds: tuple[StrictStr, ...] = ()
    """Kinds of verdicts: duty, feed, run, account, sink, certificate, secret, sharing, calendar."""
    to: tuple[FeedKey, ...] = Field(min_length=1)
    at_night: bool = False
    """Not held back by the quiet hours."""
    escalate: EscalationModel | None = None


class AlertsModel(Strict):
    channels: dict[FeedKey, ChannelModel] = {}
    routes: tuple[RouteModel, ...] = ()
    quiet: StrictStr | None = Field(default=None, pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$")
    """`22:00-07:00`, Asia/Shanghai: what is told in between waits for its end."""
    settle: Span = timedelta(minutes=10)
    """How long a verdict must stand before anybody is told, and be gone before it counts as recovered."""

    @model_validator(mode="after")
    def _holds(self) -> AlertsModel:
        named = {name for route in self.routes for name in (*route.to, *(route.escalate.to if route.escalate else ()))}
        if unknown := sorted(named - self.channels.keys()):
            name, known = "、".join(unknown), "、".join(self.channels) or "（无）"
            raise ValueError(f"没有告警渠道 {name}。可用的有：{known}")
        if self.quiet is not None:
            begin, end = self.night
            if begin == end:
                raise ValueError("安静时段的起止不能相同")
        return self

    @property
    def night(self) -> tuple[time, time]:
        """Beginning and end of the quiet hours; only where there are any."""
        begin, _, end = (self.quiet or "").partition("-")
        return time.fromisoformat(begin), time.fromisoformat(end)
