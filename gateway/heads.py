"""Audit heads on the chain: what makes it show that the newest entries of the audit log were taken away (DESIGN §2).

The entries of the log are linked by hashes, so that none can be altered or removed unseen, but for the last ones. Hourly the
newest is stated in a stream of its own and anchored like everything else; a log that ends before it was cut.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway import desk
from gateway.auditlog import AuditLog
from gateway.chain import Chain
from gateway.chain.source import source_of
from gateway.clock import Clock
from gateway.errors import Unreconciled
from gateway.proof.signing import PublicKey
from gateway.store import Store, Tx
from gateway.vault import Vault

EVERY: Final = timedelta(hours=1)
STREAM: Final = f"desk:{desk.AUDIT}"


class AuditHeads:
    """The heads of one store's audit log."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, audit: AuditLog) -> None:
        self._store, self._vault, self._clock, self._audit = store, vault, clock, audit

    def state(self) -> bool:
        """States the newest entry, unless it was stated before, or another within the hour; whether it did."""
        with self._store.read() as tx:
            if self._due(tx) is None:
                return False
        with self._store.write() as tx:
            entry = self._due(tx)
            if entry is None:
                return False
            handle = self._vault.name(desk.AUDIT, f"{entry.seq} {entry.hash}")
            head = {"seq": str(entry.seq), "hash": entry.hash}
            desk.state(tx, self._vault, desk.AUDIT, handle, 1, {"head": head}, self._clock.stamp())
        return True

    def verify(self, chains: Mapping[str, Chain], pinned: PublicKey) -> int:
        """Checks the whole log, every head against it, and that no chain holds a head we do not; the number of entries.

        Raises:
            Unreconciled: names the first entry that was altered, removed or put elsewhere, the newest ones included.
        """
        if (altered := self._audit.broken_at()) is not None:
            raise Unreconciled("审计日志第 {seq} 条被改动或删除", seq=altered)
        with self._store.read() as tx:
            stated = self._stated(tx)
            for head in stated:
                entry = tx.one("audit_get", seq=int(head["seq"]))
                if entry is None or entry.hash != head["hash"]:
                    seq = self._audit.newest() + 1 if entry is None else entry.seq
                    raise Unreconciled("审计日志第 {seq} 条被删除或换掉：封存过的日志比现在的长，或不是同一条", seq=seq)
        for name, chain in chains.items():
            anchored = _anchored(chain, pinned)
            if anchored > len(stated):
                raise Unreconciled(
                    "链 {sink} 上锚定过 {anchored} 次审计日志，库里只有 {stated} 次：审计日志第 {seq} 条之后被删除",
                    sink=name,
                    anchored=anchored,
                    stated=len(stated),
                    seq=self._audit.newest(),
                )
        return self._audit.newest()

    def _due(self, tx: Tx) -> Any:
        """The entry to be stated now; None: there is none."""
        entry, before = tx.one("audit_last"), self._stated(tx, newest=True)
        if entry is None or not before:
            return entry
        passed = (self._clock.now() - EVERY).isoformat(timespec="seconds") >= before[0]["at"]
        return entry if passed and int(before[0]["seq"]) < entry.seq else None

    def _stated(self, tx: Tx, *, newest: bool = False) -> list[dict[str, Any]]:
        """Every head that was stated, or the newest alone, with its time, in order."""
        stream = tx.one("stream_by_name", name=STREAM)
        if stream is None:
            return []
        first = max(stream.next_seq, 1) if newest else 1
        found = desk.statements(tx, self._vault, stream.id, first, stream.next_seq)
        return [msgspec.json.decode(s.groups["head"]) | {"at": s.envelope["as_of"]} for s in found]


def _anchored(chain: Chain, pinned: PublicKey) -> int:
    """How many heads a chain holds."""
    with tempfile.TemporaryDirectory() as folder:
        headers = Path(folder) / "headers.jsonl"
        chain.export_headers(headers)
        manifests = [manifest for _, manifest in source_of(pinned, headers, None, None).blocks(None)]
    return max((manifest.last for manifest in manifests if manifest.stream == STREAM), default=0)
