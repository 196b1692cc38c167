"""The sheet a field team takes along: a spreadsheet that prints on A4, a line for each value, read back when filled in.

It is Chinese in every language, and in the clear: the team stands before the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.worksheet.datavalidation import DataValidation

from adapters.kit import SourceMalformed, workbook_sheets
from gateway.errors import Usage
from gateway.spotcheck.checks import VERDICTS, Answer, Drawn
from schemas import DATASETS

HEADS: Final = ("编号", "姓名", "资料", "部门", "项目", "系统记载", "核查结果", "实际情况")
_WIDTHS: Final = (24, 14, 14, 26, 18, 34, 12, 26)
HELP: Final = "到户核对“系统记载”：在“核查结果”里选 一致、不一致 或 无法核实；不一致的，在“实际情况”写明。灰色各列请勿改动。本表含个人信息，用后交回。"
LIMIT_MB: Final = 64
_GREY: Final = PatternFill("solid", start_color="E7E6E6")
_BY_WORD: Final = {word: code for code, word in VERDICTS.items()}


def sheet(check: int, sample: Sequence[Drawn]) -> bytes:
    """The empty sheet of a check."""
    book = Workbook()
    page: Any = book.active
    page.title = f"抽样核查 {check}"
    count = len(sample)
    page.cell(1, 1, f"抽样核查 {check}：{count} 条").font = Font(bold=True)
    page.cell(2, 1, HELP)
    for number, (head, width) in enumerate(zip(HEADS, _WIDTHS, strict=True), 1):
        cell = page.cell(3, number, head)
        cell.font, cell.fill = Font(bold=True), _GREY
        page.column_dimensions[cell.column_letter].width = width
    line = 4
    for drawn in sorted(sample, key=lambda d: (d.who, d.item)):
        for told in drawn.cells:
            dataset = DATASETS[drawn.fact.dataset]
            unit = f" {told.spec.of.unit}" if told.spec.of.unit else ""
            known = (
                f"{drawn.item}.{told.path}",
                *(drawn.who, dataset.title, drawn.agency, told.spec.of.title, told.text + unit),
            )
            for number, text in enumerate(known, 1):
                _write(page.cell(line, number), text)
            for number in (7, 8):
                page.cell(line, number).protection = Protection(locked=False)
            line += 1
    choice = DataValidation(type="list", formula1=f'"{",".join(VERDICTS.values())}"', allow_blank=True)
    choice.add(f"G4:G{max(line, 5)}")
    page.add_data_validation(choice)
    page.freeze_panes = "A4"
    page.protection.enable()
    page.page_setup.orientation, page.page_setup.paperSize, page.page_setup.fitToHeight = "landscape", 9, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "3:3"
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _write(cell: Any, text: str) -> None:
    """As text, whatever it looks like."""
    cell.number_format, cell.value, cell.data_type, cell.fill = "@", text, "s", _GREY
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def read_back(body: bytes) -> list[Answer]:
    """The answers of a filled-in sheet; lines without one are left out.

    Raises:
        SourceMalformed: no workbook, damaged, too large, or none of ours.
        Usage: a result that is none of the three words; names its line.
    """
    out: list[Answer] = []
    found = False
    with TemporaryFile() as file:
        file.write(body)
        for page in workbook_sheets(file, "核查表", limit_mb=LIMIT_MB):
            for number, cells, _fault in page.lines:
                padded = [cell.strip() for cell in (*cells, *[""] * len(HEADS))]
                if tuple(padded[: len(HEADS)]) == HEADS:
                    found = True
                elif found and padded[6]:
                    out.append(_answer(number, padded))
    if not found:
        raise SourceMalformed("NO_TABLE", "这不是数桥导出的核查表：找不到“编号”“核查结果”等各列")
    return out


def _answer(number: int, cells: Sequence[str]) -> Answer:
    item, _, path = cells[0].partition(".")
    if cells[6] not in _BY_WORD or not item.isdecimal():
        raise Usage("第 {line} 行：核查结果只能是 {known}", line=number, known="、".join(_BY_WORD))
    return Answer(int(item), path, _BY_WORD[cells[6]], cells[7])
