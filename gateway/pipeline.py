"""One run of one feed: fetch a page, translate it, ask for the next, commit what came (DESIGN §4).

The loop holds nothing that a crash could lose: the cursor that follows a page is committed with the page, and a resumed
run starts from the stored one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from adapters.kit import Cursor, Page, SourceError
from gateway.checkpoints import reached
from gateway.clock import Clock
from gateway.dictionaries import mismatch
from gateway.errors import NeedsPerson
from gateway.pagegroup import CURSOR, EVIDENCE, PageGroup, RunWork
from gateway.sorter import ANY_SHARE, FeedWork
from gateway.store import Store
from gateway.store.pages import Counts, Vanished, commit_gone, living
from gateway.vault import Vault

GONE_CHUNK: Final = 1000


class Pipeline:
    """Runs feeds. Stateless; safe to share between threads."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store, self._vault, self._clock = store, vault, clock

    def run(self, feed: FeedWork, run: RunWork) -> str | None:
        """Reads until the source has no more; answers how an empty run is to be read (DESIGN §5.3), else None.

        Raises:
            SourceError: see `adapters.kit.errors`; what was fetched before is committed.
            LeaseLost: somebody else took the feed over.
            NeedsPerson: too many rows vanished, or the codes do not mean what was agreed; nothing was deleted.
        """
        cursor, fetched = self._start(feed, run)
        group = self._group(feed, run)
        confirmed, news = False, False
        try:
            while True:
                page = feed.adapter.fetch(feed.dataset.name, cursor)
                reached("fetched")
                cursor = group.take(page)
                fetched += len(page.rows.raw)
                confirmed = page.empty_confirmed or page.declared == 0
                news = news or not page.unchanged
                if page.last:
                    break
        except SourceError:
            group.commit()
            raise
        group.commit()
        if page.incomplete is not None:
            raise page.incomplete
        self._trust(feed)
        if not news:
            return None
        if feed.stream.snapshot:
            self._bury(feed, run, fetched)
        if fetched:
            return None
        return "confirmed" if confirmed else "suspicious" if run.known else "unverified"

    def replay(self, feed: FeedWork, run: RunWork, pages: Iterable[Page]) -> Counts:
        """Translates kept items again; the source is not asked, and its contact clock does not move."""
        told, shown = Counts(), run.on_page

        def on_page(counts: Counts, declared: int | None) -> None:
            told.add(counts)
            shown(counts, declared)

        run.on_page = on_page
        group = self._group(feed, run, replay=True)
        for page in pages:
            group.take(page)
        group.commit()
        return told

    def _group(self, feed: FeedWork, run: RunWork, *, replay: bool = False) -> PageGroup:
        feed.recognise = self._vault.recogniser(feed.uid)
        return PageGroup(self._store, self._vault, self._clock, feed, run, replay=replay)

    def _start(self, feed: FeedWork, run: RunWork) -> tuple[Cursor | None, int]:
        """Where to read on, and how many items this reading gave so far."""
        with self._store.write() as tx:
            row = tx.one("feed_by_id", id=feed.id)
            stored = tx.one("run_get", id=run.run_id)
            assert row is not None
            assert stored is not None
            anew = bool(run.full or run.since) and stored.pages == 0
            run.pages = stored.pages
            run.reading = stored.reading or (not anew and row.reading) or run.run_id
            tx.run("run_reads", id=run.run_id, reading=run.reading)
            fetched = int(tx.value("reading_so_far", reading=run.reading))
        cursor = self._open_cursor(row.cursor)
        if anew:
            cursor = (
                feed.adapter.restart(cursor) if run.full else feed.adapter.rewind(cursor, date.fromisoformat(run.since))
            )
        return cursor, fetched

    def _open_cursor(self, sealed: bytes | None) -> Cursor | None:
        if sealed is None:
            return None
        opened: Cursor | None = msgspec.json.decode(self._vault.open(CURSOR, sealed))
        return opened

    def _trust(self, feed: FeedWork) -> None:
        """Raises NeedsPerson while anything is held back because the feed's codes are in doubt."""
        with self._store.read() as tx:
            doubted = tx.value("quarantine_doubted", feed_id=feed.id, rules_id=feed.rules_id)
        if doubted is not None:
            raise mismatch(feed.dataset, doubted, feed.name)

    def record_failure(self, feed: FeedWork, run: RunWork, error: SourceError) -> None:
        """Keeps the offending answer, in a transaction of its own: a failed run leaves evidence too."""
        if error.evidence is None:
            return
        with self._store.write() as tx:
            tx.run(
                "evidence_add",
                run_id=run.run_id,
                page=run.pages + 1,
                at=self._clock.stamp(),
                request=error.code,
                status=0,
                media="",
                size=len(error.evidence),
                hash=self._vault.answer_hash(error.evidence),
                body=self._vault.seal(EVIDENCE, error.evidence),
            )

    def _bury(self, feed: FeedWork, run: RunWork, fetched: int) -> None:
        """Tombstones for what a complete snapshot no longer holds, unless too much vanished (DESIGN §5.4)."""
        seen = array("q")
        with self._store.read() as tx:
            for (ids,) in tx.all("seen_of_reading", feed_id=feed.id, reading=run.reading):
                seen.frombytes(ids)
            known = living(tx, feed.id)
            still = set(seen)
            missing = [i for i in known if i not in still]
            states = tx.among("observations_state", missing) if missing else []
        asked = feed.vanish_limit < ANY_SHARE and not fetched
        if missing and (asked or len(missing) > feed.vanish_limit * len(known)):
            raise NeedsPerson(
                "全量数据中有 {missing} 条（共 {known} 条）不见了，超过 {limit:.0%}，未作删除",
                code="DELETE_GUARD",
                owner="agency",
                action="请与部门核实后，用 shuqiao sync {feed} --allow-vanish 确认",
                missing=len(missing),
                known=len(known),
                limit=feed.vanish_limit,
                feed=feed.name,
            )
        gone = [Vanished(row.id, row.version + 1, row.seq) for row in states]
        for at in range(0, max(len(gone), 1), GONE_CHUNK):
            commit_gone(
                self._store,
                run.fence,
                feed_id=feed.id,
                stream_id=feed.stream_id,
                run_id=run.run_id,
                rules_id=feed.rules_id,
                suite=self._vault.suite.name,
                at=self._clock.stamp(),
                gone=gone[at : at + GONE_CHUNK],
            )
