"""Pages of one run on their way into one transaction.

A page is whole or absent, and the cursor that follows it is committed with it; but a source that answers fast does not
need a transaction a page. Pages wait for at most a second or until there are enough of them, and nothing of the outcome
depends on that: a page that meets a key of a waiting one lets those be committed first. An answer about named persons never
waits: whoever was asked about is not to be asked about again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from adapters.kit import Cursor, Page
from gateway.clock import Clock
from gateway.dictionaries import Dictionaries
from gateway.drift import Drift
from gateway.errors import NeedsPerson
from gateway.keptback import KeptBack
from gateway.names import short
from gateway.sorter import FeedWork, Sorter
from gateway.store import Store, Tx
from gateway.store.pages import Counts, Fence, PageCommit, Proof, commit_pages
from gateway.store.rejected import Override
from gateway.vault import Vault

CURSOR: Final = "cursor"
EVIDENCE: Final = "evidence"
ROWS: Final = 8_000
BYTES: Final = 16 << 20
SECONDS: Final = 1.0
"""How many rows and bytes may wait, and how long after the last commit; a source slower than that waits for nobody."""


@dataclass(slots=True)
class RunWork:
    """One run under its lease."""

    run_id: int
    fence: Fence
    full: bool = False
    since: str = ""
    """An ISO day: what was dated on it or after is read again."""
    known: int = 0
    """Observations the feed held when the run began."""
    pages: int = 0
    reading: int = 0
    """The run that began this pass over the source: this one, or an earlier one that was cut off."""
    keep: bool = True
    """Whether answers are kept; of one that is kept already only its hash is written again."""
    overrides: Sequence[Override] = ()
    """Of a run that takes in what a person put right: its one page holds their records."""
    on_page: Callable[[Counts, int | None], None] = lambda _counts, _declared: None


class PageGroup:
    """The pages of one run that were fetched and are not committed yet."""

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, feed: FeedWork, run: RunWork, *, replay: bool = False
    ) -> None:
        self._store, self._vault, self._clock = store, vault, clock
        self._feed, self._run, self._replay = feed, run, replay
        with store.read() as tx:
            self._kept = KeptBack.of(tx, feed.id)
            self._dictionaries = Dictionaries.of(tx, feed.id, feed.rules_id, feed.dataset)
            self._drift = Drift.of(tx, feed.id, feed, None if replay else feed.drift, clock.stamp())
        self._waiting: list[tuple[Sorter, Cursor]] = []
        self._handles: set[bytes] = set()
        self._rows = self._bytes = 0
        self._since = time.monotonic()

    def take(self, page: Page) -> Cursor:
        """Translates a page and lets it wait for its commit; answers the cursor that follows it.

        Raises:
            NeedsPerson: see `Sorter.read`; what came before it is committed.
        """
        sorter = Sorter(self._vault, self._feed, page, self._kept, (self._dictionaries, self._drift))
        try:
            with self._store.read() as tx:
                sorter.read(tx)
        except NeedsPerson:
            self.commit()
            self._drift.save(self._store)
            raise
        if not self._handles.isdisjoint((*sorter.handles, *(h for h in sorter.deleted if h is not None))):
            self.commit()
        cursor = page.after(sorter.newest)
        self._add(sorter, cursor)
        late = time.monotonic() - self._since >= SECONDS
        if page.asked or self._rows >= ROWS or self._bytes >= BYTES or late:
            self.commit()
        return cursor

    def _add(self, sorter: Sorter, cursor: Cursor) -> None:
        self._waiting.append((sorter, cursor))
        self._handles.update(sorter.handles)
        self._handles.update(h for h in (*sorter.deleted, *sorter.abouts) if h is not None)
        self._rows += len(sorter.digests)
        self._bytes += len(sorter.page.answer.body)

    def commit(self) -> list[Counts]:
        """Commits what waits, in order; answers what became of each page. Raises as `commit_pages`."""
        waiting, self._since = self._waiting, time.monotonic()
        if not waiting:
            return []
        handles = [h for sorter, _ in waiting for h in (*sorter.handles, *sorter.deleted) if h is not None]
        with self._store.read() as tx:
            rows = tx.among("observations_by_handle", sorted(short(handles))) if handles else []
            stored = {row.handle: row for row in rows}
            withdrawn = self._withdrawn(tx, [h for h in handles if h not in stored])
            for sorter, _ in waiting:
                sorter.place(tx, stored, withdrawn)
        commit_pages(self._store, [self._commit_of(sorter, cursor) for sorter, cursor in waiting])
        for sorter, _ in waiting:
            self._kept.add(sorter.held, self._feed.rules_id)
            self._run.on_page(sorter.counts, sorter.page.declared)
        self._waiting, self._rows, self._bytes = [], 0, 0
        self._handles.clear()
        self._drift.save(self._store)
        return [sorter.counts for sorter, _ in waiting]

    def _withdrawn(self, tx: Tx, unknown: Sequence[bytes]) -> dict[bytes, str]:
        """Of these handles, those the source withdrew before we heard of them, with when."""
        if self._feed.stream.ordered or not unknown:
            return {}
        return dict(tx.among_plain("withdrawals_early", sorted(unknown), self._feed.id))

    def _commit_of(self, sorter: Sorter, cursor: Cursor) -> PageCommit:
        feed, run, page, answer = self._feed, self._run, sorter.page, sorter.page.answer
        run.pages += 1
        return PageCommit(
            fence=run.fence,
            feed_id=feed.id,
            stream_id=feed.stream_id,
            run_id=run.run_id,
            rules_id=feed.rules_id,
            suite=self._vault.suite.name,
            suppressed=sorter.suppressed,
            page=run.pages,
            at=self._clock.stamp(),
            as_of=sorter.newest,
            cursor=self._vault.seal(CURSOR, msgspec.json.encode(cursor)),
            declared=page.declared or None,  # 0 is the emptiness of this answer, not the total of the run
            counts=sorter.counts,
            proof=Proof(
                at=answer.received_at.isoformat(timespec="seconds"),
                request=answer.request,
                status=answer.status,
                media=answer.media,
                size=len(answer.body),
                hash=self._vault.answer_hash(answer.body),
                body=self._vault.seal(EVIDENCE, answer.body) if sorter.useful and run.keep else None,
            ),
            fresh=sorter.fresh,
            changed=sorter.changed,
            withdrawn=sorter.withdrawn,
            touches=sorter.touches,
            early=sorted(sorter.early.items()),
            ignored=sorted(sorter.ignored.items()),
            held=sorter.held,
            settled=sorter.settled,
            superseded=sorter.superseded,
            overrides=run.overrides,
            periods={name: count for name, count in sorter.periods.items() if isinstance(name, str)},
            contact=page.contacted and not self._replay,
            taken=page.taken,
            asked=[(int(asked.subject), asked.found) for asked in page.asked],
            seen=sorter.seen if feed.stream.snapshot and not self._replay else None,
            reading=None if self._replay else 0 if page.last else run.reading,
        )
