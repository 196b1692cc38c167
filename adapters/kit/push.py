"""Sources that push: signed notifications of changed rows, read from an inbox like pages of any source (china-facts §1.6).

A notification is `{"resourceId", "batchNo", "opType": "I|U|D", "pushTime", "data": [row, …], "sign"}`. It comes at least
once and in any order. The gateway's door asks `accept` before it acknowledges; a run reads what was acknowledged, one
notification a page, so that the body as it came is the evidence. Each row becomes an item with two more columns: `@op`, and
`@time`, the row's own update time or else the push time, by which the newest state wins whatever arrives when.

The cursor is `{"at": position of the last notification read}`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec
from pydantic import Field

from adapters.kit.auth.inbound import InboundModel
from adapters.kit.base import Adapter, Answer, Cursor, Inbox, Message, Page, Ports, Probe, Rows, SourceSettings, Stream
from adapters.kit.envelope import JsonRows
from adapters.kit.errors import SourceDenied, SourceError, SourceMalformed
from adapters.kit.paging import GARBAGE, unknown_cursor
from adapters.kit.rules import CHINA, DeletedRule, FieldRule, moment
from adapters.kit.verdicts import EVIDENCE_BYTES

AHEAD: Final = 16
"""Notifications taken from the inbox at a time."""
OP: Final = "@op"
TIME: Final = "@time"
OPS: Final = ("I", "U", "D")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(dict[str, Any])
_scalar = msgspec.json.Decoder(str | int)


@dataclass(frozen=True, kw_only=True)
class PushStream(Stream):
    """One dataset that is pushed. `mapping` names columns of a row."""

    time: str = "GXSJ"
    """The column with a row's own update time; where it is blank the push time dates the row."""
    source_time: FieldRule | str | None = TIME
    deleted: DeletedRule | None = DeletedRule.model_construct(from_=OP, equals=("D",))  # noqa: RUF009 # frozen
    ordered: bool = False


class InboxSettings(SourceSettings):
    """What may wait to be read; whoever sends is asked to come again while it is more."""

    inbox_mb: int = Field(default=256, ge=1)
    inbox_rows: int = Field(default=200_000, ge=1)


class PushSettings(InboxSettings):
    """What a county file may say of a sender."""

    signature: InboundModel = InboundModel()
    resources: Mapping[str, str] = Field(default_factory=dict)
    """dataset -> the platform's resourceId; a notification of another resource is refused."""
    future_minutes: float = Field(default=10, gt=0)
    """How far a sender's clock may be ahead of ours."""
    age_days: float = Field(default=7, gt=0, le=90)
    """How old a notification may be: a platform that could not reach us for days pushes what it has, with its old times."""
    max_mb: float = Field(default=8, gt=0, le=64)
    """One notification."""

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        return (self.signature.secret,)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification, read."""

    resource: str
    batch: str
    op: str
    pushed: str
    """ISO to the second, Asia/Shanghai."""
    data: bytes
    """The member `data` as it was sent."""
    rows: Sequence[bytes]
    sign: str
    signed: Mapping[str, bytes]
    """Every other member as it was sent."""

    @classmethod
    def read(cls, body: bytes) -> Notice:
        """Raises SourceMalformed: PUSH_MALFORMED. What this reads once it reads always: no acknowledged message can fail later."""
        try:
            members = {name: bytes(raw) for name, raw in _members.decode(body).items()}
            sign = msgspec.json.decode(members.pop("sign"), type=str)
            resource, batch, op, pushed = (
                str(_scalar.decode(members[name])).strip() for name in ("resourceId", "batchNo", "opType", "pushTime")
            )
            rows = [bytes(raw).strip() for raw in _rows.decode(members["data"])]
            for row in rows:
                _row.decode(row)
        except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _malformed(body) from error
        at = moment(pushed)
        if not batch or op not in OPS or at is None:
            raise _malformed(body)
        try:
            datetime.fromisoformat(at)
        except ValueError as error:
            raise _malformed(body) from error
        return cls(resource, batch, op, at, members["data"], rows, sign, members)

    def items(self, column: str) -> list[bytes]:
        """Each row with `@op` and `@time`; ours stand last, so that a row cannot speak for its envelope.

        A row that says it was changed long after it was pushed would stand in the way of every later one: it is dated by
        its push.
        """
        out = []
        latest = (datetime.fromisoformat(self.pushed) + timedelta(days=1)).isoformat()
        for row in self.rows:
            own = moment(_row.decode(row).get(column))
            time = own if own and own <= latest else self.pushed
            head, tail = row[:-1].rstrip(), f'"{OP}":"{self.op}","{TIME}":"{time}"}}'.encode()
            out.append(head + (b"" if head == b"{" else b",") + tail)
        return out


class InboxAdapter(Adapter):
    """A source whose messages wait in an inbox: one message a page."""

    label: ClassVar[str]
    media: ClassVar[str]

    def __init__(self, ports: Ports, settings: Any, county: str) -> None:
        super().__init__(ports, settings, county)
        self._ahead: list[Message] = []
        self._at = -1
        """Behind which position `_ahead` begins."""
        self.inbox_of: Callable[[str], Inbox] = lambda _dataset: ports.inbox
        """A replay puts recorded ones in its place."""

    @abstractmethod
    def opened(self, dataset: str, message: Message) -> tuple[Sequence[bytes], Sequence[str]]:
        """The items of a message that was accepted, and where each stands in it, if anywhere."""

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        at = _position(cursor)
        if at != self._at or len(self._ahead) < 2:
            self._ahead, self._at = list(self.inbox_of(dataset).after(at, AHEAD)), at
        if not self._ahead:
            return self._page((), b"", self.ports.now(), at, last=True, unchanged=True, contacted=False)
        message = self._ahead.pop(0)
        self._at = message.position
        items, places = self.opened(dataset, message)
        return self._page(
            items,
            message.body,
            message.received_at,
            message.position,
            last=not self._ahead,
            empty_confirmed=not items,
            taken=message.position,
            places=places,
        )

    def reopen(self, dataset: str, answer: Answer) -> Rows:
        items, _ = self.opened(dataset, Message(0, answer.received_at, answer.body))
        return JsonRows(items)

    def _page(self, items: Sequence[bytes], body: bytes, at: datetime, position: int, **told: Any) -> Page:
        answer = Answer(self.label, 0, self.media, body, at)
        return Page(rows=JsonRows(items), answer=answer, after=lambda _newest: {"at": position}, **told)


class PushAdapter(InboxAdapter):
    """A source whose streams are `PushStream`s."""

    label = "PUSH"
    media = "application/json"
    Settings: ClassVar[type[SourceSettings]] = PushSettings
    settings: PushSettings
    streams: ClassVar[Mapping[str, PushStream]]

    def accept(self, dataset: str, body: bytes) -> Notice:
        """A notification that is what was agreed, from who was agreed; nothing is stored yet.

        Raises:
            SourceMalformed: PUSH_MALFORMED, RESOURCE_UNKNOWN.
            SourceDenied: SIGNATURE_INVALID, PUSH_STALE; AUTH_CONFIG, the secret is missing here.
        """
        notice = Notice.read(body)
        if not self.settings.signature.holds(notice.signed, notice.sign, self.ports.secrets):
            raise SourceDenied("SIGNATURE_INVALID", "推送的签名不对，请核对密钥与签名规则")
        if notice.resource != self.settings.resources.get(dataset, notice.resource):
            raise SourceMalformed("RESOURCE_UNKNOWN", "推送的资源标识与约定不符，请核对订阅的资源与推送地址")
        age = self.ports.now() - datetime.fromisoformat(notice.pushed).replace(tzinfo=CHINA)
        if not -timedelta(minutes=self.settings.future_minutes) <= age <= timedelta(days=self.settings.age_days):
            raise SourceDenied("PUSH_STALE", "推送时间与本机时间相差太远，请核对时钟，或放宽 age_days")
        return notice

    def opened(self, dataset: str, message: Message) -> tuple[Sequence[bytes], Sequence[str]]:
        return Notice.read(message.body).items(self.offers[dataset].time), ()

    def probe(self) -> list[Probe]:
        try:
            self.ports.secrets.get(self.settings.signature.secret)
        except SourceError as error:
            return [Probe("push", ok=False, sentence=str(error), code=error.code)]
        sentence = f"推送签名按 {self.settings.signature.rule} 核对，密钥已就绪"
        return [Probe("push", ok=True, sentence=sentence)]


class RecordedInbox:
    """Notifications of a recording; received when it was made."""

    def __init__(self, bodies: Sequence[str], now: datetime) -> None:
        self._messages = [Message(n, now, body.encode()) for n, body in enumerate(bodies, 1)]

    def after(self, position: int, count: int) -> Sequence[Message]:
        return [message for message in self._messages if message.position > position][:count]


def _position(cursor: Cursor | None) -> int:
    """Raises SourceMalformed: CURSOR_UNKNOWN."""
    try:
        return int(cursor.get("at", 0)) if cursor else 0
    except GARBAGE as error:
        raise unknown_cursor() from error


def _malformed(body: bytes) -> SourceMalformed:
    sentence = "推送的报文不合约定：需要 resourceId、batchNo、opType（I、U、D）、pushTime、data（对象的列表）、sign"
    return SourceMalformed("PUSH_MALFORMED", sentence, evidence=body[:EVIDENCE_BYTES])
