"""A rejected item in its agency's own terms: its columns, what stands in them, and which of them are to blame."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit import Item, Translator
from gateway.config import Feed
from gateway.sorter import FeedWork
from schemas import Dataset
from schemas.masking import mask, scrub

HIDDEN: Final = "***"
"""Nobody knows what stands in a column that no rule reads: a name, or the cause of somebody's poverty."""


def agency_of(feed: Feed) -> str:
    """The agency that owes this feed's dataset in its county."""
    return feed.entry.promise(feed.dataset, feed.county.code).agency


def column_kinds(translator: Translator) -> dict[str, str]:
    """Source column, or `column.member` -> kind of the field it feeds, as `schemas.masking` names kinds."""
    return {
        f"{rule.each}.{column}" if rule.each else column: translator.kind(path)
        for path, rule in translator.rules.items()
        for column in rule.sources
    }


def fields_fed(translator: Translator) -> dict[str, str]:
    """Source column, or `column.member` -> the field it feeds."""
    return {
        f"{rule.each}.{column}" if rule.each else column: _leaf(path)
        for path, rule in translator.rules.items()
        for column in rule.sources
    }


def marks(translator: Translator, columns: Sequence[str]) -> tuple[str, ...]:
    """Flags that say which fields a person put right, given what was changed."""
    feeds = fields_fed(translator)
    fields = dict.fromkeys(feeds.get(general(column)) for column in columns)
    return tuple(f"{field}:BY_HAND" if field else "BY_HAND" for field in fields)


@dataclass(frozen=True, slots=True)
class Terms:
    """What one feed's rejected items are told by."""

    feed: str
    county: str
    agency: str
    dataset: Dataset
    kinds: Mapping[str, str]
    feeds: Mapping[str, str]
    """Source column, or `column.member` -> the field it feeds."""

    @classmethod
    def of(cls, work: FeedWork, feed: Feed) -> Terms:
        kinds, fields = column_kinds(work.translator), fields_fed(work.translator)
        return cls(work.name, feed.county.name, agency_of(feed), work.dataset, kinds, fields)

    def shown(self, item: Item, *, full: bool = False) -> dict[str, str]:
        """Every cell as a person may see it; blank where nothing stands. Rows inside a column are `column.0.member`."""
        return {
            column: _text(value) if full or _blank(value) else _masked(self.kinds.get(general(column)), value)
            for column, value in cells(item)
        }

    def blamed(self, field: str | None) -> frozenset[str]:
        """Columns, without the numbers of rows inside them, that feed this field."""
        return frozenset(column for column, fed in self.feeds.items() if field and fed == field)

    def title(self, field: str | None) -> str:
        """The Chinese title of a field; blank where no single one is to blame."""
        spec = self.dataset.fields.get(field) if field else None
        return spec.of.title if spec else ""


def cells(item: Item) -> Iterator[tuple[str, Any]]:
    """Column, or `column.0.member` -> value as sent. What a reader itself remarked (`@…`) is no column of the agency's."""
    for column, value in item.items():
        rows = value if isinstance(value, list) and value and all(isinstance(row, dict) for row in value) else []
        for i, row in enumerate(rows):
            yield from ((f"{column}.{i}.{name}", cell) for name, cell in row.items())
        if not rows and column[:1] != "@":
            yield column, value


def replaced(item: Item, changes: Mapping[str, str]) -> Item:
    """The item with other values in these cells; what a reader said of its layout no longer holds."""
    made: dict[str, Any] = {column: value for column, value in copy.deepcopy(dict(item)).items() if column[:1] != "@"}
    for cell, value in changes.items():
        column, _, rest = cell.partition(".")
        index, _, member = rest.partition(".")
        if cell not in made and index.isdigit() and isinstance(made.get(column), list):
            made[column][int(index)][member] = value
        else:
            made[cell] = value
    return made


def masked(item: Item, kinds: Mapping[str, str]) -> dict[str, str | None]:
    """Every cell masked; None where nothing was sent."""
    return {
        column: None if value is None else _masked(kinds.get(general(column)), value) for column, value in cells(item)
    }


def _masked(kind: str | None, value: Any) -> str:
    return HIDDEN if kind is None else scrub(mask(kind, _text(value)))


def _blank(value: Any) -> bool:
    return value is None or not str(value).strip()


def _text(value: Any) -> str:
    """As a spreadsheet can hold it."""
    text = "" if value is None else str(value)
    return "".join(char if char >= " " or char in "\t\n" else "\ufffd" for char in text)[:32_000]


def _leaf(path: str) -> str:
    return ".".join(step for step in path.split(".") if not step.isdigit())


def general(column: str) -> str:
    """`column.0.member` -> `column.member`."""
    head, _, rest = column.partition(".")
    index, _, member = rest.partition(".")
    return f"{head}.{member}" if index.isdigit() and member else column
