"""Deadlines as clerks write them, and the moment each means for a period on the working calendar.

A day named with 前 (before) or *by* is the last day on which data is in time. A rule that asks for working days is only as
sure as the calendar is; which steps it took is kept, so that a verdict can be explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Final

from gateway.calendar import DAY, WorkingCalendar
from gateway.clock import SHANGHAI
from gateway.promise.periods import CONTINUOUS, Period
from gateway.promise.words import DEFAULTS, ENGLISH_WEEKDAYS, EXAMPLES, FORMS, SHIFTS, WEEKDAYS

LAST_SECOND: Final = time(23, 59, 59)
_HOURS: Final = 24
_MINUTES: Final = 60
_MONTHS: Final = 12
_LONGEST: Final = 31


@dataclass(frozen=True, slots=True)
class Rule:
    """One deadline, understood."""

    text: str
    """As it was written."""
    kind: str
    """`minutes`, `hours`, `days`, `workdays`, `month_day`, `month_end`, `year_day`, `weekday`, `next_day` or `next_workday`."""
    count: int = 0
    """How many of its kind; the day of a month; the weekday from 0."""
    month: int = 0
    clock: time = LAST_SECOND
    shift: str | None = None
    """`later` or `earlier`: where to when the day is not worked."""

    @property
    def span(self) -> timedelta:
        """How long a `minutes` or `hours` rule allows."""
        return timedelta(minutes=self.count) if self.kind == "minutes" else timedelta(hours=self.count)

    @property
    def on_calendar(self) -> bool:
        """Whether it asks which days are worked."""
        return self.shift is not None or self.kind in ("workdays", "next_workday")


@dataclass(frozen=True, slots=True)
class Due:
    """When a period is due, and why then."""

    moment: datetime
    """The last second that is in time."""
    steps: tuple[str, ...]
    verified: bool
    """False: a day that mattered lies past the calendar's horizon."""


@cache
def default_rule(frequency: str) -> Rule:
    """The deadline of a dated frequency whose catalogue entry states none."""
    return read_rule(DEFAULTS[frequency])


def read_rule(text: str) -> Rule:
    """A deadline out of its words.

    Raises:
        ValueError: it is none of the known forms, or names a day that no calendar has; one sentence with the forms.
    """
    written = text.strip()
    shift, core = None, written
    for name, pattern in SHIFTS:
        if found := pattern.search(core):
            shift, core = name, core[: found.start()].strip()
            break
    for kind, pattern in FORMS:
        if found := pattern.fullmatch(core):
            return _rule(written, kind, found.groupdict(), shift)
    forms = "、".join(EXAMPLES)
    raise ValueError(f"看不懂期限“{text}”。可以写：{forms}；日期后可加“，遇节假日顺延”或“，遇节假日提前”")


def _rule(text: str, kind: str, found: dict[str, str | None], shift: str | None) -> Rule:
    count = int(found.get("count") or found.get("day") or 0)
    month = int(found.get("month") or 0)
    if (weekday := found.get("weekday")) is not None:
        count = WEEKDAYS.find(weekday) if weekday in WEEKDAYS else _english(weekday)
    hour, minute = int(found.get("hour") or 0), int(found.get("minute") or 0)
    wrong_day = found.get("day") is not None and not 1 <= count <= _LONGEST
    wrong_month = found.get("month") is not None and not 1 <= month <= _MONTHS
    if (
        hour >= _HOURS
        or minute >= _MINUTES
        or wrong_day
        or wrong_month
        or (found.get("count") is not None and not count)
    ):
        raise ValueError(f"期限“{text}”里的数不对，请核对日期、钟点和天数")
    clock = time(hour, minute) if found.get("hour") is not None else LAST_SECOND
    return Rule(text, kind, count, month, clock, shift)


def _english(weekday: str) -> int:
    return [day.casefold() for day in ENGLISH_WEEKDAYS].index(weekday.casefold())


_ALLOWED: Final[dict[str, Sequence[str]]] = {
    "month_day": ("每月", "每季度", "每半年", "每年", "每半月", "每旬"),
    "month_end": ("每月", "每季度", "每半年", "每年"),
    "year_day": ("每年", "每半年"),
    "weekday": ("每周",),
    "next_day": ("每日",),
    "next_workday": ("每日",),
}


def fits(rule: Rule, frequency: str) -> bool:
    """Whether a deadline of this kind says anything about periods of this frequency."""
    if frequency in CONTINUOUS:
        return rule.kind in ("minutes", "hours") and rule.shift is None
    if rule.kind == "minutes":
        return False
    return frequency in _ALLOWED.get(rule.kind, (frequency,))


def whole_day(rule: Rule, period: Period, calendar: WorkingCalendar) -> Due:
    """When a day of a continuous promise is judged: when it is over."""
    last = period.ends - DAY
    text = rule.text
    steps = (f"{last} 全天：连续无应答和数据延迟都不超过“{text}”",)
    return Due(datetime.combine(last, LAST_SECOND, SHANGHAI), steps, calendar.verified(last))


def due(rule: Rule, period: Period, calendar: WorkingCalendar, grace: timedelta = timedelta()) -> Due:
    """When this period is due; grace comes on top and is said as a step of its own."""
    last = period.ends - DAY
    name = period.name
    steps = [f"{name} 止于 {last}"]
    asked = [last]
    if rule.kind in ("minutes", "hours"):
        moment = datetime.combine(period.ends, time(), SHANGHAI) + rule.span
    else:
        day = _day(rule, period, calendar)
        text, told = rule.text, _said(day, calendar)
        steps.append(f"按“{text}”是 {told}")
        asked.append(day)
        moved = _shifted(rule, day, calendar)
        if moved != day:
            told = _said(moved, calendar)
            steps.append(f"不是工作日，移到 {told}")
            asked.append(moved)
        moment = datetime.combine(moved, rule.clock, SHANGHAI)
    if grace:
        moment += grace
        days, until = f"{grace.total_seconds() / 86400:g}", f"{moment:%Y-%m-%d %H:%M}"
        steps.append(f"宽限 {days} 天，到 {until}")
    return Due(moment, tuple(steps), all(map(calendar.verified, asked)))


def _day(rule: Rule, period: Period, calendar: WorkingCalendar) -> date:
    last, following = period.ends - DAY, period.ends
    if rule.kind == "days":
        return last + timedelta(days=rule.count)
    if rule.kind == "workdays":
        return calendar.after(last, rule.count)
    if rule.kind == "next_day":
        return following
    if rule.kind == "next_workday":
        return calendar.on_or_after(following)
    if rule.kind == "weekday":
        return following + timedelta(days=rule.count)
    if rule.kind == "year_day":
        return _in_month(last.year + 1, rule.month, rule.count)
    next_month = last.month + 1
    year, month = (last.year + 1, 1) if next_month > _MONTHS else (last.year, next_month)
    return _in_month(year, month, rule.count if rule.kind == "month_day" else _LONGEST)


def _in_month(year: int, month: int, day: int) -> date:
    """This day of the month, or its last where it is shorter."""
    following = date(year + month // _MONTHS, month % _MONTHS + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day - 1), following - DAY)


def _shifted(rule: Rule, day: date, calendar: WorkingCalendar) -> date:
    if rule.shift == "later":
        return calendar.on_or_after(day)
    return calendar.on_or_before(day) if rule.shift == "earlier" else day


def _said(day: date, calendar: WorkingCalendar) -> str:
    """A day with what kind of day it is."""
    return f"{day}（上班）" if calendar.is_workday(day) else f"{day}（休息）"
