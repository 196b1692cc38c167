"""Runs that ask no source: kept items and what a person put right go the way of every page (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from adapters.kit import Cursor, Page
from gateway.clock import Clock
from gateway.dispatch.execute import queue_run
from gateway.freshness import Ending, close_run, count_arrivals
from gateway.pagegroup import CURSOR, RunWork
from gateway.pipeline import Pipeline
from gateway.sorter import FeedWork
from gateway.store import Store
from gateway.store.pages import Counts, Fence
from gateway.store.rejected import Override
from gateway.vault import Vault

Pages = Callable[[Cursor], Iterable[Page]]
"""Pages that leave the feed's cursor where it is."""


@dataclass(frozen=True, slots=True)
class Rerunner:
    """Commits pages as a run of their feed; the contact clock stays, and a newer source time is never overridden."""

    store: Store
    vault: Vault
    clock: Clock

    def run(
        self,
        feed: FeedWork,
        fence: Fence,
        pages: Pages,
        *,
        reason: str,
        actor: str,
        overrides: Sequence[Override] = (),
        keep: bool = True,
        arrived: Callable[[], bool] = lambda: True,
        on_page: Callable[[Counts, int | None], None] = lambda _counts, _declared: None,
    ) -> Counts:
        """Under the feed's lease; answers what became of the items.

        `keep` says whether the pages' answers are kept, not those that are kept already; `arrived` is asked at the end
        whether what the run made counts as having come for its periods.
        """
        slot = self.clock.real().isoformat(timespec="microseconds")
        run_id, _ = queue_run(self.store, feed.id, due_at=slot, reason=reason, actor=actor)
        with self.store.write() as tx:
            tx.run("run_start", id=run_id, at=self.clock.stamp(), token=fence.token, config_id=None)
            sealed = tx.one("feed_by_id", id=feed.id).cursor  # type: ignore[union-attr] # its feed exists
        cursor: Cursor = msgspec.json.decode(self.vault.open(CURSOR, sealed)) if sealed else {}
        work = RunWork(run_id, fence, keep=keep, overrides=overrides, on_page=on_page)
        pipeline = Pipeline(self.store, self.vault, self.clock)
        try:
            counts = pipeline.replay(feed, work, pages(cursor))
        except Exception:
            with self.store.write() as tx:
                tx.run(
                    "run_finish",
                    id=run_id,
                    state="failed",
                    at=self.clock.stamp(),
                    emptiness=None,
                    code=None,
                    sentence=None,
                )
            raise
        counted = count_arrivals(self.store, feed.stream_id, dated_by_field=feed.period_field is not None)
        if not arrived():
            counted = replace(counted, arrived={}, news=0)
        at = self.clock.stamp()
        with self.store.write() as tx:
            row = tx.one("feed_by_id", id=feed.id)
            close_run(tx, row, counted, Ending(at, at, answered=False, done=True))
            tx.run("run_finish", id=run_id, state="done", at=at, emptiness=None, code=None, sentence=None)
        return counts
