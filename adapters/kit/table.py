"""Front-end tables 前置库 (china-facts §1.4): rows that an exchange writes for us, read by watermark or as a whole.

A watermark is on (exchange time, key), never on business time: late rows carry an old one. Each pass begins `overlap`
before the newest exchange time of the passes before, because rows are committed later than they are stamped. Rows
without an exchange time are read in every pass. With child tables (`children`) a pass begins before the newest time that any
of them held when the pass before began. Pages follow the last row by its values, never by an offset, so that
rows which come or go meanwhile move no other. A cursor is one of
    {"rest": true, "since": t}                                                         between passes
    {"phase": "untimed" | "timed", "at": [value, …] | null, "since": t, "high": t, "count": n}      inside a pass
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final

import msgspec
import sqlalchemy as sa
from pydantic import AfterValidator, Field
from sqlalchemy import exc

from adapters.kit.base import Adapter, Answer, Cursor, Page, Ports, Probe, Rows, SourceSettings
from adapters.kit.children import Family
from adapters.kit.database import connect, reading
from adapters.kit.envelope import JsonRows
from adapters.kit.errors import SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.paging import GARBAGE, unknown_cursor
from adapters.kit.relation import Relation, Row, TableStream, follows, jsonable

PAGE_ROWS: Final = 1000
MEDIA: Final = "application/x-ndjson"


def _without_password(url: str) -> str:
    try:
        address = sa.make_url(url)
    except exc.ArgumentError as error:
        raise ValueError("请写数据库地址，如 postgresql+psycopg://user@host:5432/db") from error
    if address.password is not None:
        raise ValueError("密码不要写在地址里，请放进账号的 secrets.password")
    return url


class TableConnection(SourceSettings):
    """Where a front-end database is, and what one read may cost."""

    url: Annotated[str, AfterValidator(_without_password)]
    """An SQLAlchemy address (`adapters.kit.database`); with a user in it the account's secret `password` is used."""
    page_size: int = Field(default=PAGE_ROWS, ge=1, le=10_000)
    deadline: float = Field(default=60.0, gt=0, le=3600)
    """Seconds for one statement."""

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        return ("password",) if sa.make_url(self.url).username else ()

    def over(self, dataset: str, stream: TableStream) -> TableStream:
        """The stream as this county has it."""
        return stream


class TableSettings(TableConnection):
    """What a county file may say of a front-end database whose tables an adapter declares."""

    overlap_minutes: float | None = Field(default=None, ge=0)
    tables: Mapping[str, str] = Field(default_factory=dict)
    """dataset -> table, where it is not called as the adapter has it."""
    renamed: Mapping[str, str] = Field(default_factory=dict)
    absent: tuple[str, ...] = ()

    def over(self, dataset: str, stream: TableStream) -> TableStream:
        minutes = self.overlap_minutes
        return replace(
            stream,
            table=self.tables.get(dataset, stream.table),
            overlap=stream.overlap if minutes is None else timedelta(minutes=minutes),
            renamed={**stream.renamed, **self.renamed},
            absent=(*stream.absent, *self.absent),
        )


@dataclass(slots=True)
class _Position:
    """A cursor, read."""

    phase: str = "untimed"
    at: list[Any] | None = None
    since: datetime | None = None
    high: datetime | None = None
    count: int = 0

    @classmethod
    def read(cls, cursor: Cursor | None) -> _Position:
        """Raises SourceMalformed: CURSOR_UNKNOWN."""
        cursor = {"rest": True} if cursor is None else cursor
        try:
            since = datetime.fromisoformat(cursor["since"]) if cursor.get("since") else None
            if cursor.get("rest"):
                return cls(since=since, high=since)
            at = None if cursor["at"] is None else [*cursor["at"]]
            high = datetime.fromisoformat(cursor["high"]) if cursor["high"] else None
            phase = {"untimed": "untimed", "timed": "timed"}[cursor["phase"]]
            return cls(phase, at, since, high, int(cursor["count"]))
        except GARBAGE as error:
            raise unknown_cursor() from error

    def cursor(self, *, resting: bool) -> dict[str, Any]:
        since, high = (None if t is None else t.isoformat() for t in (self.since, self.high))
        if resting:
            return {"rest": True, "since": high}
        return {"phase": self.phase, "at": self.at, "since": since, "high": high, "count": self.count}


class TableAdapter(Adapter):
    """A source whose streams are `TableStream`s."""

    Settings: ClassVar[type[SourceSettings]] = TableSettings
    live = False
    settings: TableConnection
    streams: ClassVar[Mapping[str, TableStream]]

    def __init__(self, ports: Ports, settings: Any, county: str) -> None:
        super().__init__(ports, settings, county)
        self._families: dict[str, Family] = {}

    def stream(self, dataset: str) -> TableStream:
        """The stream as this source's settings want it; an adapter may override it."""
        return self.settings.over(dataset, self.offers[dataset])

    @cached_property
    def engine(self) -> sa.Engine:
        """The database; a replay puts a recorded one in its place."""
        address = sa.make_url(self.settings.url)
        password = self.ports.secrets.get("password") if address.username else None
        return connect(self.settings.url, password, self.settings.deadline)

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        position = _Position.read(cursor)
        with self.family(dataset) as (connection, family):
            if position.at is None and not position.count:
                _check_key(connection, family.parent)
                if family.is_timed:
                    self._raise_high(position, family.newest(connection, self._end_of_today))
            return self._page(connection, family, position)

    def rewind(self, cursor: Cursor | None, since: date) -> Cursor | None:
        position = _Position.read(cursor)
        if position.high is not None:
            position.high = min(position.high, datetime.combine(since, time(), position.high.tzinfo))
        return position.cursor(resting=True)

    @contextmanager
    def family(self, dataset: str) -> Iterator[tuple[sa.Connection, Family]]:
        """A read-only transaction and the tables of a dataset.

        Raises:
            SourceUnavailable, SourceDenied: see `database.reading`; DRIVER_MISSING.
            SourceMalformed: TABLE_MISSING, SCHEMA_DRIFT, KEY_UNKNOWN, DB_ERROR.
        """
        stream, engine = self.stream(dataset), self.engine
        with self.ports.budget.call(), reading(engine, self.settings.deadline, stream.label) as connection:
            if dataset not in self._families:
                relation = Relation(stream, connection, self.county)
                self._families[dataset] = Family(relation, connection, self.county)
            yield connection, self._families[dataset]

    def _page(self, connection: sa.Connection, family: Family, position: _Position) -> Page:
        relation = family.parent
        if relation.time is None or family.is_timed or not (relation.time.nullable or relation.is_text):
            position.phase = "timed"
        rows, more = self._rows(connection, family, position)
        if not rows and position.phase == "untimed":
            position.phase, position.at = "timed", None
            rows, more = self._rows(connection, family, position)
        last = position.phase == "timed" and not more
        position.count += len(rows)
        if relation.time is not None and not family.is_timed:
            at, end = relation.at[relation.time], relation.bound(self._end_of_today)
            # As the database compares them; a text of another form is no moment, and moves nothing.
            newest = max((t for row in rows if (t := row[at]) is not None and t <= end), default=None)
            self._raise_high(position, relation.moment(newest))
        if more:
            position.at = [jsonable(rows[-1][relation.at[column]]) for column in self._order(family, position)]
        elif not last:
            position.phase, position.at = "timed", None
        declared = _counted(connection, relation, position) if last and relation.time is None else None
        items = list(map(relation.item, rows))
        family.join(connection, rows, items)
        raw = [msgspec.json.encode(item) for item in items]
        cursor = position.cursor(resting=last)
        return Page(
            rows=JsonRows(raw),
            answer=Answer(relation.stream.label, 0, MEDIA, b"\n".join(raw), self.ports.now()),
            after=lambda _newest: cursor,
            last=last,
            declared=declared,
            empty_confirmed=last and position.count == 0,
            places=list(map(relation.place, rows)),
        )

    @staticmethod
    def _order(family: Family, position: _Position) -> list[sa.Column[Any]]:
        return family.parent.key if family.is_timed else family.parent.order(position.phase)

    def _rows(self, connection: sa.Connection, family: Family, position: _Position) -> tuple[Sequence[Row], bool]:
        """The next rows, in the order of reading, and whether others follow.

        Raises:
            SourceMalformed: KEY_NOT_UNIQUE.
        """
        relation, limit, order = family.parent, self.settings.page_size, self._order(family, position)
        query = relation.query.order_by(*order).limit(limit + 1)
        if family.is_timed:
            if position.since is not None:
                query = query.where(family.since(position.since - relation.stream.overlap))
        elif relation.time is not None and position.phase == "untimed":
            query = query.where(relation.timed(yes=False))
        elif relation.time is not None:
            query = query.where(relation.timed(yes=True))
            if position.since is not None:
                query = query.where(relation.time >= relation.bound(position.since - relation.stream.overlap))
        if position.at is not None:
            query = query.where(follows(order, position.at, by_rows=relation.compares_rows))
        found = connection.execute(query).all()
        places = [relation.at[column] for column in order]
        if any(all(one[i] == other[i] for i in places) for one, other in pairwise(found)):
            sentence = "{label}：有几行的主键相同，请用 key 写明哪些列能确定一行"
            raise SourceMalformed("KEY_NOT_UNIQUE", sentence, label=relation.stream.label)
        return found[:limit], len(found) > limit

    @property
    def _end_of_today(self) -> datetime:
        """Exchange times behind it move no watermark: one row dated 2099 must not end all reading."""
        return datetime.combine(self.ports.today(), time.max)

    @staticmethod
    def _raise_high(position: _Position, newest: datetime | None) -> None:
        position.high = max((t for t in (position.high, newest) if t is not None), default=None)

    def reopen(self, dataset: str, answer: Answer) -> Rows:  # whatever it is of, an item is a line
        return JsonRows(answer.body.split(b"\n") if answer.body else [])

    def probe(self) -> list[Probe]:
        out = []
        for dataset in self.offers:
            try:
                with self.family(dataset) as (_, family):
                    for table in (family.parent.table, *(child.relation.table for child in family.all)):
                        count = len(table.columns)
                        sentence = f"表 {table.fullname} 有 {count} 列，约定的列都在"
                        out.append(Probe("table", ok=True, sentence=sentence))
            except SourceError as error:
                out.append(Probe("table", ok=False, sentence=str(error), code=error.code))
        return out

    def close(self) -> None:
        self._families.clear()
        if "engine" in self.__dict__:
            self.engine.dispose()


def _check_key(connection: sa.Connection, relation: Relation) -> None:
    """A row without a key would be passed over by "what follows the last row"."""
    maybe = [column.is_(None) for column in relation.key if column.nullable]
    if not maybe:
        return
    query = sa.select(sa.literal(1)).select_from(relation.table).where(*relation.filters, sa.or_(*maybe)).limit(1)
    if connection.execute(query).first() is not None:
        raise SourceMalformed(
            "KEY_NULL", "{label}：有的行主键为空，无法逐行读取，请部门补全", label=relation.stream.label
        )


def _counted(connection: sa.Connection, relation: Relation, position: _Position) -> int:
    """Rows of the whole table, after all of it was read.

    Raises:
        SourceUnavailable: TABLE_CHANGED, it is not what was read; what is missing may only not be there yet.
    """
    query = sa.select(sa.func.count()).select_from(relation.table).where(*relation.filters)
    count = int(connection.execute(query).scalar_one())
    if count != position.count:
        sentence = "{label}：读取期间表被刷新（读到 {read} 行，现有 {count} 行），稍后重读"
        label = relation.stream.label
        raise SourceUnavailable("TABLE_CHANGED", sentence, label=label, read=position.count, count=count)
    return count
