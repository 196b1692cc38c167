"""Kept items are translated again after a mapping is mended, without asking the agency (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from adapters.kit import Answer, Cursor, Item, Page
from gateway.clock import Clock
from gateway.dispatch.execute import queue_run
from gateway.freshness import Ending, close_run, count_arrivals
from gateway.leases import Leases
from gateway.pagegroup import CURSOR, RunWork
from gateway.pipeline import Pipeline
from gateway.quarantine import Quarantine, decode_item
from gateway.sorter import FeedWork
from gateway.store import Store
from gateway.vault import Vault


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did: `held` items still cannot be read."""

    tried: int
    repaired: int
    held: int


class _KeptRows:
    """Items out of quarantine, as a page's rows."""

    def __init__(self, raw: Sequence[bytes]) -> None:
        self.raw = raw

    def decode(self, wanted: Sequence[int] | None = None) -> list[Item]:
        return [decode_item(self.raw[i]) for i in (range(len(self.raw)) if wanted is None else wanted)]


def replay(feed: FeedWork, store: Store, vault: Vault, clock: Clock, leases: Leases) -> Replayed:
    """Replays every open item of the feed under its lease; a newer source time in the store is never overridden.

    Raises:
        Busy: the feed is being read right now.
    """
    feed.adapter.close()
    raw = Quarantine(store, vault, clock).raw(feed.name)
    with leases.take(f"feed:{feed.uid}") as fence:
        slot = clock.real().isoformat(timespec="microseconds")
        run_id, _ = queue_run(store, feed.id, due_at=slot, reason="replay", actor="replay")
        with store.write() as tx:
            tx.run("run_start", id=run_id, at=clock.stamp(), token=fence.token, config_id=None)
            sealed = tx.one("feed_by_id", id=feed.id).cursor  # type: ignore[union-attr] # its feed exists
        cursor: Cursor = msgspec.json.decode(vault.open(CURSOR, sealed)) if sealed else {}
        body = b"\n".join(raw)
        page = Page(
            _KeptRows(raw),
            Answer("replay", 0, "application/octet-stream", body, clock.real()),
            lambda _newest: cursor,
            last=True,
        )
        counts = Pipeline(store, vault, clock).replay(feed, RunWork(run_id, fence), page)
        counted = count_arrivals(store, feed.stream_id, dated_by_field=feed.period_field is not None)
        at = clock.stamp()
        with store.write() as tx:
            row = tx.one("feed_by_id", id=feed.id)
            close_run(tx, row, counted, Ending(at, at, answered=False, done=True))
            tx.run("run_finish", id=run_id, state="done", at=at, emptiness=None, code=None, sentence=None)
    return Replayed(len(raw), len(raw) - counts.quarantined, counts.quarantined)
