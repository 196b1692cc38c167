"""Canonical records as a clerk would type them under the headings of `county_upload`."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from adapters.county_upload import headings
from mock_agencies import World
from schemas import DATASETS


def typed(dataset: str, record: dict[str, Any]) -> dict[str, str]:
    """One row: heading -> text."""
    out = {}
    for path, heading in headings(DATASETS[dataset]).items():
        part, _, rest = path.partition(".")
        index, _, name = rest.partition(".")
        if index.isdigit():
            value = record[part][int(index)][name]
        elif rest:
            value = "、".join(element[rest] or "" for element in record[part] or ())
        else:
            value = record[path]
        out[heading] = "长期" if value == "open" else value or ""
    return out


def records(dataset: str, count: int, households: int = 40) -> list[dict[str, Any]]:
    """True records of the synthetic world that one row can hold."""
    found = [item.canonical for item in World(households, dirt=0).items(dataset) if item.canonical and not item.ordinal]
    return found[:count]


def workbook(*sheets: tuple[str, Sequence[Sequence[Any]]]) -> bytes:
    book = Workbook()
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(list(cells))
    del book[book.sheetnames[0]]
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def filled(dataset: str, found: Sequence[dict[str, Any]]) -> bytes:
    """A sheet of these records."""
    rows = [typed(dataset, record) for record in found]
    return workbook((DATASETS[dataset].title, [list(rows[0]), *(list(row.values()) for row in rows)]))
