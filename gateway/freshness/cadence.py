"""What a duty really does, beside what was promised: how often something new comes, and volumes out of the ordinary.

Robust on purpose (median and median absolute deviation), compared with like periods only, and silent on little data: a mark
that is wrong every other month is read by nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Final

from gateway.calendar import WorkingCalendar

ENOUGH: Final = 8
"""Like periods below which nothing is said."""
_FAR: Final = 3.5
_NORMAL: Final = 1.4826
_LEAST: Final = 0.5
"""Where everything was alike, a change of half is needed."""


def cadence(days: Sequence[date]) -> float | None:
    """The usual number of days from news to news, newest first; None where there were too few."""
    gaps = [(later - earlier).days for later, earlier in pairwise(days)]
    return float(median(gaps)) if len(gaps) >= ENOUGH else None


def like(day: date, days: Sequence[tuple[date, int]], calendar: WorkingCalendar, *, daily: bool) -> list[int]:
    """Volumes of periods that can be compared with the one that begins on `day`: of days off with days off."""
    if not daily:
        return [rows for _, rows in days]
    worked = calendar.is_workday(day)
    return [rows for other, rows in days if calendar.is_workday(other) == worked]


def odd(rows: int, others: Sequence[int]) -> int:
    """1 for far more than usual, -1 for far less, 0 for neither or not known."""
    if len(others) < ENOUGH:
        return 0
    middle = median(others)
    spread = _NORMAL * median(abs(other - middle) for other in others)
    far = max(_FAR * spread, _LEAST * middle, 1)
    return 0 if abs(rows - middle) <= far else 1 if rows > middle else -1
