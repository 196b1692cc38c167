"""Mapping rules as data: what a county file or an adapter may say of a field, and how a source's own time is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, TypeAlias

import msgspec
from pydantic import BaseModel, ConfigDict, Field

Item: TypeAlias = Mapping[str, Any]
"""One decoded raw row: source column -> value as sent."""

CHINA: Final = timezone(timedelta(hours=8))

FIRST: Final = "@first"
"""Where a rule may look besides at columns: the first cell of an item that is not blank, its white space out."""
FAULT: Final = "@fault"
"""Column in which a reader says that it could not lay out this row: a quarantine reason, `REASON` or `REASON:column`."""


class FieldRule(BaseModel):
    """Where one canonical field comes from. Everything a county file may say of a field."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: str | None = Field(default=None, alias="from")
    unit: str | None = None
    codes: dict[str, str] | None = None
    const: str | None = None
    split: str | None = None
    part: str | None = None
    each: str | None = None
    """The column that holds the elements of a repeated part as a list of objects; `from` is then a member of each."""
    join: tuple[str, ...] = ()
    """Columns whose texts make the value together, blank ones left out."""
    between: str = ""
    """What stands between the joined texts."""

    @property
    def given(self) -> int:
        """In how many ways the rule says where its value comes from; one is right."""
        return (self.from_ is not None) + (self.const is not None) + bool(self.join)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns whose values it takes: of an item, or with `each` of an element."""
        return self.join if self.from_ is None else (self.from_,)

    def value(self, item: Item) -> Any:
        """What an item holds for this field, as sent."""
        if self.join:
            pieces = (str(item.get(column) or "").strip() for column in self.join)
            return self.between.join(filter(None, pieces)) or None
        return self.const if self.from_ is None else item.get(self.from_)


class IgnoreRule(BaseModel):
    """An item that is none of this dataset's business: its column equals or begins with one of, or is none of, these values.

    `from: "@first"` looks at the first cell that is not blank: 合计 and 填表人 stand in whichever column a clerk chose.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: str = Field(alias="from")
    equals: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def matches(self, item: Item) -> bool:
        value = _first(item) if self.from_ == FIRST else str(item.get(self.from_) or "").strip()
        if self.equals or self.starts:
            return value in self.equals or value.startswith(self.starts)
        return value not in self.unless


class DeletedRule(BaseModel):
    """An item that says of its record that the source has withdrawn it: its column equals one of these values (§1.4)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: str = Field(alias="from")
    equals: tuple[str, ...] = Field(min_length=1)

    def matches(self, item: Item) -> bool:
        return str(item.get(self.from_) or "").strip() in self.equals


def _first(item: Item) -> str:
    cells = ("".join(str(value).split()) for name, value in item.items() if value is not None and name[:1] != "@")
    return next(filter(None, cells), "")


def columns_read(rules: Iterable[FieldRule | IgnoreRule | DeletedRule | str | None]) -> frozenset[str]:
    """Every column of an item that these rules look at."""
    out: set[str] = set()
    for rule in rules:
        if isinstance(rule, FieldRule):
            out.update(rule.sources if rule.each is None else (rule.each,))
        elif rule is not None:
            out.add(rule if isinstance(rule, str) else rule.from_)
    return frozenset(filter(None, out))


def listed(value: Any) -> list[Item] | None:
    """The objects in a column that holds a list of them, or one, or either as a JSON text; None if something else is there."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value) if value.strip() else []
        except msgspec.DecodeError:
            return None
    if value is None:
        return []
    found = value if isinstance(value, list) else [value]
    return found if all(isinstance(element, dict) for element in found) else None


class MappingError(ValueError):
    """A rule that cannot be compiled: one sentence saying what, where, and what is allowed."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}：{sentence}")
        self.path = path
        self.sentence = sentence


_MOMENT = re.compile(r"(\d{4})\D?(\d{2})\D?(\d{2})(?:\D?(\d{2})\D?(\d{2})\D?(\d{2}))?")


def moment(raw: Any) -> str | None:
    """A source's own time as `YYYY-MM-DDTHH:MM:SS` (Asia/Shanghai); None if it is none. Epoch milliseconds are read too."""
    text = str(raw or "").strip()
    if text.isdigit() and len(text) == 13:
        return datetime.fromtimestamp(int(text) / 1000, CHINA).strftime("%Y-%m-%dT%H:%M:%S")
    found = _MOMENT.match(text)
    if not found:
        return None
    year, month, day, hour, minute, second = found.groups(default="00")
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}"


_PLAIN = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII).fullmatch


def moments(raw: Sequence[Any]) -> list[str | None]:
    """`moment` of a whole column; the common form is only cut."""
    return [f"{r[:10]}T{r[11:]}" if r.__class__ is str and _PLAIN(r) else moment(r) for r in raw]
