"""Keeps the ledger: opens periods, notes what satisfied them, and marks what was missed, once and for ever (DESIGN §5.5).

A period that was not complete when it was due is `missed`; data that comes after makes it `late` (补报), never `on_time`.
Dates of a period are fixed once it is due: neither a changed catalogue nor a back-fill repaints the past. Only what the
calendar did not know is compiled again when it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

import msgspec

from gateway.calendar import DAY, WorkingCalendar
from gateway.clock import SHANGHAI, Clock
from gateway.config import Config
from gateway.freshness.cadence import cadence, like, odd
from gateway.freshness.receipts import Receipt, continuous, dated
from gateway.promise import CONTINUOUS, Due, Period, Promise, due, period_of, whole_day
from gateway.store import Store, Tx

STEPS_BACK: Final = 400
"""Periods a new duty may find that are not due yet, e.g. days of a deadline a year away."""
COMPARED: Final = 60
CONFIG_ACTOR: Final = "system:config"
FAR_AHEAD: Final = "9999-12-31"


class Stated(msgspec.Struct, frozen=True):
    """A promise as it stood when its period was compiled, and the steps to its date."""

    frequency: str
    rule: str
    steps: tuple[str, ...]
    on_calendar: bool


@dataclass(frozen=True, slots=True)
class Compiled:
    """A period with its date."""

    period: Period
    due: Due
    stated: Stated

    @property
    def unverified(self) -> bool:
        """The date hangs on days that no calendar knows yet."""
        return self.stated.on_calendar and not self.due.verified


def compile_period(promise: Promise, period: Period, calendar: WorkingCalendar) -> Compiled:
    """When this period of a dated promise is due, and why then."""
    assert promise.rule is not None
    if promise.frequency in CONTINUOUS:
        when = whole_day(promise.rule, period, calendar)
    else:
        when = due(promise.rule, period, calendar, promise.grace)
    return Compiled(period, when, Stated(promise.frequency, promise.rule.text, when.steps, promise.rule.on_calendar))


def promises(config: Config) -> dict[tuple[str, str], Promise]:
    """Every duty there is: each dataset of the catalogue in each county of the configuration."""
    return {
        (county, dataset): entry.promise(dataset, county)
        for county in config.counties
        for dataset, entry in config.catalogue.items()
    }


class Keeper:
    """Carries the ledger forward. Safe to share between threads and processes: each duty moves in one transaction."""

    def __init__(self, store: Store, clock: Clock, config: Callable[[], Config]) -> None:
        self._store, self._clock, self._config = store, clock, config

    def keep(self, county: str, dataset: str) -> None:
        """Brings one duty up to now."""
        config = self._config()
        promise = promises(config).get((county, dataset))
        if promise is None or not promise.dated:
            return
        with self._store.write() as tx:
            feeds = tx.all("feeds_of_duty", county=county, dataset=dataset)
            if feeds:
                _Duty(tx, promise, config.calendar, feeds, self._clock.now()).keep()

    def keep_all(self, *, anew: bool = False) -> int:
        """Brings every duty up to now for which a moment has passed; answers how many.

        `anew`: all of them, because the catalogue or the calendar says something else.
        """
        config, now = self._config(), self._clock.now()
        with self._store.read() as tx:
            known = {(d.county, d.dataset): d for d in tx.all("duties")}
            feeds: dict[tuple[str, str], list[Any]] = {}
            for feed in tx.all("feeds"):
                feeds.setdefault((feed.county, feed.dataset), []).append(feed)
        moment, kept = now.isoformat(timespec="seconds"), 0
        for key, promise in promises(config).items():
            duty = known.get(key)
            waits = duty is not None and duty.touched_low is None and duty.next_at > moment
            if not promise.dated or key not in feeds or (waits and not anew):
                continue
            with self._store.write() as tx:
                _Duty(tx, promise, config.calendar, feeds[key], now).keep()
            kept += 1
        return kept


class _Duty:
    """One duty inside its transaction."""

    def __init__(
        self, tx: Tx, promise: Promise, calendar: WorkingCalendar, feeds: Sequence[Any], now: datetime
    ) -> None:
        self._tx, self._promise, self._calendar, self._feeds, self._now = tx, promise, calendar, feeds, now
        self._at = now.isoformat(timespec="seconds")
        self._daily = promise.frequency in (*CONTINUOUS, "每日")

    def keep(self) -> None:
        promise, tx = self._promise, self._tx
        tx.run("duty_add", county=promise.county, dataset=promise.dataset, since=self._at, frequency=promise.frequency)
        duty = tx.one("duty_get", county=promise.county, dataset=promise.dataset)
        assert duty is not None
        self._open(duty)
        touched = duty.touched_low is not None
        low, high = (_whole(duty.touched_low), _whole(duty.touched_high, after=True)) if touched else (FAR_AHEAD, "")
        rows = tx.all("obligations_to_judge", duty_id=duty.id, low=low, high=high)
        moments = [self._next_period(duty)]
        for row in rows:
            moments += self._judge(duty, self._firm(row))
        counts = {row.state: row.count for row in tx.all("duty_counts", duty_id=duty.id)}
        tx.run(
            "duty_kept",
            id=duty.id,
            frequency=promise.frequency,
            next_at=min(moments),
            cadence_d=self._cadence() if touched else duty.cadence_d,
            on_time=counts.get("on_time", 0),
            late=counts.get("late", 0),
            missed=counts.get("missed", 0),
        )

    def _open(self, duty: Any) -> None:
        """Rows for the periods that have begun."""
        today = self._now.date()
        if duty.frequency != self._promise.frequency:
            self._tx.run("obligations_unstarted", duty_id=duty.id, today=today.isoformat())
        newest = self._tx.one("obligation_newest", duty_id=duty.id)
        begin = date.fromisoformat(newest.ends) if newest else self._first(today)
        while begin <= today:
            period = period_of(self._promise.frequency, begin)
            self._add(duty, compile_period(self._promise, period, self._calendar))
            begin = period.ends

    def _first(self, today: date) -> date:
        """What was due before anybody kept the ledger is not held against the agency; what is still to come is."""
        period = period_of(self._promise.frequency, today)
        if self._promise.period_by == "as_of" or self._promise.frequency in CONTINUOUS:
            return period.starts  # how things stood before can be asked no more
        for _ in range(STEPS_BACK):
            before = period_of(self._promise.frequency, period.starts - DAY)
            if compile_period(self._promise, before, self._calendar).due.moment < self._now:
                break
            period = before
        return period.starts

    def _add(self, duty: Any, made: Compiled) -> None:
        period = made.period
        self._tx.run(
            "obligation_add",
            duty_id=duty.id,
            period=period.name,
            starts=period.starts.isoformat(),
            ends=period.ends.isoformat(),
            due_at=made.due.moment.isoformat(timespec="seconds"),
            promise=msgspec.json.encode(made.stated).decode(),
            unverified=int(made.unverified),
        )
        until = self._promise.waived_until
        if until is not None and period.starts <= until:
            row = self._tx.one("obligation_get", duty_id=duty.id, period=period.name)
            assert row is not None
            reason = self._promise.reason or ""
            self._tx.run("waiver_add", obligation_id=row.id, reason=reason, actor=CONFIG_ACTOR, at=self._at)

    def _firm(self, row: Any) -> Any:
        """A period whose date is not owed yet, or was never sure, follows the catalogue and the calendar."""
        stated = msgspec.json.decode(row.promise, type=Stated)
        loose = row.state == "open" and (row.unverified or row.due_at > self._at)
        if not loose or stated.frequency != self._promise.frequency:
            return row
        period = period_of(self._promise.frequency, date.fromisoformat(row.starts))
        made = compile_period(self._promise, period, self._calendar)
        changed = {
            "due_at": made.due.moment.isoformat(timespec="seconds"),
            "promise": msgspec.json.encode(made.stated).decode(),
            "unverified": int(made.unverified),
        }
        self._tx.run("obligation_due", id=row.id, **changed)
        return row._replace(**changed)

    def _judge(self, duty: Any, row: Any) -> list[str]:
        """Notes what came for a period and what that makes of it; answers the moments at which to look again."""
        stated = msgspec.json.decode(row.promise, type=Stated)
        period = period_of(stated.frequency, date.fromisoformat(row.starts))
        if stated.frequency in CONTINUOUS:
            receipt = continuous(self._tx, self._promise, self._feeds, period, self._at, duty.since)
        else:
            receipt = dated(self._tx, self._promise, self._feeds, period)
        state = self._state(row, receipt)
        passed = self._at > row.due_at
        given_up = state == "missed" and self._at > self._next_due(row, period)
        closed = passed and (state in ("on_time", "late") or given_up) and not row.unverified
        self._tx.run(
            "obligation_judged",
            id=row.id,
            state=state,
            closed=int(closed),
            first_at=receipt.first_at,
            complete_at=receipt.complete_at if state != "missed" else None,
            channel=receipt.channel,
            feed_id=receipt.feed_id,
            rows=receipt.rows,
            zero=receipt.zero,
            gap_s=receipt.gap_s,
            lag_s=receipt.lag_s,
            odd=self._odd(duty, row, receipt) if state in ("on_time", "late") else 0,
        )
        if closed:
            return []
        return [row.due_at if not passed else self._next_due(row, period) if state == "missed" else FAR_AHEAD]

    def _state(self, row: Any, receipt: Receipt) -> str:
        """Late stays late: from `missed` and `late` no way leads to `on_time`."""
        in_time = receipt.complete_at is not None and receipt.complete_at <= row.due_at and not receipt.breached
        if row.state in ("missed", "late"):
            return "late" if receipt.complete_at is not None else str(row.state)
        if row.unverified:
            return "open"
        if in_time and (not receipt.at_end or self._at > row.due_at):
            return "on_time"
        if self._at > row.due_at or receipt.breached:
            return "late" if receipt.complete_at is not None else "missed"
        return "open"

    def _next_due(self, row: Any, period: Period) -> str:
        """When the following period is due: what is still missing then is given up as missing."""
        following = period_of(self._promise.frequency, period.ends)
        made = compile_period(self._promise, following, self._calendar)
        return max(str(row.due_at), made.due.moment.isoformat(timespec="seconds"))

    def _next_period(self, duty: Any) -> str:
        newest = self._tx.one("obligation_newest", duty_id=duty.id)
        assert newest is not None
        return datetime.combine(date.fromisoformat(newest.ends), time(), SHANGHAI).isoformat(timespec="seconds")

    def _odd(self, duty: Any, row: Any, receipt: Receipt) -> int:
        rows = self._tx.all("obligations_rows", duty_id=duty.id, before=row.starts, count=COMPARED)
        days = [(date.fromisoformat(r.starts), int(r.rows)) for r in rows]
        others = like(date.fromisoformat(row.starts), days, self._calendar, daily=self._daily)
        return odd(receipt.rows, others)

    def _cadence(self) -> float | None:
        found = {
            row.day
            for feed in self._feeds
            for row in self._tx.all("contacts_with_news", feed_id=feed.id, count=COMPARED)
        }
        return cadence([date.fromisoformat(day) for day in sorted(found, reverse=True)])


def _whole(name: str, *, after: bool = False) -> str:
    """A name as a day: `2026` and `2026-10` begin on their first; `after` the day that follows all of it."""
    padded = name + "-12-31"[len(name) - 4 :] if after else name + "-01-01"[len(name) - 4 :]
    return padded + "~" if after else padded
