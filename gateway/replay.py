"""Quarantined items are translated again after a mapping is mended, without asking the agency (DESIGN §4)."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kit import Answer, Cursor, Page
from gateway.clock import Clock
from gateway.dispatch import Rerunner
from gateway.leases import Leases
from gateway.quarantine import KeptRows, Quarantine
from gateway.sorter import FeedWork
from gateway.store import Store
from gateway.vault import Vault


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did: `held` items still cannot be read."""

    tried: int
    repaired: int
    held: int


def replay(feed: FeedWork, store: Store, vault: Vault, clock: Clock, leases: Leases, actor: str = "replay") -> Replayed:
    """Replays every unsettled item of the feed under its lease; a newer source time in the store is never overridden.

    Raises:
        Busy: the feed is being read right now.
    """
    feed.adapter.close()
    raw = Quarantine(store, vault, clock).raw(feed.name)
    answer = Answer("replay", 0, "application/octet-stream", b"\n".join(raw), clock.real())

    def pages(cursor: Cursor) -> list[Page]:
        return [Page(KeptRows(raw), answer, lambda _newest: cursor, last=True)]

    with leases.take(f"feed:{feed.uid}") as fence:
        counts = Rerunner(store, vault, clock).run(feed, fence, pages, reason="replay", actor=actor)
    return Replayed(len(raw), len(raw) - counts.quarantined, counts.quarantined)
