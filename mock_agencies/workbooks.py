"""Workbooks in both formats of Excel, written by hand: the old one has no writer that is maintained."""

import io
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

Cell: TypeAlias = str | float | None
Merge: TypeAlias = tuple[int, int, int, int]
"""First row, first column, last row, last column, from 0."""


@dataclass(frozen=True)
class Sheet:
    """One sheet. None and "" leave a cell out; a number is a number, whatever it stands for."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merges: Sequence[Merge] = ()


def xlsx(sheets: Sequence[Sheet]) -> bytes:
    """Office Open XML with its texts in the cells. The same bytes for the same sheets."""
    numbers = range(1, len(sheets) + 1)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_MAIN}.worksheet+xml"/>' for n in numbers
    )
    listed = "".join(
        f'<sheet name="{escape(s.name)}" sheetId="{n}" r:id="rId{n}"/>' for n, s in zip(numbers, sheets, strict=True)
    )
    targets = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_MAIN}.sheet.main+xml"/>{kinds}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{targets}</Relationships>',
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": _sheet_xml(s) for n, s in zip(numbers, sheets, strict=True)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return out.getvalue()


_SHEET: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_MAIN: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _sheet_xml(sheet: Sheet) -> str:
    rows = "".join(
        f'<row r="{r}">{"".join(_cell_xml(r, c, cell) for c, cell in enumerate(row) if cell not in (None, ""))}</row>'
        for r, row in enumerate(sheet.rows, 1)
    )
    merged = "".join(f'<mergeCell ref="{_at(t + 1, left)}:{_at(b + 1, right)}"/>' for t, left, b, right in sheet.merges)
    merges = f'<mergeCells count="{len(sheet.merges)}">{merged}</mergeCells>' if merged else ""
    return f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData>{merges}</worksheet>'


def _cell_xml(row: int, column: int, cell: Cell) -> str:
    if isinstance(cell, str):
        return f'<c r="{_at(row, column)}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    return f'<c r="{_at(row, column)}"><v>{cell!r}</v></c>'


def _at(row: int, column: int) -> str:
    """`C7`; as far as column Z."""
    return f"{chr(65 + column)}{row}"


def xls(sheets: Sequence[Sheet]) -> bytes:
    """Excel 97 (BIFF8) in a compound file."""
    return _compound("Workbook", _book(sheets))


def _book(sheets: Sequence[Sheet]) -> bytes:
    bodies = [_sheet_records(sheet) for sheet in sheets]
    head, tail = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0x0600)), _record(0x000A, b"")
    names = [sheet.name.encode("utf-16-le") for sheet in sheets]
    at = len(head) + sum(4 + 8 + len(name) for name in names) + len(tail)
    listed = b""
    for name, body in zip(names, bodies, strict=True):
        listed += _record(0x0085, struct.pack("<IHBB", at, 0, len(name) // 2, 1) + name)
        at += len(body)
    return head + listed + tail + b"".join(bodies)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _sheet_records(sheet: Sheet) -> bytes:
    width = max(map(len, sheet.rows), default=0)
    out = [_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0x0600))]
    out.append(_record(0x0200, struct.pack("<IIHHH", 0, len(sheet.rows), 0, width, 0)))
    for r, row in enumerate(sheet.rows):
        for c, cell in enumerate(row):
            if isinstance(cell, str) and cell:
                text = cell.encode("utf-16-le")
                out.append(_record(0x0204, struct.pack("<HHHHB", r, c, 0, len(text) // 2, 1) + text))
            elif isinstance(cell, float | int):
                out.append(_record(0x0203, struct.pack("<HHHd", r, c, 0, cell)))
    if sheet.merges:
        areas = b"".join(struct.pack("<HHHH", top, bottom, left, right) for top, left, bottom, right in sheet.merges)
        out.append(_record(0x00E5, struct.pack("<H", len(sheet.merges)) + areas))
    return b"".join(out) + _record(0x000A, b"")


_SECTOR: Final = 512
_FREE, _END, _IS_FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_SHORTEST: Final = 4096
"""Shorter streams would go into sectors of another size."""


def _compound(name: str, stream: bytes) -> bytes:
    """One stream in a compound file: header, FAT, directory, the stream; as many sectors as one header can list FATs for."""
    stream = stream.ljust(_SHORTEST, b"\0")
    body = -(-len(stream) // _SECTOR)
    fats = 1
    while fats * (_SECTOR // 4) < fats + 1 + body:
        fats += 1
    assert fats <= 109, "a workbook of more than 7 MB"
    chain = [_IS_FAT] * fats + [_END, *range(fats + 2, fats + 1 + body), _END]
    chain += [_FREE] * (fats * (_SECTOR // 4) - len(chain))
    header = struct.pack("<8s16xHHHHH6x", bytes.fromhex("D0CF11E0A1B11AE1"), 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIII", 0, fats, fats, 0, _SHORTEST, _END, 0, _END, 0)
    header += struct.pack("<109I", *range(fats), *([_FREE] * (109 - fats)))
    entries = _entry("Root Entry", 5, 1, _END, 0) + _entry(name, 2, _NONE, fats + 1, len(stream))
    entries += (_entry("", 0, _NONE, 0, 0)) * 2
    return header + struct.pack(f"<{len(chain)}I", *chain) + entries + stream.ljust(body * _SECTOR, b"\0")


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = f"{name}\0".encode("utf-16-le") if name else b""
    head = struct.pack("<64sHBB", text, len(text), kind, 1)
    return head + struct.pack("<III36xIQ", _NONE, _NONE, child, start, size)
