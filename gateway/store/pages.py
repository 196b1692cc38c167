"""`commit_page`: versions, outbox, quarantine, evidence, counters and cursor move in one transaction, or not at all."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.checkpoints import reached
from gateway.errors import LeaseLost, Unreconciled
from gateway.store.engine import Store, Tx

LEASE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Fence:
    """The lease a writer holds; a token that is no longer the newest stops its transaction."""

    name: str
    token: int


@dataclass(slots=True)
class Put:
    """One observation whose content is new: first seen, changed, or back after it was gone."""

    observation: int | None
    handle: bytes
    raw_digest: bytes
    content_digest: bytes
    number: int
    source_time: str | None
    flags: str
    sealed: bytes
    wrapped_key: bytes | None
    """Set for a first version only."""
    subjects: list[tuple[bytes, str]]
    indexes: list[tuple[bytes, str]]
    stale_subjects: list[tuple[bytes, str]] = field(default_factory=list)
    stale_indexes: list[tuple[bytes, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Touch:
    """An observation that came with other bytes but the same content."""

    observation: int
    raw_digest: bytes
    source_time: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """One rejected item; `item` is sealed."""

    handle: bytes
    raw_digest: bytes
    reason: str
    field: str | None
    item: bytes
    about: bytes | None
    """Handle of the observation it is about, where its record key could be read."""


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
    page: int
    at: str
    """Business time."""
    as_of: str | None
    cursor: bytes
    declared: int | None
    counts: Counts
    proof: Proof
    puts: list[Put]
    touches: list[Touch]
    held: list[Held]
    settled: Sequence[bytes] = ()
    """Raw digests mapped now that may stand in quarantine from before their rules were mended."""
    superseded: Sequence[int] = ()
    """Quarantined items of which this page brings a readable successor."""
    contact: bool = True
    """The source itself answered; a replay never moves the contact clock."""
    seen: array[int] | None = None
    """Snapshot feeds: ids that this page still holds; ids of new observations are added here."""


def commit_page(store: Store, page: PageCommit) -> None:
    """Commits all of the page under its fence.

    Raises:
        LeaseLost: somebody took the lease over; nothing was written.
        Unreconciled: the counters do not add up; nothing was written.
    """
    page.counts.reconcile()
    with store.write() as tx:
        hold(tx, page.fence)
        evidence_id = int(
            tx.value(
                "evidence_add",
                run_id=page.run_id,
                page=page.page,
                at=page.proof.at,
                request=page.proof.request,
                status=page.proof.status,
                media=page.proof.media,
                size=page.proof.size,
                hash=page.proof.hash,
                body=page.proof.body,
            )
        )
        ids = _write_puts(tx, page, evidence_id)
        tx.many(
            "observation_touch", [(t.raw_digest, page.rules_id, t.source_time, t.observation) for t in page.touches]
        )
        tx.many(
            "quarantine_insert",
            [
                (
                    *(h.handle, page.feed_id, h.raw_digest, page.rules_id, h.reason, h.field),
                    *(page.run_id, evidence_id, page.at, page.at, h.item, h.about),
                )
                for h in page.held
            ],
        )
        tx.many("quarantine_settled", [(page.at, "mapping", page.feed_id, d) for d in page.settled])
        tx.many("quarantine_superseded", [(page.at, "source", i) for i in page.superseded])
        if page.seen is not None:
            page.seen.extend(ids)
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
            puts=len(page.puts),
            declared=page.declared,
        )
        tx.run("feed_cursor", id=page.feed_id, cursor=page.cursor)
        if page.contact:
            tx.run("feed_contact", id=page.feed_id, at=page.at)
        if page.as_of:
            tx.run("feed_as_of", id=page.feed_id, as_of=page.as_of)
        reached("committing")


def hold(tx: Tx, fence: Fence) -> None:
    """Renews the lease inside the transaction; raises LeaseLost when the token is no longer the newest."""
    if not tx.run("lease_holds", name=fence.name, token=fence.token, until=time.time() + LEASE_SECONDS):
        raise LeaseLost("租约已被接管，本次写入作废：{name}", name=fence.name)


def _write_puts(tx: Tx, page: PageCommit, evidence_id: int) -> list[int]:
    """Observations, versions, subjects and indexes; the ids of the observations put."""
    if not page.puts:
        return []
    feed, rules, run, stream = page.feed_id, page.rules_id, page.run_id, page.stream_id
    fresh = [p for p in page.puts if p.observation is None]
    if fresh:
        top = int(tx.value("counter_take", name="observation", count=len(fresh)))
        for offset, put in enumerate(fresh, top - len(fresh) + 1):
            put.observation = offset
        tx.many(
            "observation_insert",
            [
                (p.observation, feed, p.handle, p.raw_digest, p.content_digest, rules, p.source_time, p.wrapped_key)
                for p in fresh
            ],
        )
    tx.many(
        "observation_change",
        [
            (p.raw_digest, p.content_digest, rules, p.number, p.source_time, p.observation)
            for p in page.puts
            if p.wrapped_key is None
        ],
    )
    last = int(tx.value("stream_advance", id=stream, count=len(page.puts)))
    tx.many(
        "version_insert",
        [
            (
                *(stream, seq, p.observation, p.number, "put", run, evidence_id, rules),
                *(p.source_time, p.source_time or page.at, p.flags, p.sealed),
            )
            for seq, p in enumerate(page.puts, last - len(page.puts) + 1)
        ],
    )
    # sorted, so that neighbouring rows share B-tree pages: these keys are random
    tx.many("subject_insert", sorted((n, r, p.observation) for p in page.puts for n, r in p.subjects))
    tx.many("index_insert", sorted((n, k, p.observation) for p in page.puts for n, k in p.indexes))
    tx.many("subject_delete", [(n, r, p.observation) for p in page.puts for n, r in p.stale_subjects])
    tx.many("index_delete", [(n, k, p.observation) for p in page.puts for n, k in p.stale_indexes])
    return [p.observation for p in page.puts if p.observation is not None]


@dataclass(frozen=True, slots=True)
class Vanished:
    """An observation that a complete snapshot no longer holds."""

    observation: int
    number: int


def commit_gone(
    store: Store,
    fence: Fence,
    *,
    feed_id: int,
    stream_id: int,
    run_id: int,
    rules_id: int,
    at: str,
    gone: Sequence[Vanished],
) -> None:
    """Tombstones, in one transaction, with the snapshot's seen marks cleared."""
    with store.write() as tx:
        hold(tx, fence)
        tx.run("seen_forget", feed_id=feed_id)
        if gone:
            last = int(tx.value("stream_advance", id=stream_id, count=len(gone)))
            tx.many("observation_gone", [(g.number, b"", b"", g.observation) for g in gone])
            tx.many(
                "version_insert",
                [
                    (stream_id, seq, g.observation, g.number, "gone", run_id, None, rules_id, None, at, "", None)
                    for seq, g in enumerate(gone, last - len(gone) + 1)
                ],
            )
            tx.run("run_gone", id=run_id, gone=len(gone))
        reached("committing")
