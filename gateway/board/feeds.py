"""Feeds as people steer them: the three clocks, when one is due next, how its last runs went, and a year of its promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from gateway.clock import Clock
from gateway.config import Config, Feed
from gateway.freshness import Ledger, PeriodLine, Standing
from gateway.freshness.arrivals import seconds_between
from gateway.scheduler import trigger_of
from gateway.scope import EVERYTHING, Scope
from gateway.store import Store, Tx

RUNS_DRAWN: Final = 60
DAYS_DRAWN: Final = 60


@dataclass(frozen=True, slots=True)
class FeedLine:
    """One feed as it stands. Times are ISO, Asia/Shanghai, on the business clock."""

    feed: str
    county: str
    dataset: str
    channel: str
    source: str
    adapter: str
    account: str
    agency: str
    state: str
    sentence: str | None
    owner: str | None
    action: str | None
    since: str | None
    contact_at: str | None
    as_of: str | None
    every: str
    """How often it is asked: a span or a cron expression, as its file says it."""
    off: bool
    """Its file says `paused`."""
    paused_at: str | None
    paused_by: str | None
    paused_for: str | None
    retired_at: str | None
    """Nothing is taken in by hand any more: since when, who decided it, why."""
    retired_by: str | None
    retired_for: str | None

    @property
    def shown(self) -> str:
        """Its state as lists show it: what is retired or paused says so, whatever its last run was."""
        if self.retired_at is not None:
            return "retired"
        return "paused" if self.off or self.paused_at is not None else self.state

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunPoint:
    """One run, as charts draw it."""

    run: int
    at: str
    seconds: int
    fetched: int
    news: int
    quarantined: int
    state: str


@dataclass(frozen=True, slots=True)
class DayPoint:
    """One day of a feed: what its source gave, how often it answered and did not."""

    day: str
    news: int
    answers: int
    failures: int


@dataclass(frozen=True, slots=True)
class FeedView:
    """Everything of one feed."""

    line: FeedLine
    standing: Standing
    confirmed_at: str | None
    """When the newest statement of its stream was confirmed on a chain."""
    waiting: int
    """Statements that are not sealed into a batch yet."""
    next_due: str | None
    """None: it is paused or retired, or its file says so."""
    runs: tuple[RunPoint, ...]
    """The last ones, oldest first."""
    days: tuple[DayPoint, ...]
    """Oldest first; days without a contact are left out."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def feed_lines(store: Store, config: Config, within: Scope) -> list[FeedLine]:
    """Every feed of the configuration that lies within, by name."""
    with store.read() as tx:
        rows = [row for row in tx.all("feeds") if row.name in config.feeds and within.sees(row.county, row.dataset)]
    return [_line(row, config.feeds[row.name]) for row in rows]


def feed_view(store: Store, clock: Clock, ledger: Ledger, feed: Feed) -> FeedView:
    """One feed of the configuration."""
    (standing,) = ledger.standings(EVERYTHING, feed.county.code, feed.dataset)
    first = (clock.today() - timedelta(days=DAYS_DRAWN)).isoformat()
    with store.read() as tx:
        row = tx.one("feed_by_name", name=feed.name)
        assert row is not None
        stream = tx.one("stream_counters", id=row.stream_id)
        assert stream is not None
        confirmed = [found.confirmed_at for found in tx.all("streams_confirmed", stream_id=row.stream_id)]
        runs = tx.all("runs_of_feed", feed=feed.name, count=RUNS_DRAWN)
        days = tx.all("contacts_since", feed_id=row.id, day=first)
        due = _next_due(tx, clock, feed, row)
    return FeedView(
        line=_line(row, feed),
        standing=standing,
        confirmed_at=max((at for at in confirmed if at), default=None),
        waiting=int(stream.next_seq - stream.sealed_seq),
        next_due=due,
        runs=tuple(_point(run) for run in reversed(runs) if run.started_at and run.finished_at),
        days=tuple(DayPoint(d.day, int(d.news), int(d.answers), int(d.failures)) for d in days),
    )


def _line(row: Any, feed: Feed) -> FeedLine:
    model = feed.model
    return FeedLine(
        feed=feed.name,
        county=feed.county.code,
        dataset=feed.dataset,
        channel=feed.channel,
        source=model.source,
        adapter=feed.source.adapter,
        account=feed.source.account,
        agency=feed.entry.promise(feed.dataset, feed.county.code).agency,
        state=row.state,
        sentence=row.sentence,
        owner=row.owner,
        action=row.action,
        since=row.since,
        contact_at=row.contact_at,
        as_of=row.as_of,
        every=_span(model.poll) if model.poll is not None else str(model.cron),
        off=model.paused,
        paused_at=row.paused_at,
        paused_by=row.paused_by,
        paused_for=row.paused_for,
        retired_at=row.retired_at,
        retired_by=row.retired_by,
        retired_for=row.retired_for,
    )


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _next_due(tx: Tx, clock: Clock, feed: Feed, row: Any) -> str | None:
    """Slots are planned in real time; people read business time. A slot that has passed is due now."""
    if feed.model.paused or row.paused_at is not None or row.retired_at is not None:
        return None
    now = clock.real()
    last = tx.one("run_scheduled_last", feed_id=row.id)
    if feed.model.poll is not None:
        due = datetime.fromisoformat(last.due_at) + feed.model.poll if last is not None else now
    else:
        due = trigger_of(feed).get_next_fire_time(None, now) or now
    return (clock.now() + max(due - now, timedelta())).isoformat(timespec="seconds")


def _point(run: Any) -> RunPoint:
    return RunPoint(
        run=run.id,
        at=run.started_at,
        seconds=seconds_between(run.started_at, run.finished_at),
        fetched=int(run.fetched),
        news=int(run.puts + run.gone),
        quarantined=int(run.quarantined),
        state=run.state,
    )


@dataclass(frozen=True, slots=True)
class Square:
    """One period in the picture of a year; `week` and `weekday` (0 is Monday) place the days of a daily promise."""

    line: PeriodLine
    week: int
    weekday: int


@dataclass(frozen=True, slots=True)
class Year:
    """A year of a promise as squares: a square a day where days are owed, else a square a period."""

    year: int
    daily: bool
    squares: tuple[Square, ...]
    months: tuple[tuple[int, int], ...]
    """The week in which each month begins, and which month it is."""
    years: tuple[int, ...]
    """Years of which the ledger holds periods."""


def year_of(ledger: Ledger, clock: Clock, standing: Standing, year: int = 0) -> Year:
    """The periods of one duty that begin in a year; of this year, where none is named."""
    year = year or clock.today().year
    lines = ledger.periods(standing.county, standing.dataset, f"{year}-01-01", f"{year + 1}-01-01")
    monday = _monday(date(year, 1, 1))
    squares = [_square(line, monday) for line in lines]
    first = ledger.since(standing.county, standing.dataset)
    years = range(int(first[:4]) if first else year, max(clock.today().year, year) + 1)
    months = tuple(((date(year, month, 1) - monday).days // 7, month) for month in range(1, 13))
    return Year(year, _daily(lines), tuple(squares), months, tuple(years))


def _square(line: PeriodLine, monday: date) -> Square:
    begins = date.fromisoformat(line.starts)
    return Square(line, (begins - monday).days // 7, begins.weekday())


def _daily(lines: Sequence[PeriodLine]) -> bool:
    day = timedelta(days=1)
    return any(date.fromisoformat(p.ends) - date.fromisoformat(p.starts) == day for p in lines)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
