"""Thirty spreadsheets as clerks make them, built by code: what is in each, and what must become of it.

`right` are the detail numbers that become records, `wrong` what goes to quarantine (place after the file's name, reason,
field), `ignored` how many rows each named rule takes. All people are synthetic, in the never-assigned area 360999.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from adapters.kit import FieldRule
from tests.adapters.drops import HEADER, STREAM, id_number, row

Build = Callable[[Workbook, Worksheet], None]


@dataclass(frozen=True)
class Ugly:
    name: str
    build: Build
    right: Sequence[str] = ("YKT000001", "YKT000002")
    wrong: Sequence[tuple[str, str, str | None]] = ()
    ignored: Mapping[str, int] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, str] = field(default_factory=dict)
    """Canonical values of the first record."""
    places: Sequence[str] = ()
    """Where the records stand, after the file's name."""

    def content(self) -> bytes:
        book = Workbook()
        sheet = book.active
        assert isinstance(sheet, Worksheet)
        sheet.title = "Sheet1"
        self.build(book, sheet)
        out = BytesIO()
        book.save(out)
        return out.getvalue()


UGLIES: list[Ugly] = []


def ugly(name: str, **expected: Any) -> Callable[[Build], Build]:
    def keep(build: Build) -> Build:
        UGLIES.append(Ugly(name, build, **expected))
        return build

    return keep


def put(sheet: Worksheet, *table: Sequence[Any]) -> None:
    for cells in table:
        sheet.append(list(cells))


def typed(n: int, **changes: Any) -> list[Any]:
    """A row as Excel holds it: numbers are numbers."""
    cells: list[Any] = list(row(n))
    cells[1], cells[6] = 2026, n + 0.5
    for name, value in changes.items():
        cells[HEADER.index(name)] = value
    return cells


@ugly("plain", places=["Sheet1 › 2", "Sheet1 › 3"], record={"amount_paid": "1.50", "year": "2026"})
def _plain(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2))


@ugly("a title row, merged over the table", places=["Sheet1 › 3", "Sheet1 › 4"])
def _title(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, ["丰城市2026年补贴发放清册"], HEADER, typed(1), typed(2))
    sheet.merge_cells("A1:G1")


@ugly("title, unit line and blank rows above the header", places=["Sheet1 › 6", "Sheet1 › 7"])
def _far_header(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, ["清册"], [], ["单位：元", "", "2026年3月"], [], HEADER, typed(1), typed(2))


@ugly("the table begins in the middle of the sheet", places=["Sheet1 › 5", "Sheet1 › 6"])
def _offset(_: Workbook, sheet: Worksheet) -> None:
    for r, cells in enumerate((HEADER, typed(1), typed(2)), 4):
        for c, value in enumerate(cells, 4):
            sheet.cell(r, c, value)


@ugly("a header of two rows in the middle of the sheet", changes={"header_rows": 2})
def _offset_header(_: Workbook, sheet: Worksheet) -> None:
    upper = ["明细编号", "年度", "补贴", "", "农户", "", "金额"]
    lower = ["", "", "项目名称", "状态", "姓名", "身份证号", ""]
    for r, cells in enumerate((upper, lower, typed(1), typed(2)), 3):
        for c, value in enumerate(cells, 4):
            sheet.cell(r, c, value or None)
    for merged in ("D3:D4", "E3:E4", "F3:G3", "H3:I3", "J3:J4"):
        sheet.merge_cells(merged)


@ugly("totals and notes at the end", ignored={"TOTAL_ROW": 2, "NOTE_ROW": 3})
def _totals(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2), ["小计", "", "", "", "", "", 4.0], ["合　计", "", "", "", "", "", 4.0])
    put(
        sheet,
        ["备注：公示无异议"],
        ["填表人：某某", "", "", "审核人：某某"],
        ["", "", "", "", "", "制表日期：2026-03-01"],
    )


@ugly("a total row merged over the first columns", ignored={"TOTAL_ROW": 1})
def _merged_total(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2), ["合计", "", "", "", "", "", 4.0])
    sheet.merge_cells("A4:F4")


@ugly("subtotals between the blocks", ignored={"TOTAL_ROW": 2})
def _subtotals(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), ["小计", *[""] * 5, 1.5], typed(2), ["小计", *[""] * 5, 2.5])


@ugly("a header of two rows, merged, by leaf", changes={"header_rows": 2})
def _two_rows(_: Workbook, sheet: Worksheet) -> None:
    put(
        sheet,
        ["明细编号", "年度", "补贴", "", "农户", "", "金额"],
        ["", "", "项目名称", "状态", "姓名", "身份证号", ""],
    )
    put(sheet, typed(1), typed(2))
    for merged in ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:G2"):
        sheet.merge_cells(merged)


PATHS = {**STREAM.mapping, "payee_name": "领款人/姓名", "payee_id_no": "领款人/身份证号"}


@ugly(
    "two columns of one name under different heads, by path",
    changes={"header_rows": 2, "header": "path", "mapping": PATHS},
    record={"payee_name": "王某"},
)
def _paths(_: Workbook, sheet: Worksheet) -> None:
    put(
        sheet,
        [*HEADER[:4], "领款人", "", "金额", "户主", ""],
        ["", "", "", "", "姓名", "身份证号", "", "姓名", "身份证号"],
    )
    put(sheet, [*typed(1), "张某", id_number(3)], [*typed(2), "张某", id_number(3)])
    for merged in ("A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:F1", "G1:G2", "H1:I1"):
        sheet.merge_cells(merged)


@ugly("a header of three rows under a title", changes={"header_rows": 3}, places=["Sheet1 › 5", "Sheet1 › 6"])
def _three_rows(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, ["标题"], ["基本", "", "", "", "人", "", "钱"], ["明细编号", "年度", "补贴", "", "", "", ""])
    put(sheet, ["", "", "项目名称", "状态", "姓名", "身份证号", "金额"], typed(1), typed(2))
    for merged in ("A1:G1", "A2:D2", "E2:F3", "G2:G3", "A3:A4", "B3:B4", "C3:D3"):
        sheet.merge_cells(merged)


@ugly("line breaks, blanks, asterisks and width in the header")
def _dressed_header(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, ["*明细\n编号", "年　度", " 项目名称", "状态*", "姓 名", "身份证号 ", "金\u00a0额"], typed(1), typed(2))


@ugly(
    "one village a sheet, the sheet's name a column",
    places=["村一 › 2", "村二 › 2"],
    changes={"mapping": {**STREAM.mapping, "authority": "@sheet"}},
    record={"authority": "秀市镇村一"},
)
def _villages(book: Workbook, sheet: Worksheet) -> None:
    sheet.title = "秀市镇村一"
    put(sheet, HEADER, typed(1))
    put(book.create_sheet("秀市镇村二"), HEADER, typed(2))


@ugly(
    "a sheet of instructions that is skipped by name",
    changes={"skip_sheets": ("填表说明*",)},
    places=["Sheet1 › 2", "Sheet1 › 3"],
)
def _instructions(book: Workbook, sheet: Worksheet) -> None:
    put(book.create_sheet("填表说明（必读）", 0), ["一、请如实填写"], ["二、不得涂改"])
    put(sheet, HEADER, typed(1), typed(2))


@ugly("only the sheets that are named", changes={"sheets": ("清册*",)}, places=["清册1 › 2", "清册2 › 2"])
def _named_sheets(book: Workbook, sheet: Worksheet) -> None:
    sheet.title = "草稿"
    put(sheet, HEADER, typed(9))
    for n in (1, 2):
        put(book.create_sheet(f"清册{n}"), HEADER, typed(n))


@ugly("empty sheets beside the table")
def _empty_sheets(book: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2))
    book.create_sheet("Sheet2")
    book.create_sheet("Sheet3")


@ugly("hidden sheets with lists and old data")
def _hidden(book: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2))
    for n, state in ((8, "hidden"), (9, "veryHidden")):
        other = book.create_sheet(state)
        other.sheet_state = state  # type: ignore[assignment] # a literal of its stubs
        put(other, HEADER, typed(n))


@ugly("hidden sheets that are wanted", right=["YKT000001", "YKT000002", "YKT000008"], changes={"hidden_sheets": True})
def _hidden_wanted(book: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2))
    other = book.create_sheet("旧")
    other.sheet_state = "hidden"
    put(other, HEADER, typed(8))


@ugly(
    "ID numbers kept as numbers have lost their last digits",
    right=["YKT000002"],
    wrong=[("Sheet1 › 2", "ID_PRECISION_LOST", "payee_id_no"), ("Sheet1 › 4", "ID_PRECISION_LOST", "payee_id_no")],
)
def _lost(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1, 身份证号=360999196001010016), typed(2), typed(3, 身份证号="3.60999E+17"))


@ugly("an ID number with an apostrophe, blanks and wide digits", record={"payee_id_no": id_number(1)})
def _dressed_ids(_: Workbook, sheet: Worksheet) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in id_number(2))
    put(sheet, HEADER, typed(1, 身份证号=f"'{id_number(1)} "), typed(2, 身份证号=wide))


@ugly(
    "numbers in the columns of texts, and texts in those of numbers",
    record={"amount_paid": "1234.50", "detail_id": "20260001"},
    right=["20260001", "YKT000002"],
)
def _types(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1, 明细编号=20260001, 金额="￥1,234.50"), typed(2, 年度="2026年"))


@ugly("what binary fractions make of money", record={"amount_paid": "0.30"})
def _fractions(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1, 金额=0.1 + 0.2), typed(2, 金额=-0.0))


DATED = {**STREAM.mapping, "paid_on": "发放日期"}


@ugly("dates as dates", changes={"mapping": DATED}, record={"paid_on": "2026-02-10"})
def _dates(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, [*HEADER, "发放日期"], [*typed(1), date(2026, 2, 10)], [*typed(2), datetime(2026, 2, 10, 9, 30)])


@ugly("dates as serial numbers and as prose", changes={"mapping": DATED}, record={"paid_on": "2026-02-10"})
def _serials(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, [*HEADER, "发放日期"], [*typed(1), 46063], [*typed(2), "2026年2月10日"])


@ugly(
    "a date that is none",
    right=["YKT000002"],
    wrong=[("Sheet1 › 2", "BAD_DATE", "paid_on")],
    changes={"mapping": DATED},
)
def _bad_date(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, [*HEADER, "发放日期"], [*typed(1), "2026-02-30"], [*typed(2), ""])


@ugly("blank rows and columns inside the table", places=["Sheet1 › 3", "Sheet1 › 6"])
def _gaps(_: Workbook, sheet: Worksheet) -> None:
    wide = [[*cells[:3], "", *cells[3:]] for cells in (list(HEADER), typed(1), typed(2))]
    put(sheet, wide[0], [], wide[1], [], ["", " "], wide[2])


@ugly("cells merged downwards: one person with two payments", record={"payee_name": "王某"})
def _merged_down(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2, 姓名=None, 身份证号=None))
    sheet.merge_cells("E2:E3")
    sheet.merge_cells("F2:F3")


@ugly("the header again on every printed page", places=["Sheet1 › 3", "Sheet1 › 6"])
def _repeated(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, ["标题"], HEADER, typed(1), [], HEADER, typed(2))


@ugly("a row that numbers the columns", places=["Sheet1 › 3", "Sheet1 › 4"])
def _numbered(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, ["甲", "乙", 1, 2, 3, 4, 5], typed(1), typed(2))


@ugly("columns in another order, and more of them")
def _order(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, *(["备注", *reversed(cells), "联系电话"] for cells in (list(HEADER),)))
    put(sheet, *(["", *reversed(cells), "13800000000"] for cells in (typed(1), typed(2))))


@ugly(
    "rows that lack what a record needs",
    right=["YKT000001"],
    wrong=[
        ("Sheet1 › 3", "KEY_MISSING", "detail_id"),
        ("Sheet1 › 4", "CODE_UNKNOWN", "status"),
        ("Sheet1 › 5", "ID_MASKED", "payee_id_no"),
    ],
)
def _lacking(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1), typed(2, 明细编号=""), typed(3, 状态="在途"), typed(4, 身份证号="3609********0016"))


@ugly("styled cells far below and to the right", places=["Sheet1 › 2", "Sheet1 › 3"])
def _styled(_: Workbook, sheet: Worksheet) -> None:
    from openpyxl.styles import Font

    put(sheet, HEADER, typed(1), typed(2))
    sheet.cell(5000, 60).font = Font(bold=True)


@ugly(
    "a logical value where a text is meant",
    changes={"mapping": {**STREAM.mapping, "authority": "是否"}},
    record={"authority": "TRUE"},
)
def _logical(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, [*HEADER, "是否"], [*typed(1), True], [*typed(2), False])


@ugly(
    "rules of a county's own",
    right=["YKT000002"],
    ignored={"OTHER_ITEM": 1},
    changes={"ignore": {"OTHER_ITEM": {"from": "项目名称", "equals": ["退耕还林"]}}},
)
def _own_rules(_: Workbook, sheet: Worksheet) -> None:
    put(sheet, HEADER, typed(1, 项目名称="退耕还林"), typed(2))


__all__ = ["UGLIES", "FieldRule", "Ugly"]
