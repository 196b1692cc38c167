"""One delivered file as items: opened by what it is, laid out, each with its place; and the slice under way."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from typing import BinaryIO, Final, Literal

import msgspec

from adapters.kit.base import BESIDE, Stream
from adapters.kit.errors import SourceMalformed
from adapters.kit.files.archive import members
from adapters.kit.files.layout import Laid, Layout
from adapters.kit.files.names import Delivery, Flag, Names
from adapters.kit.files.sheets import Sheet
from adapters.kit.files.text import text_sheet
from adapters.kit.files.words import TOTALS_AND_NOTES
from adapters.kit.files.workbook import ZIP, is_workbook, sheets
from adapters.kit.rules import FAULT, IgnoreRule, columns_read
from adapters.kit.values import Charset

PROOF: Final = 20
"""Rows by which a file without a header is judged."""


@dataclass(frozen=True, kw_only=True)
class FilesStream(Stream):
    """One kind of file in a drop. `mapping`, `source_time` and rules may name `@sheet`, `@file`, `@date`, `@month`, `@seq`."""

    pattern: str
    """The agreed file name (`adapters.kit.files.names`)."""
    flag: Flag = "ok"
    parts: int | None = None
    """Snapshots: files of one day or month that make it whole; until all are there the generation before it is read."""
    columns: tuple[str, ...] = ()
    """Names of all columns, in order, for text files without a header."""
    header_rows: int = 1
    header: Literal["leaf", "path"] = "leaf"
    """`leaf`: a header of several rows gives each column its lowest name; `path`: all of them, `上级/下级`."""
    encoding: Charset | None = None
    separator: str = ","
    quoted: bool = True
    sheets: tuple[str, ...] = ("*",)
    """Patterns of the sheets to read."""
    skip_sheets: tuple[str, ...] = ()
    hidden_sheets: bool = False
    members: tuple[str, ...] = ()
    """Patterns of the members of a ZIP to read; none: all, and whatever is no table is refused."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column -> its name in the files of this source."""
    absent: tuple[str, ...] = ()
    """Columns of the mapping that this source does not deliver."""
    ignore: Mapping[str, IgnoreRule] = field(default_factory=lambda: TOTALS_AND_NOTES)

    def __post_init__(self) -> None:
        Names(self.pattern, self.flag, "")

    @property
    def named(self) -> frozenset[str]:
        """Every column that a mapping or a rule of this stream reads."""
        return columns_read([*self.mapping.values(), self.source_time, *self.ignore.values(), self.deleted])

    @property
    def layout(self) -> Layout:
        wanted = frozenset(column for column in self.named if column[:1] != "@") - set(self.absent)
        return Layout(wanted, self.columns, self.header_rows, self.header, self.renamed)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost."""

    inflated_mb: int
    memory_mb: int


def read_items(file: BinaryIO, delivery: Delivery, stream: FilesStream, limits: Limits) -> Iterator[tuple[bytes, str]]:
    """Every item as canonical bytes and its place, in file order; a hidden sheet that was left out as `(b"", place)`.

    Raises:
        SourceMalformed: see `text`, `workbook`, `archive`, `layout`.
    """
    layout, asked = stream.layout, stream.named
    told = {f"@{name}": value for name, value in delivery.fields.items()} | {"@file": delivery.name}
    tables = 0
    for number, sheet in enumerate(open_sheets(file, delivery.shown, stream, limits), 1):
        where = [part for part in (delivery.name, sheet.member, sheet.name) if part]
        if not is_chosen(sheet, stream):
            if sheet.hidden:
                yield b"", BESIDE.join(where)
            continue
        table = layout.table(sheet, delivery.shown, number)
        if table is None:
            continue
        tables += 1
        extra = {name: value for name, value in (told | {"@sheet": sheet.name}).items() if name in asked}
        laid = layout.lay(table, extra, ragged=sheet.ragged)
        for line, item in _recognisable(laid, delivery.shown) if stream.columns else laid:
            yield msgspec.json.encode(item), BESIDE.join((*where, str(line.number)))
    if not tables:
        sentence = "文件 {file} 是空的，连表头也没有。没有数据时也请部门投放带表头的文件"
        raise SourceMalformed("NO_TABLE", sentence, file=delivery.shown)


def _recognisable(laid: Iterator[Laid], shown: str) -> Iterator[Laid]:
    """Without a header only the rows can show that this is another file: when none of the first ones fits, none will."""
    head = list(islice(laid, PROOF))
    if head and all(FAULT in item for _, item in head):
        sentence = "文件 {file} 的前 {rows} 行没有一行符合约定的列，请核对分隔符与列数"
        raise SourceMalformed("SCHEMA_DRIFT", sentence, file=shown, rows=len(head))
    yield from head
    yield from laid


def open_sheets(file: BinaryIO, shown: str, stream: FilesStream, limits: Limits, member: str = "") -> Iterator[Sheet]:
    """What a file holds, by content, not by name: an .xls may be anything."""
    if is_workbook(file):
        yield from sheets(file, shown, limit_mb=limits.inflated_mb, member=member, memory_mb=limits.memory_mb)
        return
    file.seek(0)
    if not member and file.read(len(ZIP)) == ZIP:
        for name, content in members(file, shown, wanted=stream.members, limit_mb=limits.inflated_mb):
            yield from open_sheets(content, shown, stream, limits, name)
        return
    yield text_sheet(
        file,
        shown,
        encoding=stream.encoding,
        separator=stream.separator,
        quoted=stream.quoted,
        member=member,
    )


def is_chosen(sheet: Sheet, stream: FilesStream) -> bool:
    if sheet.hidden and not stream.hidden_sheets:
        return False
    named = any(fnmatchcase(sheet.name, pattern) for pattern in stream.sheets)
    return named and not any(fnmatchcase(sheet.name, pattern) for pattern in stream.skip_sheets)


@dataclass(slots=True)
class _Seen:
    """What was noticed on the way."""

    hidden: bool = False
    left: tuple[int, int] | None = None
    """The file's state when its last item had been read."""


class Reading:
    """A file under way: open, its digest known, so many of its items served."""

    def __init__(self, delivery: Delivery, digest: str, file: BinaryIO, stream: FilesStream, limits: Limits) -> None:
        self.delivery, self.digest, self.served = delivery, digest, 0
        self._file, self._state, self._seen = file, _state(file), _Seen()
        self._items = _owned(file, read_items(file, delivery, stream, limits), self._seen)
        self._next = next(self._items, None)

    @property
    def over(self) -> bool:
        return self._next is None

    @property
    def hidden(self) -> bool:
        """Whether a hidden sheet was left out so far."""
        return self._seen.hidden

    @property
    def altered(self) -> bool:
        """Whether the file was written to since it was opened."""
        return (self._seen.left or _state(self._file)) != self._state

    def take(self, count: int) -> list[tuple[bytes, str]]:
        """The next items, at most so many."""
        if self._next is None:
            return []
        taken = [self._next, *islice(self._items, count - 1)]
        self._next = next(self._items, None)
        self.served += len(taken)
        return taken

    def skip(self, count: int) -> None:
        """Passes items that were served before a crash."""
        while self.served < count and not self.over:
            self.take(min(1000, count - self.served))

    def close(self) -> None:
        self._items.close()


def _owned(file: BinaryIO, items: Iterator[tuple[bytes, str]], seen: _Seen) -> Generator[tuple[bytes, str], None, None]:
    """The items but for hidden sheets. Owns the file: whoever drops the reading, at whatever row, lets go of it."""
    with file:
        for item in items:
            if item[0]:
                yield item
            else:
                seen.hidden = True
        seen.left = _state(file)


def _state(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns
