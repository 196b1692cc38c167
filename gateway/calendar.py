"""The Chinese working calendar: which days are worked, make-up days (调休) included, and how far that is known.

The State Council announces a year's holidays in the November before. `chinese_calendar` knows the announced ones; a county
adds what came after it, or what is its own, in `config/calendar.yaml`. Past `valid_through` nobody knows: days are then
taken to be worked from Monday to Friday, and whoever asks must say that this is unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import chinese_calendar

DAY: Final = timedelta(days=1)
FIRST: Final = date(min(chinese_calendar.holidays).year, 1, 1)
KNOWN_THROUGH: Final = date(max(chinese_calendar.holidays).year, 12, 31)
"""How far the library knows. It raises beyond, and so do we not guess."""
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Pure; days of the overrides win over the library's."""

    valid_through: date = KNOWN_THROUGH
    holidays: frozenset[date] = frozenset()
    workdays: frozenset[date] = frozenset()
    """Make-up days: Saturdays and Sundays that are worked."""

    def is_workday(self, day: date) -> bool:
        """Whether offices work on this day; a guess where it is not `verified`."""
        if day in self.holidays:
            return False
        if day in self.workdays:
            return True
        if FIRST <= day <= KNOWN_THROUGH:
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < _SATURDAY

    def verified(self, day: date) -> bool:
        """Whether the calendar of this day was announced."""
        return FIRST <= day <= self.valid_through

    def on_or_after(self, day: date) -> date:
        """The day itself if it is worked, else the next that is."""
        while not self.is_workday(day):
            day += DAY
        return day

    def on_or_before(self, day: date) -> date:
        """The day itself if it is worked, else the last that was."""
        while not self.is_workday(day):
            day -= DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The `count`th worked day after `day`, which itself does not count."""
        for _ in range(count):
            day = self.on_or_after(day + DAY)
        return day
