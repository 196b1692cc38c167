"""What one run does, from its lease to its verdict: the only place that decides what a failure means for a feed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from adapters.kit import MappingError, SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from gateway.clock import Clock
from gateway.errors import GatewayError, LeaseLost, NeedsPerson
from gateway.freshness import Ending, Keeper, close_run, count_arrivals
from gateway.leases import Leases
from gateway.pagegroup import RunWork
from gateway.pipeline import Pipeline
from gateway.retry import patiently
from gateway.sorter import ANY_SHARE, FeedWork
from gateway.store import Store
from gateway.store.pages import Counts, Fence, living
from gateway.worklist import Errand

log = structlog.get_logger(__name__)


class RunOptions(msgspec.Struct, frozen=True):
    """What a person asked of a run."""

    full: bool = False
    since: str = ""
    """An ISO day: a back-fill of what was dated on it or after."""
    allow_vanish: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A feed's state with its owner and the next action (DESIGN §9)."""

    state: str
    code: str | None = None
    sentence: str | None = None
    owner: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, with its counters as committed."""

    run_id: int
    feed: str
    state: str
    verdict: Verdict
    counts: dict[str, Any]


HEALTHY: Final = Verdict("ok")
_ENDS: Final = {"ok": "done", "suspicious": "done", "deferred": "deferred"}
"""State of a feed -> how its run ended, where it did not fail."""
COUNTERS: Final = [
    "pages",
    "fetched",
    "recognised",
    "mapped",
    "duplicate",
    "quarantined",
    "ignored",
    "changed",
    "unchanged",
    "puts",
    "gone",
    "declared",
    "emptiness",
]


def judge(error: Exception, feed: str) -> Verdict:
    """Whose move it is after this failure, and which."""
    if isinstance(error, SourceDenied):
        return Verdict("denied", error.code, str(error), "county", f"核对账号密钥与授权后运行 shuqiao check {feed}")
    if isinstance(error, SourceMalformed):
        return Verdict(
            "malformed", error.code, str(error), "agency", f"请部门确认接口；原始应答已留存，运行 shuqiao check {feed}"
        )
    if isinstance(error, SourceUnavailable) and error.code == "THROTTLED":
        return Verdict("deferred", error.code, str(error), "gateway", "额度或时段恢复后，网关会从停下的地方继续")
    if isinstance(error, SourceError):
        return Verdict("unavailable", error.code, str(error), "gateway", "网关会按轮询间隔自动重试")
    if isinstance(error, NeedsPerson):
        return Verdict("needs_person", error.code, str(error), error.owner, error.action.format(**error.facts))
    if isinstance(error, MappingError):
        return Verdict("misconfigured", "MAPPING", str(error), "county", "修改映射后运行 shuqiao config check")
    code = type(error).__name__
    return Verdict(
        "failed", code, str(error) if isinstance(error, GatewayError) else code, "gateway", "请查看日志并联系运维"
    )


class Executor:
    """Carries out queued runs. Safe to share between threads; a feed's lease keeps its runs apart."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        leases: Leases,
        pipeline: Pipeline,
        prepare: Callable[[str, Errand], FeedWork],
        keeper: Keeper,
    ) -> None:
        self._store, self._clock, self._leases, self._pipeline, self._prepare = store, clock, leases, pipeline, prepare
        self._keeper = keeper

    def execute(self, run_id: int, on_page: Callable[[Counts, int | None], None] | None = None) -> Outcome:
        """Runs it, or leaves it to whoever holds its feed.

        Raises:
            Busy: another run of the feed is under way; this one stays queued.
        """
        with self._store.read() as tx:
            run = tx.one("run_get", id=run_id)
            feed = tx.one("feed_by_id", id=run.feed_id) if run else None
        if run is None or feed is None:
            raise LookupError(run_id)
        with self._leases.take(f"feed:{feed.uid}") as fence:
            if not self._begin(run_id, fence):
                return self._outcome(run_id, run.feed, HEALTHY)
            options = msgspec.json.decode(run.options, type=RunOptions)
            verdict, emptiness, work = self._attempt(run, options, fence, on_page)
            self._finish(run_id, feed, verdict, emptiness, work)
        self._keeper.keep(feed.county, feed.dataset)
        return self._outcome(run_id, run.feed, verdict)

    def _begin(self, run_id: int, fence: Fence) -> bool:
        with self._store.write() as tx:
            config = tx.one("config_latest")
            at = self._clock.stamp()
            return bool(
                tx.run("run_start", id=run_id, at=at, token=fence.token, config_id=config.id if config else None)
            )

    def _attempt(
        self, run: Any, options: RunOptions, fence: Fence, on_page: Callable[[Counts, int | None], None] | None
    ) -> tuple[Verdict, str | None, FeedWork | None]:
        try:
            feed = self._prepare(run.feed, Errand.of_run(run.id, run.actor))
        except Exception as error:  # noqa: BLE001 # as below: a run that cannot begin has ended, with a verdict
            return judge(error, run.feed), None, None
        with self._store.read() as tx:
            known = len(living(tx, feed.id)) if feed.stream.snapshot else 0
        work = RunWork(run.id, fence, full=options.full, since=options.since, known=known)
        if on_page is not None:
            work.on_page = on_page
        if options.allow_vanish:
            feed.vanish_limit = ANY_SHARE
        try:
            return HEALTHY, patiently(lambda: self._pipeline.run(feed, work)), feed
        except LeaseLost:
            raise
        except SourceError as error:
            self._pipeline.record_failure(feed, work, error)
            return judge(error, run.feed), None, feed
        except Exception as error:  # noqa: BLE001 # one feed's fault must stop no other; it becomes the feed's verdict
            return judge(error, run.feed), None, feed
        finally:
            feed.adapter.close()

    def _finish(self, run_id: int, feed: Any, verdict: Verdict, emptiness: str | None, work: FeedWork | None) -> None:
        """Ends the run, its feed's state and its part of the ledger in one transaction."""
        at = self._clock.stamp()
        if verdict is HEALTHY and emptiness == "suspicious":
            verdict = Verdict("suspicious", "NO_DATA", "来源没有给出任何数据，而以前有", "agency", "请与部门核实")
        # what is answered about named persons is no delivery of the register: another feed owes that
        owed = work is None or not work.adapter.asks
        counted = count_arrivals(self._store, feed.stream_id, dated_by_field=bool(work and work.period_field))
        with self._store.write() as tx:
            run = tx.one("run_get", id=run_id)
            assert run is not None
            if owed:
                read = int(tx.value("reading_so_far", reading=run.reading))
                close_run(tx, feed, counted, _ending(run, read, feed, at, verdict, emptiness, work))
            tx.run(
                "run_finish",
                id=run_id,
                state=_ENDS.get(verdict.state, "failed"),
                at=at,
                emptiness=emptiness,
                code=verdict.code,
                sentence=verdict.sentence,
            )
            tx.run(
                "feed_state",
                id=feed.id,
                state=verdict.state,
                code=verdict.code,
                sentence=verdict.sentence,
                owner=verdict.owner,
                action=verdict.action,
                at=at,
            )
        first_success = verdict.state == "ok" and feed.state == "waiting"
        if verdict.state != feed.state and not first_success:
            self._tell(feed, verdict)

    def _tell(self, feed: Any, verdict: Verdict) -> None:
        """Logs on change only: once when a feed fails, once when it recovers."""
        if verdict.state == "ok":
            log.info("feed_recovered", feed=feed.name, was=feed.state, since=feed.since)
        elif verdict.state == "deferred":
            log.info("feed_deferred", feed=feed.name, code=verdict.code)
        else:
            log.warning("feed_failing", feed=feed.name, state=verdict.state, code=verdict.code, owner=verdict.owner)

    def _outcome(self, run_id: int, feed: str, verdict: Verdict) -> Outcome:
        with self._store.read() as tx:
            run = tx.one("run_get", id=run_id)
        assert run is not None
        return Outcome(run_id, feed, run.state, verdict, {name: getattr(run, name) for name in COUNTERS})


def _ending(
    run: Any, fetched: int, feed: Any, at: str, verdict: Verdict, emptiness: str | None, work: FeedWork | None
) -> Ending:
    """How the run ended, as far as promises are concerned: what a live source gave whole is all there is now."""
    done = verdict.state == "ok"
    declared = run.declared is not None and fetched >= run.declared
    live = work is not None and work.adapter.live and feed.channel == "SYSTEM"
    read = emptiness == "confirmed" or (fetched > 0 and (declared or (work is not None and work.stream.snapshot)))
    return Ending(
        at=at,
        started_at=run.started_at,
        answered=run.pages > 0,
        done=done,
        whole=done and read and live,
        zero=done and emptiness == "confirmed",
        doubt=emptiness if emptiness in ("unverified", "suspicious") else None,
    )


def queue_run(
    store: Store, feed_id: int, *, due_at: str, reason: str, actor: str, options: RunOptions | None = None
) -> tuple[int, bool]:
    """The run of this due slot, and whether it is new: a slot exists once, whoever notices it."""
    with store.write() as tx:
        text = msgspec.json.encode(options or RunOptions()).decode()
        added = tx.run("run_add", feed_id=feed_id, due_at=due_at, reason=reason, actor=actor, options=text)
        return int(tx.value("run_slot", feed_id=feed_id, due_at=due_at, reason=reason)), bool(added)
