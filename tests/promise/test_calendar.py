"""The Chinese working calendar: make-up days, overrides, and its horizon (golden days from the State Council's notices)."""

from __future__ import annotations

from datetime import date

import chinese_calendar
import pytest

from gateway.calendar import KNOWN_THROUGH, WorkingCalendar

CALENDAR = WorkingCalendar()
MAKE_UP = [
    date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
    date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
]  # fmt: skip
"""Saturdays and Sundays that were worked."""
OFF = [date(2025, 10, 8), date(2026, 1, 1), date(2026, 2, 17), date(2026, 2, 23), date(2026, 10, 7)]
"""Weekdays that were not."""


def test_make_up_days_are_worked_and_holidays_are_not() -> None:
    assert [day for day in MAKE_UP if not CALENDAR.is_workday(day) or day.weekday() < 5] == []
    assert [day for day in OFF if CALENDAR.is_workday(day) or day.weekday() >= 5] == []


def test_every_day_of_two_years_is_what_the_library_says() -> None:
    days = [date.fromordinal(n) for n in range(date(2025, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]
    assert [day for day in days if CALENDAR.is_workday(day) != chinese_calendar.is_workday(day)] == []
    assert sum(map(CALENDAR.is_workday, days)) == 248 + 248


def test_working_days_are_counted_across_the_spring_festival() -> None:
    """15 to 23 February 2026 are off; the 14th and the 28th are worked."""
    assert CALENDAR.on_or_after(date(2026, 2, 15)) == date(2026, 2, 24)
    assert CALENDAR.on_or_before(date(2026, 2, 22)) == date(2026, 2, 14)
    assert CALENDAR.after(date(2026, 2, 13), 3) == date(2026, 2, 25)
    assert CALENDAR.after(date(2026, 2, 27), 1) == date(2026, 2, 28)


def test_the_horizon_is_said_and_not_guessed_over() -> None:
    """Where the library raises, we say unverified; a plain weekday is only a working assumption there."""
    assert date(2026, 12, 31) == KNOWN_THROUGH
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(2027, 1, 4))
    assert (CALENDAR.verified(date(2026, 12, 31)), CALENDAR.verified(date(2027, 1, 1))) == (True, False)
    assert CALENDAR.is_workday(date(2027, 2, 8))


def test_overrides_win_and_move_the_horizon() -> None:
    told = WorkingCalendar(
        date(2027, 12, 31), frozenset({date(2027, 2, 8)}), frozenset({date(2027, 2, 14), date(2026, 5, 16)})
    )
    assert told.verified(date(2027, 2, 8))
    assert not told.is_workday(date(2027, 2, 8))
    assert told.is_workday(date(2027, 2, 14))
    assert told.is_workday(date(2026, 5, 16))
