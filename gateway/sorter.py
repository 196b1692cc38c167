"""What each item of a page is: known, changed, the same, twice, to be held, or none of our business."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from adapters.kit import Adapter, Page, Stream, Translated, Translator
from gateway.names import Namer
from gateway.store import Store, Tx
from gateway.store.pages import Counts, Held, Put, Touch
from gateway.vault import NONCE_BYTES, Vault
from schemas import Canonical, Dataset

_canonical: Final = msgspec.json.Encoder(order="sorted").encode
ITEM: Final = "quarantine"
ANY_SHARE: Final = float("inf")
"""A vanish limit set by a person who asked the agency: all of a feed may be gone."""


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
    vanish_limit: float = 0.2
    """Share of known rows that may be missing from a snapshot before a person is asked (DESIGN §5.4)."""
    recognise: Callable[[bytes], bytes] = field(init=False)


class Sorter:
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
        known: dict[bytes, int] = dict(tx.among_plain("observations_recognised", digests, feed.id, feed.rules_id))
        strange = digests if not known else [d for d in digests if d not in known]
        before = tx.among_plain("quarantine_recognised", strange, feed.id) if strange else []
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
