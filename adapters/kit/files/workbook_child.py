"""Reads one workbook from standard input and writes its sheets, row by row, as JSON lines. Run by path, never imported.

A process of its own, because calamine lays out a sheet as rows x columns at once: a 5 kB file with one cell in the last
corner asks for 500 GB, and an allocation that fails takes its process with it. Here that process holds nothing else.

    {"sheet": name, "hidden": bool, "merged": [[top, left, bottom, right], …]}   then one array of texts a row, from row 1
    {"end": true}         all sheets were written
    {"error": code}       PASSWORD or BROKEN
"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from python_calamine import CalamineSheet, PasswordError, SheetTypeEnum, SheetVisibleEnum, load_workbook

EXACT = 10**15
"""A spreadsheet keeps 15 digits of a number; from here on the last ones are lost."""


def text(cell: Any) -> str:
    """A cell as a person would read it; a number that lost digits in scientific form, so that nobody takes it for an ID."""
    if cell.__class__ is str:
        return str(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        number = Decimal(f"{cell:.15g}")
        return f"{number.normalize():E}" if abs(number) >= EXACT else f"{number:f}"
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    assert isinstance(cell, timedelta)
    minutes, seconds = divmod(int(cell.total_seconds()), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def rows(sheet: CalamineSheet) -> Any:
    """Rows from the first of the sheet; blank cells at their ends are left out."""
    if sheet.start is None:
        return
    before = [""] * sheet.start[1]
    for cells in sheet.iter_rows():
        row = [*before, *map(text, cells)]
        while row and not row[-1]:
            row.pop()
        yield row


def limit(megabytes: int) -> None:
    """Takes the means away to harm anything else: memory, time, and a core file with people in it."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system has limits
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))


def main() -> None:
    limit(int(sys.argv[1]))
    out = sys.stdout.buffer

    def write(value: Any) -> None:
        out.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n")

    try:
        book = load_workbook(sys.stdin.buffer)
        for about in book.sheets_metadata:
            if about.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(about.name)
            merged = [[*first, *last] for first, last in sheet.merged_cell_ranges or ()]
            write({"sheet": about.name, "hidden": about.visible != SheetVisibleEnum.Visible, "merged": merged})
            for row in rows(sheet):
                write(row)
        write({"end": True})
    except MemoryError:
        raise
    except PasswordError:
        write({"error": "PASSWORD"})
    except BaseException:  # noqa: BLE001 # a panic of the library is no Exception
        write({"error": "BROKEN"})
    out.flush()


if __name__ == "__main__":
    main()
