"""`commit_pages`: versions, outbox, quarantine, evidence, counters and cursor move in one transaction, or not at all."""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count as count_from
from itertools import repeat
from typing import Final, Protocol

from gateway.checkpoints import reached
from gateway.errors import LeaseLost, Unreconciled
from gateway.store.engine import Store, Tx
from gateway.store.rejected import Held, Override, write_rejected
from gateway.store.segments import pack, pack_periods

LEASE_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Fence:
    """The lease a writer holds; a token that is no longer the newest stops its transaction."""

    name: str
    token: int


HANDLE_KIND: Final = 1
"""Kind of the index names that lead from a handle to its observation."""
ANCHOR_KIND: Final = 2
"""Kind of the index names that lead from some raw digests to their observations (`gateway.recognition`)."""
_FEED_BITS: Final = 40


def observation_ids(feed_id: int) -> tuple[int, int]:
    """The lowest and the highest id an observation of this feed can have."""
    return feed_id << _FEED_BITS, ((feed_id + 1) << _FEED_BITS) - 1


class Named(Protocol):
    """Index names of one kind: `names[i]` belongs to row `rows[i]`."""

    @property
    def kind(self) -> int: ...
    @property
    def names(self) -> Sequence[int]: ...
    @property
    def rows(self) -> Sequence[int]: ...


def living(tx: Tx, feed_id: int) -> list[int]:
    """Ids of a feed's observations that are not gone, in the order they came."""
    low, high = observation_ids(feed_id)
    return [row[0] for row in tx.all_plain("observations_known", low=low, high=high)]


@dataclass(slots=True)
class Puts:
    """Observations whose content is new, in columns that run in step: first seen, changed, or back after they were gone."""

    observations: list[int] = field(default_factory=list)
    """Ids; empty for observations seen for the first time, which get theirs when they are committed."""
    handles: Sequence[bytes] = ()
    digests: Sequence[bytes] = ()
    numbers: Sequence[int] = ()
    previous: Sequence[int] = ()
    """Sequence number of the version before; 0 for a first one."""
    times: Sequence[str | None] = ()
    flags: Sequence[str] = ()
    sealed: Sequence[bytes | None] = ()
    wrapped: Sequence[bytes] = ()
    """Wrapped keys, of observations seen for the first time."""
    names: Sequence[Named] = ()
    """Index names of observations seen for the first time, by row."""
    added: Sequence[tuple[int, int, int]] = ()
    """(name, kind, observation) that hold from now on."""
    stale: Sequence[tuple[int, int, int]] = ()
    """(name, kind, observation) that no longer hold."""

    def __len__(self) -> int:
        return len(self.handles)


@dataclass(frozen=True, slots=True)
class Touch:
    """An observation that came with other bytes but the same content."""

    observation: int
    raw_digest: bytes
    source_time: str | None
    names: tuple[tuple[int, int], ...] = ()
    """(name, kind) that lead to it from now on."""
    stale: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence of one answer; `body` is sealed, or None where the page changed nothing."""

    at: str
    request: str
    status: int
    media: str
    size: int
    hash: bytes
    body: bytes | None


@dataclass(slots=True)
class Counts:
    """What became of the items of one page (DESIGN §5.2)."""

    fetched: int = 0
    recognised: int = 0
    mapped: int = 0
    duplicate: int = 0
    quarantined: int = 0
    ignored: int = 0
    changed: int = 0
    unchanged: int = 0

    def add(self, other: Counts) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def reconcile(self) -> None:
        """Raises Unreconciled when an item is unaccounted for."""
        told = self.recognised + self.mapped + self.duplicate + self.quarantined + self.ignored
        if told != self.fetched or self.mapped != self.changed + self.unchanged:
            raise Unreconciled(
                "本页账目不平：取得 {fetched}，识别 {recognised}，映射 {mapped}（变更 {changed}、未变 {unchanged}），"
                "重复 {duplicate}，隔离 {quarantined}，忽略 {ignored}",
                **{name: getattr(self, name) for name in self.__slots__},
            )


@dataclass(slots=True)
class PageCommit:
    """Everything one page changes."""

    fence: Fence
    feed_id: int
    stream_id: int
    run_id: int
    rules_id: int
    suite: str
    """In which its versions are encrypted."""
    suppressed: int
    """How long the suppression list was when its rows were held against it."""
    page: int
    at: str
    """Business time."""
    as_of: str | None
    cursor: bytes
    declared: int | None
    counts: Counts
    proof: Proof
    fresh: Puts
    changed: Puts
    withdrawn: Puts
    """Tombstones: their `sealed` is null and their digests are empty."""
    touches: list[Touch]
    held: list[Held]
    settled: Sequence[bytes] = ()
    """Raw digests mapped now that may stand in quarantine from before their rules were mended."""
    superseded: Sequence[int] = ()
    """Quarantined items of which this page brings a readable successor."""
    overrides: Sequence[Override] = ()
    """Quarantined items of which a person made the records of this page."""
    periods: Mapping[str, int] = field(default_factory=dict)
    """Date that names a period -> versions of this page that count for it; empty where their source times do."""
    early: Sequence[tuple[bytes, str]] = ()
    """(handle, time) of what the source withdrew and nobody knew: whatever was said before that comes late."""
    ignored: Sequence[tuple[str, int]] = ()
    """(rule, items it ignored); the sum is `counts.ignored`."""
    taken: int = 0
    """Position in the feed's inbox up to which messages are on pages; 0 where nothing is pushed."""
    contact: bool = True
    """The source itself answered; a replay never moves the contact clock."""
    asked: Sequence[tuple[int, bool]] = ()
    """Subjects the source answered about, and whether it knew them."""
    seen: array[int] | None = None
    """Snapshot feeds: ids that this page still holds; ids of new observations are added here."""
    reading: int | None = None
    """The reading that goes on after this page; 0: it ends with it; None: a replay is no reading."""


def commit_pages(store: Store, pages: Sequence[PageCommit]) -> None:
    """Commits all of these pages of one run under its fence, in order, in one transaction.

    Raises:
        LeaseLost: somebody took the lease over, or was erased meanwhile; nothing was written.
        Unreconciled: the counters of a page do not add up; nothing was written.
    """
    for page in pages:
        page.counts.reconcile()
    with store.write() as tx:
        hold(tx, pages[-1].fence)
        if any(page.suppressed != tx.value("suppression_count") for page in pages):
            raise LeaseLost("采集期间有人被擦除，本次写入作废，将从上次的位置重来：{name}", name=pages[-1].fence.name)
        names: list[tuple[int, int, int]] = []
        for page in pages:
            names += _write_page(tx, page)
        # sorted, so that neighbours share B-tree pages: these keys are random, and this costs a quarter of the disorder
        names.sort()
        tx.bulk("name_insert", names)
        reached("committing")


def _write_page(tx: Tx, page: PageCommit) -> list[tuple[int, int, int]]:
    """Everything of one page but its index names, which are the answer: (name, kind, observation)."""
    proof = page.proof
    evidence_id = int(
        tx.value(
            "evidence_add",
            run_id=page.run_id,
            page=page.page,
            at=proof.at,
            request=proof.request,
            status=proof.status,
            media=proof.media,
            size=proof.size,
            hash=proof.hash,
            body=proof.body,
        )
    )
    names = _write_puts(tx, page, evidence_id)
    tx.many("observation_touch", [(t.raw_digest, page.rules_id, t.source_time, t.observation) for t in page.touches])
    names += [(name, kind, t.observation) for t in page.touches for name, kind in t.names]
    tx.many("name_delete", [(name, kind, t.observation) for t in page.touches for name, kind in t.stale])
    write_rejected(tx, page, evidence_id)
    tx.many("asked_put", [(page.feed_id, subject, page.at, int(found)) for subject, found in page.asked])
    if page.seen is not None:
        page.seen.extend(page.fresh.observations)
        tx.run("seen_put", feed_id=page.feed_id, run_id=page.run_id, page=page.page, ids=page.seen.tobytes())
    c = page.counts
    tx.run(
        "run_count",
        id=page.run_id,
        fetched=c.fetched,
        recognised=c.recognised,
        mapped=c.mapped,
        duplicate=c.duplicate,
        quarantined=c.quarantined,
        ignored=c.ignored,
        changed=c.changed,
        unchanged=c.unchanged,
        puts=len(page.fresh) + len(page.changed) + len(page.withdrawn),
        declared=page.declared,
    )
    tx.many("run_ignored_add", [(page.run_id, rule, items) for rule, items in page.ignored])
    tx.many("withdrawal_early", [(page.feed_id, handle, time) for handle, time in page.early])
    if page.taken:
        tx.run("inbox_release", feed_id=page.feed_id, upto=page.taken)
        tx.run("inbox_taken", feed_id=page.feed_id, upto=page.taken)
    tx.run("feed_cursor", id=page.feed_id, cursor=page.cursor)
    if page.reading is not None:
        tx.run("feed_reading", id=page.feed_id, reading=page.reading or None)
    if page.contact:
        tx.run("feed_contact", id=page.feed_id, at=page.at)
    if page.as_of:
        tx.run("feed_as_of", id=page.feed_id, as_of=page.as_of)
    return names


def hold(tx: Tx, fence: Fence) -> None:
    """Renews the lease inside the transaction; raises LeaseLost when the token is no longer the newest."""
    if not tx.run("lease_holds", name=fence.name, token=fence.token, until=time.time() + LEASE_SECONDS):
        raise LeaseLost("租约已被接管，本次写入作废：{name}", name=fence.name)


def _write_puts(tx: Tx, page: PageCommit, evidence_id: int) -> list[tuple[int, int, int]]:
    """Observations and their versions, as one segment; answers their index names."""
    fresh, known = page.fresh, (page.changed, page.withdrawn)
    count = len(fresh) + sum(map(len, known))
    if not count:
        return []
    first = int(tx.value("stream_advance", id=page.stream_id, count=count)) - count + 1
    if len(fresh):
        low, _ = observation_ids(page.feed_id)
        top = int(tx.value("counter_take", name=f"observation/{page.feed_id}", count=len(fresh)))
        fresh.observations = list(range(low + top - len(fresh) + 1, low + top + 1))
        where = (fresh.observations, repeat(page.feed_id), fresh.handles, fresh.digests, repeat(page.rules_id))
        tx.bulk("observation_insert", list(zip(*where, count_from(first), fresh.times, fresh.wrapped, strict=False)))
    numbers = count_from(first + len(fresh))
    for puts in known:
        gone = [int(sealed is None) for sealed in puts.sealed]
        said = zip(puts.digests, repeat(page.rules_id), puts.numbers, numbers, puts.times, gone, puts.observations)
        tx.many("observation_change", list(said))
    tx.run(
        "segment_insert",
        stream_id=page.stream_id,
        first=first,
        last=first + count - 1,
        run_id=page.run_id,
        evidence_id=evidence_id,
        rules_id=page.rules_id,
        at=page.at,
        flagged=sum(1 for puts in (fresh, *known) for flags in puts.flags if flags),
        periods=pack_periods(page.periods),
        suite=page.suite,
        body=pack(
            *(
                [value for puts in (fresh, *known) for value in getattr(puts, column)]
                for column in ("observations", "numbers", "previous", "times", "flags", "sealed")
            )
        ),
    )
    for puts in known:
        tx.many("name_delete", list(puts.stale))
    ids = fresh.observations
    out = list(page.changed.added)
    for named in fresh.names:
        out += zip(named.names, repeat(named.kind), map(ids.__getitem__, named.rows), strict=False)
    return out


@dataclass(frozen=True, slots=True)
class Vanished:
    """An observation that a complete snapshot no longer holds; `previous` is where its last version stands."""

    observation: int
    number: int
    previous: int


def commit_gone(
    store: Store,
    fence: Fence,
    *,
    feed_id: int,
    stream_id: int,
    run_id: int,
    rules_id: int,
    suite: str,
    at: str,
    gone: Sequence[Vanished],
) -> None:
    """Tombstones, in one transaction, with the snapshot's seen marks cleared."""
    with store.write() as tx:
        hold(tx, fence)
        tx.run("seen_forget", feed_id=feed_id)
        if gone:
            last = int(tx.value("stream_advance", id=stream_id, count=len(gone)))
            first, none = last - len(gone) + 1, [None] * len(gone)
            tx.many("observation_gone", [(g.number, seq, b"", g.observation) for seq, g in enumerate(gone, first)])
            tx.run(
                "segment_insert",
                stream_id=stream_id,
                first=first,
                last=last,
                run_id=run_id,
                evidence_id=None,
                rules_id=rules_id,
                at=at,
                flagged=0,
                periods=None,
                suite=suite,
                body=pack(
                    [g.observation for g in gone],
                    [g.number for g in gone],
                    [g.previous for g in gone],
                    none,
                    [""] * len(gone),
                    none,
                ),
            )
            tx.run("run_gone", id=run_id, gone=len(gone))
        reached("committing")
