"""What came, by the period its own dates name: derived from committed versions by a reader with its own cursor (ADR 0012).

The page's transaction writes only what it alone knows without a key (`segment.periods`). At the end of a run, the segments
behind `stream.counted_seq` are read, and the transaction that ends the run adds what they held and moves the cursor: nothing
is counted twice or left out, wherever a process stops.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from gateway.clock import SHANGHAI
from gateway.store import Store, Tx
from gateway.store.segments import Tally, tallies

SEGMENTS: Final = 32
"""Read at a time: memory stays flat however much came."""
KEPT_BY_DAY: Final = timedelta(days=800)
"""Older days are kept by month: nobody owes them any more, and a first load brings decades."""
LAGS_OF: Final = timedelta(days=3)
"""Rows dated further back than that say nothing about how fast rows come: they are a back-fill."""
LAG_EDGES: Final = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 57600, 86400, 172800)
"""Upper bounds in seconds; what is later still is in a bucket of its own."""
_DAY: Final = 10
_MONTH: Final = 7


@dataclass(slots=True)
class Arrived:
    """Versions that count for one name."""

    rows: int = 0
    first_at: str = ""
    last_at: str = ""
    lags: list[int] | None = None

    def add(self, rows: int, at: str) -> None:
        self.rows += rows
        self.first_at = min(self.first_at or at, at)
        self.last_at = max(self.last_at, at)


@dataclass(slots=True)
class Counted:
    """What the segments of one feed held, from `was` to `last`."""

    was: int
    last: int
    arrived: dict[str, Arrived] = field(default_factory=dict)
    news: int = 0

    @property
    def span(self) -> tuple[str, str] | None:
        """The lowest and the highest name that something came for."""
        return (min(self.arrived), max(self.arrived)) if self.arrived else None


def count_arrivals(store: Store, stream_id: int, *, dated_by_field: bool) -> Counted:
    """Reads what no run has counted yet; writes nothing."""
    with store.read() as tx:
        stream = tx.one("stream_counter", id=stream_id)
        assert stream is not None
        counted = Counted(stream.counted_seq, stream.counted_seq)
        while True:
            found = list(tallies(tx, stream_id, counted.last, SEGMENTS))
            for tally in found:
                _add(counted, tally, dated_by_field)
            if len(found) < SEGMENTS:
                return counted


def _add(counted: Counted, tally: Tally, dated_by_field: bool) -> None:
    counted.last = tally.last
    counted.news += tally.puts + tally.gone
    if dated_by_field:
        names: Counter[str] = Counter(tally.periods)
    else:
        names = Counter(time[:_DAY] for time in tally.times)
        if undated := tally.puts - len(tally.times):
            names[tally.at[:_DAY]] += undated
    committed = datetime.fromisoformat(tally.at)
    oldest = (committed - KEPT_BY_DAY).date().isoformat()
    for name, rows in names.items():
        kept = name[:_MONTH] if name < oldest else name
        counted.arrived.setdefault(kept, Arrived()).add(rows, tally.at)
    recent = (committed - LAGS_OF).date().isoformat()
    for time in tally.times:
        if time[:_DAY] >= recent and len(time) > _DAY and (arrived := counted.arrived.get(time[:_DAY])) is not None:
            lag = (committed - datetime.fromisoformat(time).replace(tzinfo=SHANGHAI)).total_seconds()
            arrived.lags = arrived.lags or [0] * (len(LAG_EDGES) + 1)
            arrived.lags[sum(lag > edge for edge in LAG_EDGES)] += 1


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as far as promises are concerned. Times are business time."""

    at: str
    started_at: str
    answered: bool
    """The source itself gave at least one answer; a replay never does."""
    done: bool
    whole: bool = False
    """A live source was read to the end that it declared: what was not in the answer is not there now."""
    zero: bool = False
    """The source itself said that there is nothing (DESIGN §5.3)."""
    doubt: str | None = None
    """`unverified` or `suspicious`: nothing came, and the source did not say so."""


def close_run(tx: Tx, feed: Any, counted: Counted, ending: Ending) -> None:
    """Adds what a run brought, inside the transaction that ends it, under the feed's lease.

    Its duty is to be judged anew for the days its rows name, and all since the source was last read to the end.
    """
    before = tx.one("contact_done_before", feed_id=feed.id)
    if counted.last != counted.was and tx.run("stream_counted", id=feed.stream_id, was=counted.was, last=counted.last):
        for name, arrived in counted.arrived.items():
            kept = tx.one("arrival_get", feed_id=feed.id, period=name)
            lags = _together(kept.lags if kept else None, arrived.lags)
            tx.run(
                "arrival_add",
                feed_id=feed.id,
                period=name,
                rows=arrived.rows,
                first_at=arrived.first_at,
                last_at=arrived.last_at,
                lags=lags,
            )
    if ending.done:
        tx.run("arrivals_complete", feed_id=feed.id, at=ending.at)
    tx.run(
        "contact_add",
        feed_id=feed.id,
        day=ending.at[:_DAY],
        answers=int(ending.answered),
        failures=int(not ending.done),
        news=counted.news,
        gap_s=_gap(tx, feed.id, ending),
        last_at=ending.at if ending.answered else None,
        done_at=ending.at if ending.done and ending.answered else None,
        whole_at=ending.at if ending.whole else None,
        zero_at=ending.at if ending.zero else None,
        doubt=ending.doubt,
    )
    names = list(counted.span or ())
    if ending.done:
        names += [before.day if before and before.day else "", ending.at[:_DAY]]
    if names:
        tx.run("duty_touched", county=feed.county, dataset=feed.dataset, low=min(names), high=max(names))


def _gap(tx: Tx, feed_id: int, ending: Ending) -> int:
    """Seconds since the source answered before."""
    before = tx.one("contact_before", feed_id=feed_id, day=ending.at[:_DAY])
    return seconds_between(before.last_at, ending.started_at) if before and ending.answered else 0


def seconds_between(earlier: str, later: str) -> int:
    """Whole seconds from one moment to another; 0 where they lie the other way round."""
    return max(0, int((datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()))


def _together(kept: bytes | None, came: list[int] | None) -> bytes | None:
    if came is None:
        return kept
    before = msgspec.msgpack.decode(kept, type=list[int]) if kept else [0] * len(came)
    return msgspec.msgpack.encode([a + b for a, b in zip(before, came, strict=True)])


def p95(lags: bytes | None) -> int | None:
    """The upper bound in seconds below which 95 % of the rows came; None where no row says."""
    counts = msgspec.msgpack.decode(lags, type=list[int]) if lags else []
    total, met = sum(counts), 0
    for edge, count in zip((*LAG_EDGES, 10 * LAG_EDGES[-1]), counts, strict=False):
        met += count
        if total and met * 100 >= total * 95:
            return edge
    return None
