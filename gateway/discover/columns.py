"""What a document says of a source, whatever kind of document it is: its columns, and how its rows are reached."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

Grid = Sequence[Sequence[str]]
"""A table as texts, merged cells filled."""

_SPACE: Final = re.compile(r"[\s_\-*:：,，。、()（）\[\]【】/·]+")


@cache
def words() -> Mapping[str, Any]:
    """Synonyms of titles and of the heads of field tables: `words.json`."""
    found: Mapping[str, Any] = json.loads(files("gateway").joinpath("discover/words.json").read_text("utf-8"))
    return found


def plain(text: str) -> str:
    """A title or a name as it is compared: NFKC, no white space, no punctuation, no case."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()


@dataclass(slots=True)
class Column:
    """One column of a source. A document may say its name, its title, or both."""

    name: str
    title: str = ""
    kind: str = ""
    """Type and length, as written."""
    note: str = ""
    values: list[str] = field(default_factory=list)
    """Sample values; never shown."""
    each: str = ""
    """The column that holds a list of objects, if this is a member of those."""


@dataclass(slots=True)
class Found:
    """What one document, or several together, told."""

    columns: list[Column] = field(default_factory=list)
    params: list[Column] = field(default_factory=list)
    """What a call sends."""
    text: str = ""
    kind: str = ""
    """`service` for interface documents and answers, `files` for spreadsheets."""
    rows: str | None = None
    """Path of the rows in an answer."""
    row: str | None = None
    """Element of a row, where the answer is XML."""
    total: str | None = None
    success: tuple[str, str] | None = None
    message: str | None = None
    remarks: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """The same source, told by another document: a title from one, values from the other."""
        known = {(c.each.casefold(), c.name.casefold()): c for c in self.columns}
        by_name = {c.name.casefold(): c for c in self.columns}
        for column in other.columns:
            same = known.get((column.each.casefold(), column.name.casefold())) or by_name.get(column.name.casefold())
            if same is None:
                self.columns.append(column)
                continue
            if column.values:  # an answer spells its names as they come
                same.name, same.each, same.values = column.name, column.each, [*same.values, *column.values]
            same.title, same.kind, same.note = (
                same.title or column.title,
                same.kind or column.kind,
                same.note or column.note,
            )
        self.params += other.params
        self.text = f"{self.text}\n{other.text}"
        self.kind = "service" if "service" in (self.kind, other.kind) else other.kind or self.kind
        for name in ("rows", "row", "total", "success", "message"):
            setattr(self, name, getattr(self, name) if getattr(self, name) is not None else getattr(other, name))
        self.remarks += other.remarks
