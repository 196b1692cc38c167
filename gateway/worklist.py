"""Whom a source is asked about that answers only about a named person (DESIGN §3): the port on the store and the vault.

The persons are those of whom land and subsidies speak in the county. The index of names says who they are and since when
nobody asked; numbers and names are decrypted a page at a time, each page with its entry in the audit log before it is
handed out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec

from adapters.kit import Person, Persons, SourceMalformed
from gateway.audit import Action, Actor
from gateway.auditlog import AuditLog
from gateway.clock import Clock
from gateway.names import SUBJECT, short
from gateway.store import Store, Tx
from gateway.store.segments import Version, versions_at
from gateway.vault import Vault
from schemas import DATASETS

FEEDING: Final = ("homestead", "contracted_land", "subsidy")
"""Datasets whose subjects are asked about. Consents join here."""
PURPOSE: Final = "public_security_check"
"""公安核查, as the audit log writes it."""
_BEFORE_ALL: Final = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Errand:
    """On whose behalf persons are decrypted: a run, or somebody who checks, previews or records (run 0)."""

    actor: Actor
    run: int = 0
    most: int | None = None
    """Persons a page at the most: one is enough to see that it works."""

    @classmethod
    def of_run(cls, run: int, actor: str) -> Errand:
        """`actor` as the run names it; a process that is nobody in particular is the system."""
        try:
            return cls(Actor.parse(actor), run)
        except ValueError:
            return cls(Actor.scheduler() if actor == "scheduler" else Actor.system(), run)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a worklist is: asked about at any time, of them not found, and due now."""

    asked: int
    not_found: int
    due: int


class StoredWorklist:
    """The worklist of one feed."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        audit: AuditLog,
        *,
        feed: str,
        county: str,
        ask_again: timedelta,
        errand: Errand,
    ) -> None:
        self._store, self._vault, self._clock, self._audit = store, vault, clock, audit
        self._feed, self._county, self._ask_again, self._errand = feed, county, ask_again, errand
        self._namer = vault.namer(SUBJECT)

    def due(self, after: str | None, count: int) -> Persons:
        """See `adapters.kit.Worklist`. One person more is looked up than handed out, to tell whether anybody follows."""
        try:
            start = _BEFORE_ALL if after is None else int(after)
        except ValueError as error:
            raise SourceMalformed("CURSOR_UNKNOWN", "采集位置无法识别，请用 --full 重新开始") from error
        count = min(count, self._errand.most or count)
        with self._store.read() as tx:
            rows = tx.all("worklist_due", after=start, count=count + 1, **self._asked_of(tx))
            persons = self._persons(tx, rows[:count])
        if persons:
            self._record(persons)
        return Persons(persons, last=len(rows) <= count)

    def progress(self) -> Progress:
        with self._store.read() as tx:
            wanted = self._asked_of(tx)
            counted = tx.one("asked_count", feed_id=wanted["feed_id"])
            due = int(tx.value("worklist_due_count", **wanted))
        assert counted is not None
        return Progress(int(counted.asked), int(counted.not_found), due)

    def _asked_of(self, tx: Tx) -> dict[str, Any]:
        """Whole days: who was asked about in the morning is due again on the morning of the day, not an hour after it."""
        row = tx.one("feed_by_name", name=self._feed)
        assert row is not None
        since = (self._clock.now() - timedelta(days=self._ask_again.days - 1)).date().isoformat()
        return {"feed_id": row.id, "county": self._county, "since": since, "datasets": f"|{'|'.join(FEEDING)}|"}

    def _persons(self, tx: Tx, rows: Sequence[Any]) -> tuple[Person, ...]:
        """Number and name of each subject, out of the newest observation that speaks of it."""
        heads = {row.id: row for row in tx.among("observations_to_read", sorted({r.newest for r in rows}))}
        by_stream: dict[int, list[int]] = {}
        for head in heads.values():
            by_stream.setdefault(head.stream_id, []).append(head.seq)
        versions = [v for stream, seqs in by_stream.items() for v in versions_at(tx, stream, seqs).values()]
        named: dict[tuple[int, int], tuple[str, str]] = {}
        for version in versions:
            observation = version.observation_id
            for subject, number, name in self._named(heads[observation].dataset, version):
                named.setdefault((observation, subject), (number, name))
        return tuple(Person(str(row.subject), *named[row.newest, row.subject]) for row in rows)

    def _named(self, dataset: str, version: Version) -> list[tuple[int, str, str]]:
        """Everybody a version speaks of: subject, number, name."""
        assert version.wrapped_key is not None
        assert version.sealed is not None
        key = self._vault.unwrap(version.wrapped_key)
        text = self._vault.open_version(key, version.number, version.handle, version.sealed, version.suite)
        pairs = [
            pair for path in DATASETS[dataset].subjects.values() for pair in _bearers(msgspec.json.decode(text), path)
        ]
        subjects = short(self._namer([number for number, _ in pairs]))
        return [(subject, number, name) for subject, (number, name) in zip(subjects, pairs, strict=True)]

    def _record(self, persons: Sequence[Person]) -> None:
        """What was decrypted is said before it leaves: how many, for what, and a digest of who, which the index can confirm."""
        who = sha256(" ".join(person.subject for person in persons).encode()).hexdigest()[:32]
        detail: dict[str, str | int | bool] = {
            "purpose": PURPOSE,
            "run": self._errand.run,
            "persons": len(persons),
            "subjects": who,
        }
        self._audit.record(self._errand.actor, Action.ASK, self._feed, detail)


def name_path(path: str) -> str:
    """Where the name stands that belongs to an ID number: `holders.id_no` -> `holders.name`."""
    return path.removesuffix("id_no") + "name"


def _bearers(record: Mapping[str, Any], path: str) -> list[tuple[str, str]]:
    """Numbers at a path of a record, each with the name beside it; "" where there is none."""
    part, _, number = path.rpartition(".")
    holders = (record.get(part) or ()) if part else (record,)
    _, _, name = name_path(path).rpartition(".")
    return [(holder[number], holder.get(name) or "") for holder in holders if holder.get(number)]
