"""What a catalogue may promise, and which promises the way we ask makes impossible (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from gateway.calendar import WorkingCalendar
from gateway.clock import SHANGHAI
from gateway.config.cron import cron_trigger
from gateway.config.models import CatalogueEntry, CatalogueFile, ExceptionModel, FeedModel
from gateway.config.positions import Document
from gateway.promise import CONTINUOUS, DATED, Promise, due, fits, period_of, precision
from schemas import DATASETS

DATES: Final = {"date": "day", "date_ahead": "day", "month": "month", "year": "year"}
"""Kinds of fields that can name a period -> how finely they do."""
_FINENESS: Final = ("year", "month", "day")
_SAMPLE: Final = date(2026, 1, 1)
_FIRES: Final = 60
_PERIODS: Final = 12


def check_duties(doc: Document, parsed: CatalogueFile) -> None:
    """Reports deadlines that say nothing about their frequency, and periods that no field can name."""
    for name, entry in parsed.datasets.items():
        where = ("datasets", name)
        _check(doc, where, entry, entry.promise(name, ""))
        for county, own in entry.counties.items():
            _check(doc, (*where, "counties", county), own, entry.promise(name, county))
            if own.waived_until is not None and not own.reason:
                doc.report((*where, "counties", county, "waived_until"), "豁免要写明原因：请加上 reason", key=True)


def _check(doc: Document, where: tuple[str, ...], said: CatalogueEntry | ExceptionModel, promise: Promise) -> None:
    frequency = promise.frequency
    if said.deadline is not None and frequency not in DATED:
        doc.report((*where, "deadline"), f"更新周期是“{frequency}”，没有期限可言，请删去 deadline")
    elif promise.rule is not None and not fits(promise.rule, frequency):
        rule = promise.rule.text
        doc.report((*where, "deadline"), f"期限“{rule}”不适用于更新周期“{frequency}”，请换一种写法")
    if said.period_by is not None or isinstance(said, CatalogueEntry) or said.update_frequency is not None:
        _check_period(doc, where, promise)


def _check_period(doc: Document, where: tuple[str, ...], promise: Promise) -> None:
    if promise.period_by == "as_of" or promise.frequency not in DATED or promise.frequency in CONTINUOUS:
        return
    fields = {path: spec for path, spec in DATASETS[promise.dataset].fields.items() if spec.kind in DATES}
    name, spec = promise.period_by, fields.get(promise.period_by)
    if spec is None or spec.part is not None:
        allowed = "、".join(["as_of", *(path for path, other in fields.items() if other.part is None)])
        doc.report((*where, "period_by"), f"{name} 不能指明所属周期。可用的有：{allowed}")
    elif _FINENESS.index(DATES[spec.kind]) < _FINENESS.index(precision(promise.frequency)):
        frequency = promise.frequency
        doc.report((*where, "period_by"), f"{name} 分不出“{frequency}”的各期，请换一个字段或改用 as_of")


def impossible(promise: Promise, feed: FeedModel, window: str | None, calendar: WorkingCalendar) -> Iterator[str]:
    """Sentences about a promise that can never be seen kept, the way this feed asks."""
    if promise.rule is None:
        return
    rule, frequency = promise.rule.text, promise.frequency
    given, waits = _spans(promise, feed, calendar)
    if any(wait > limit for wait, limit in zip(waits, given, strict=True)):
        longest = _told(max(waits))
        yield f"最长要等{longest}才采集一次，而“{frequency}”的期限是“{rule}”：按时也看不到"
    elif window is not None and (closed := _closed(window, promise)) > min(given):
        told = _told(closed)
        yield f"账号只在 {window} 可以调用，要等 {told}，而“{frequency}”的期限是“{rule}”：按时也看不到"
    if feed.paused:
        yield f"任务已暂停，而“{frequency}”的数据到期仍会记为逾期"


def _spans(promise: Promise, feed: FeedModel, calendar: WorkingCalendar) -> tuple[list[timedelta], list[timedelta]]:
    """For some periods, how long after its end each is due, and how long after it we ask."""
    assert promise.rule is not None
    if promise.frequency in CONTINUOUS:
        fires = _fires(feed, _midnight(_SAMPLE), _FIRES)
        waits = [b - a for a, b in pairwise(fires)] or [feed.poll or timedelta()]
        return [promise.rule.span + promise.grace] * len(waits), waits
    period, given, waits = period_of(promise.frequency, _SAMPLE), [], []
    for _ in range(_PERIODS):
        ends = _midnight(period.ends)
        given.append(due(promise.rule, period, calendar, promise.grace).moment - ends)
        asked = _fires(feed, ends, 1)
        waits.append(asked[0] - ends if asked else feed.poll or timedelta())
        period = period_of(promise.frequency, period.ends)
    return given, waits


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), SHANGHAI)


def _fires(feed: FeedModel, after: datetime, count: int) -> list[datetime]:
    """The next moments at which a cron feed asks; none where it is polled."""
    trigger, out = cron_trigger(feed.cron) if feed.cron is not None else None, [after]
    while trigger is not None and len(out) <= count:
        following = trigger.get_next_fire_time(None, out[-1] + timedelta(seconds=1))
        if following is None:
            break
        out.append(following)
    return out[1:]


def _closed(window: str, promise: Promise) -> timedelta:
    """How long a day the account must not be called; of a dated promise, how long after midnight."""
    opens, closes = (timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in window.split("-"))
    if promise.frequency in CONTINUOUS:
        return (opens - closes) % timedelta(days=1)
    return timedelta() if closes < opens else opens


def _told(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    days, whole = f"{hours / 24:g}", f"{hours:g}"
    return f"{days} 天" if hours >= 48 and hours % 24 == 0 else f"{whole} 小时"
