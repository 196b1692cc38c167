"""Built batches on their way to every sink, each sink in a thread of its own: one that hangs delays nobody else (DESIGN §8).

A delivery is a row of (sink, batch): pending, sent, failed, confirmed. Confirmed means final and read back equal; a block
that leaves its chain all the same takes its deliveries back to sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import Any, Final

import structlog

from gateway.chain import Chain, ChainConflict, ChainRefused, ChainUnavailable, Head, Receipt
from gateway.checkpoints import reached
from gateway.clock import Clock
from gateway.errors import Busy, Unreconciled
from gateway.leases import Leases
from gateway.store import Store

log = structlog.get_logger(__name__)

DELIVERY_SECONDS: Final = 60.0
"""How long one delivery goes on looking at what is not final; what is left is looked at by the next."""
REREAD_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 30.0


@dataclass(slots=True)
class Report:
    """What one pass did: batches newly sealed, newly confirmed, still waiting; streams held back, each with its reason."""

    sealed: int = 0
    confirmed: int = 0
    waiting: int = 0
    held: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Delivery:
    """What is on its way to one sink, in a thread of its own: a sink that hangs holds up nobody else."""

    thread: Thread
    report: Report
    error: Exception | None = None


class Deliveries:
    """All sinks of one process. Each is served under the lease of its lane, whoever else delivers."""

    def __init__(self, store: Store, clock: Clock, leases: Leases, chains: Mapping[str, Chain]) -> None:
        self._store, self._clock, self._leases, self._chains = store, clock, leases, chains
        self._under_way: dict[str, _Delivery] = {}
        self._reread_at: dict[str, float] = {}
        self._closing = Event()

    def advance(self, report: Report, patience: float | None) -> None:
        """Delivers to every sink that lacks something and waits `patience` seconds for them, for ever when None.

        Raises:
            Unreconciled: a chain gave back something else than we sent. Every other sink was served.
        """
        for sink in self._chains:
            if sink not in self._under_way and self._owes(sink):
                self._under_way[sink] = self._begin(sink)
        deadline = None if patience is None else monotonic() + patience
        for delivery in list(self._under_way.values()):
            delivery.thread.join(None if deadline is None else max(0.0, deadline - monotonic()))
        self._collect(report)

    def close(self) -> None:
        """Lets deliveries under way end after the call they are in."""
        self._closing.set()
        for delivery in self._under_way.values():
            delivery.thread.join(CLOSE_SECONDS)

    def _owes(self, sink: str) -> bool:
        """Whether a sink lacks a batch, or it is time to look at its newest receipts again."""
        with self._store.read() as tx:
            if tx.all("deliveries_missing", sink=sink) or tx.all("deliveries_open", sink=sink):
                return True
        due = monotonic() - self._reread_at.get(sink, float("-inf")) > REREAD_SECONDS
        return due and self._chains[sink].rereads > 0

    def _begin(self, sink: str) -> _Delivery:
        def run() -> None:
            try:
                with self._leases.take(self._chains[sink].lane):
                    self._reread(sink)
                    self._deliver(sink, delivery.report)
            except Busy:
                delivery.report.waiting = self._open_count(sink)
            except Exception as error:  # noqa: BLE001 # told by the pass that collects it
                delivery.error = error

        delivery = _Delivery(Thread(target=run, name=f"sink {sink}", daemon=True), Report())
        delivery.thread.start()
        return delivery

    def _collect(self, report: Report) -> None:
        """Adds up what ended. Raises the first error, once every other sink has its due."""
        errors = []
        for sink, delivery in list(self._under_way.items()):
            if delivery.thread.is_alive():
                report.waiting += self._open_count(sink)
                continue
            del self._under_way[sink]
            report.confirmed += delivery.report.confirmed
            report.waiting += delivery.report.waiting
            if delivery.error is not None:
                log.error("delivery_stopped", sink=sink, error=type(delivery.error).__name__)
                errors.append(delivery.error)
        for error in errors:
            raise error

    def _open_count(self, sink: str) -> int:
        with self._store.read() as tx:
            return len(tx.all("deliveries_missing", sink=sink)) + len(tx.all("deliveries_open", sink=sink))

    def _deliver(self, sink: str, report: Report) -> None:
        with self._store.write() as tx:
            for row in tx.all("deliveries_missing", sink=sink):
                tx.run("delivery_add", sink=sink, batch=row.id)
            waiting = tx.all("deliveries_open", sink=sink)
        deadline = monotonic() + DELIVERY_SECONDS
        while waiting and not self._closing.is_set():
            left, stuck = [], False
            for row in waiting:
                if self._closing.is_set():
                    break
                try:
                    receipt = self._submit(sink, row)
                except ChainUnavailable as error:
                    # whoever does not answer this one does not answer the next either
                    self._failed(sink, row, error)
                    stuck = True
                    break
                except ChainRefused as error:
                    self._failed(sink, row, error)
                    continue
                if receipt is None:
                    left.append(row._replace(state="sent"))
                else:
                    report.confirmed += 1
            waiting = left
            if stuck or not waiting or monotonic() > deadline:
                break
            self._closing.wait(self._chains[sink].pace)
        report.waiting = self._open_count(sink)

    def _failed(self, sink: str, row: Any, error: ChainUnavailable | ChainRefused) -> None:
        self._note(sink, row.id, "failed", str(error))
        log.warning("delivery_failed", sink=sink, batch=row.batch_id, error=type(error).__name__)

    def reconcile(self, sink: str) -> tuple[int, int]:
        """Looks at every receipt of a sink and reads every batch back; how many there are, and how many go back to sent.

        Raises:
            Busy: somebody is delivering to it.
            Unreconciled: what the chain holds is not what was sent.
            ChainUnavailable: it did not answer; nothing was concluded.
        """
        chain = self._chains[sink]
        with self._leases.take(chain.lane, wait=DELIVERY_SECONDS):
            with self._store.read() as tx:
                rows = tx.all("deliveries_confirmed", sink=sink)
            gone = [row for row in rows if not chain.stands(Head(int(row.block), row.block_hash))]
            for row in gone:
                self._demote(sink, row)
            for row in rows:
                if row not in gone and chain.read(row.batch_id) != row.manifest:
                    raise Unreconciled("{sink} 读回的批次 {batch} 与送出的不同", sink=sink, batch=row.batch_id)
        return len(rows), len(gone)

    def _reread(self, sink: str) -> None:
        """Looks at the newest receipts again; a batch whose block is gone is on its way again, the same bytes.

        A chain that lost more than it shows at a glance is followed back until a whole stretch of receipts stands.
        """
        chain, skip = self._chains[sink], 0
        while chain.rereads:
            with self._store.read() as tx:
                rows = tx.all("deliveries_newest", sink=sink, count=chain.rereads, skip=skip)
            stands: dict[Head, bool] = {}
            gone = []
            try:
                for row in rows:
                    block = Head(int(row.block), row.block_hash)
                    if block not in stands:
                        stands[block] = chain.stands(block)
                    if not stands[block]:
                        gone.append(row)
            except ChainUnavailable as error:
                log.warning("reread_failed", sink=sink, error=type(error).__name__)
                return
            for row in gone:
                self._demote(sink, row)
            if not gone or len(rows) < chain.rereads:
                break
            skip += len(rows) - len(gone)
        self._reread_at[sink] = monotonic()

    def _demote(self, sink: str, row: Any) -> None:
        self._note(sink, row.id, "sent", "原来的区块已不在链上，正在重新确认")
        log.warning("delivery_demoted", sink=sink, batch=row.batch_id, block=row.block)

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
            if row.state != "sent":
                self._note(sink, row.id, "sent", None)
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

    def _note(self, sink: str, batch: int, state: str, sentence: str | None) -> None:
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
