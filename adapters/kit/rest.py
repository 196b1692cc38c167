"""Sources that answer HTTP calls with JSON: declared as data, no code needed beyond the profile that signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field

from adapters.kit.auth import Auth, NoAuth, exchange
from adapters.kit.base import Adapter, Answer, Cursor, Page, Probe, Rows, SourceSettings, Stream
from adapters.kit.envelope import Envelope, Opened, list_rows
from adapters.kit.errors import SourceError
from adapters.kit.http import DEADLINE
from adapters.kit.paging import Paging, Params, Since, Single
from adapters.kit.signed import Signed
from adapters.kit.values import Address, Text
from adapters.kit.walk import Walk, request_values, restart, rewind


class WebSettings(SourceSettings):
    """What any source behind HTTP may be told."""

    page_size: int | None = Field(default=None, ge=1, le=10_000)
    deadline: float = Field(default=DEADLINE, gt=0, le=600)
    """Seconds for one whole answer."""
    max_mb: int = Field(default=32, ge=1, le=256)


class RestSettings(WebSettings):
    base_url: Address


@dataclass(frozen=True, kw_only=True)
class RestStream(Stream):
    """One call. `path` and values of `params` and `body_params` may hold `{county}`, `{today}` and `{month}` (business date)."""

    path: Text
    method: Literal["GET", "POST"] = "GET"
    service: Text = ""
    """What the auth profile signs for, where it signs for something; may hold `{county}` too."""
    params: Mapping[str, Text] = field(default_factory=dict)
    """Parameters of the query."""
    body: Literal["json", "form"] = "json"
    """How a POST sends its members. In JSON a dotted name is a member of a member: `page.current`."""
    body_params: Mapping[str, Text] = field(default_factory=dict)
    """Members of the body. Paging goes there too if the method is POST."""
    envelope: Envelope = field(default_factory=Envelope)
    paging: Paging = field(default_factory=Single)
    since: Since | None = None

    def __post_init__(self) -> None:
        if self.body_params and self.method == "GET":
            raise ValueError("GET 没有正文：参数写进 params，或写 method: POST")

    def label(self, service: str) -> str:
        """The request's shape, without a value of it."""
        return f"{self.method} {self.path} {service[:2]}…{service[-4:]}" if service else f"{self.method} {self.path}"


class WebAdapter(Adapter):
    """What REST and SOAP share: a signed call inside the budget, and the values its parameters may hold."""

    Settings: ClassVar[type[SourceSettings]] = WebSettings
    settings: WebSettings
    _held: tuple[str, Opened, Answer] | None = None

    @cached_property
    def auth(self) -> Auth:
        """The profile this source signs with; an adapter overrides it."""
        return NoAuth()

    @property
    def values(self) -> dict[str, object]:
        """What `{…}` in parameters may name (`values.PLACES`)."""
        today = self.ports.today()
        return {"county": self.county, "today": today, "month": f"{today:%Y-%m}"}

    def walk(self, paging: Paging, since: Since | None, cursor: Cursor | None) -> Walk:
        return Walk(paging, since, cursor, today=self.ports.today(), limit=self.settings.page_size)

    def page(self, walk: Walk, ask: Callable[[], tuple[Opened, Answer]]) -> Page:
        """The page that answers. An answer too large for one page is held until the last of its slices was given."""
        held, self._held = self._held, None
        opened, answer = held[1:] if held is not None and walk.goes_on(held[0]) else ask()
        page = walk.page(opened, answer)
        if walk.unfinished:
            self._held = (walk.unfinished, opened, replace(answer, body=b""))
        return page

    def restart(self, cursor: Cursor | None) -> Cursor | None:
        return restart(cursor)

    def rewind(self, cursor: Cursor | None, since: date) -> Cursor | None:
        return rewind(cursor, since)

    def probe(self) -> list[Probe]:
        try:
            self.auth.sign("")
        except SourceError as error:
            return [Probe("auth", ok=False, sentence=str(error), code=error.code)]
        return [Probe("auth", ok=True, sentence="凭证可用")]


class RestAdapter(WebAdapter):
    """A source whose streams are `RestStream`s."""

    Settings: ClassVar[type[SourceSettings]] = RestSettings
    settings: RestSettings
    streams: ClassVar[Mapping[str, RestStream]]

    def stream(self, dataset: str) -> RestStream:
        """The stream as this source's settings want it; an adapter may override it."""
        stream: RestStream = self.offers[dataset]
        return stream

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        stream = self.stream(dataset)
        walk = self.walk(stream.paging, stream.since, cursor)
        service = stream.service.format_map(self.values)
        return self.page(
            walk,
            lambda: exchange(
                self.ports,
                self.auth,
                service,
                lambda signed: self._call(stream, walk.params, signed, stream.label(service)),
            ),
        )

    def reopen(self, dataset: str, answer: Answer) -> Rows:
        try:
            rows: Rows = self.stream(dataset).envelope.unwrap(answer.body, answer.request).rows
        except SourceError:  # a slice of an answer that was too large for one page
            rows = list_rows(answer.body)
        return rows

    def _call(self, stream: RestStream, paging: Params, signed: Signed, label: str) -> tuple[Opened, Answer]:
        posts = stream.method == "POST"
        params = request_values(stream.params, self.values)
        body = request_values(stream.body_params, self.values)
        (body if posts else params).update(paging)
        settings = self.settings
        answer = self.ports.http.request(
            stream.method,
            settings.base_url + stream.path.format_map(self.values),
            label=label,
            signed=signed,
            params=params,
            json=_nested(body) if posts and stream.body == "json" else None,
            form=body if posts and stream.body == "form" else None,
            deadline=settings.deadline,
            max_bytes=settings.max_mb << 20,
        )
        opened = stream.envelope.unwrap(answer.body, label)
        return opened, Answer(label, answer.status, answer.media, answer.body, self.ports.now())


def _nested(params: Params) -> dict[str, Any]:
    """Members by dotted names as the objects that hold them."""
    out: dict[str, Any] = {}
    for path, value in params.items():
        *above, leaf = path.split(".")
        level = out
        for name in above:
            level = level.setdefault(name, {})
        level[leaf] = value
    return out
