"""From sheets to items: the header found by the columns that are wanted, what is no data left out, wrong rows marked.

Title rows above the header, blank rows, a row that numbers the columns and repeats of the header are layout, no items.
Totals and notes are items, so that ignoring them by a named rule is counted (`words.TOTALS_AND_NOTES`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final, Literal, NamedTuple

import msgspec

from adapters.kit.base import Item
from adapters.kit.errors import SourceMalformed
from adapters.kit.files.sheets import Cells, Line, Merge, Sheet
from adapters.kit.rules import FAULT
from adapters.kit.verdicts import EVIDENCE_BYTES

LOOK: Final = 30
"""Rows that are searched for the header."""


class Laid(NamedTuple):
    """One item and its row."""

    line: Line
    item: Item


class Table(NamedTuple):
    """A sheet whose header was found."""

    above: Sequence[Line]
    header: Sequence[Line]
    """Empty where the columns were declared."""
    names: Sequence[str]
    """Of every column, under our names; `#` and its number where it has none."""
    lines: Iterator[Line]
    """What stands below, not looked at yet."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of a table before it is read."""

    wanted: frozenset[str]
    """Columns without which the table is not the agreed one, under our names."""
    columns: tuple[str, ...] = ()
    """Names of all columns, in order, for files without a header."""
    header_rows: int = 1
    header: Literal["leaf", "path"] = "leaf"
    """A header of several rows gives each column its lowest name, or all of them as `上级/下级`."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column -> its name in the file."""

    def table(self, sheet: Sheet, shown: str, number: int) -> Table | None:
        """The table of a sheet; None if the sheet has no text at all. `number` counts sheets.

        Raises:
            SourceMalformed: SCHEMA_DRIFT, no header with the wanted columns, or one of them twice.
        """
        lines = _filled(sheet) if sheet.merged else sheet.lines
        if self.columns:
            return Table((), (), self.columns, lines)
        head = list(islice((line for line in lines if not _blank(line.cells)), LOOK))
        if not head:
            return None
        at, names = self._find(head, sheet, shown, number)
        begin = at - self.header_rows
        return Table(head[:begin], head[begin:at], names, chain(head[at:], lines))

    def lay(self, table: Table, extra: Mapping[str, str], *, ragged: bool) -> Iterator[Laid]:
        """The items of a table, `extra` added to each."""
        names, width = table.names, len(table.names)
        named = max((i for i, name in enumerate(names) if name[:1] != "#"), default=-1) + 1
        plain = named == width and not any(name[:1] == "#" for name in names)
        repeats = frozenset(_squashed(line.cells) for line in table.header)
        begins = {squash(line.cells[0]) for line in table.header}
        first = bool(table.header)
        for line in table.lines:
            cells = line.cells
            if _blank(cells) or (squash(cells[0]) in begins and _squashed(cells) in repeats):
                continue
            if first and numbers_columns(cells):
                first = False
                continue
            first = False
            item: Item
            if plain and len(cells) == width:
                item = dict(zip(names, cells, strict=True))
            else:
                item = {name: cells[i] if i < len(cells) else "" for i, name in enumerate(names) if name[:1] != "#"}
                for i, cell in enumerate(cells):
                    if cell.strip() and (i >= width or names[i][:1] == "#"):
                        item[f"#{i + 1}"] = cell
            item.update(extra)
            if line.fault:
                item[FAULT] = line.fault
            elif ragged and len(cells) < named:
                item[FAULT] = f"ROW_SHORT:{next(name for name in names[len(cells) :] if name[:1] != '#')}"
            elif ragged and any(cell.strip() for cell in cells[width:]):
                item[FAULT] = "ROW_LONG"
            yield Laid(line, item)

    def _find(self, head: Sequence[Line], sheet: Sheet, shown: str, number: int) -> tuple[int, list[str]]:
        """Where the data begins in `head`, and the name of every column."""
        fewest: list[str] = sorted(self.wanted)
        for begin in range(len(head) - self.header_rows + 1):
            rows = head[begin : begin + self.header_rows]
            names = self._names(rows, sheet)
            missing = sorted(self.wanted - set(names))
            if not missing:
                self._check_twice(names, shown, number)
                return begin + self.header_rows, _unique(names)
            fewest = min(fewest, missing, key=len)
        sentence = "文件 {file} 的第 {sheet} 张表里找不到表头，缺少列：{columns}。请部门按约定的表头投放；列名不同的，用 renamed 写明"
        seen = msgspec.json.encode([line.cells for line in head])[:EVIDENCE_BYTES]
        raise SourceMalformed(
            "SCHEMA_DRIFT", sentence, evidence=seen, file=shown, sheet=number, columns="、".join(fewest)
        )

    def _names(self, rows: Sequence[Line], sheet: Sheet) -> list[str]:
        width = max(len(row.cells) for row in rows)
        spread = [_spread(row, width, sheet, last=row is rows[-1]) for row in rows]
        theirs = {squash(name): ours for ours, name in self.renamed.items()}
        known = {squash(name): name for name in self.wanted if name not in self.renamed} | theirs
        out = []
        for levels in zip(*spread, strict=True):
            said = list(dict.fromkeys(filter(None, map(squash, levels))))
            name = ("/".join(said) if self.header == "path" else said[-1]) if said else ""
            out.append(known.get(name, name))
        return out

    def _check_twice(self, names: Sequence[str], shown: str, number: int) -> None:
        twice = sorted(name for name in self.wanted if names.count(name) > 1)
        if twice:
            sentence = (
                "文件 {file} 的第 {sheet} 张表里列名重复：{columns}。请用 header: path 按上级表头区分，或请部门改名"
            )
            raise SourceMalformed("SCHEMA_DRIFT", sentence, file=shown, sheet=number, columns="、".join(twice))


def squash(text: str) -> str:
    """A column name as it is compared: without white space, width or the asterisk of a required column."""
    return "".join(unicodedata.normalize("NFKC", text).split()).strip("*")


def _squashed(cells: Cells) -> tuple[str, ...]:
    out = [squash(cell) for cell in cells]
    while out and not out[-1]:
        out.pop()
    return tuple(out)


def _blank(cells: Cells) -> bool:
    return not any(cell and not cell.isspace() for cell in cells)


def numbers_columns(cells: Cells) -> bool:
    """1, 2, 3 … or 甲, 乙, 1, 2 … under the header of a statistical form."""
    said = [squash(cell).strip("()") for cell in cells if cell.strip()]
    digits = [int(text) for text in said if text.isascii() and text.isdigit() and len(text) < 4]
    letters = len(said) - len(digits)
    return len(said) > 2 and digits == list(range(1, len(digits) + 1)) and set(said[:letters]) <= set("甲乙丙丁戊ABCD")


def _unique(names: Sequence[str]) -> list[str]:
    """A column without a name is `#` and its number; of several with one name all but the first get their number too."""
    met: set[str] = set()
    out = []
    for i, name in enumerate(names, 1):
        out.append(f"#{i}" if not name else f"{name}#{i}" if name in met else name)
        met.add(name)
    return out


def _spread(row: Line, width: int, sheet: Sheet, *, last: bool) -> Cells:
    """A header row with merged cells filled to the right. Text files have lost their merges: a blank then belongs to the
    name on its left, except in the last row, where it is a column that has a name above or none.
    """
    cells = row.cells + [""] * (width - len(row.cells))
    if sheet.merged or not sheet.ragged:
        for merge in sheet.merged:
            if merge.top <= row.number - 1 <= merge.bottom and merge.right > merge.left:
                for column in range(merge.left, min(merge.right + 1, width)):
                    cells[column] = cells[merge.left]
        return cells
    if last:
        return cells
    for column in range(1, width):
        cells[column] = cells[column] or cells[column - 1]
    return cells


def _filled(sheet: Sheet) -> Iterator[Line]:
    """Cells that were merged downwards say the same in each row: a village's name beside all of its households."""
    starts: dict[int, list[Merge]] = {}
    for merge in sheet.merged:
        if merge.bottom > merge.top:
            starts.setdefault(merge.top, []).append(merge)
    under_way: dict[int, tuple[int, str]] = {}
    for line in sheet.lines:
        row, cells = line.number - 1, line.cells
        for column, (bottom, text) in list(under_way.items()):
            if row > bottom:
                del under_way[column]
            elif text:
                cells = cells + [""] * (column + 1 - len(cells))
                cells[column] = text
        for merge in starts.get(row, ()):
            under_way[merge.left] = (merge.bottom, cells[merge.left] if merge.left < len(cells) else "")
        yield line._replace(cells=cells)
