"""Erasing a person, or one observation: keys are deleted, and nothing brings back what they opened (DESIGN §2b, §5.6; ADR 0016).

What was anchored stays provable: roots and commitments hold without their content. The payload stays too; nobody's key
files open the erased parts of it any more. Everything in the store happens in one transaction; what follows in the shared
folder is on a list that the forwarder works off, whatever dies.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway import desk
from gateway.clock import Clock
from gateway.errors import Usage
from gateway.forwarder import FORWARDER
from gateway.grants import Grants
from gateway.inbox import BODY
from gateway.leases import Leases
from gateway.names import SUBJECT, Namer, name_kinds, short
from gateway.pagegroup import CURSOR, EVIDENCE
from gateway.proof import Suite, framed
from gateway.recognition import anchor_name
from gateway.reports.facts import roles
from gateway.reports.office import REPORT, query_handle
from gateway.sorter import ITEM
from gateway.store import Store, Tx
from gateway.store.segments import Version, find
from gateway.suppression import HANDLES, SUBJECTS
from gateway.vault import NAME_BYTES, Vault, handle_bytes, handle_text
from schemas import DATASETS, Canonical

BODIES: Final = 20
"""Kept answers or reports a transaction."""
ITEMS: Final = 1000
PATIENCE: Final = 60.0
"""Seconds to wait for a forwarding pass to end."""
_DOMAIN: Final = b"shuqiao/1/erasure"
_ITEM: Final = ("item_erase", "item_erase_changes", "item_erase_notes")
_SWEPT: Final = (
    ("quarantined", "items_kept", _ITEM, ITEM, ITEMS),
    ("answers", "evidence_kept", ("evidence_erase",), EVIDENCE, BODIES),
    ("reports", "reports_kept", ("report_erase",), REPORT, BODIES),
    ("cursors", "cursors_kept", ("cursor_erase",), CURSOR, ITEMS),
)
"""What is sealed under a master and may name anybody: how it is counted, found and deleted, its purpose, rows a transaction."""
_PACKED: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")
"""Workbooks and archives: what is in them cannot be searched for."""


@dataclass(slots=True)
class Erased:
    """What an erasure did. `handle` is its own statement's; None where there was nothing to erase."""

    handle: str | None = None
    observations: int = 0
    statements: int = 0
    """Consents and queries about the person."""
    quarantined: int = 0
    answers: int = 0
    """Kept answers of sources that were deleted."""
    reports: int = 0
    """Kept copies of reports that were deleted, those about others that name the person too."""
    cursors: int = 0
    """Feeds whose position named the person: they read from their beginning."""
    unsearched: int = 0
    """Kept answers that are archives or workbooks, which cannot be searched and stay."""
    waiting: int = 0
    """Pushed and uploaded parcels that name the person, or cannot be searched: the next run of their feed takes them without."""
    key_files: int = 0
    """Issued again without the erased keys."""
    trimmed: bool = True
    """Whether the database's log was emptied: somebody who reads keeps it until the next erasure or restart."""


class Eraser:
    """Erases in one store. Repeating an erasure finishes one that died."""

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, leases: Leases, *, grants: Grants, suite: Suite
    ) -> None:
        self._store, self._vault, self._clock, self._leases = store, vault, clock, leases
        self._grants, self._suite = grants, suite

    def person(self, id_no: str) -> Erased:
        """Erases every observation that names this person, in any role, and everything at the desk about them.

        Args:
            id_no: canonical.

        Raises:
            Busy: batches are being sealed.
        """
        name, done = self._vault.name(SUBJECT, id_no), Erased()
        with self._leases.take(FORWARDER, wait=PATIENCE):
            with self._store.write(scrub=True) as tx:
                found = [
                    (row, record)
                    for row in tx.all("observations_of_person", name=short([name])[0])
                    if roles(DATASETS[row.dataset], record := self._record(tx, row), id_no)
                ]
                handles = self._observations(tx, found, done)
                self._desk(tx, name, done)
                tx.run("asked_erase", name=short([name])[0])
                self._conclude(tx, "subject", [(SUBJECTS, name)], handles, done)
            self._sweep(_forms(id_no), done)
            done.trimmed = self._store.trim()
            done.key_files = self._grants.catch_up()
        return done

    def observation(self, handle: str) -> Erased:
        """Erases one observation, all its versions.

        Raises:
            Usage: no handle, or none that can be erased.
            Busy: batches are being sealed.
        """
        try:
            name = handle_bytes(handle)
        except ValueError:
            raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
        done = Erased()
        with self._leases.take(FORWARDER, wait=PATIENCE):
            with self._store.write(scrub=True) as tx:
                row = tx.one("observation_of_handle", name=short([name])[0], handle=name)
                if row is None:
                    raise Usage("没有可擦除的编号 {handle}", handle=handle)
                handles = self._observations(tx, [(row, self._record(tx, row))], done)
                self._conclude(tx, "handle", [], handles, done)
            done.trimmed = self._store.trim()
            done.key_files = self._grants.catch_up()
        return done

    def _record(self, tx: Tx, row: Any) -> Canonical:
        """The record an observation last was, before it was gone if it is."""
        version = find(tx, row.stream_id, row.seq)
        if version is not None and version.sealed is None and version.previous:
            version = find(tx, row.stream_id, version.previous)
        if version is None or version.sealed is None or version.wrapped_key is None:
            return {}
        key = self._vault.unwrap(version.wrapped_key)
        text = self._vault.open_version(key, version.number, version.handle, version.sealed, version.suite)
        record: Canonical = msgspec.json.decode(text)
        return record

    def _observations(self, tx: Tx, found: Collection[tuple[Any, Canonical]], done: Erased) -> list[bytes]:
        """Deletes keys, names, rejected items about them and the answers that brought them; their handles."""
        kinds = {known.kind: known.id for known in tx.all("name_kinds")}
        for row, record in found:
            dataset = DATASETS[row.dataset]
            if record and kinds.keys() >= set(name_kinds(dataset)):
                namer = Namer(self._vault, dataset, row.uid, kinds)
                names = [(name, kind.kind) for kind in namer.names_of([record]) for name in kind.names]
                names += anchor_name(row.raw_digest)
                tx.many("name_delete", [(name, kind, row.id) for name, kind in names])
            for version in _history(tx, row):
                if version.evidence_id is not None:
                    done.answers += tx.run("evidence_erase", id=version.evidence_id)
                batch = tx.one("batch_of_statement", stream_id=row.stream_id, seq=version.seq)
                if batch is not None:
                    tx.run("reissue_add", batch=batch.id)
            for item in tx.all("items_about", feed_id=row.feed_id, handle=row.handle):
                done.quarantined += self._delete(tx, _ITEM, item.id)
            tx.run("correction_erase", observation=row.handle, at=self._clock.stamp())
            tx.run("observation_erase", id=row.id, none=b"")
            done.observations += 1
        return [row.handle for row, _ in found]

    def _desk(self, tx: Tx, name: bytes, done: Erased) -> None:
        at = self._clock.stamp()
        for row in tx.all("consents_of_subject", subject=name):
            tx.run("consent_erase", id=row.id, at=at)
            done.statements += tx.run("statement_erase", handle=row.handle, none=b"")
        tx.run("batch_lines_erase", subject=name)
        for row in tx.all("queries_of_subject", subject=name):
            done.reports += tx.run("report_erase", id=row.id)
            done.statements += tx.run("statement_erase", handle=query_handle(self._vault, row.number), none=b"")

    def _conclude(
        self, tx: Tx, by: str, subjects: Collection[tuple[str, bytes]], handles: Collection[bytes], done: Erased
    ) -> None:
        """The suppression list, and the statement that something was erased, which names nobody."""
        at = self._clock.stamp()
        listed = [*subjects, *((HANDLES, handle) for handle in handles)]
        new = sum(tx.run("suppression_add", kind=kind, name=name, at=at) for kind, name in listed)
        if not (new or done.observations or done.statements):
            return
        handle = os.urandom(NAME_BYTES)
        groups = {
            "erasure": {
                "by": by,
                "handles": self._suite.hash(framed(_DOMAIN, *sorted(handles))).hex(),
                "observations": str(done.observations),
                "statements": str(done.statements),
            }
        }
        desk.state(tx, self._vault, desk.ERASURES, handle, 1, groups, at)
        done.handle = handle_text(handle)

    def _sweep(self, forms: Collection[bytes], done: Erased) -> None:
        """Deletes whatever else is kept and has the number in it, some a transaction."""
        packed = 0
        for counted, kept, erase, purpose, count in _SWEPT:
            after: int | None = 0
            while after is not None:
                with self._store.write(scrub=True) as tx:
                    rows = tx.all(kept, after=after, count=count)
                    for row in rows:
                        body = self._vault.open(purpose, row.sealed)
                        if _names(body, forms):
                            setattr(done, counted, getattr(done, counted) + self._delete(tx, erase, row.id))
                        elif body.startswith(_PACKED):
                            packed += 1
                after = rows[-1].id if rows else None
        done.unsearched = packed
        self._parcels(forms, done)

    def _delete(self, tx: Tx, erase: Sequence[str], id_: int) -> int:
        """One row, and what hangs on it; how many of the former."""
        at = self._clock.stamp()
        first, *_ = [tx.run(query, id=id_, at=at) for query in erase]
        return first

    def _parcels(self, forms: Collection[bytes], done: Erased) -> None:
        """Counts what waits in an inbox: it has other people's rows too, and its run ignores those of whom was erased."""
        feed_id = position = 0
        while True:
            with self._store.read() as tx:
                rows = tx.all("inbox_bodies", feed_id=feed_id, position=position, count=BODIES)
            for row in rows:
                body = self._vault.open(BODY, row.sealed)
                done.waiting += _names(body, forms) or body.startswith(_PACKED)
            if not rows:
                return
            feed_id, position = rows[-1].feed_id, rows[-1].position


def _history(tx: Tx, row: Any) -> list[Version]:
    """Every version of an observation, the newest first."""
    out: list[Version] = []
    seq = row.seq
    while seq:
        version = find(tx, row.stream_id, seq)
        if version is None:
            break
        out.append(version)
        seq = version.previous
    return out


def _forms(id_no: str) -> tuple[bytes, ...]:
    """How sources write a number: of 18 or 15 digits, the check character in either case; all that is ASCII in any encoding."""
    return tuple(text.encode() for text in {id_no, id_no.lower(), id_no[:6] + id_no[8:17]})


def _names(body: bytes, forms: Collection[bytes]) -> bool:
    return any(form in body for form in forms)
