"""Word, Excel and PDF documents as tables of text, each within limits: these files come from strangers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import msgspec
from lxml import etree

from adapters.kit import SourceError
from adapters.kit.files.layout import numbers_columns
from adapters.kit.files.workbook import DAMAGED, inflated, sheets
from gateway.discover.columns import Column, Found, Grid, plain
from gateway.discover.fieldtables import read_tables
from gateway.errors import Usage

INFLATED_MB: Final = 64
MEMORY_MB: Final = 1024
PDF_SECONDS: Final = 60
SHEET_ROWS: Final = 200
ABOVE: Final = 200
"""Characters above a table that are looked at to know what it describes."""
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHILD: Final = Path(__file__).with_name("pdf_child.py")


def read_docx(body: bytes) -> Found:
    """Raises Usage: damaged, or larger than the limit."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as packed:
            member = packed.getinfo("word/document.xml")
            inflated(packed, [member], "docx", INFLATED_MB)
            root = etree.fromstring(packed.read(member), etree.XMLParser(resolve_entities=False, no_network=True))
    except (*DAMAGED, KeyError, etree.XMLSyntaxError, SourceError) as error:
        raise Usage("文档已损坏，或解压后超过 {limit} MB", limit=INFLATED_MB) from error
    tables: list[tuple[str, Grid]] = []
    text = ""
    for element in root.iterfind(f"{_W}body/*"):
        if element.tag == f"{_W}p":
            text += _said(element) + "\n"
        elif element.tag == f"{_W}tbl":
            tables.append((text[-ABOVE:], _grid(element)))
    return read_tables(tables, text)


def _said(element: Any) -> str:
    return "".join(t.text or "" for t in element.iter(f"{_W}t"))


def _grid(table: Any) -> Grid:
    """Cells merged across or down say the same in each place."""
    rows: list[list[str]] = []
    for line in table.iterfind(f"{_W}tr"):
        row: list[str] = []
        for cell in line.iterfind(f"{_W}tc"):
            about = cell.find(f"{_W}tcPr")
            span = about.find(f"{_W}gridSpan") if about is not None else None
            down = about.find(f"{_W}vMerge") if about is not None else None
            goes_on = down is not None and down.get(f"{_W}val") != "restart"
            said = rows[-1][len(row)] if goes_on and rows and len(row) < len(rows[-1]) else _said(cell).strip()
            row += [said] * min(int(span.get(f"{_W}val", "1")) if span is not None else 1, 64)
        rows.append(row)
    return rows


def read_xlsx(body: bytes) -> Found:
    """A spreadsheet that describes fields, or one that holds rows under a header. Raises Usage."""
    tables: list[tuple[str, Grid]] = []
    try:
        with tempfile.TemporaryFile() as file:
            file.write(body)
            file.flush()
            for sheet in sheets(file, "xlsx", limit_mb=INFLATED_MB, memory_mb=MEMORY_MB):
                lines = [line.cells for _, line in zip(range(SHEET_ROWS), sheet.lines, strict=False)]
                for top, left, bottom, right in sheet.merged:
                    for row in range(top, min(bottom + 1, len(lines))):
                        lines[row] += [""] * (min(right, 255) + 1 - len(lines[row]))
                        lines[row][left : right + 1] = [lines[top][left]] * (right + 1 - left)
                tables.append((sheet.name, lines))
    except SourceError as error:
        raise Usage("表格打不开：{why}", why=str(error)) from error
    described = read_tables(tables, "\n".join(name for name, _ in tables))
    if described.columns:
        return described
    return next((found for _, grid in tables if (found := _headed(grid)).columns), Found(kind="files"))


def _headed(grid: Grid) -> Found:
    """The first row that names at least three columns is the header; a sheet's title above it fills one cell."""
    out = Found(kind="files")
    for at, row in enumerate(grid[:30]):
        names = [cell.strip() for cell in row]
        if len(set(filter(None, names))) >= 3:
            below = [line for line in grid[at + 1 :] if any(line) and not numbers_columns(list(line))]
            for i, name in enumerate(names):
                if name and plain(name) != "序号" and name not in [c.name for c in out.columns]:
                    values = [line[i].strip() for line in below if i < len(line) and line[i].strip()]
                    out.columns.append(Column(name, "" if name.isascii() else name, values=values[:50]))
            break
    return out


def read_pdf(body: bytes) -> Found:
    """Raises Usage: no PDF, protected, too large, or without text."""
    command = [sys.executable, "-I", str(_CHILD), str(MEMORY_MB)]
    try:
        done = subprocess.run(command, input=body, capture_output=True, timeout=PDF_SECONDS, check=False)  # noqa: S603 # our own
        pages = msgspec.json.decode(done.stdout, type=list[tuple[str, list[list[list[str]]]]])
    except (subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise Usage("PDF 打不开：已加密、损坏，或超出内存与时间上限") from error
    text = "\n".join(said for said, _ in pages)
    return read_tables(list(_above(pages)), text)


def _above(pages: list[tuple[str, list[list[list[str]]]]]) -> Iterator[tuple[str, Grid]]:
    """A table that goes on overleaf has no head there: it belongs to the one before."""
    before: tuple[str, list[list[str]]] | None = None
    for text, tables in pages:
        for table in tables:
            first = next((cell for cell in table[0] if cell), "")
            above = text[: max(text.find(first), 0)][-ABOVE:]
            if before and len(before[1][0]) == len(table[0]) and not read_tables([(above, table)], "").columns:
                before[1].extend(table)
                continue
            if before:
                yield before
            before = (above, table)
    if before:
        yield before
