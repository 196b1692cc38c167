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
_FIRES: Final = 400


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
    longest = _longest_gap(feed)
    closed = _closed(window)
    if promise.frequency in CONTINUOUS:
        limit = promise.rule.span + promise.grace
    else:
        period = period_of(promise.frequency, _SAMPLE)
        limit = due(promise.rule, period, calendar, promise.grace).moment - datetime.combine(
            period.ends, datetime.min.time(), SHANGHAI
        )
    rule, frequency, longest_told, closed_told = promise.rule.text, promise.frequency, _told(longest), _told(closed)
    if longest is not None and longest > limit:
        yield f"两次采集最长相隔 {longest_told}，而“{frequency}”的期限是“{rule}”：按时也看不到"
    elif closed > limit:
        yield f"账号只在 {window} 可以调用，每天停 {closed_told}，而“{frequency}”的期限是“{rule}”：按时也看不到"
    if feed.paused:
        yield f"任务已暂停，而“{frequency}”的数据到期仍会记为逾期"


def _longest_gap(feed: FeedModel) -> timedelta | None:
    if feed.poll is not None:
        return feed.poll
    if feed.cron is None:
        return None
    trigger = cron_trigger(feed.cron)
    fires = [datetime.combine(_SAMPLE, datetime.min.time(), SHANGHAI)]
    for _ in range(_FIRES):
        following = trigger.get_next_fire_time(None, fires[-1] + timedelta(seconds=1))
        if following is None:
            return timedelta.max
        fires.append(following)
        if following - fires[0] > timedelta(days=800):
            break
    return max(b - a for a, b in pairwise(fires))


def _closed(window: str | None) -> timedelta:
    """How long a day the account must not be called."""
    if window is None:
        return timedelta()
    opens, closes = (timedelta(hours=int(t[:2]), minutes=int(t[3:])) for t in window.split("-"))
    open_for = (closes - opens) % timedelta(days=1)
    return timedelta(days=1) - open_for if open_for else timedelta()


def _told(span: timedelta | None) -> str:
    hours = span.total_seconds() / 3600 if span is not None else 0
    days, whole = f"{hours / 24:g}", f"{hours:g}"
    return f"{days} 天" if hours >= 48 and hours % 24 == 0 else f"{whole} 小时"
