"""Files of a drop as a recording holds them: cells as text, people taken out; and the drop that serves them again.

A replay writes real files from the cells, with flags of the agreed kind, so that everything between a folder and a page
runs as it does on the real drop. An old .xls comes back as the newer format under its old name: files are told by content.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import new
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from adapters.kit.base import Item
from adapters.kit.files.drop import Drop
from adapters.kit.files.layout import Table, numbers_columns
from adapters.kit.files.names import DIGESTS, Delivery, Entry
from adapters.kit.files.reader import FilesStream, is_chosen, open_sheets
from adapters.kit.files.sheets import Cells, Line, Sheet
from adapters.kit.rules import FIRST
from adapters.kit.scrub import Scrubber

if TYPE_CHECKING:
    from adapters.kit.files.adapter import FilesAdapter

FOLDER: Final = "/recorded"
"""Stands for every directory in a recording."""
AGE: Final = 3600.0
"""Seconds by which recorded files are older than the recording's clock, and their grace."""


class RecordedSheet(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sheet, or the whole of a text file; rows from the first."""

    name: str
    rows: list[list[str]]
    merged: list[list[int]] = []
    hidden: bool = False


class RecordedTable(msgspec.Struct, frozen=True, omit_defaults=True):
    """One text file or workbook. `encoding` is empty for a workbook; `member` is its name in a ZIP."""

    sheets: list[RecordedSheet]
    encoding: str = ""
    member: str = ""


class RecordedFile(msgspec.Struct, frozen=True):
    """One delivered file."""

    name: str
    tables: list[RecordedTable]


class Remembering:
    """Passes calls on and keeps the names of what was opened."""

    def __init__(self, onward: Drop) -> None:
        self._onward = onward
        self.opened: list[str] = []

    def list(self) -> list[Entry]:
        return self._onward.list()

    def open(self, name: str) -> BinaryIO:
        self.opened.append(name)
        return self._onward.open(name)

    def close(self) -> None:
        self._onward.close()


def recorded_files(adapter: FilesAdapter, opened: Sequence[str], scrubber: Scrubber, rows: int) -> list[RecordedFile]:
    """The opened files without their people, each with at most so many rows. Raises what reading them raises."""
    out: list[RecordedFile] = []
    for name in sorted(set(opened)):
        met = ((d, delivery) for d in adapter.offers for delivery in adapter.names(d).met([Entry(name, 0, 0.0)]))
        dataset, delivery = next(((d, delivery) for d, delivery in met if delivery.file), ("", None))
        if delivery is not None:
            with adapter.drop.open(name) as file:
                tables = _tables(adapter, file, delivery, adapter.stream(dataset), scrubber, rows)
            out.append(RecordedFile(delivery.shown.replace("*", str(len(out) + 1)), tables))
    swept = scrubber.sweep(msgspec.json.encode(out).decode())
    return msgspec.json.decode(swept, type=list[RecordedFile])


def placeless(settings: dict[str, Any]) -> dict[str, Any]:
    """A drop's settings without what tells where it is and who may enter."""
    return {k: v for k, v in settings.items() if k not in {"host_key", "login"}} | {"directory": FOLDER}


def _tables(
    adapter: FilesAdapter, file: BinaryIO, delivery: Delivery, stream: FilesStream, scrubber: Scrubber, rows: int
) -> list[RecordedTable]:
    found: dict[str, RecordedTable] = {}
    for number, sheet in enumerate(open_sheets(file, delivery.shown, stream, adapter.limits), 1):
        if sheet.member not in found:
            pattern = stream.members[0] if stream.members else f"*.{'csv' if sheet.encoding else 'xlsx'}"
            member = pattern.replace("*", str(len(found) + 1)) if sheet.member else ""
            found[sheet.member] = RecordedTable([], sheet.encoding, member)
        if sheet.hidden or is_chosen(sheet, stream):
            found[sheet.member].sheets.append(_scrubbed(sheet, stream, scrubber, number, rows))
    return list(found.values())


def _scrubbed(sheet: Sheet, stream: FilesStream, scrubber: Scrubber, number: int, limit: int) -> RecordedSheet:
    merged = [list(merge) for merge in sheet.merged]
    if not is_chosen(sheet, stream):
        return RecordedSheet(f"hidden-{number}", [], hidden=True)
    table = stream.layout.table(sheet, "", number)
    name = stream.sheets[0].replace("*", f"sheet-{number}") if sheet.name else ""
    if table is None:
        return RecordedSheet(name, [], merged)
    rows: dict[int, Cells] = {line.number: ["-" if cell.strip() else "" for cell in line.cells] for line in table.above}
    rows |= {line.number: line.cells for line in table.header}
    for line in _first(table.lines, limit):
        if numbers_columns(line.cells):
            rows[line.number] = line.cells
        elif not line.fault:
            rows[line.number], name = _row(line, table, stream, scrubber, sheet, name)
    last = max(rows, default=0)
    return RecordedSheet(name, [rows.get(n, []) for n in range(1, last + 1)], [m for m in merged if m[2] < last])


def _first(lines: Iterator[Line], limit: int) -> Iterator[Line]:
    for count, line in enumerate(lines):
        if count >= limit:
            return
        yield line


def _row(
    line: Line, table: Table, stream: FilesStream, scrubber: Scrubber, sheet: Sheet, name: str
) -> tuple[Cells, str]:
    """The row without people, and the name of its sheet if that is data too. Of a note only its first words stay."""
    item: Item = dict(zip(table.names, line.cells, strict=False))
    for rule in stream.ignore.values():
        if rule.from_ == FIRST and rule.matches(item):
            said = "".join(next(cell for cell in line.cells if cell.strip()).split())
            word = next((word for word in (*rule.starts, *rule.equals) if said.startswith(word)), "-")
            return [word, *([""] * (len(line.cells) - 1))], name
    if "@sheet" in stream.named:
        item["@sheet"] = sheet.name
    clean: Item = msgspec.json.decode(scrubber.body(msgspec.json.encode(item).decode()))
    cells = [str(clean.get(column, "")) for column in table.names[: len(line.cells)]]
    more = ["-" if cell.strip() else "" for cell in line.cells[len(table.names) :]]
    return [*cells, *more], str(clean.get("@sheet", "")) or name


class RecordedDrop:
    """A drop in memory, flags beside its files. `change` is what becomes of each file's bytes, before or after its digest."""

    def __init__(
        self,
        adapter: FilesAdapter,
        files: Sequence[RecordedFile],
        now: datetime,
        change: Callable[[bytes], bytes] = bytes,
        *,
        flagged_after: bool = True,
    ) -> None:
        self.files = files
        self._at = now.timestamp() - AGE - adapter.settings.grace_minutes * 60
        self._held: dict[str, bytes] = {}
        for file in files:
            streams = [adapter.stream(d) for d in adapter.offers if adapter.names(d).knows(file.name)]
            if not streams:
                continue
            body, flag = written(file, streams[0]), streams[0].flag
            self._held[file.name] = change(body)
            if flag != "none":
                flagged = self._held[file.name] if flagged_after else body
                told = new(flag, flagged, usedforsecurity=False).hexdigest() if flag in DIGESTS else ""
                self._held[f"{file.name}.{flag}"] = told.encode()

    def without(self, suffix: str) -> RecordedDrop:
        """The drop without the files that end so."""
        self._held = {name: body for name, body in self._held.items() if not name.endswith(suffix)}
        return self

    def only(self, suffix: str) -> RecordedDrop:
        """The drop without any others."""
        self._held = {name: body for name, body in self._held.items() if name.endswith(suffix)}
        return self

    def list(self) -> list[Entry]:
        return [Entry(name, len(body), self._at) for name, body in self._held.items()]

    def open(self, name: str) -> BinaryIO:
        file = tempfile.TemporaryFile()  # noqa: SIM115 # the caller closes it
        file.write(self._held[name])
        file.seek(0)
        return file

    def close(self) -> None:
        """There is no connection."""


def written(file: RecordedFile, stream: FilesStream) -> bytes:
    """The file again, in the format, encoding and separator it had; the same bytes whenever one process asks."""
    return _written(msgspec.json.encode(file), stream.separator, stream.quoted)


@lru_cache(maxsize=64)
def _written(encoded: bytes, separator: str, quoted: bool) -> bytes:
    """Kept, because a workbook and a ZIP hold the time at which they were made, and a cursor the digest of its file."""
    file = msgspec.json.decode(encoded, type=RecordedFile)
    if not any(table.member for table in file.tables):
        return _table(file.tables[0], separator, quoted) if file.tables else b""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for table in file.tables:
            packed.writestr(table.member, _table(table, separator, quoted))
    return out.getvalue()


def _table(table: RecordedTable, separator: str, quoted: bool) -> bytes:
    if not table.encoding:
        return _workbook(table.sheets)
    rows = [row for sheet in table.sheets for row in sheet.rows]
    out = io.StringIO()
    if len(separator) == 1 and quoted:
        csv.writer(out, delimiter=separator).writerows(rows)
    else:
        out.write("".join(separator.join(row) + "\r\n" for row in rows))
    return out.getvalue().encode(table.encoding)


def _workbook(sheets: Sequence[RecordedSheet]) -> bytes:
    """Needs openpyxl, which is a tool of developers: a replay is one too."""
    import openpyxl

    book: Any = openpyxl.Workbook()
    book.remove(book.active)
    for sheet in sheets:
        made = book.create_sheet(sheet.name)
        made.sheet_state = "hidden" if sheet.hidden else "visible"
        for row in sheet.rows:
            made.append(row)
        for top, left, bottom, right in sheet.merged:
            made.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def emptied(file: RecordedFile, stream: FilesStream) -> RecordedFile:
    """The file with its header and without a row below it."""
    return RecordedFile(
        file.name, [msgspec.structs.replace(t, sheets=[_header(s, stream) for s in t.sheets]) for t in file.tables]
    )


def _header(sheet: RecordedSheet, stream: FilesStream) -> RecordedSheet:
    lines = (Line(n, row) for n, row in enumerate(sheet.rows, 1))
    table = stream.layout.table(Sheet(sheet.name, lines), "", 1)
    last = table.header[-1].number if table is not None and table.header else 0
    return msgspec.structs.replace(sheet, rows=sheet.rows[:last], merged=[m for m in sheet.merged if m[2] < last])
