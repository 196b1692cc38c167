"""The dated periods of a frequency: which one a day belongs to, what it is called, and which names of data fall into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

DATED: Final = ("实时更新", "每小时", "每日", "每周", "每旬", "每半月", "每月", "每季度", "每半年", "每年")
"""Frequencies that owe something in each of their periods; the others owe nothing by a date."""
CONTINUOUS: Final = ("实时更新", "每小时")
"""Each day is a period of theirs, judged by how long nobody answered and how late rows came (DESIGN §9)."""
_BY_YEAR: Final = ("每年",)
_BY_MONTH: Final = ("每月", "每季度", "每半年")
_WIDTHS: Final = {"year": 4, "month": 7, "day": 10}


def precision(frequency: str) -> str:
    """`year`, `month` or `day`: how finely data must name its date to be told apart by this frequency."""
    return "year" if frequency in _BY_YEAR else "month" if frequency in _BY_MONTH else "day"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `starts` up to, but not including, `ends`."""

    name: str
    """`2026`, `2026-H1`, `2026-Q4`, `2026-10`, `2026-10-M2` (half month), `2026-10-T3` (旬), `2026-W41`, `2026-10-05`."""
    starts: date
    ends: date
    width: int
    """How many characters of a date this frequency looks at."""

    @property
    def low(self) -> str:
        """The first name of data that falls into it: names are dates, cut off where they end, compared as text."""
        return self.starts.isoformat()[: self.width]

    @property
    def high(self) -> str:
        """The first name past it."""
        return self.ends.isoformat()[: self.width]


def _month(year: int, month: int) -> date:
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)


def _months(count: int, name: Callable[[int, int], str]) -> Callable[[date], tuple[str, date, date]]:
    def at(day: date) -> tuple[str, date, date]:
        which = (day.month - 1) // count
        first = which * count + 1
        return name(day.year, which + 1), _month(day.year, first), _month(day.year, first + count)

    return at


def _parts(letter: str, starts: tuple[int, ...]) -> Callable[[date], tuple[str, date, date]]:
    def at(day: date) -> tuple[str, date, date]:
        which = max(n for n, first in enumerate(starts) if first <= day.day)
        begins = day.replace(day=starts[which])
        ends = day.replace(day=starts[which + 1]) if which + 1 < len(starts) else _month(day.year, day.month + 1)
        return f"{day:%Y-%m}-{letter}{which + 1}", begins, ends

    return at


def _week(day: date) -> tuple[str, date, date]:
    year, week, weekday = day.isocalendar()
    begins = day - timedelta(days=weekday - 1)
    return f"{year}-W{week:02}", begins, begins + timedelta(days=7)


def _day(day: date) -> tuple[str, date, date]:
    return day.isoformat(), day, day + timedelta(days=1)


_OF: Final[dict[str, Callable[[date], tuple[str, date, date]]]] = {
    "实时更新": _day,
    "每小时": _day,
    "每日": _day,
    "每周": _week,
    "每旬": _parts("T", (1, 11, 21)),
    "每半月": _parts("M", (1, 16)),
    "每月": _months(1, lambda year, month: f"{year}-{month:02}"),
    "每季度": _months(3, lambda year, quarter: f"{year}-Q{quarter}"),
    "每半年": _months(6, lambda year, half: f"{year}-H{half}"),
    "每年": _months(12, lambda year, _: f"{year}"),
}


def period_of(frequency: str, day: date) -> Period:
    """The period of a dated frequency that holds this day."""
    name, starts, ends = _OF[frequency](day)
    return Period(name, starts, ends, _WIDTHS[precision(frequency)])
