"""Rejected rows as a spreadsheet for their agency, and the corrected one read back (ADR 0017).

A sheet for each feed: what the gateway knows on the left, locked; the agency's own columns and values on the right, free
to be corrected, the ones to blame marked. Its words are Chinese in every language, for the agency writes in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter

from adapters.kit import SourceMalformed, workbook_sheets
from gateway.quarantine.items import Opened
from gateway.quarantine.terms import Terms, general
from gateway.vault import Vault
from schemas.flags import title

KNOWN: Final = ("编号", "核对码", "原因", "栏目", "位置", "首次发现")
HELP: Final = (
    "请在右侧贵单位自己的栏目里更正（有问题的栏目为黄色），灰色各列是识别用的，请勿改动，也不要增删行。",
    "带 * 的值是遮盖过的：不需要更正就保留原样；需要更正请填写完整的值。改好后交回数据局。",
)
SHOWN: Final = "更正表"
"""Stands for the name of the file."""
LIMIT_MB: Final = 256
_GREY: Final = PatternFill("solid", start_color="E7E6E6")
_YELLOW: Final = PatternFill("solid", start_color="FFF2CC")
_WIDTHS: Final = (36, 16, 40, 16, 28, 18)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a workbook that came back."""

    place: str
    handle: str
    code: str
    cells: dict[str, str]
    """Column -> what stands there now."""


def check_code(vault: Vault, kept: Opened, shown: dict[str, str], *, full: bool) -> str:
    """Names what was exported of an item: another item, or the same one after it changed, has another."""
    told = "\0".join((kept.handle, kept.reason, kept.field or "", *(f"{c}={v}" for c, v in shown.items())))
    return ("f" if full else "m") + vault.name("export", told).hex()[:12]


def workbook(sheets: Sequence[tuple[Terms, Sequence[Opened]]], vault: Vault, *, full: bool, at: str) -> bytes:
    """A sheet for each feed that has items; masked unless `full`."""
    book = Workbook()
    del book[book.sheetnames[0]]
    for terms, items in sheets:
        if items:
            _sheet(book, terms, items, vault, full=full, at=at)
    if not book.sheetnames:
        book.create_sheet("没有数据")
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(book: Workbook, terms: Terms, items: Sequence[Opened], vault: Vault, *, full: bool, at: str) -> None:
    sheet = book.create_sheet(f"{terms.dataset.title} {terms.feed.replace('/', ' ')}"[:31])
    rows = [(kept, terms.shown(kept.item, full=full)) for kept in items]
    columns = list(dict.fromkeys(column for _, shown in rows for column in shown))
    names = [*KNOWN, *columns]
    told = f"{terms.county} {terms.agency} {terms.dataset.title} {len(items):,} 行未能采用 {at[:16].replace('T', ' ')}"
    for number, line in enumerate((told, *HELP), 1):
        sheet.cell(number, 1, line).font = Font(bold=number == 1)
    top = len(HELP) + 2
    for number, name in enumerate(names, 1):
        cell = sheet.cell(top, number)
        _write(cell, name)
        cell.font, cell.fill = Font(bold=True), _GREY
        sheet.column_dimensions[get_column_letter(number)].width = (*_WIDTHS, *(18 for _ in columns))[number - 1]
    for number, (kept, shown) in enumerate(rows, top + 1):
        blamed = terms.blamed(kept.field)
        known = (
            kept.handle,
            check_code(vault, kept, shown, full=full),
            title(kept.reason),
            terms.title(kept.field),
            kept.place,
            kept.first_at[:16].replace("T", " "),
        )
        for column, text in enumerate((*known, *(shown.get(name, "") for name in columns)), 1):
            cell = sheet.cell(number, column)
            _write(cell, text)
            if column <= len(KNOWN):
                cell.fill, cell.alignment = _GREY, Alignment(wrap_text=column == 3, vertical="top")
                continue
            cell.protection = Protection(locked=False)
            if general(columns[column - len(KNOWN) - 1]) in blamed:
                cell.fill = _YELLOW
    sheet.freeze_panes = sheet.cell(top + 1, 2)
    sheet.protection.enable()
    sheet.protection.formatColumns = sheet.protection.formatRows = False


def _write(cell: Any, text: str) -> None:
    """As text, whatever it looks like: an ID number is none, and `=1+1` no formula."""
    cell.number_format = "@"
    cell.value = text or None
    if text:
        cell.data_type = "s"


def read_back(body: bytes) -> list[Line]:
    """Every row under the header of every sheet.

    Raises:
        SourceMalformed: no workbook, damaged, too large, or none of ours.
    """
    out: list[Line] = []
    found = False
    with TemporaryFile() as file:
        file.write(body)
        for sheet in workbook_sheets(file, SHOWN, limit_mb=LIMIT_MB):
            names: list[str] = []
            for number, cells, _fault in sheet.lines:
                if tuple(cells[:2]) == KNOWN[:2]:
                    names, found = cells, True
                elif names and any(cell.strip() for cell in cells):
                    out.append(_line(f"{sheet.name} › {number}", names, cells))
    if not found:
        raise SourceMalformed("NO_TABLE", "这不是数桥导出的更正表：找不到“编号”“核对码”两列")
    return out


def _line(place: str, names: Sequence[str], cells: Sequence[str]) -> Line:
    padded = [*cells, *[""] * (len(names) - len(cells))]
    return Line(place, padded[0].strip(), padded[1].strip(), dict(_own(names, padded)))


def _own(names: Sequence[str], cells: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The agency's own columns."""
    yield from ((name, cell) for name, cell in zip(names[len(KNOWN) :], cells[len(KNOWN) :], strict=False) if name)
