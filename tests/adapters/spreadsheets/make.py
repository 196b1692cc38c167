"""Makes the .xls fixtures beside it. No writer of the old format is maintained, so xlwt is no dependency:

pip install xlwt==1.3.0 && python -m tests.adapters.spreadsheets.make

plain.xls        sheet 清册: title, header, two payments, one whose ID number is a number, 合计
two-headers.xls  a header of two rows with merged cells, numbers as numbers, 合计
villages.xls     two sheets of one payment each, a hidden third
far-corner.xls   five sheets with a cell in the last corner of each
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlwt

from tests.adapters.drops import HEADER, row

HERE = Path(__file__).parent


def fill(sheet: Any, table: Sequence[Sequence[Any]], top: int = 0) -> None:
    for r, cells in enumerate(table, top):
        for c, value in enumerate(cells):
            if value != "":
                sheet.write(r, c, value)


def typed(n: int) -> list[Any]:
    cells: list[Any] = list(row(n))
    cells[1], cells[6] = 2026, n + 0.5
    return cells


def main() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("清册")
    lost = typed(3)
    lost[5] = 360999196001010016
    sheet.write_merge(0, 0, 0, 6, "丰城市2026年补贴清册")
    fill(sheet, [HEADER, typed(1), typed(2), lost, ["合计", "", "", "", "", "", 7.5]], top=1)
    book.save(str(HERE / "plain.xls"))

    book = xlwt.Workbook()
    sheet = book.add_sheet("清册")
    fill(sheet, [["", "", "项目名称", "状态", "姓名", "身份证号", ""], typed(1), typed(2), ["合计"]], top=1)
    for column, name in ((0, "明细编号"), (1, "年度"), (6, "金额")):
        sheet.write_merge(0, 1, column, column, name)
    sheet.write_merge(0, 0, 2, 3, "补贴")
    sheet.write_merge(0, 0, 4, 5, "农户")
    book.save(str(HERE / "two-headers.xls"))

    book = xlwt.Workbook()
    for n, name in enumerate(("村一", "村二", "旧"), 1):
        sheet = book.add_sheet(name)
        fill(sheet, [HEADER, typed(n)])
        sheet.visibility = 1 if name == "旧" else 0
    book.save(str(HERE / "villages.xls"))

    book = xlwt.Workbook()
    for n in range(5):
        sheet = book.add_sheet(f"s{n}")
        sheet.write(0, 0, "x")
        sheet.write(65535, 255, "x")
    book.save(str(HERE / "far-corner.xls"))


if __name__ == "__main__":
    main()
