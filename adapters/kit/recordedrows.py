"""Rows of a front-end table as a recording holds them, people taken out; and the database that serves them again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa

from adapters.kit.relation import Relation, Row, cell, kind_of
from adapters.kit.scrub import Scrubber

if TYPE_CHECKING:
    from adapters.kit.table import TableAdapter

NOWHERE: Final = "sqlite://"
"""Stands for every address in a recording."""

_TYPES: Final[Mapping[str, Callable[[], sa.types.TypeEngine[Any]]]] = {
    "text": sa.Text,
    "int": sa.BigInteger,
    "date": sa.Date,
    "datetime": sa.DateTime,
}
_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "int": int,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


class RecordedColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column. `kind` is `text`, `int`, `date` or `datetime`; whatever else a database has is read as text anyway."""

    name: str
    kind: str = "text"
    key: bool = False


class RecordedRows(msgspec.Struct, frozen=True):
    """One table, its first rows in the order they are read."""

    table: str
    columns: list[RecordedColumn]
    rows: list[list[str | None]]


def recorded_rows(adapter: TableAdapter, scrubber: Scrubber, rows: int) -> list[RecordedRows]:
    """The tables of an adapter without their people, each with at most so many rows, and what belongs to these beside them.

    Raises as `TableAdapter.fetch`.
    """
    found = [table for dataset in adapter.offers for table in _recorded(adapter, dataset, scrubber, rows)]
    return msgspec.json.decode(scrubber.sweep(msgspec.json.encode(found).decode()), type=list[RecordedRows])


def _recorded(adapter: TableAdapter, dataset: str, scrubber: Scrubber, limit: int) -> list[RecordedRows]:
    with adapter.family(dataset) as (connection, family):
        parent = family.parent
        rows = connection.execute(parent.query.order_by(*parent.order("timed")).limit(limit)).all()
        below = [(child, list(child.rows(connection, rows))) for child in family.all]
    ties: dict[str, str] = {}
    tying = [column for child in family.all for column in child.theirs]
    out = [_table(parent, "", rows, tying, ties, scrubber)]
    return out + [_table(c.relation, f"{c.name}." if c.one else "", found, c.own, ties, scrubber) for c, found in below]


def _table(
    relation: Relation,
    prefix: str,
    rows: Sequence[Row],
    tying: Sequence[sa.Column[Any]],
    ties: dict[str, str],
    scrubber: Scrubber,
) -> RecordedRows:
    """One of them. `ties` is what became of the values that tie rows to those of other tables: the same everywhere."""
    columns = [_column(relation, c) for c in relation.table.columns if not isinstance(c.type, sa.LargeBinary)]
    names = list(relation.table.columns.keys())
    ours = {names[i]: f"{prefix}{name}" for i, name in relation.items}
    kept = {
        c.name for c in (relation.time, *(relation.column(name) for name in relation.stream.where)) if c is not None
    }
    tied = {column.name for column in tying}
    serials: dict[Any, str] = {}
    out: dict[tuple[str | None, ...], list[str | None]] = {}
    for row in rows:
        told = {column.name: cell(row[names.index(column.name)]) for column in columns}
        clean = _scrubbed({ours.get(name, name): value for name, value in told.items()}, scrubber)
        cells: list[str | None] = []
        for column in columns:
            value, was = clean.get(ours.get(column.name, column.name)), told[column.name]
            if column.name in kept or (column.key and column.kind in {"date", "datetime"}):
                value = was
            elif column.name in tied and was is not None:
                value = ties.setdefault(was.rstrip(" "), value or str(len(ties) + 1))
            elif column.key and not value:
                value = serials.setdefault(was, str(len(serials) + 1))
            cells.append(value)
        key = tuple(value for value, column in zip(cells, columns, strict=True) if column.key)
        out.setdefault(key, cells)
    return RecordedRows(relation.stream.table, columns, list(out.values()))


def _scrubbed(item: dict[str, str | None], scrubber: Scrubber) -> dict[str, str | None]:
    """A row without people; columns that no rule reads are blank."""
    clean = msgspec.json.decode(scrubber.body(msgspec.json.encode(item).decode()))
    return {name: None if value is None else str(value) for name, value in clean.items()}


def _column(relation: Relation, column: sa.Column[Any]) -> RecordedColumn:
    kind = kind_of(column)
    named = {int: "int", datetime: "datetime", date: "date"}.get(kind, "text")
    return RecordedColumn(str(column.name), named, column in relation.key)


def recorded_engine(
    tables: Sequence[RecordedRows], prepare: Callable[[sqlite3.Connection], object] = bool
) -> sa.Engine:
    """A database in memory that holds the tables; `prepare` is the last to touch it."""
    own = sqlite3.connect(":memory:", check_same_thread=False)
    engine = sa.create_engine(NOWHERE, creator=lambda: own, poolclass=sa.StaticPool, hide_parameters=True)
    with engine.begin() as connection:
        for recorded in tables:
            schema, _, name = recorded.table.rpartition(".")
            attached = {row[1] for row in connection.exec_driver_sql("PRAGMA database_list")}
            if schema and schema not in attached:
                quoted = connection.dialect.identifier_preparer.quote(schema)
                connection.exec_driver_sql(f"ATTACH DATABASE ':memory:' AS {quoted}")
            _fill(
                connection, sa.Table(name, sa.MetaData(schema=schema or None), *map(_made, recorded.columns)), recorded
            )
    prepare(own)
    return engine


def _made(column: RecordedColumn) -> sa.Column[Any]:
    kind = _TYPES[column.kind]()
    return sa.Column(column.name, kind, primary_key=column.key, nullable=not column.key, autoincrement=False)


def _fill(connection: sa.Connection, table: sa.Table, recorded: RecordedRows) -> None:
    table.create(connection)
    rows = [
        {column.name: _value(column, text) for column, text in zip(recorded.columns, row, strict=True)}
        for row in recorded.rows
    ]
    if rows:
        connection.execute(sa.insert(table), rows)


def _value(column: RecordedColumn, text: str | None) -> Any:
    read = _READ.get(column.kind)
    return text if text is None or read is None else read(text) if text else None
