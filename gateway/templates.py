"""Empty spreadsheets for clerks to fill in; their words are Chinese in every language, for that is what is filled in."""

from __future__ import annotations

from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from adapters.kit import UploadStream
from schemas import Dataset
from schemas.codes import code_list


def template(dataset: Dataset, stream: UploadStream) -> bytes:
    """An empty spreadsheet: a sheet with the headings, and one that says what may stand under each."""
    book = Workbook()
    sheet, notes = book.active, book.create_sheet("填写说明")
    assert sheet is not None
    sheet.title = dataset.title
    needed = set(stream.required)
    notes.append(["栏目", "必填", "单位", "可以填写"])
    headings = []
    for path, rule in stream.mapping.items():
        spec = dataset.fields[".".join(step for step in path.split(".") if not step.isdigit())]
        heading = rule if isinstance(rule, str) else rule.from_
        if heading is not None:
            headings.append(f"*{heading}" if heading in needed else heading)
            codes = code_list(spec.of.codes).codes if spec.of.codes else {}
            allowed = "、".join(f"{code} {meaning}" for code, meaning in codes.items())
            notes.append([heading, "是" if heading in needed else "", spec.of.unit or "", allowed])
    sheet.append(headings)
    for row in (sheet[1], notes[1]):
        for cell in row:
            cell.font = Font(bold=True)
    for column in range(1, sheet.max_column + 1):
        sheet.column_dimensions[get_column_letter(column)].number_format = "@"  # lest ID numbers become numbers
    out = BytesIO()
    book.save(out)
    return out.getvalue()
