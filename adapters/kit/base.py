"""What an adapter is, and what passes between it and the gateway.

An adapter answers one question: given where we stopped (a cursor), what is the next page? It does all I/O inside
`fetch` and decides nothing about delivery: the gateway translates the page, commits it together with the cursor that
follows it, and only then asks again. A crash between two pages loses nothing and repeats at most one page.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

from adapters.kit.errors import SourceMalformed
from adapters.kit.rules import DeletedRule, FieldRule, IgnoreRule

if TYPE_CHECKING:
    from adapters.kit.http import Http

Cursor: TypeAlias = Mapping[str, Any]
"""Where a feed stands at its source: JSON values, opaque to the gateway, stored encrypted (it may hold an ID number)."""

BESIDE: Final = " › "
"""Between the parts of a place: file › sheet › row, table › key."""

Item: TypeAlias = dict[str, Any]
"""One decoded raw row: source column -> value as sent."""


class Rows(Protocol):
    """The items of one page, undecoded: unchanged rows are recognised by their bytes and never decoded."""

    raw: Sequence[bytes]
    """One byte string an item; an item sent twice gives the same bytes."""

    def decode(self, wanted: Sequence[int] | None = None) -> list[Item]:
        """The items at these positions, or all.

        Raises:
            SourceMalformed: an item is not what its envelope promised.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One exchange with a source, as evidence: what was asked (shape only, no values), what came, when (real time)."""

    request: str
    status: int
    media: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody a source is asked about."""

    subject: str
    """Opaque name; what marks and cursors hold in the person's place."""
    id_no: str
    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A person the source has answered about. `found` False: it knows nobody of that number and name (查无此人)."""

    subject: str
    found: bool


@dataclass(frozen=True, slots=True)
class Persons:
    """The next persons of a worklist, in its order."""

    persons: tuple[Person, ...]
    last: bool
    """Nobody else is due after them."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a source gave in one answer: the unit of commitment."""

    rows: Rows
    answer: Answer
    after: Callable[[str | None], Cursor]
    """The cursor that follows this page, given the newest source time read so far in it (ISO text) or None."""
    last: bool
    """No page of this run follows."""
    declared: int | None = None
    """Items the source says the whole slice holds; None where it does not say."""
    empty_confirmed: bool = False
    """The source itself said that there is nothing: total 0, or a 没有数据 text."""
    notes: tuple[str, ...] = ()
    """What a reader of a preview should know: `CAPPED` (fewer rows than asked), `PARTIAL` (the source dropped items)."""
    unchanged: bool = False
    """The source has put out nothing since what was read before (no new file lies in a drop): this page says nothing about
    any record. It is no empty answer, and a snapshot run in which nothing else was read makes no tombstones.
    """
    taken: int = 0
    """Position of the message of the feed's inbox that this page is; the gateway lets go of it, and of those before, in the
    transaction that commits the page. 0: nothing was pushed.
    """
    contacted: bool = True
    """The source itself was reached. An empty inbox says nothing of who should have filled it, nor does a worklist of nobody."""
    asked: tuple[Asked, ...] = ()
    """Whom the source has answered about: kept with the page, so that nobody is asked about again before it is time."""
    incomplete: SourceMalformed | None = None
    """With this page the run ends, and what it read is not the whole: it is committed, nothing is deleted for being absent,
    the watermark stays, and this error is told.
    """
    places: Sequence[str] = ()
    """Where each item stands at its source (`file › sheet › row`), in step with `rows.raw`; empty where the rows of an
    answer have no place. No part of an item: the same row on another line is the same item. It may name a person (a sheet
    or a member of a ZIP does), so it is kept as safely as the item itself.
    """
    flags: Sequence[tuple[str, ...]] = ()
    """What is remarked of each item besides, in step with `rows.raw`: a person put it right. No source says so."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """How an adapter offers one dataset; subclassed by `RestStream`, `SoapStream`, `FilesStream` and `TableStream`."""

    mapping: Mapping[str, FieldRule | str]
    """canonical path -> rule; a bare string is the source column."""
    source_time: FieldRule | str | None = None
    """The column that dates a row at the agency: as-of, and the watermark of an incremental read."""
    snapshot: bool = False
    """Each run reads everything; a key that is missing from a complete run becomes a tombstone."""
    ignore: Mapping[str, IgnoreRule] = field(default_factory=dict)
    """Named rules for items that are none of this dataset's business (another right type, a total row)."""
    deleted: DeletedRule | None = None
    """Which items say that their record is withdrawn: each makes a tombstone of this feed's own observation, if there is one."""
    ordered: bool = True
    """What comes later was said later. Where that does not hold (what is pushed overtakes) only source times are an order; of
    a record and its withdrawal with one time the withdrawal is the later, and one that comes early is remembered.
    """


@dataclass(frozen=True, slots=True)
class Rotating:
    """A secret that expires: its text and the real time after which it must be renewed."""

    text: str
    expires_at: datetime


class Secrets(Protocol):
    """An account's secrets, by the names its configuration gives them. Values never enter a log or an exception."""

    def get(self, name: str) -> str:
        """Raises SourceDenied (AUTH_CONFIG) naming the missing secret."""
        ...

    def rotating(self, name: str) -> Rotating | None:
        """What the last renewal stored, expired or not."""
        ...

    def store(self, name: str, secret: Rotating) -> None: ...

    def renewal(self, name: str) -> AbstractContextManager[None]:
        """One renewal at a time for this account and name, across threads and processes (china-facts §1.1 P2)."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One message that a source pushed and that was acknowledged. Positions of a feed have no gaps."""

    position: int
    received_at: datetime
    """Real time, zone-aware."""
    body: bytes


class Inbox(Protocol):
    """What was pushed for one feed and is on no committed page yet."""

    def after(self, position: int, count: int) -> Sequence[Message]:
        """The messages behind this position, in their order, at most so many."""
        ...


class NoInbox:
    """Of a feed to which nothing is pushed."""

    def after(self, position: int, count: int) -> Sequence[Message]:
        return ()


class Budget(Protocol):
    """An account's allowance, call window, concurrency and breaker, shared by every feed that names the account."""

    def call(self) -> AbstractContextManager[None]:
        """Wraps one request; a SourceUnavailable inside counts against the breaker.

        Raises:
            SourceUnavailable: THROTTLED (budget spent, window closed) or BREAKER_OPEN.
            SourceDenied: the account is stopped until a person acts.
        """
        ...


class Worklist(Protocol):
    """For sources that answer only about a named person: whom to ask about (DESIGN §3).

    Persons known in the county and never asked about, or asked about longer ago than agreed, in an order that does not
    change. Who becomes known behind the place a run has reached is due in the next run. Each call decrypts the persons it
    hands out and is audited.
    """

    def due(self, after: str | None, count: int) -> Persons:
        """At most so many persons, those that follow the subject `after`; None: from the first.

        Raises:
            SourceMalformed: CURSOR_UNKNOWN, `after` is none of ours.
        """
        ...


class Nobody:
    """The worklist of a source that needs none."""

    def due(self, after: str | None, count: int) -> Persons:
        return Persons((), last=True)


class Documents(Protocol):
    """What others describe their services by, kept so that a run needs no second look; shared by every feed that names it."""

    def get(self, name: str) -> Mapping[str, bytes] | None:
        """The documents kept under an address."""
        ...

    def keep(self, name: str, documents: Mapping[str, bytes], *, anew: bool = False) -> Mapping[str, bytes]:
        """Keeps them, unless some are kept already and it is not to be done anew; answers what is kept."""
        ...

    def file(self, path: str) -> bytes:
        """A file below the configuration's directory.

        Raises:
            SourceMalformed: FILE_MISSING.
        """
        ...


class NoDocuments:
    """Keeps for as long as it lives, and has no files: a replay, a test."""

    def __init__(self) -> None:
        self.kept: dict[str, Mapping[str, bytes]] = {}

    def get(self, name: str) -> Mapping[str, bytes] | None:
        return self.kept.get(name)

    def keep(self, name: str, documents: Mapping[str, bytes], *, anew: bool = False) -> Mapping[str, bytes]:
        if anew:
            self.kept[name] = documents
        return self.kept.setdefault(name, documents)

    def file(self, path: str) -> bytes:
        raise SourceMalformed("FILE_MISSING", "配置目录里没有文件 {path}", path=path)


@dataclass(frozen=True, slots=True)
class Ports:
    """What an adapter needs from above."""

    http: Http
    secrets: Secrets
    budget: Budget
    now: Callable[[], datetime]
    """Real time, zone-aware: signatures, tokens, time-outs."""
    today: Callable[[], date]
    """The business date, Asia/Shanghai: day slices, months."""
    inbox: Inbox = field(default_factory=NoInbox)
    worklist: Worklist = field(default_factory=Nobody)
    documents: Documents = field(default_factory=NoDocuments)


class SourceSettings(BaseModel):
    """What a county file may say of a source besides `adapter` and `account`; an adapter extends it.

    Errors do not quote what was given: it may be a password in the wrong place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    beyond: ClassVar[str] = ""
    """What else a person can do where the known keys do not suffice; ends the sentence about an unknown one."""

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        """Names of the account's secrets that this source asks for, as far as its settings tell."""
        return ()


@dataclass(frozen=True, slots=True)
class Probe:
    """One layer of `check`: what was tried, whether it held, and one sentence."""

    layer: str
    ok: bool
    sentence: str
    stops: bool = True
    """What lies above it could not hold either, if it does not."""
    code: str = ""
    """Of the error (china-facts §6), where one said so."""
    remedy: str = ""
    """What to do, if it does not hold."""


class Adapter(ABC):
    """One source. Subclasses are stateless between calls but for connections and parsed service descriptions."""

    name: ClassVar[str]
    """Equal to the module's name: name = file = id."""
    title: ClassVar[str]
    streams: ClassVar[Mapping[str, Stream]] = {}
    """dataset -> stream, where no settings are needed to know them; `offered` answers for any adapter."""
    asks: ClassVar[bool] = False
    """Whether it answers only about named persons, those of `Ports.worklist`; absence from a run says nothing of a record."""
    live: ClassVar[bool] = True
    """An answer says how things stand now; False where somebody puts data out for us, and it may be old."""
    Settings: ClassVar[type[SourceSettings]] = SourceSettings
    channel: ClassVar[Literal["SYSTEM", "MANUAL"]] = "SYSTEM"
    """报送渠道 of its feeds unless a feed says otherwise."""

    def __init__(self, ports: Ports, settings: Any, county: str) -> None:
        self.ports = ports
        self.settings = settings
        self.county = county
        self.offers: dict[str, Any] = dict(self.offered(settings))
        """dataset -> stream, as they are read here; a feed lays its own rules over them."""

    @classmethod
    def offered(cls, settings: Any) -> Mapping[str, Any]:  # noqa: ARG003 # one that declares its streams reads them there
        """Dataset -> stream of a source with these settings."""
        return cls.streams

    @abstractmethod
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        """The page that follows `cursor`; None starts from the beginning.

        Raises:
            SourceUnavailable, SourceDenied, SourceMalformed: see `adapters.kit.errors`.
        """

    def reopen(self, dataset: str, answer: Answer) -> Rows:
        """The rows of an answer that was kept, byte for byte as `fetch` gave them; nobody is asked.

        Raises:
            SourceMalformed: it cannot be opened by itself.
        """
        raise SourceMalformed("NOT_REOPENED", "{label}：这种来源的留存应答不能单独打开", label=self.name)

    def restart(self, cursor: Cursor | None) -> Cursor | None:
        """The cursor from which everything is read again, keeping the watermark reached so far."""
        return None

    def rewind(self, cursor: Cursor | None, since: date) -> Cursor | None:
        """The cursor from which what was dated on this day or after is read again, keeping the watermark reached so far.

        From the beginning, where a source cannot be asked for less.
        """
        return self.restart(cursor)

    def probe(self) -> list[Probe]:
        """Layers between TLS and the first read: credentials, service description."""
        return []

    def close(self) -> None:
        """Lets go of connections."""
