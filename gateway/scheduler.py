"""When feeds are due. APScheduler decides only that: it inserts a unique run slot and hands it to dispatch (DESIGN §7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from gateway.clock import SHANGHAI, Clock
from gateway.config import Feed, cron_trigger
from gateway.dispatch import Dispatcher, Queued
from gateway.dispatch.execute import RunOptions, queue_run
from gateway.store import Store

log = structlog.get_logger(__name__)

REAP_SECONDS: Final = 5
KEEP_SECONDS: Final = 30
TELL_SECONDS: Final = 30
"""How often verdicts become alerts; nobody is told of what has not stood for a while."""
DUE: Final = "due"
"""Threads of their own for what falls due: a thousand feeds at one second do not keep the ticks waiting."""
FOLDER_SECONDS: Final = 5
"""How often watched folders are looked at."""
QUEUE_SECONDS: Final = 0.5
"""How soon a run is begun that another process queued: what is pushed is to be a version within a second or two."""


class Scheduler:
    """The due slots of a set of feeds, a reaper for orphaned runs, and steady ticks for the forwarder and the ledger."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        dispatcher: Dispatcher,
        feeds: Callable[[], Mapping[str, Feed]],
        forward: Callable[[], object],
        keep: Callable[[], object],
        tell: Callable[[], object],
        take_in: Callable[[], object],
        refresh: Callable[[], bool] = lambda: False,
        forward_seconds: float = 2,
    ) -> None:
        self._store, self._clock, self._dispatcher = store, clock, dispatcher
        self._feeds, self._forward, self._keep, self._tell, self._take_in = feeds, forward, keep, tell, take_in
        self._refresh = refresh
        self._planned: dict[str, tuple[object, object]] = {}
        """Feed -> when it is asked, of those that are."""
        self._engine = BackgroundScheduler(
            timezone=SHANGHAI,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            executors={
                "default": {"type": "threadpool", "max_workers": 8},
                DUE: {"type": "threadpool", "max_workers": 2},
            },
        )
        self._forward_seconds = forward_seconds

    def start(self) -> None:
        """Plans every feed, at once for those never run, and begins to tick."""
        self._plan()
        now = datetime.now(SHANGHAI)
        self._engine.add_job(self._reap, IntervalTrigger(seconds=REAP_SECONDS), id="reaper", next_run_time=now)
        self._engine.add_job(self._hand_out, IntervalTrigger(seconds=QUEUE_SECONDS), id="queue", next_run_time=now)
        self._engine.add_job(self._take_in, IntervalTrigger(seconds=FOLDER_SECONDS), id="uploads", next_run_time=now)
        forward = IntervalTrigger(seconds=self._forward_seconds)
        self._engine.add_job(self._pass, forward, id="forwarder", next_run_time=now)
        self._engine.add_job(self._keep, IntervalTrigger(seconds=KEEP_SECONDS), id="keeper", next_run_time=now)
        self._engine.add_job(self._tell, IntervalTrigger(seconds=TELL_SECONDS), id="alerts", next_run_time=now)
        self._engine.start()

    def stop(self) -> None:
        self._engine.shutdown(wait=True)

    def _plan(self) -> None:
        """Plans feeds that are new or asked at other times, and lets go of those that are not asked any more."""
        wanted = {name: feed for name, feed in self._feeds().items() if not feed.model.paused}
        for name in self._planned.keys() - wanted.keys():
            self._engine.remove_job(name)
            del self._planned[name]
        for name, feed in wanted.items():
            when = (feed.model.poll, feed.model.cron)
            if self._planned.get(name) != when:
                said = {
                    "args": [name],
                    "id": name,
                    "executor": DUE,
                    "next_run_time": self._first(name),
                    "replace_existing": True,
                }
                self._engine.add_job(self._due, trigger_of(feed), **said)
                self._planned[name] = when

    def _pass(self) -> None:
        """Seals and delivers; before it, what was published meanwhile is taken over."""
        if self._refresh():
            self._plan()
        self._forward()

    def _first(self, name: str) -> datetime:
        """A feed that was never reached is due now; others when their trigger says."""
        feed = self._feeds()[name]
        with self._store.read() as tx:
            row = tx.one("feed_by_name", name=name)
        now = datetime.now(SHANGHAI)
        if row is None or row.contact_at is None:
            return now
        following: datetime | None = trigger_of(feed).get_next_fire_time(None, now)
        return following or now + timedelta(days=1)

    def _due(self, name: str) -> None:
        """Queues the slot, unless a person paused or retired the feed."""
        with self._store.read() as tx:
            row = tx.one("feed_by_name", name=name)
        if row is None or row.paused_at is not None or row.retired_at is not None:
            return
        slot = datetime.now(SHANGHAI).isoformat(timespec="seconds")
        queue_run(self._store, row.id, due_at=slot, reason="scheduled", actor="scheduler")

    def _reap(self) -> None:
        """Runs whose worker died go back into the queue."""
        with self._store.write() as tx:
            for row in tx.all("runs_orphaned", now=time.time()):
                tx.run("run_requeue", id=row.id)
                log.info("run_requeued", run=row.id, feed=row.feed)

    def _hand_out(self) -> None:
        """Whoever queued them, runs that have not begun; one whose feed is busy comes again."""
        with self._store.read() as tx:
            queued = [Queued(row.id, row.county, _reason(row)) for row in tx.all("runs_queued")]
        self._dispatcher.submit(queued)


def _reason(run: Any) -> str:
    options = msgspec.json.decode(run.options, type=RunOptions)
    return "back_fill" if options.since or options.full else str(run.reason)


def trigger_of(feed: Feed) -> BaseTrigger:
    """When a feed is due, again and again."""
    if feed.model.cron is not None:
        trigger: BaseTrigger = cron_trigger(feed.model.cron)
        return trigger
    assert feed.model.poll is not None
    return IntervalTrigger(seconds=int(feed.model.poll.total_seconds()), timezone=SHANGHAI, jitter=None)
