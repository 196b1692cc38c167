"""Tables beside the one that is walked: their rows join the items of a page, and a newer row of theirs brings its parent back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from adapters.kit.base import Item
from adapters.kit.paging import GARBAGE
from adapters.kit.relation import Relation, Row, TableStream, as_kind, cell
from adapters.kit.rules import FAULT

CHUNK: Final = 500
"""Values in one IN (…): no database takes fewer."""

Tie = tuple[str | None, ...]
"""What ties a child to its parent, as text: a CHAR and a VARCHAR, a number and its digits tie the same."""


class Child:
    """One of them, as it is."""

    def __init__(
        self, name: str, stream: TableStream, parent: Relation, connection: sa.Connection, county: str
    ) -> None:
        """Raises as `Relation`; SourceMalformed: SCHEMA_DRIFT, a column that ties is missing."""
        declared = stream.children[name]
        self.name, self.one = name, declared.one
        self.relation = Relation(stream.child(name), connection, county)
        self.theirs = [parent.column(column) for column in declared.on]
        self.own = [self.relation.column(column) for column in declared.on.values()]
        # What ties rows together says nothing of them, and differs where a row was entered twice.
        ties = {self.relation.at[column] for column in (*self.own, *self.relation.key)} - {
            self.relation.at[self.relation.column(column)] for column in self.relation.stream.named
        }
        self.relation.items = [(i, our) for i, our in self.relation.items if i not in ties]
        self._of_parent = [parent.at[column] for column in self.theirs]
        self._of_own = [self.relation.at[column] for column in self.own]

    def since(self, moment: datetime) -> sa.ColumnElement[bool]:
        """Parents of rows that the exchange wrote then or later, or that do not say when."""
        own = sa.select(*self.own).where(*self.relation.filters, self.relation.since(moment))
        return (self.theirs[0] if len(self.theirs) == 1 else sa.tuple_(*self.theirs)).in_(own)

    def of(self, connection: sa.Connection, parents: Sequence[Row]) -> list[list[Item]]:
        """For each parent its rows, in the order of their key, without those that are withdrawn."""
        ties = [_tie(parent, self._of_parent) for parent in parents]
        found: dict[Tie, list[Item]] = {}
        deleted = self.relation.stream.deleted
        for row in self.rows(connection, parents):
            item = self.relation.item(row)
            if deleted is None or not deleted.matches(item):
                found.setdefault(_tie(row, self._of_own), []).append(item)
        return [found.get(tie, []) for tie in ties]

    def rows(self, connection: sa.Connection, parents: Sequence[Row]) -> Iterator[Row]:
        """All rows of these parents, as the database has them."""
        ties = dict.fromkeys(_tie(parent, self._of_parent) for parent in parents)
        wanted = [values for tie in ties if (values := self._bound(tie)) is not None]
        for begin in range(0, len(wanted), CHUNK):
            part = wanted[begin : begin + CHUNK]
            tied = sa.tuple_(*self.own).in_(part) if len(self.own) > 1 else self.own[0].in_([v for (v,) in part])
            query = self.relation.query.where(tied).order_by(*self.own, *self.relation.key)
            yield from connection.execute(query).all()

    def _bound(self, tie: Tie) -> tuple[Any, ...] | None:
        """As values of our columns; None where nothing can be tied: a part is absent, or no value of that kind."""
        try:
            return None if None in tie else tuple(map(as_kind, self.own, tie))
        except GARBAGE:
            return None


class Family:
    """A table with those beside it. Where they have times, a walk is by key: a time of theirs moves no row of the table."""

    def __init__(self, parent: Relation, connection: sa.Connection, county: str) -> None:
        """Raises as `Child`."""
        self.parent = parent
        self.all = [Child(name, parent.stream, parent, connection, county) for name in parent.stream.children]

    @property
    def is_timed(self) -> bool:
        return bool(self.all) and self.parent.time is not None

    def since(self, moment: datetime) -> sa.ColumnElement[bool]:
        """Rows of the table that are, or of which something is, as new as that."""
        return sa.or_(self.parent.since(moment), *(child.since(moment) for child in self.all))

    def newest(self, connection: sa.Connection, until: datetime) -> datetime | None:
        """The newest exchange time of all of them, up to `until`."""
        tables = (self.parent, *(child.relation for child in self.all))
        return max((t for table in tables if (t := table.newest(connection, until)) is not None), default=None)

    def join(self, connection: sa.Connection, rows: Sequence[Row], items: Sequence[Item]) -> None:
        """Puts into each item what belongs to its row. Where a side table has several rows that differ, the item says so."""
        for child in self.all:
            for item, found in zip(items, child.of(connection, rows), strict=True):
                if child.one:
                    _beside(item, child, found)
                else:
                    item[child.name] = found


def _beside(item: Item, child: Child, found: Sequence[Item]) -> None:
    row = found[0] if found else {}
    item.update({f"{child.name}.{name}": row.get(name) for _, name in child.relation.items})
    if any(other != row for other in found):
        item[FAULT] = "SIDE_ROWS"


def _tie(row: Row, places: Sequence[int]) -> Tie:
    return tuple([None if (text := cell(row[i])) is None else text.rstrip(" ") for i in places])
