"""What satisfied a period, if anything did: the best of the feeds that may, whichever channel they are.

A row counts for the period its own date names, never for the day on which it came. How a period is known to be complete
depends on what dates it:

* a *named* period (a month or year field): its rows came, and the run that brought them ended well;
* an *event date*: besides, a run ended well after the period was over, for until then more may happen;
* *as-of*: a row's source time, or a live source read whole, lies within the period.

Nothing at all is a receipt only where the source said so (DESIGN §5.3): a confirmed zero of the following period for a named
one, a whole reading after its end for events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from gateway.freshness.arrivals import p95, seconds_between
from gateway.promise import Period, Promise, period_of
from gateway.store import Tx
from schemas import DATASETS

NOTHING: Final = 0
CONFIRMED_EMPTY: Final = 1
DOUBTED_EMPTY: Final = 2
_LATEST: Final = "9999"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one feed did for one period."""

    first_at: str | None = None
    complete_at: str | None = None
    channel: str | None = None
    feed_id: int | None = None
    rows: int = 0
    zero: int = NOTHING
    """NOTHING, or how an emptiness is to be read."""
    gap_s: int | None = None
    lag_s: int | None = None
    breached: bool = False
    """Of a continuous promise: nobody answered for too long, or rows came too late. That stands, whatever follows."""
    at_end: bool = False
    """It can only be judged when the period is over."""


def dated(tx: Tx, promise: Promise, feeds: Sequence[Any], period: Period) -> Receipt:
    """The earliest complete receipt; else the most that came."""
    found = [_of_feed(tx, promise, feed, period) for feed in feeds]
    whole = [r for r in found if r.complete_at is not None]
    # a zero that another channel's rows contradict was none
    filled = [r for r in whole if r.rows] or whole
    if filled:
        return min(filled, key=lambda r: str(r.complete_at))
    return max(found, key=lambda r: (r.rows, r.zero))


def _of_feed(tx: Tx, promise: Promise, feed: Any, period: Period) -> Receipt:
    came = tx.one("arrivals_between", feed_id=feed.id, low=period.low, high=period.high)
    assert came is not None
    found = Receipt(channel=feed.channel, feed_id=feed.id, rows=int(came.rows), first_at=came.first_at)
    ends = period.ends.isoformat()
    if promise.period_by == "as_of":
        during = tx.one("contact_first", feed_id=feed.id, low=period.starts.isoformat(), high=ends)
        assert during is not None
        moments = [m for m in (came.complete_at, during.whole_at, during.zero_at) if m is not None]
        complete = min(moments, default=None)
        zero = CONFIRMED_EMPTY if complete and not found.rows and during.zero_at else NOTHING
        first = found.first_at or complete
        return _doubted(tx, feed, period, replace(found, first_at=first, complete_at=complete, zero=zero))
    named = DATASETS[promise.dataset].fields[promise.period_by].kind in ("month", "year")
    following = period_of(promise.frequency, period.ends).ends.isoformat() if named else _LATEST
    after = tx.one("contact_first", feed_id=feed.id, low=ends, high=following)
    assert after is not None
    if found.rows:
        complete = came.complete_at
        if complete is not None and not named and complete < ends:
            complete = after.done_at
        return replace(found, complete_at=complete)
    told = after.zero_at if named else min(filter(None, (after.whole_at, after.zero_at)), default=None)
    if told is not None:
        return replace(found, first_at=told, complete_at=told, zero=CONFIRMED_EMPTY)
    return _doubted(tx, feed, period, found)


def _doubted(tx: Tx, feed: Any, period: Period, found: Receipt) -> Receipt:
    """Marks an emptiness that nobody confirmed, where that is all that came."""
    if found.complete_at is not None or found.rows:
        return found
    last = tx.one("contact_before", feed_id=feed.id, day=_LATEST)
    doubted = last is not None and last.doubt is not None and last.last_at >= period.starts.isoformat()
    return replace(found, zero=DOUBTED_EMPTY) if doubted else found


def continuous(tx: Tx, promise: Promise, feeds: Sequence[Any], period: Period, now: str, since: str) -> Receipt:
    """A day of a real-time promise, as the best of its feeds kept it (DESIGN §9)."""
    found = [_day_of_feed(tx, promise, feed, period, now, since) for feed in feeds]
    return min(found, key=lambda r: (r.breached, r.gap_s))


def _day_of_feed(tx: Tx, promise: Promise, feed: Any, period: Period, now: str, since: str) -> Receipt:
    assert promise.rule is not None
    day, ends = period.starts.isoformat(), period.ends.isoformat()
    limit = int((promise.rule.span + promise.grace).total_seconds())
    over = now >= ends
    until = f"{ends}T00:00:00{now[19:]}" if over else now
    own = tx.one("contact_of", feed_id=feed.id, day=day)
    before = tx.one("contact_before", feed_id=feed.id, day=day)
    began = max(since, f"{day}T00:00:00{now[19:]}") if before is None else str(before.last_at)
    own_gap = int(own.gap_s) if own is not None else 0
    trailing = seconds_between(began, until)
    arrival = tx.one("arrival_get", feed_id=feed.id, period=day)
    lag = p95(arrival.lags) if arrival else None
    rows = int(arrival.rows) if arrival else 0
    silent = promise.heartbeat and over and not rows
    slow = lag is not None and lag > limit
    breached = max(own_gap, trailing) > limit or (over and slow) or silent
    complete = own.last_at if own is not None else None
    if breached:
        complete = _recovered(tx, feed, period, own if trailing <= limit else None, now)
    return Receipt(
        first_at=arrival.first_at if arrival else None,
        complete_at=complete,
        channel=feed.channel,
        feed_id=feed.id,
        rows=rows,
        gap_s=max(own_gap, trailing),
        lag_s=lag,
        breached=breached,
        at_end=True,
    )


def _recovered(tx: Tx, feed: Any, period: Period, own: Any, now: str) -> str | None:
    """When the source answered again, on the day itself or after it."""
    if own is not None and own.last_at is not None:
        return str(own.last_at)
    tomorrow = date.fromisoformat(period.ends.isoformat()).isoformat()
    after = tx.one("contact_first", feed_id=feed.id, low=tomorrow, high=_LATEST)
    assert after is not None
    return str(after.done_at) if after.done_at is not None and after.done_at <= now else None
