"""From committed versions to every member: seal, build, deliver, read back (DESIGN §4, §8).

Each step is durable before the next begins, and each can be repeated: membership of a batch is stored before it is built,
a batch id is a function of its content, and a chain refuses the same id twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from gateway import desk
from gateway.chain import Chain
from gateway.checkpoints import reached
from gateway.clock import Clock
from gateway.config import CatalogueEntry
from gateway.delivery import Deliveries, Report
from gateway.errors import Unreconciled
from gateway.grants import Grants
from gateway.leases import Leases
from gateway.proof import (
    BatchOf,
    PayloadStore,
    SealedBatch,
    Signer,
    Statement,
    Suite,
    build,
    payload_name,
)
from gateway.statements import StatementMaker, may_share
from gateway.store import Store, Tx
from gateway.store.segments import versions_between
from gateway.vault import Vault
from schemas import DATASETS

FORWARDER: Final = "forwarder"
VERSIONS: Final = "versions"
"""The kind of a feed's stream."""


class Forwarder:
    """Seals and builds under the forwarder's lease, delivers to each sink under the lease of its lane."""

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
        grants: Grants,
        submitter: str,
        batch_size: int,
        suite: Suite,
    ) -> None:
        self._store, self._vault, self._clock, self._leases = store, vault, clock, leases
        self._signer, self._payloads = signer, payloads
        self._catalogue, self._grants = catalogue, grants
        self._submitter, self._batch_size, self._suite = submitter, batch_size, suite
        self._deliveries = Deliveries(store, clock, leases, chains)

    def forward(self, patience: float | None = None) -> Report:
        """Seals all there is and delivers it to every sink at once.

        Args:
            patience: seconds to wait for the sinks; a slower one goes on by itself and is told of by a later pass.
                None waits until each has confirmed all, failed, or tried for `DELIVERY_SECONDS`.

        Raises:
            Busy: another pass is sealing.
            Unreconciled: a chain gave back something else than we sent: a hard alarm. The other sinks were served.
        """
        report = Report()
        if not self._nothing_to_seal():
            with self._leases.take(FORWARDER):
                self._reserve(report)
                self._build(report)
                self._grants.catch_up()
        self._deliveries.advance(report, patience)
        return report

    def reconcile(self, sink: str) -> tuple[int, int]:
        """See `Deliveries.reconcile`."""
        return self._deliveries.reconcile(sink)

    def close(self) -> None:
        self._deliveries.close()

    def _nothing_to_seal(self) -> bool:
        """Then no lease is taken and nothing is written."""
        with self._store.read() as tx:
            return not (tx.value("unsealed_count") or tx.all("batches_unbuilt") or tx.all("reissues"))

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
                self._grants.first(feed.dataset, sealed, statements)
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
        return build(statements, of, self._signer, self._suite), statements

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
        return build(statements, of, self._signer, self._suite), statements

    def _statements(self, tx: Tx, row: Any, feed: Any, entry: CatalogueEntry) -> list[Statement]:
        rows = versions_between(tx, row.stream_id, row.first, row.last)
        if len(rows) != row.last - row.first + 1:
            raise Unreconciled(
                "批次应有 {want} 条，版本记录只有 {got} 条", want=row.last - row.first + 1, got=len(rows)
            )
        return StatementMaker(self._vault, DATASETS[feed.dataset], entry, feed).make(tx, rows)


def _span(statements: list[Statement]) -> str | None:
    """The periods of a batch as `first/last`, or the one they share."""
    periods = sorted(p for s in statements if (p := s.envelope["period"]))
    if not periods:
        return None
    return periods[0] if periods[0] == periods[-1] else f"{periods[0]}/{periods[-1]}"
