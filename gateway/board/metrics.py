"""Figures for Prometheus, read from the store when they are asked for; names, codes and counts only.

Counters begin with the store, not with a process, so that a restart loses nothing. Times are POSIX seconds of the clock that
took them: contact, as-of and confirmed are business time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.accounts import account_states
from gateway.clock import SHANGHAI, Clock
from gateway.config import Config
from gateway.freshness import Ledger, verdicts
from gateway.scope import Scope
from gateway.status import FeedStatus, SinkStatus, feed_statuses, shares, sink_statuses
from gateway.store import Store

PREFIX: Final = "shuqiao"
_OUTCOMES: Final = ("fetched", "accepted", "repaired", "quarantined")
_CLOCKS: Final = ("contact", "as_of", "confirmed")


class Metrics(Collector):
    """What lies within a scope, as families of metrics; what is of no one county is told to those only who see everything."""

    def __init__(self, store: Store, clock: Clock, config: Config, ledger: Ledger, within: Scope) -> None:
        self._store, self._clock, self._config, self._ledger, self._within = store, clock, config, ledger, within

    def text(self) -> bytes:
        """The exposition, in Prometheus' text format."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def describe(self) -> list[Metric]:
        """Nothing: what there is shows when it is collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        feeds = feed_statuses(self._store, self._within)
        yield from _feeds(feeds)
        told = [((s.county, s.dataset), s.manual) for s in shares(feeds) if s.manual is not None]
        yield _gauge("manual_share", "Part of the records that comes by hand", ("county", "dataset"), told)
        yield from self._verdicts()
        yield from self._quarantine()
        if self._within.everything:
            sinks = self._config.gateway.sinks if self._config.gateway else ()
            yield from _sinks(sink_statuses(self._store, sinks), self._clock.now())
            yield from self._house()

    def _verdicts(self) -> Iterator[Metric]:
        standings = self._ledger.standings(self._within)
        yield _gauge(
            "duty_verdict",
            "1 for the verdict on each duty's period that needs most",
            ("county", "dataset", "verdict", "owner"),
            [((s.county, s.dataset, s.code, s.owner or ""), 1) for s in standings],
        )
        found = verdicts(self._store, self._clock, self._config, standings, self._within)
        count = Counter((v.kind, v.code, v.owner) for v in found if v.owner is not None)
        yield _gauge(
            "verdicts", "Verdicts that need somebody", ("kind", "verdict", "owner"), [(k, n) for k, n in count.items()]
        )

    def _quarantine(self) -> Iterator[Metric]:
        with self._store.read() as tx:
            rows = [row for row in tx.all("quarantine_causes") if self._within.sees(row.county, row.dataset)]
        open_ = Counter[tuple[str, str]]()
        for row in rows:
            open_[row.feed, row.reason] += row.rows
        yield _gauge("quarantine_open", "Rejected items that nobody settled", ("feed", "reason"), open_.items())

    def _house(self) -> Iterator[Metric]:
        with self._store.read() as tx:
            accounts = account_states(tx)
            runs = Counter(row.state for row in tx.all("runs_waiting"))
            alerts = Counter(row.owner for row in tx.all("alerts_open"))
            inboxes = tx.all("inboxes")
            stuck = [((row.channel,), row.waiting) for row in tx.all("alert_notices_stuck", attempts=1)]
        states = [((state,), runs[state]) for state in ("queued", "running")]
        yield _gauge("runs", "Runs that have not ended, by state", ("state",), states)
        yield _gauge(
            "alerts_open", "Open alerts, by whose move it is", ("owner",), [((o,), n) for o, n in alerts.items()]
        )
        yield _gauge("alerts_undelivered", "Notices that a channel did not take yet", ("channel",), stuck)
        calls = [((name,), state.day_calls) for name, state in accounts.items()]
        yield _gauge("account_calls_today", "Calls of an account on its present day", ("account",), calls)
        stopped = [((name,), int(state.stopped is not None)) for name, state in accounts.items()]
        yield _gauge(
            "account_stopped", "1 where a person must act before an account is used again", ("account",), stopped
        )
        waiting = [((row.feed,), row.waiting_rows) for row in inboxes]
        yield _gauge("inbox_waiting_rows", "Rows that were pushed and are on no committed page yet", ("feed",), waiting)


def _feeds(feeds: Sequence[FeedStatus]) -> Iterator[Metric]:
    rows = CounterMetricFamily(
        f"{PREFIX}_feed_items",
        "Items of a feed over all runs, by what became of them",
        labels=("feed", "channel", "outcome"),
    )
    for feed in feeds:
        for outcome in _OUTCOMES:
            rows.add_metric((feed.feed, feed.channel, outcome), getattr(feed, outcome))
    yield rows
    versions = CounterMetricFamily(
        f"{PREFIX}_feed_versions", "Versions made of a feed's observations", labels=("feed",)
    )
    confirmed = CounterMetricFamily(
        f"{PREFIX}_feed_confirmed", "Versions of a feed confirmed by a sink", labels=("feed", "sink")
    )
    for feed in feeds:
        versions.add_metric((feed.feed,), feed.versions)
        for sink, count in feed.confirmed.items():
            confirmed.add_metric((feed.feed, sink), count)
    yield versions
    yield confirmed
    yield _gauge(
        "feed_state",
        "1 for the state a feed is in",
        ("feed", "state", "owner"),
        [((f.feed, f.state, f.owner or ""), 1) for f in feeds],
    )
    for clock in _CLOCKS:
        told = [((f.feed,), at) for f in feeds if (at := _seconds(getattr(f, _FIELDS[clock]))) is not None]
        yield _gauge(f"feed_{clock}_timestamp_seconds", f"When a feed was last {_MEANING[clock]}", ("feed",), told)


_FIELDS: Final = {"contact": "contact_at", "as_of": "as_of", "confirmed": "confirmed_at"}
_MEANING: Final = {
    "contact": "answered by its source",
    "as_of": "current at its agency",
    "confirmed": "confirmed on a chain",
}


def _sinks(sinks: Sequence[SinkStatus], now: datetime) -> Iterator[Metric]:
    def each(name: str, help_: str, value: Callable[[SinkStatus], float | None]) -> Metric:
        told = [((s.sink,), found) for s in sinks if (found := value(s)) is not None]
        return _gauge(f"sink_{name}", help_, ("sink",), told)

    def age(sink: SinkStatus) -> float:
        since = _seconds(sink.unconfirmed_since)
        return 0.0 if since is None else max(0.0, now.timestamp() - since)

    yield each("lag_batches", "Sealed batches that a sink lacks", lambda s: s.lag_batches)
    yield each("lag_statements", "Statements of the batches that a sink lacks", lambda s: s.lag_statements)
    yield each("unconfirmed_age_seconds", "Age of the oldest batch that a sink lacks", age)
    yield each("block", "Newest block seen", lambda s: s.tip)
    yield each("nonce", "Next number of the sender's lane", lambda s: s.nonce)
    yield each("in_flight", "Transactions signed and in no final block", lambda s: s.in_flight)
    yield each("balance_wei", "What the sender has", lambda s: None if s.balance is None else float(s.balance))


def _gauge(
    name: str, help_: str, labels: Sequence[str], told: Iterable[tuple[Sequence[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}_{name}", help_, labels=labels)
    for values, value in told:
        family.add_metric(values, value)
    return family


def _seconds(moment: str | None) -> float | None:
    """Of a moment as the store has it; a source's own time without a zone is Asia/Shanghai."""
    if moment is None:
        return None
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).timestamp()
