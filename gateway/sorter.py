"""What each item of a page is: known, changed, the same, twice, to be held, or none of our business.

`Sorter.read` recognises and translates a page by itself; `Sorter.place` holds the result against the store, together with
other pages of the same run.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from adapters.kit import Page, Translated
from gateway.canonical import canonical_texts
from gateway.config import DriftModel
from gateway.contest import is_older, newest
from gateway.dictionaries import Dictionaries
from gateway.drift import Drift
from gateway.keptback import KeptBack
from gateway.names import Namer, Names, short
from gateway.recognition import anchor_name, anchor_names, known_rows
from gateway.store import Tx
from gateway.store.pages import HANDLE_KIND, Counts, Puts, Touch
from gateway.store.rejected import Held
from gateway.store.segments import versions_at
from gateway.suppression import ERASED, Suppression
from gateway.trial import Trial
from gateway.vault import Vault
from schemas import Value

ITEM: Final = "quarantine"
PLACE: Final = "place"
SUPERSEDED: Final = "SUPERSEDED"
"""Name of the rule by which an item is ignored that is older than what is known, or than another item of its page."""
ANY_SHARE: Final = float("inf")
"""A vanish limit set by a person who asked the agency: all of a feed may be gone."""
_Doubts = tuple[Dictionaries, Drift]


@dataclass(slots=True)
class FeedWork(Trial):
    """A feed made ready to run: besides, its rows of the store."""

    id: int
    uid: str
    stream_id: int
    rules_id: int
    namer: Namer
    period_field: str | None = None
    """The field whose date names the period a row counts for; None: its source time does."""
    drift: DriftModel | None = None
    vanish_limit: float = 0.2
    """Share of known rows that may be missing from a snapshot before a person is asked (DESIGN §5.4)."""
    recognise: Callable[[bytes], bytes] = field(init=False)


class Sorter:
    """One page on its way to its commit."""

    def __init__(self, vault: Vault, feed: FeedWork, page: Page, kept: KeptBack, doubts: _Doubts) -> None:
        self._vault, self._feed, self.page, self._kept = vault, feed, page, kept
        self._dictionaries, self._drift = doubts
        self.counts = Counts(fetched=len(page.rows.raw))
        self.fresh, self.changed, self.withdrawn = Puts(), Puts(), Puts()
        self.touches: list[Touch] = []
        self.held: list[Held] = []
        self.settled: list[bytes] = []
        self.seen = array("q")
        self.superseded: list[int] = []
        self.periods: Counter[Value] = Counter()
        """Of the versions this page makes: which dates name their periods, and how often."""
        self.ignored: Counter[str] = Counter()
        """Items by the rule that ignored them."""
        self.early: dict[bytes, str] = {}
        """Handles of which nothing is known and that the source withdrew, with when: what was said before that comes late."""
        self.digests = list(map(feed.recognise, page.rows.raw))
        self.handles: list[bytes] = []
        """Of the records, in step."""
        self.deleted: list[bytes | None] = []
        """Of the records the source withdraws, in step."""
        self.abouts: list[bytes | None] = []
        """Handles of what the rejected items are about, where their keys could be read."""
        self._wanted: list[int] = []
        self._again: list[int] = []
        """Positions of rows that were rejected before, under these rules."""
        self.suppressed = 0
        """How long the suppression list was when this page was held against it."""
        self._t = Translated()

    @property
    def newest(self) -> str | None:
        """The newest source time of any item that was translated."""
        return self._t.newest

    @property
    def useful(self) -> bool:
        """Whether the answer is worth keeping: the page changed something, and says nothing of whom was erased."""
        changed = any(map(len, (self.fresh, self.changed, self.withdrawn))) or self.held or self.touches
        return bool(changed) and not self.ignored[ERASED] and self._kept.erased.isdisjoint(self.digests)

    def read(self, tx: Tx) -> None:
        """Recognises what it can and translates the rest, without whom was erased. Raises NeedsPerson: see `Drift.judge`."""
        suppressed = Suppression.of(tx)
        self.suppressed = len(suppressed)
        self._wanted = wanted = self._recognise(known_rows(tx, self.digests, self._feed.rules_id))
        if not wanted:
            return
        whole = len(wanted) == len(self.digests)
        items = self.page.rows.decode(None if whole else wanted)
        t = self._drift.judge(items, self._dictionaries.judge(self._feed.translator.translate(items)))
        self._t = t = suppressed.sift(t, self._feed.namer)
        if self.page.flags:
            t.flags = [(*flags, *self.page.flags[wanted[p]]) for flags, p in zip(t.flags, t.positions, strict=True)]
        for rule, positions in t.ignored.items():
            self._ignore(rule, len(positions))
        self.handles = self._feed.namer.handles(t)
        self.deleted = [self._feed.namer.handle_of(gone.key) for gone in t.deleted]
        self.abouts = [self._feed.namer.handle_of(partial) for partial in t.partial]

    def _recognise(self, known: Mapping[bytes, int]) -> list[int]:
        """Positions that have to be mapped; counts the rest."""
        digests, counts, rules, rules_id = self.digests, self.counts, self._kept.rules, self._feed.rules_id
        overridden = self._kept.overridden
        distinct = set(digests)
        if not known and len(distinct) == len(digests) and rules.keys().isdisjoint(distinct):
            return list(range(len(digests)))
        self.seen.extend(known.values())
        wanted, met = [], set()
        for position, digest in enumerate(digests):
            if digest in met:
                counts.duplicate += 1
            elif digest in known:
                counts.recognised += 1
            elif digest in overridden:
                counts.recognised += 1
                self.seen.append(overridden[digest])
            elif rules.get(digest) == rules_id:
                counts.quarantined += 1
                self._again.append(position)
            else:
                wanted.append(position)
            met.add(digest)
        return wanted

    def place(self, tx: Tx, stored: Mapping[bytes, Any], withdrawn: Mapping[bytes, str]) -> None:
        """Sorts the records by what the store holds under their handles, and by what was withdrawn before it was known."""
        t, at = self._t, [self._wanted[p] for p in self._t.positions]
        recognised = set(self.seen)
        standing, ends = self._contest(at)
        fresh, known = list[int](), list[int]()
        for handle, i in standing.items():
            row, time = stored.get(handle), t.times[i]
            if row is None and time and time <= withdrawn.get(handle, ""):
                self._ignore(SUPERSEDED)
            elif row is not None and row.id in recognised and not is_older(row.source_time, time):
                self._yield(i, row.source_time, at)
            else:
                (fresh if row is None else known).append(i)
        if fresh:
            self._add(fresh, at)
        if known:
            self._compare(tx, known, at, stored)
        if ends:
            self._withdraw(ends, stored)
        rules = self._kept.rules
        self.settled = [
            d for i in standing.values() if rules.get(d := self.digests[at[i]], 0) not in (0, self._feed.rules_id)
        ]
        self._protect(tx)
        self._supersede(tx)
        for rejected, about in zip(t.rejected, self.abouts, strict=True):
            self._hold(self._wanted[rejected.position], rejected.reason, rejected.field, about)

    def _contest(self, at: Sequence[int]) -> tuple[dict[bytes, int], dict[bytes, int]]:
        """Of several items of one page under one key the newest stands: the records and the withdrawals that do, by handle.

        An equal time is no order between two records; between a record and its withdrawal their places are, if any.
        """
        t = self._t
        standing = newest(self.handles, t.times, lambda i, winner: self._lose(i, winner, at))
        ends = newest(
            [handle or b"" for handle in self.deleted],
            [gone.time for gone in t.deleted],
            lambda j, winner: self._repeat(t.deleted[j].time, t.deleted[winner].time),
        )
        for handle in standing.keys() & ends.keys():
            put, end = t.times[standing[handle]], t.deleted[ends[handle]].time
            if not put or not end:
                self._hold(self._wanted[t.deleted[ends.pop(handle)].position], "DUPLICATE_KEY", None)
                continue
            after = not self._feed.stream.ordered or t.positions[standing[handle]] < t.deleted[ends[handle]].position
            del (standing if put < end or (put == end and after) else ends)[handle]
            self._ignore(SUPERSEDED)
        return standing, ends

    def _lose(self, i: int, winner: int, at: Sequence[int]) -> None:
        """A record beside a newer one under its key, or beside one that is as new."""
        if self._t.record(i) == self._t.record(winner):
            self.counts.duplicate += 1
        else:
            self._yield(i, self._t.times[winner], at)

    def _yield(self, i: int, time: str | None, at: Sequence[int]) -> None:
        """A record that says else than one of this time: an older state, or a contradiction."""
        if is_older(self._t.times[i], time):
            self._ignore(SUPERSEDED)
        else:
            self._hold(at[i], "DUPLICATE_KEY", None)

    def _repeat(self, time: str | None, newest: str | None) -> None:
        if is_older(time, newest):
            self._ignore(SUPERSEDED)
        else:
            self.counts.duplicate += 1

    def _ignore(self, rule: str, count: int = 1) -> None:
        self.ignored[rule] += count
        self.counts.ignored += count

    def _add(self, rows: list[int], at: Sequence[int]) -> None:
        """Records of which nothing was known."""
        t, digests, count = self._t.take(rows), [self.digests[at[i]] for i in rows], len(rows)
        handles = [self.handles[i] for i in rows]
        rest, wrapped = self._vault.new_keys(count)
        numbers = [1] * count
        self.fresh = Puts(
            handles=handles,
            digests=digests,
            numbers=numbers,
            previous=[0] * count,
            times=t.times,
            flags=list(map(" ".join, t.flags)),
            sealed=self._vault.seal_versions(rest, numbers, handles, canonical_texts(t)),
            wrapped=wrapped,
            names=[
                Names(HANDLE_KIND, short(handles), range(count)),
                anchor_names(digests),
                *self._feed.namer.names(t.column),
            ],
        )
        self._date(t)
        self.counts.changed += count
        self.counts.mapped += count

    def _date(self, t: Translated) -> None:
        """Counts the dates by which records count for their periods."""
        if self._feed.period_field is not None:
            self.periods.update(t.column(self._feed.period_field))

    def _compare(self, tx: Tx, rows: list[int], at: Sequence[int], stored: Mapping[bytes, Any]) -> None:
        """Records of known observations: the same, older, or new content."""
        t = self._t.take(rows)
        texts = canonical_texts(t)
        heads = [stored[self.handles[i]] for i in rows]
        self.seen.extend(head.id for head in heads)
        before = self._contents(tx, heads)
        news = []
        for n, head in enumerate(heads):
            digest, time = self.digests[at[rows[n]]], t.times[n]
            if is_older(time, head.source_time) or (head.gone and self._ends(head, time)):
                self._ignore(SUPERSEDED)
            elif not head.gone and before.get(head.id) == texts[n]:
                self._same(head, digest, time)
            else:
                news.append(n)
        if news:
            digests = [self.digests[at[rows[n]]] for n in news]
            self._change(t.take(news), digests, [texts[n] for n in news], [heads[n] for n in news], before)

    def _ends(self, head: Any, time: str | None) -> bool:
        """Whether what was withdrawn at this very time stays so: who comes in order may bring it back as it was."""
        return not self._feed.stream.ordered and time is not None and time == head.source_time

    def _contents(self, tx: Tx, heads: Sequence[Any]) -> dict[int, bytes]:
        """The canonical text each observation had last, before it was gone if it is."""
        versions = versions_at(tx, self._feed.stream_id, [head.seq for head in heads])
        gone = [v.previous for v in versions.values() if v.sealed is None]
        found = [*versions.values(), *versions_at(tx, self._feed.stream_id, gone).values()]
        vault = self._vault
        return {
            v.observation_id: vault.open_version(vault.unwrap(v.wrapped_key), v.number, v.handle, v.sealed, v.suite)
            for v in found
            if v.wrapped_key is not None and v.sealed is not None
        }

    def _same(self, head: Any, digest: bytes, time: str | None) -> None:
        self.counts.unchanged += 1
        self.counts.mapped += 1
        if head.raw_digest != digest:
            self.touches.append(Touch(head.id, digest, time, anchor_name(digest), anchor_name(head.raw_digest)))
        elif head.rules_id != self._feed.rules_id:
            self.touches.append(Touch(head.id, digest, time))

    def _change(
        self,
        t: Translated,
        digests: Sequence[bytes],
        texts: Sequence[bytes],
        heads: Sequence[Any],
        before: Mapping[int, bytes],
    ) -> None:
        """New versions, and the names by which the one before was found and this one is not."""
        vault, namer = self._vault, self._feed.namer
        numbers = [head.version + 1 for head in heads]
        handles = [head.handle for head in heads]
        rest = [vault.unwrap(head.wrapped_key).rest for head in heads]
        old = [msgspec.json.decode(before[head.id]) if head.id in before else {} for head in heads]
        now, then = _triples(namer.names(t.column), heads), _triples(namer.names_of(old), heads)
        for head, digest in zip(heads, digests, strict=True):
            now.update((*name, head.id) for name in anchor_name(digest))
            then.update((*name, head.id) for name in anchor_name(head.raw_digest))
        self.changed = Puts(
            observations=[head.id for head in heads],
            handles=handles,
            digests=digests,
            numbers=numbers,
            previous=[head.seq for head in heads],
            times=t.times,
            flags=list(map(" ".join, t.flags)),
            sealed=vault.seal_versions(rest, numbers, handles, texts),
            added=sorted(now - then),
            stale=sorted(then - now),
        )
        self._date(t)
        self.counts.changed += len(heads)
        self.counts.mapped += len(heads)

    def _withdraw(self, ends: Mapping[bytes, int], stored: Mapping[bytes, Any]) -> None:
        """Tombstones for what the source says is gone; whose names stay, so that its history is found."""
        heads, times = {}, {}
        for handle, j in ends.items():
            head, time = stored.get(handle), self._t.deleted[j].time
            if head is not None and is_older(time, head.source_time):
                self._ignore(SUPERSEDED)
            elif head is not None and not head.gone:
                heads[head.id], times[head.id] = head, time
            else:
                self.counts.unchanged += 1
                self.counts.mapped += 1
                if head is None and time and not self._feed.stream.ordered:
                    self.early[handle] = time
                elif head is not None:
                    self.touches.append(Touch(head.id, b"", time))
        count = len(heads)
        self.withdrawn = Puts(
            observations=list(heads),
            handles=[head.handle for head in heads.values()],
            digests=[b""] * count,
            numbers=[head.version + 1 for head in heads.values()],
            previous=[head.seq for head in heads.values()],
            times=list(times.values()),
            flags=[""] * count,
            sealed=[None] * count,
            stale=sorted((*name, head.id) for head in heads.values() for name in anchor_name(head.raw_digest)),
        )
        self.counts.changed += count
        self.counts.mapped += count

    def _supersede(self, tx: Tx) -> None:
        """A readable row settles the unreadable ones that came before it under its key, unless they came in this page."""
        if self.page.flags:
            return  # what a person put right settles its own item and no other
        mended = self._kept.about.intersection([*self.fresh.handles, *self.changed.handles])
        if mended:
            self.superseded = [row[0] for row in tx.among_plain("quarantine_about", sorted(mended), self._feed.id)]

    def _hold(self, position: int, reason: str, field_: str | None, about: bytes | None = None) -> None:
        digest = self.digests[position]
        self.counts.quarantined += 1
        self.held.append(
            Held(
                self._vault.name("quarantine", f"{self._feed.uid}\0{digest.hex()}"),
                digest,
                reason,
                field_,
                self._vault.seal(ITEM, bytes(self.page.rows.raw[position])),
                about,
                self._vault.seal(PLACE, self.page.places[position].encode()) if self.page.places else None,
            )
        )

    def _protect(self, tx: Tx) -> None:
        """A snapshot's unreadable item keeps alive whatever it might be about, every time it is read: absence has to be proven."""
        if not self._feed.stream.snapshot or not (self._t.partial or self._again):
            return
        again = self._feed.translator.translate(self.page.rows.decode(self._again)).partial if self._again else []
        for found in self._feed.namer.names_of([*self._t.partial, *again]):
            if found.names:
                rows = tx.among_plain("observations_named", found.names, found.kind)
                self.seen.extend(row[1] for row in rows)


def _triples(names: Sequence[Names], heads: Sequence[Any]) -> set[tuple[int, int, int]]:
    return {
        (name, found.kind, heads[row].id) for found in names for name, row in zip(found.names, found.rows, strict=True)
    }
