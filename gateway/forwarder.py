"""From committed versions to every member: seal, build, deliver, read back (DESIGN §4, §8).

Each step is durable before the next begins, and each can be repeated: membership of a batch is stored before it is built,
a batch id is a function of its content, and a chain refuses the same id twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import structlog

from gateway import desk
from gateway.chain import Chain, ChainConflict, ChainRefused, ChainUnavailable, Receipt
from gateway.checkpoints import reached
from gateway.clock import Clock
from gateway.config import CatalogueEntry, MemberModel
from gateway.errors import Unreconciled, Usage
from gateway.leases import Leases
from gateway.proof import (
    BatchOf,
    KeyMalformed,
    MemberPublic,
    PayloadStore,
    SealedBatch,
    Signer,
    Statement,
    build,
    expand,
    issue_keys,
    keys_folder,
    payload_name,
)
from gateway.statements import StatementMaker, may_share
from gateway.store import Store, Tx
from gateway.store.segments import versions_between
from gateway.vault import Vault
from schemas import DATASETS

log = structlog.get_logger(__name__)

FORWARDER: Final = "forwarder"
VERSIONS: Final = "versions"
"""The kind of a feed's stream."""


@dataclass(slots=True)
class Report:
    """What one pass did: batches newly sealed, newly confirmed, still waiting; streams held back, each with its reason."""

    sealed: int = 0
    confirmed: int = 0
    waiting: int = 0
    held: list[str] = field(default_factory=list)


class Forwarder:
    """One pass at a time, whoever calls: it holds the forwarder's lease."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        leases: Leases,
        *,
        signer: Signer,
        chains: Mapping[str, Chain],
        payloads: PayloadStore,
        catalogue: Mapping[str, CatalogueEntry],
        members: Mapping[str, MemberModel],
        member_keys: Path,
        submitter: str,
        batch_size: int,
    ) -> None:
        self._store, self._vault, self._clock, self._leases = store, vault, clock, leases
        self._signer, self._chains, self._payloads = signer, chains, payloads
        self._catalogue, self._members, self._member_keys = catalogue, members, member_keys
        self._submitter, self._batch_size = submitter, batch_size

    def forward(self) -> Report:
        """Seals and delivers all there is.

        Raises:
            Busy: another pass is under way.
            Unreconciled: a chain gave back something else than we sent: a hard alarm.
        """
        report = Report()
        if self._idle():
            return report
        with self._leases.take(FORWARDER):
            self._reserve(report)
            self._build(report)
            for sink in self._chains:
                self._deliver(sink, report)
        return report

    def _idle(self) -> bool:
        """Whether there is nothing to seal, build or deliver: then no lease is taken and nothing is written."""
        with self._store.read() as tx:
            if tx.value("unsealed_count") or tx.all("batches_unbuilt"):
                return False
            return not any(tx.all(q, sink=s) for s in self._chains for q in ("deliveries_missing", "deliveries_open"))

    def _reserve(self, report: Report) -> None:
        """Membership first: whatever dies later, the same statements end up in the same batch."""
        today = self._clock.today()
        with self._store.write() as tx:
            for stream in tx.all("streams_to_seal"):
                if stream.kind == VERSIONS and (reason := self._held_back(tx, stream.id, today)) is not None:
                    report.held.append(reason)
                    continue
                for first in range(stream.sealed_seq + 1, stream.next_seq + 1, self._batch_size):
                    last = min(first + self._batch_size - 1, stream.next_seq)
                    tx.value(
                        "batch_reserve", stream_id=stream.id, first=first, last=last, sealed_at=self._clock.stamp()
                    )
                    report.sealed += 1
                tx.run("stream_sealed", id=stream.id, last=stream.next_seq)
        if report.sealed:
            reached("reserved")

    def _held_back(self, tx: Tx, stream_id: int, today: date) -> str | None:
        """Why nothing of a feed may be sealed now, in one sentence; None when it may."""
        feed = tx.one("feed_of_stream", stream_id=stream_id)
        assert feed is not None
        entry = self._catalogue.get(feed.dataset)
        reason = "目录里没有这个数据资源" if entry is None else may_share(entry, today)
        return None if reason is None else f"{feed.name}：{reason}"

    def _build(self, report: Report) -> None:
        with self._store.read() as tx:
            unbuilt = tx.all("batches_unbuilt")
        for row in unbuilt:
            with self._store.read() as tx:
                previous = tx.one("batch_previous", stream_id=row.stream_id, first=row.first)
                before = previous.batch_id if previous else None
                feed = tx.one("feed_of_stream", stream_id=row.stream_id)
                if feed is None:
                    sealed, statements = self._desk_batch(tx, row, before)
                else:
                    sealed, statements = self._feed_batch(tx, row, feed, before)
            self._payloads.put(payload_name(sealed.manifest.payload_digest), sealed.payload)
            if feed is not None:
                self._issue(feed.dataset, self._catalogue[feed.dataset], sealed, statements)
            with self._store.write() as tx:
                tx.run(
                    "batch_built",
                    id=row.id,
                    batch_id=sealed.batch_id,
                    payload_digest=sealed.manifest.payload_digest,
                    manifest=sealed.manifest_bytes,
                    signature=sealed.signature,
                )

    def _feed_batch(self, tx: Tx, row: Any, feed: Any, before: str | None) -> tuple[SealedBatch, list[Statement]]:
        entry = self._catalogue[feed.dataset]
        statements = self._statements(tx, row, feed, entry)
        of = BatchOf(
            stream=feed.uid,
            county=feed.county,
            dataset=feed.dataset,
            schema=f"{feed.dataset}/{DATASETS[feed.dataset].version}",
            first=row.first,
            sealed_at=row.sealed_at,
            submitter=self._submitter,
            previous=before,
            period=_span(statements),
            terms=entry.sharing.approval,
        )
        return build(statements, of, self._signer), statements

    def _desk_batch(self, tx: Tx, row: Any, before: str | None) -> tuple[SealedBatch, list[Statement]]:
        """Consents, queries, erasures: anchored for everybody to see that they were made, opened to nobody by key file."""
        stream = tx.one("stream_by_id", id=row.stream_id)
        assert stream is not None
        statements = desk.statements(tx, self._vault, row.stream_id, row.first, row.last)
        schema = desk.SCHEMAS[stream.kind]
        of = BatchOf(
            stream=stream.name,
            county=None,
            dataset=schema.partition("/")[0],
            schema=schema,
            first=row.first,
            sealed_at=row.sealed_at,
            submitter=self._submitter,
            previous=before,
            period=_span(statements),
            kind=stream.kind,
        )
        return build(statements, of, self._signer), statements

    def _statements(self, tx: Tx, row: Any, feed: Any, entry: CatalogueEntry) -> list[Statement]:
        rows = versions_between(tx, row.stream_id, row.first, row.last)
        if len(rows) != row.last - row.first + 1:
            raise Unreconciled(
                "批次应有 {want} 条，版本记录只有 {got} 条", want=row.last - row.first + 1, got=len(rows)
            )
        return StatementMaker(self._vault, DATASETS[feed.dataset], entry, feed).make(tx, rows)

    def _issue(self, dataset: str, entry: CatalogueEntry, sealed: SealedBatch, statements: list[Statement]) -> None:
        """Key files for the members that the terms name, holding the groups each was granted."""
        for name in entry.sharing.recipients:
            model = self._members.get(name)
            granted = model.groups.get(dataset, ()) if model else ()
            if model is None or not granted:
                continue
            member = self._public(name, model)
            if not self._payloads.names(keys_folder(sealed.batch_id, member)):
                file = issue_keys(sealed.batch_id, member, [_secrets(s, granted) for s in statements])
                self._payloads.put(file.name, file.content)

    def _public(self, name: str, model: MemberModel) -> MemberPublic:
        """Raises Usage: the member's public key file is not there, or holds none."""
        path = self._member_keys / model.key
        try:
            return MemberPublic.parse(path.read_text("ascii"))
        except (OSError, UnicodeDecodeError, KeyMalformed) as error:
            raise Usage(
                "成员 {member} 的公钥 {path} 读不到或不合规；请由成员用 shuqiao member keygen 生成并交来 .pub 文件",
                member=name,
                path=str(path),
            ) from error

    def _deliver(self, sink: str, report: Report) -> None:
        with self._store.write() as tx:
            for row in tx.all("deliveries_missing", sink=sink):
                tx.run("delivery_add", sink=sink, batch=row.id)
            waiting = tx.all("deliveries_open", sink=sink)
        for row in waiting:
            try:
                receipt = self._submit(sink, row)
            except (ChainUnavailable, ChainRefused) as error:
                report.waiting += 1
                self._note(sink, row.id, "failed", str(error))
                log.warning("delivery_failed", sink=sink, batch=row.batch_id, error=type(error).__name__)
                continue
            report.confirmed += receipt is not None
            report.waiting += receipt is None

    def _submit(self, sink: str, row: Any) -> Receipt | None:
        """Submits, reads back what the chain holds now, and stores its receipt; None while it is not final.

        Raises:
            Unreconciled: what the chain gives back is not what was sent, or it holds something else in its place.
        """
        chain = self._chains[sink]
        reached("submitted")
        try:
            receipt = chain.submit(row.manifest, row.signature).receipt
        except ChainConflict as error:
            raise Unreconciled(error.sentence, **error.facts) from error
        reached("appended")
        if receipt is None:
            return None
        if chain.read(row.batch_id) != row.manifest:
            raise Unreconciled("{sink} 读回的批次 {batch} 与送出的不同", sink=sink, batch=row.batch_id)
        reached("receipt")
        with self._store.write() as tx:
            tx.run(
                "delivery_state",
                sink=sink,
                batch=row.id,
                state="confirmed",
                tried=1,
                block=str(receipt.block),
                block_hash=receipt.block_hash,
                confirmed_at=self._clock.stamp(),
                sentence=None,
            )
        return receipt

    def _note(self, sink: str, batch: int, state: str, sentence: str) -> None:
        with self._store.write() as tx:
            tx.run(
                "delivery_state",
                sink=sink,
                batch=batch,
                state=state,
                tried=1,
                block=None,
                block_hash=None,
                confirmed_at=None,
                sentence=sentence,
            )


def _secrets(statement: Statement, granted: Sequence[str]) -> dict[str, bytes]:
    """Keys of the groups of one version that a grant covers; `holder` covers `holder/0`, `holder/1`, …"""
    if statement.key is None:
        return {}
    number = int(statement.envelope["version"] or 0)
    stems = [g for g in statement.groups if granted == "all" or g.partition("/")[0] in granted]
    return {group: expand(statement.key, number, group) for group in stems}


def _span(statements: list[Statement]) -> str | None:
    """The periods of a batch as `first/last`, or the one they share."""
    periods = sorted(p for s in statements if (p := s.envelope["period"]))
    if not periods:
        return None
    return periods[0] if periods[0] == periods[-1] else f"{periods[0]}/{periods[-1]}"
