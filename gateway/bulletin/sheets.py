"""The bulletin as a spreadsheet: counties, agencies, and every period that was not on time. Its words are Chinese, see `printed`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from gateway.bulletin.figures import Bulletin, Score
from gateway.config import Config
from schemas import DATASETS

FIGURES: Final = (
    "到期",
    "按时",
    "补报",
    "未报",
    "豁免",
    "按时率",
    "收到",
    "人工占比",
    "不合格",
    "合格率",
    "已纠正",
    "纠正用时（天）",
    "待纠正",
)
_SHARES: Final = ("按时率", "人工占比", "合格率")
_HEAD: Final = PatternFill("solid", start_color="DDE7F0")


def sheets(told: Bulletin, config: Config) -> bytes:
    """An .xlsx with three sheets; shares are numbers from 0 to 1, shown as percentages."""
    book = Workbook()
    del book[book.sheetnames[0]]
    names = {code: county.name for code, county in config.counties.items()}
    counties = [[names[s.county], *_figures(s)] for s in told.counties]
    _sheet(book, "各县（市、区）", ("县（市、区）", *FIGURES), [*counties, ["合计", *_figures(told.whole)]])
    agencies = ([names[s.county], s.agency, *_figures(s)] for s in told.agencies)
    _sheet(book, "各部门", ("县（市、区）", "部门", *FIGURES), agencies)
    unkept = (
        [names[u.county], u.agency, DATASETS[u.dataset].title, u.period, u.due_at[:10], u.late_days or "未报"]
        for u in told.unkept
    )
    _sheet(book, "未按时", ("县（市、区）", "部门", "数据", "期", "期限", "逾期天数"), unkept)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _figures(s: Score) -> list[Any]:
    kept = (s.due, s.on_time, s.made_up, s.missed, s.waived, s.rate)
    return [*kept, s.rows, s.manual, s.held, s.quality, s.cured, s.cure_days, s.waiting]


def _sheet(book: Workbook, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title)
    sheet.append(list(heads))
    for cell in sheet[1]:
        cell.font, cell.fill, cell.alignment = Font(bold=True), _HEAD, Alignment(horizontal="center", wrap_text=True)
    for row in rows:
        sheet.append(list(row))
    for number, head in enumerate(heads, 1):
        sheet.column_dimensions[get_column_letter(number)].width = 26 if head in ("部门", "数据") else 13
        if head in _SHARES:
            for cell in sheet[get_column_letter(number)][1:]:
                cell.number_format = "0.0%"
    sheet.freeze_panes = "A2"
