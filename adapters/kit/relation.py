"""A front-end table as it is, held against what a stream says of it; its values in items, cursors and conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc

from adapters.kit.base import BESIDE, Item, Stream
from adapters.kit.errors import SourceMalformed
from adapters.kit.paging import GARBAGE, unknown_cursor
from adapters.kit.rules import CHINA, DeletedRule, FieldRule, columns_read
from adapters.kit.values import CountyText, Span, TimeFormat

TOLD: Final = 30
"""Names of tables or columns that a sentence lists."""
TECHNICAL: Final = (
    "JHPT_UPDATE_TIME",
    "JHPT_UPDATE_FLAG",
    "DSJZX_TASKID",
    "TASKID",
    "XK_SJC",
    "GJ_ID",
)
"""Columns of the exchange, not of the agency: they change when a row is sent again, and would make every row new."""
_PROBE: Final = tuple(
    map(
        datetime.fromisoformat,
        [
            "1999-12-31T23:59:59",
            "2001-02-03T04:05:06",
            "2001-02-13T04:05:06",
            "2001-11-03T04:05:06",
            "2001-11-03T09:05:06",
            "2001-11-03T13:05:06",
            "2001-11-03T13:30:06",
            "2001-11-03T13:30:40",
        ],
    )
)
"""Moments in their order, each one step of another unit after the one before."""


Row: TypeAlias = Sequence[Any]
"""One row of a table, all of its columns in their order."""


@dataclass(frozen=True, kw_only=True)
class ChildTable:
    """Another table whose rows belong to those of a stream (the plots of a contract, NY/T 2539): a list under its name that
    `FieldRule.each` reads; or, of a side table that has one row for each, columns `NAME.COLUMN`.
    """

    table: str
    on: Mapping[str, str]
    """Column of the stream's table -> the column here that holds the same."""
    one: bool = False
    """A side table: one row for each, at most."""
    key: tuple[str, ...] = ()
    """Columns that name a row, in whose order a list stands; none given: the table's primary key."""
    time: str | None = None
    """The column of the exchange's own time, written as the stream's: a row that is newer here makes its parent be read."""
    where: Mapping[str, CountyText] = field(default_factory=dict)
    deleted: DeletedRule | None = None
    """Which rows are withdrawn: they are left out."""


@dataclass(frozen=True, kw_only=True)
class TableStream(Stream):
    """One table or view. Names of columns are met whatever their case."""

    table: str
    """`TABLE` or `SCHEMA.TABLE`."""
    key: tuple[str, ...] = ()
    """Columns that name a row; none given: the table's primary key."""
    time: str | None = None
    """The column of the exchange's own time. None: every run reads all of the table, and it is a `snapshot` if it is a state."""
    time_format: TimeFormat | None = None
    """How the time is written where its column is a text or a number, e.g. `%Y-%m-%d %H:%M:%S`; it must sort as time does."""
    overlap: Span = timedelta(minutes=10)
    where: Mapping[str, CountyText] = field(default_factory=dict)
    """Column -> the value a row must have; may hold `{county}`."""
    technical: tuple[str, ...] = TECHNICAL
    """Columns that are left out of the items unless a rule reads them."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column -> its name in this source."""
    absent: tuple[str, ...] = ()
    """Columns of the mapping that this source does not have; `NAME.COLUMN` is one of a child, here and in `renamed`."""
    children: Mapping[str, ChildTable] = field(default_factory=dict)
    """Name -> a table whose rows belong to those of this one."""

    def __post_init__(self) -> None:
        read = self._read
        for name, child in self.children.items():
            if not child.on:
                raise ValueError(f"子表 {name} 没有写 on：请写明本表的哪一列对应子表的哪一列")
            if self.time is not None and child.time is None:
                raise ValueError(
                    f"子表 {name} 没有写 time：本表按时间增量读，只有子表变了的行会读不到。请写明子表的时间列，"
                    "或去掉本表的 time，每次整表读"
                )
            if not any(_of(name, column) for column in read) and name not in read:
                way = f"from: {name}.COLUMN" if child.one else f"each: {name}"
                raise ValueError(f"没有一条规则读子表 {name}，请用 {way} 来读，或去掉它")
        if self.snapshot and self.time is not None:
            raise ValueError("一张表要么按时间增量读（time），要么整表读（snapshot），不能都写")
        if self.time_format is not None:
            written = [moment.strftime(self.time_format) for moment in _PROBE]
            if written != sorted(written):
                raise ValueError(f"时间格式 {self.time_format} 不能按文本排序，请用年、月、日、时、分、秒的次序")

    @property
    def _read(self) -> frozenset[str]:
        return columns_read([*self.mapping.values(), self.source_time, *self.ignore.values(), self.deleted])

    @property
    def named(self) -> frozenset[str]:
        """Every column of the table that a mapping or a rule of this stream reads."""
        own = (c for c in self._read if c[:1] != "@" and not any(c == name or _of(name, c) for name in self.children))
        return frozenset(own) - set(self.absent)

    def child(self, name: str) -> TableStream:
        """A child as a stream of its own: what is read of it, under its own columns' names."""
        child = self.children[name]
        if child.one:
            read = {column.removeprefix(f"{name}.") for column in self._read if _of(name, column)}
        else:
            rules = (rule for rule in self.mapping.values() if isinstance(rule, FieldRule) and rule.each == name)
            read = {column for rule in rules for column in rule.sources}
        return TableStream(
            table=child.table,
            mapping={column: column for column in read},
            key=child.key,
            time=child.time,
            time_format=self.time_format,
            where=child.where,
            technical=self.technical,
            deleted=child.deleted,
            renamed={ours.removeprefix(f"{name}."): theirs for ours, theirs in self.renamed.items() if _of(name, ours)},
            absent=tuple(column.removeprefix(f"{name}.") for column in self.absent if _of(name, column)),
        )

    @property
    def label(self) -> str:
        """What is asked, without a value of it."""
        return f"TABLE {self.table}"


def _of(child: str, column: str) -> bool:
    return column.startswith(f"{child}.")


class Relation:
    """A table as it is, held against what a stream says of it."""

    def __init__(self, stream: TableStream, connection: sa.Connection, county: str) -> None:
        """Finds the table and every column.

        Raises:
            SourceMalformed: TABLE_MISSING; SCHEMA_DRIFT, a column is missing; KEY_UNKNOWN, nothing names a row.
        """
        table, label = _reflected(connection, stream), stream.label
        self.stream, self.table, self._label = stream, table, label
        self.compares_rows = connection.dialect.name in {"sqlite", "postgresql"}
        # These take '' for NULL, and then "unlike ''" is true of nothing at all.
        self._blank_is_null = connection.dialect.name in {"oracle", "dm"}
        self._by_name = {column.name.casefold(): column for column in table.columns}
        self.key = [self.column(name) for name in stream.key] or list(table.primary_key.columns)
        if not self.key:
            sentence = "{label}：表没有主键，请用 key 写明哪些列能确定一行"
            raise SourceMalformed("KEY_UNKNOWN", sentence, label=label)
        self.time = None if stream.time is None else self.column(stream.time)
        self.filters = [self.column(name) == value.format(county=county) for name, value in stream.where.items()]
        self.at = {column: i for i, column in enumerate(table.columns)}
        """Where a column stands in a row."""
        ours = {self.column(name).name: name for name in sorted(stream.named)}
        left_out = {name.casefold() for name in (*stream.technical, *([stream.time] if stream.time else []))}
        self.items = [
            (self.at[column], ours.get(column.name, str(column.name)))
            for column in table.columns
            if column.name in ours
            or not (column.name.casefold() in left_out or isinstance(column.type, sa.LargeBinary))
        ]
        """Where what an item says stands in a row, and our name for it."""

    def column(self, name: str) -> sa.Column[Any]:
        """Raises SourceMalformed: SCHEMA_DRIFT, naming the columns there are."""
        theirs = self.stream.renamed.get(name, name)
        found = self._by_name.get(theirs.casefold())
        if found is None:
            there = "、".join(column.name for column in list(self.table.columns)[:TOLD])
            sentence = (
                "{label}：表里没有列 {column}。现有的列：{columns}。列名不同的用 renamed 写明，没有的用 absent 写明"
            )
            raise SourceMalformed("SCHEMA_DRIFT", sentence, label=self._label, column=theirs, columns=there)
        return found

    @property
    def is_text(self) -> bool:
        """Whether the exchange time is no time to the database."""
        return self.stream.time_format is not None

    def timed(self, yes: bool) -> sa.ColumnElement[bool]:
        """Rows that have an exchange time, or those that have none."""
        assert self.time is not None
        blanks = isinstance(self.time.type, sa.String) and not self._blank_is_null
        if yes:
            return sa.and_(self.time.is_not(None), self.time != "") if blanks else self.time.is_not(None)
        return sa.or_(self.time.is_(None), self.time == "") if blanks else self.time.is_(None)

    def since(self, moment: datetime) -> sa.ColumnElement[bool]:
        """Rows that the exchange wrote then or later, or that do not say when."""
        assert self.time is not None
        return sa.or_(self.timed(yes=False), self.time >= self.bound(moment))

    def newest(self, connection: sa.Connection, until: datetime) -> datetime | None:
        """The newest exchange time that is not after `until`: one row dated 2099 must not end all reading."""
        assert self.time is not None
        query = sa.select(sa.func.max(self.time)).where(*self.filters, self.time <= self.bound(until))
        return self.moment(connection.execute(query).scalar())

    def order(self, phase: str) -> list[sa.Column[Any]]:
        return self.key if self.time is None or phase == "untimed" else [self.time, *self.key]

    def moment(self, value: Any) -> datetime | None:
        """An exchange time as a wall clock of Asia/Shanghai; None if it is not written as agreed."""
        if self.stream.time_format is not None:
            try:
                return datetime.strptime(str(value).strip(), self.stream.time_format)  # noqa: DTZ007 # a wall clock
            except ValueError:
                return None
        if isinstance(value, datetime):
            return value.astimezone(CHINA).replace(tzinfo=None) if value.tzinfo else value
        return datetime.combine(value, time()) if isinstance(value, date) else None

    def bound(self, moment: datetime) -> Any:
        """A wall clock as the column's own kind of value."""
        assert self.time is not None
        kind = kind_of(self.time)
        if self.stream.time_format is not None:
            written = moment.strftime(self.stream.time_format)
            return written if kind is str else kind(written)
        if kind is date:
            return moment.date()
        return moment.replace(tzinfo=CHINA) if getattr(self.time.type, "timezone", False) else moment

    @property
    def query(self) -> sa.Select[Any]:
        """All columns of the rows that are this county's."""
        return sa.select(*self.table.columns).where(*self.filters)

    def item(self, row: Row) -> Item:
        """A row under our names, as text."""
        return {name: v if (v := row[i]).__class__ is str or v is None else cell(v) for i, name in self.items}

    def place(self, row: Row) -> str:
        """The table and the row's key."""
        return BESIDE.join([self.table.fullname, *(str(cell(row[self.at[column]])) for column in self.key)])


def _reflected(connection: sa.Connection, stream: TableStream) -> sa.Table:
    """The table by its agreed name, whatever its case.

    Raises:
        SourceMalformed: TABLE_MISSING, naming the tables there are.
    """
    schema, _, name = stream.table.rpartition(".")
    more: dict[str, Any] = {"oracle_resolve_synonyms": True} if connection.dialect.name == "oracle" else {}
    how: dict[str, Any] = {"schema": schema or None, "autoload_with": connection, "resolve_fks": False, **more}
    try:
        found = sa.Table(name, sa.MetaData(), **how)
    except exc.NoSuchTableError:
        found = None
    if found is not None and found.primary_key.columns:
        return found
    # Under a name of another case some databases find no table, and some a table without its key.
    inspector = sa.inspect(connection)
    there = sorted({*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)})
    like = [other for other in there if other.casefold() == name.casefold()]
    if name not in like and len(like) == 1:
        return sa.Table(like[0], sa.MetaData(), **how)
    if found is not None:
        return found
    sentence = "{label}：没有这张表。现有的表：{tables}"
    raise SourceMalformed("TABLE_MISSING", sentence, label=stream.label, tables="、".join(there[:TOLD]) or "-")


def follows(columns: Sequence[sa.Column[Any]], values: Sequence[Any], *, by_rows: bool) -> sa.ColumnElement[bool]:
    """Rows behind these values. `by_rows`: the database compares rows, and finds the place by an index that begins with the
    columns; else it is spelled out, and the index leads as far as the first column.

    Raises:
        SourceMalformed: CURSOR_UNKNOWN, values of another table.
    """
    try:
        bound = [as_kind(column, value) for column, value in zip(columns, values, strict=True)]
    except GARBAGE as error:
        raise unknown_cursor() from error
    if by_rows and len(columns) > 1:
        return sa.tuple_(*columns) > sa.tuple_(*map(sa.literal, bound, [column.type for column in columns]))
    clause: sa.ColumnElement[bool] = columns[-1] > bound[-1]
    for column, value in reversed(list(zip(columns[:-1], bound[:-1], strict=True))):
        clause = sa.or_(column > value, sa.and_(column == value, clause))
    # Said once more so that an index leads to the place; of an OR alone a database reads all that was read before.
    return sa.and_(columns[0] >= bound[0], clause)


def kind_of(column: sa.Column[Any]) -> Any:
    """The Python type of a column's values; a type that SQLAlchemy does not know is taken as text."""
    try:
        return column.type.python_type
    except NotImplementedError:
        return str


def jsonable(value: Any) -> Any:
    if value is None or isinstance(value, (str, int)):
        return value
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def as_kind(column: sa.Column[Any], value: Any) -> Any:
    """A value of a cursor as its column's kind. Raises what a value of another kind raises."""
    kind = kind_of(column)
    if kind in {datetime, date, time}:
        return kind.fromisoformat(value)
    if kind in {Decimal, float, UUID}:
        return kind(str(value))
    if kind is int:
        return int(value)
    if not isinstance(value, str):
        raise TypeError(column.name)
    return value


def cell(value: Any) -> str | None:
    """A value of a row as text: what is equal in the database is equal here, whatever driver brings it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        local = value.astimezone(CHINA).replace(tzinfo=None) if value.tzinfo else value
        return local.isoformat(" ", "microseconds" if local.microsecond else "seconds")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return msgspec.json.encode(value).decode() if isinstance(value, (dict, list)) else str(value)
