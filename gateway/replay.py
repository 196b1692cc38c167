"""What is kept is translated again after a mapping is mended, without asking the agency (DESIGN §4).

Two things are kept: the items in quarantine, and the answers of the source. A row of a kept answer is told by its digest, so
only the rows that observations stand on today are looked at, each in the newest answer that holds it. A newer source time
is never overridden, and no contact clock moves.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from adapters.kit import Answer, Cursor, Item, Page, Rows, SourceMalformed, Translated, list_rows
from gateway.clock import Clock
from gateway.dispatch import Rerunner
from gateway.keptback import OVERRIDE
from gateway.leases import Leases
from gateway.pagegroup import EVIDENCE
from gateway.quarantine import REPAIR, KeptRows, Quarantine, marks
from gateway.sorter import FeedWork
from gateway.store import Store
from gateway.store.pages import Counts, observation_ids
from gateway.store.segments import Version, versions_at
from gateway.suppression import Suppression
from gateway.vault import Vault
from schemas import Canonical
from schemas.masking import mask, mask_kind

REPLAY: Final = "replay"
MEDIA: Final = "application/msgpack"
EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of quarantined items did: `held` items still cannot be read."""

    tried: int
    repaired: int
    held: int


def replay(feed: FeedWork, store: Store, vault: Vault, clock: Clock, leases: Leases, actor: str = REPLAY) -> Replayed:
    """Replays every unsettled item of the feed under its lease; a newer source time in the store is never overridden.

    Raises:
        Busy: the feed is being read right now.
    """
    feed.adapter.close()
    raw = Quarantine(store, vault, clock).raw(feed.name)
    answer = Answer(REPLAY, 0, MEDIA, msgspec.msgpack.encode(raw), clock.real())

    def pages(cursor: Cursor) -> list[Page]:
        return [Page(KeptRows(raw), answer, lambda _newest: cursor, last=True)]

    with leases.take(f"feed:{feed.uid}") as fence:
        counts = Rerunner(store, vault, clock).run(feed, fence, pages, reason="replay", actor=actor)
    return Replayed(len(raw), len(raw) - counts.quarantined, counts.quarantined)


@dataclass(slots=True)
class FieldChange:
    """One field whose values a replay changes. Examples are masked: what was, what would be."""

    field: str
    title: str
    values: int = 0
    examples: list[tuple[str, str]] = dataclasses.field(default_factory=list)


@dataclass(slots=True)
class Difference:
    """What translating the kept answers again changes, or did change."""

    feed: str
    stale: int
    """Living records that other rules made than those in force."""
    found: int = 0
    """Of them, those whose row is in a kept answer."""
    changed: int = 0
    same: int = 0
    """Their content is the same under the new rules: no version, nothing for the chain."""
    refused: dict[str, int] = dataclasses.field(default_factory=dict)
    """Rows that are no record under the new rules, by reason or rule: the record stays as it is."""
    rekeyed: int = 0
    """Rows that name another record under the new rules: left alone, read the source again with --full."""
    fields: list[FieldChange] = dataclasses.field(default_factory=list)
    committed: bool = False

    @property
    def missing(self) -> int:
        """Records whose answer is no longer kept: they change when the source sends them again."""
        return self.stale - self.found

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"missing": self.missing}


class Replays:
    """Kept answers of one store."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, leases: Leases) -> None:
        self._store, self._vault, self._clock, self._leases = store, vault, clock, leases

    def difference(self, feed: FeedWork) -> Difference:
        """What a replay would change; nothing is written."""
        feed.adapter.close()
        told = _Told(self._stale(feed), feed)
        for batch in self._batches(feed, told.wanted):
            self._compare(feed, batch, told)
        return told.difference

    def commit(
        self,
        feed: FeedWork,
        actor: str,
        on_page: Callable[[Counts, int | None], None] = lambda _counts, _declared: None,
    ) -> Difference:
        """Changes it, under the feed's lease, in a run of its own; only what changed becomes a version.

        Raises:
            Busy: the feed is being read right now.
        """
        feed.adapter.close()
        with self._leases.take(f"feed:{feed.uid}") as fence:
            told = _Told(self._stale(feed), feed)

            def pages(cursor: Cursor) -> Iterator[Page]:
                for batch in self._batches(feed, told.wanted):
                    kept = self._compare(feed, batch, told)
                    if kept:
                        flags = [batch.flags[i] for i in kept] if any(batch.flags) else ()
                        rows = _Chosen(batch.rows, [batch.at[i] for i in kept])
                        yield Page(rows, batch.answer, lambda _newest: cursor, last=True, flags=flags)

            rerunner = Rerunner(self._store, self._vault, self._clock)
            rerunner.run(
                feed,
                fence,
                pages,
                reason="replay",
                actor=actor,
                keep=False,
                arrived=lambda: told.dated,
                on_page=on_page,
            )
        told.difference.committed = True
        return told.difference

    def _stale(self, feed: FeedWork) -> dict[bytes, tuple[bytes, int]]:
        """Digest of the row it stands on -> handle and newest version, of every record that other rules made."""
        low, high = observation_ids(feed.id)
        with self._store.read() as tx:
            rows = tx.all_plain("observations_stale", low=low, high=high, rules_id=feed.rules_id)
        return {bytes(digest): (bytes(handle), seq) for _, handle, digest, seq in rows}

    def _batches(self, feed: FeedWork, wanted: Mapping[bytes, tuple[bytes, int]]) -> Iterator[_Batch]:
        """The kept answers that hold wanted rows, the newest first; a row is found once."""
        left, recognise = dict(wanted), self._vault.recogniser(feed.uid)
        with self._store.read() as tx:
            answers = tx.all("evidence_of_feed", feed_id=feed.id)
            changes = {bytes(row.handle): bytes(row.changes) for row in tx.all("overrides_of_feed", feed_id=feed.id)}
        for told in answers:
            if not left:
                return
            with self._store.read() as tx:
                row = tx.one("evidence_body", id=told.id)
            if row is None:
                continue
            body = self._vault.open(EVIDENCE, row.body)
            received = datetime.fromisoformat(told.at)
            answer = Answer(told.request, told.status, told.media, body, received)
            try:
                rows = self._rows(feed, answer)
            except SourceMalformed:
                continue
            found = [(i, left.pop(d)) for i, raw in enumerate(rows.raw) if (d := recognise(raw)) in left]
            if found:
                heads = [head for _, head in found]
                by_hand = (
                    [self._marks(feed, changes.get(handle)) for handle, _ in heads] if told.request == REPAIR else []
                )
                yield _Batch(rows, answer, [i for i, _ in found], heads, by_hand or [()] * len(found))

    def _rows(self, feed: FeedWork, answer: Answer) -> Rows:
        """Raises SourceMalformed: it holds no rows that can be told apart."""
        if answer.request == REPAIR:
            return list_rows(answer.body)
        if answer.media == MEDIA:
            return KeptRows(msgspec.msgpack.decode(answer.body, type=list[bytes]))
        return feed.adapter.reopen(feed.dataset.name, answer)

    def _marks(self, feed: FeedWork, sealed: bytes | None) -> tuple[str, ...]:
        """What a person put right stays said, whatever the rules."""
        changed = msgspec.json.decode(self._vault.open(OVERRIDE, sealed), type=dict[str, Any]) if sealed else {}
        return marks(feed.translator, list(changed))

    def _compare(self, feed: FeedWork, batch: _Batch, told: _Told) -> list[int]:
        """Tells what changes in one answer; the positions in the batch that may be committed."""
        difference = told.difference
        difference.found += len(batch.at)
        t = feed.translator.translate(batch.rows.decode(batch.at))
        with self._store.read() as tx:
            t = Suppression.of(tx).sift(t, feed.namer)
            versions = versions_at(tx, feed.stream_id, [seq for _, seq in batch.heads])
        told.refuse(t)
        kept = [rejected.position for rejected in t.rejected]  # they go to quarantine, as if they were read again
        for i, handle in enumerate(feed.namer.handles(t)):
            position = t.positions[i]
            known, seq = batch.heads[position]
            version = versions.get(seq)
            if handle != known or version is None:
                difference.rekeyed += 1
                continue
            kept.append(position)
            told.tell(self._record(version), t.record(i), version.source_time, t.times[i])
        return sorted(kept)

    def _record(self, version: Version) -> Canonical:
        if version.sealed is None or version.wrapped_key is None:
            return {}
        key = self._vault.unwrap(version.wrapped_key)
        text = self._vault.open_version(key, version.number, version.handle, version.sealed, version.suite)
        record: Canonical = msgspec.json.decode(text)
        return record


@dataclass(frozen=True, slots=True)
class _Batch:
    """Wanted rows of one kept answer: where they stand, and what stands on each."""

    rows: Rows
    answer: Answer
    at: list[int]
    heads: list[tuple[bytes, int]]
    flags: Sequence[tuple[str, ...]]


class _Told:
    """A difference as it grows."""

    def __init__(self, wanted: dict[bytes, tuple[bytes, int]], feed: FeedWork) -> None:
        self.wanted, self._feed = wanted, feed
        self.difference = Difference(feed.name, len(wanted))
        self.dated = False
        """Whether a date changed by which a version counts for its period."""
        self._fields: dict[str, FieldChange] = {}

    def refuse(self, t: Translated) -> None:
        counted = Counter(self.difference.refused)
        counted.update(rejected.reason for rejected in t.rejected)
        counted.update({rule: len(positions) for rule, positions in t.ignored.items()})
        self.difference.refused = dict(counted)

    def tell(self, was: Canonical, now: Canonical, before: str | None, after: str | None) -> None:
        self.dated = self.dated or before != after
        if was == now:
            self.difference.same += 1
            return
        self.difference.changed += 1
        dataset = self._feed.dataset
        old, new = dict(dataset.leaves(was)), dict(dataset.leaves(now))
        for path in dict.fromkeys((*old, *new)):
            if old.get(path) != new.get(path):
                self._note(path[0], old.get(path), new.get(path))

    def _note(self, path: str, was: str | None, now: str | None) -> None:
        spec = self._feed.dataset.fields[path]
        change = self._fields.get(path)
        if change is None:
            change = self._fields[path] = FieldChange(path, spec.of.title)
            self.difference.fields.append(change)
        change.values += 1
        self.dated = self.dated or path == self._feed.period_field
        pair = tuple(mask(mask_kind(spec), value) if value else "—" for value in (was, now))
        if len(change.examples) < EXAMPLES and pair not in change.examples:
            change.examples.append((pair[0], pair[1]))


class _Chosen:
    """Some rows of an answer."""

    def __init__(self, rows: Rows, at: Sequence[int]) -> None:
        self._rows, self._at = rows, at
        self.raw: Sequence[bytes] = [rows.raw[i] for i in at]

    def decode(self, wanted: Sequence[int] | None = None) -> list[Item]:
        return self._rows.decode([self._at[i] for i in (range(len(self._at)) if wanted is None else wanted)])
