"""One run of one feed: fetch a page, translate it, commit it, ask for the next (DESIGN §4).

The loop holds nothing that a crash could lose: the cursor that follows a page is committed with the page, and a resumed
run starts from the stored one.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from adapters.kit import Adapter, Cursor, Page, SourceError, Stream, Translated, Translator
from gateway.checkpoints import reached
from gateway.clock import Clock
from gateway.errors import NeedsPerson
from gateway.names import Namer
from gateway.store import Store, Tx
from gateway.store.pages import (
    Counts,
    Fence,
    Held,
    PageCommit,
    Proof,
    Put,
    Touch,
    Vanished,
    commit_gone,
    commit_page,
)
from gateway.vault import NONCE_BYTES, Vault
from schemas import Canonical, Dataset

_canonical: Final = msgspec.json.Encoder(order="sorted").encode
CURSOR: Final = "cursor"
ITEM: Final = "quarantine"
EVIDENCE: Final = "evidence"
VANISH_LIMIT: Final = 0.2
GONE_CHUNK: Final = 1000


@dataclass(slots=True)
class FeedWork:
    """A feed made ready to run: its rows of the store, its adapter and its compiled rules."""

    id: int
    uid: str
    name: str
    stream_id: int
    rules_id: int
    dataset: Dataset
    adapter: Adapter
    stream: Stream
    translator: Translator
    namer: Namer
    vanish_limit: float = VANISH_LIMIT
    recognise: Callable[[bytes], bytes] = field(init=False)


@dataclass(slots=True)
class RunWork:
    """One run under its lease."""

    run_id: int
    fence: Fence
    full: bool = False
    known: int = 0
    """Observations the feed held when the run began."""
    pages: int = 0
    on_page: Callable[[Counts, int | None], None] = lambda _counts, _declared: None


class Pipeline:
    """Runs feeds. Stateless; safe to share between threads."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store, self._vault, self._clock = store, vault, clock

    def run(self, feed: FeedWork, run: RunWork) -> str | None:
        """Reads until the source has no more; answers how an empty run is to be read (DESIGN §5.3), else None.

        Raises:
            SourceError: see `adapters.kit.errors`; what was committed before stands.
            LeaseLost: somebody else took the feed over.
            NeedsPerson: too many rows vanished.
        """
        feed.recognise = self._vault.recogniser(feed.uid)
        cursor = self._start(feed, run)
        fetched, confirmed = 0, False
        while True:
            page = feed.adapter.fetch(feed.dataset.name, cursor)
            reached("fetched")
            run.pages += 1
            cursor, counts = self._take(feed, run, page)
            fetched += counts.fetched
            confirmed = page.empty_confirmed or page.declared == 0
            run.on_page(counts, page.declared)
            if page.last:
                break
        if feed.stream.snapshot:
            self._bury(feed, run, fetched)
        if fetched:
            return None
        return "confirmed" if confirmed else "suspicious" if run.known else "unverified"

    def replay(self, feed: FeedWork, run: RunWork, page: Page) -> Counts:
        """Translates kept items again; the source is not asked, and its contact clock does not move."""
        feed.recognise = self._vault.recogniser(feed.uid)
        run.pages = 1
        return self._take(feed, run, page, replay=True)[1]

    def _start(self, feed: FeedWork, run: RunWork) -> Cursor | None:
        with self._store.read() as tx:
            row = tx.one("feed_by_id", id=feed.id)
            stored = tx.one("run_get", id=run.run_id)
        assert row is not None
        assert stored is not None
        run.pages = stored.pages
        cursor = self._open_cursor(row.cursor)
        if run.full and stored.pages == 0:
            return feed.adapter.restart(cursor)
        return cursor

    def _open_cursor(self, sealed: bytes | None) -> Cursor | None:
        if sealed is None:
            return None
        opened: Cursor | None = msgspec.json.decode(self._vault.open(CURSOR, sealed))
        return opened

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

    def _take(self, feed: FeedWork, run: RunWork, page: Page, *, replay: bool = False) -> tuple[Cursor, Counts]:
        """Translates and commits one page; answers the cursor that follows it."""
        sorter = _Sorter(self._store, self._vault, feed, page)
        sorter.sort()
        cursor = page.after(sorter.newest)
        counts = sorter.counts
        useful = bool(sorter.puts or sorter.held or sorter.touches)
        answer = page.answer
        commit_page(
            self._store,
            PageCommit(
                fence=run.fence,
                feed_id=feed.id,
                stream_id=feed.stream_id,
                run_id=run.run_id,
                rules_id=feed.rules_id,
                page=run.pages,
                at=self._clock.stamp(),
                as_of=sorter.newest,
                cursor=self._vault.seal(CURSOR, msgspec.json.encode(cursor)),
                declared=page.declared or None,
                counts=counts,
                proof=Proof(
                    at=answer.received_at.isoformat(timespec="seconds"),
                    request=answer.request,
                    status=answer.status,
                    media=answer.media,
                    size=len(answer.body),
                    hash=self._vault.answer_hash(answer.body),
                    body=self._vault.seal(EVIDENCE, answer.body) if useful else None,
                ),
                puts=sorter.puts,
                touches=sorter.touches,
                held=sorter.held,
                settled=sorter.settled,
                superseded=sorter.superseded,
                contact=not replay,
                seen=sorter.seen if feed.stream.snapshot and not replay else None,
            ),
        )
        return cursor, counts

    def _bury(self, feed: FeedWork, run: RunWork, fetched: int) -> None:
        """Tombstones for what a complete snapshot no longer holds, unless too much vanished (DESIGN §5.4)."""
        seen = array("q")
        with self._store.read() as tx:
            for (ids,) in tx.all("seen_of_run", feed_id=feed.id, run_id=run.run_id):
                seen.frombytes(ids)
            known = [row[0] for row in tx.all("observations_known", feed_id=feed.id)]
            still = set(seen)
            missing = [i for i in known if i not in still]
            states = tx.among("observations_state", missing) if missing else []
        if missing and (not fetched or len(missing) > feed.vanish_limit * len(known)):
            raise NeedsPerson(
                "全量数据中有 {missing} 条（共 {known} 条）不见了，超过 {limit:.0%}，未作删除",
                owner="agency",
                action="请与部门核实后，用 shuqiao sync {feed} --allow-vanish 确认",
                missing=len(missing),
                known=len(known),
                limit=feed.vanish_limit,
                feed=feed.name,
            )
        gone = [Vanished(row.id, row.version + 1) for row in states]
        for at in range(0, max(len(gone), 1), GONE_CHUNK):
            commit_gone(
                self._store,
                run.fence,
                feed_id=feed.id,
                stream_id=feed.stream_id,
                run_id=run.run_id,
                rules_id=feed.rules_id,
                at=self._clock.stamp(),
                gone=gone[at : at + GONE_CHUNK],
            )


class _Sorter:
    """Finds out what each item of one page is: known, changed, the same, twice, to be held, or none of our business."""

    def __init__(self, store: Store, vault: Vault, feed: FeedWork, page: Page) -> None:
        self._store, self._vault, self._feed, self._page = store, vault, feed, page
        self.counts = Counts(fetched=len(page.rows.raw))
        self.puts: list[Put] = []
        self.touches: list[Touch] = []
        self.held: list[Held] = []
        self.settled: list[bytes] = []
        self.seen = array("q")
        self.newest: str | None = None
        self.superseded: list[int] = []
        self._mended: set[bytes] = set()

    def sort(self) -> None:
        raw = self._page.rows.raw
        digests = list(map(self._feed.recognise, raw))
        with self._store.read() as tx:
            wanted = self._recognise(tx, digests)
            if not wanted:
                return
            whole = len(wanted) == len(raw)
            translated = self._feed.translator.translate(self._page.rows.decode(None if whole else wanted))
            self.newest = translated.newest
            self.counts.ignored = sum(map(len, translated.ignored.values()))
            self._place(tx, translated, [wanted[p] for p in translated.positions], digests)
            self._protect(tx, translated)
            self._supersede(tx)
        for rejected, partial in zip(translated.rejected, translated.partial, strict=True):
            about = self._feed.namer.handle_of(partial)
            self._hold(wanted[rejected.position], digests, rejected.reason, rejected.field, about)

    def _recognise(self, tx: Tx, digests: list[bytes]) -> list[int]:
        """Positions that have to be mapped; counts the rest."""
        feed, counts = self._feed, self.counts
        known: dict[bytes, int] = dict(tx.among("observations_recognised", digests, feed.id, feed.rules_id))
        strange = digests if not known else [d for d in digests if d not in known]
        before = tx.among("quarantine_recognised", strange, feed.id) if strange else []
        held = {digest for digest, rules in before if rules == feed.rules_id}
        self._mended = {digest for digest, rules in before if rules != feed.rules_id}
        if not known and not held and len(set(digests)) == len(digests):
            return list(range(len(digests)))
        self.seen.extend(known.values())
        wanted, met = [], set()
        for position, digest in enumerate(digests):
            if digest in met:
                counts.duplicate += 1
            elif digest in known:
                counts.recognised += 1
            elif digest in held:
                counts.quarantined += 1
            else:
                wanted.append(position)
            met.add(digest)
        return wanted

    def _place(self, tx: Tx, t: Translated, at: Sequence[int], digests: list[bytes]) -> None:
        """Records by what the store holds under their handles; `at` is the place of each in the page."""
        handles = self._feed.namer.handles(t.records)
        stored = {row[0]: row for row in tx.among("observations_by_handle", handles)} if handles else {}
        recognised = set(self.seen)
        first: dict[bytes, int] = {}
        keep: list[int] = []
        for i, handle in enumerate(handles):
            known = stored.get(handle)
            if known is not None and known.id in recognised:
                self._twin(t, i, known.source_time, None, at, digests)
            elif handle in first:
                self._twin(t, i, t.times[first[handle]], t.records[first[handle]], at, digests)
            else:
                first[handle] = i
                keep.append(i)
        self._versions(tx, t, keep, handles, stored, at, digests)

    def _twin(
        self,
        t: Translated,
        i: int,
        time: str | None,
        record: Canonical | None,
        at: Sequence[int],
        digests: list[bytes],
    ) -> None:
        """A second item of one page under a key already met: a repetition, an older state, or a contradiction."""
        if t.records[i] == record or (time and t.times[i] and str(t.times[i]) < time):
            self.counts.duplicate += 1
        else:
            self._hold(at[i], digests, "DUPLICATE_KEY", None)

    def _versions(
        self,
        tx: Tx,
        t: Translated,
        keep: list[int],
        handles: list[bytes],
        stored: dict[bytes, Any],
        at: Sequence[int],
        digests: list[bytes],
    ) -> None:
        vault, namer, counts = self._vault, self._feed.namer, self.counts
        records = [t.records[i] for i in keep]
        texts = list(map(_canonical, records))
        contents = list(map(vault.content_digest, texts))
        subjects, indexes = namer.subjects(records), namer.indexes(records)
        keys = iter(vault.new_keys(sum(1 for i in keep if handles[i] not in stored)))
        nonces = vault.noise(len(keep) * NONCE_BYTES)
        olds: list[tuple[Put, Any]] = []
        for n, i in enumerate(keep):
            handle, position = handles[i], at[i]
            known = stored.get(handle)
            if known is not None:
                self.seen.append(known.id)
                if known.content_digest == contents[n]:
                    counts.unchanged += 1
                    counts.mapped += 1
                    self.touches.append(Touch(known.id, digests[position], t.times[i]))
                    continue
                if known.source_time and t.times[i] and str(t.times[i]) < known.source_time:
                    counts.duplicate += 1
                    continue
            nonce = nonces[n * NONCE_BYTES : (n + 1) * NONCE_BYTES]
            if known is None:
                key, number = next(keys), 1
            else:
                key, number = vault.unwrap(known.wrapped_key), known.version + 1
            put = Put(
                None if known is None else known.id,
                handle,
                digests[position],
                contents[n],
                number,
                t.times[i],
                " ".join(t.flags[i]),
                vault.seal_version(key, number, handle, texts[n], nonce),
                key.wrapped if known is None else None,
                subjects[n],
                indexes[n],
            )
            counts.changed += 1
            counts.mapped += 1
            self.puts.append(put)
            if known is not None:
                olds.append((put, known))
        if olds:
            self._stale(tx, olds)
        if self._mended:
            self.settled = [d for i in keep if (d := digests[at[i]]) in self._mended]

    def _stale(self, tx: Tx, olds: list[tuple[Put, Any]]) -> None:
        """Names that the version before had and this one has not: found by opening it, so that no index grows for it."""
        previous = {row.observation_id: row for row in tx.among("versions_latest", [k.id for _, k in olds])}
        for put, known in olds:
            row = previous.get(known.id)
            if row is None or row.sealed is None:
                continue
            text = self._vault.open_version(self._vault.unwrap(row.wrapped_key), row.number, row.handle, row.sealed)
            record = msgspec.json.decode(text)
            (subjects,), (indexes,) = self._feed.namer.subjects([record]), self._feed.namer.indexes([record])
            put.stale_subjects = [s for s in subjects if s not in put.subjects]
            put.stale_indexes = [s for s in indexes if s not in put.indexes]

    def _supersede(self, tx: Tx) -> None:
        """A readable row settles the unreadable ones that came before it under its key, unless they came in this page."""
        if self.puts and tx.value("quarantine_open", feed_id=self._feed.id):
            found = tx.among("quarantine_about", [p.handle for p in self.puts], self._feed.id)
            self.superseded = [row[0] for row in found]

    def _hold(
        self, position: int, digests: list[bytes], reason: str, field_: str | None, about: bytes | None = None
    ) -> None:
        digest = digests[position]
        self.counts.quarantined += 1
        self.held.append(
            Held(
                self._vault.name("quarantine", f"{self._feed.uid}\0{digest.hex()}"),
                digest,
                reason,
                field_,
                self._vault.seal(ITEM, bytes(self._page.rows.raw[position])),
                about,
            )
        )

    def _protect(self, tx: Tx, t: Translated) -> None:
        """A snapshot's unreadable item keeps alive whatever it might be about: absence has to be proven."""
        if not self._feed.stream.snapshot or not t.partial:
            return
        subjects = [n for names in self._feed.namer.subjects(t.partial) for n, _ in names]
        indexes = [n for names in self._feed.namer.indexes(t.partial) for n, _ in names]
        self.seen.extend(row[0] for row in tx.among("observations_named_subject", subjects))
        self.seen.extend(row[0] for row in tx.among("observations_named_index", indexes))
