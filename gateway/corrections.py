"""What an agency is asked to put right: a value found wrong on the spot, or one that its subject disputes (ADR 0020).

The agency has twenty days (征信业管理条例 art. 25; china-facts §4), counted in calendar days; where the last of them is free,
the answer is due on the working day before. What was said and what is claimed lie in the vault.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec

from gateway.audit import names_a_person
from gateway.calendar import WorkingCalendar
from gateway.clock import Clock
from gateway.errors import Usage
from gateway.scope import Scope
from gateway.store import Store, Tx
from gateway.store.segments import Version
from gateway.vault import NAME_BYTES, Vault, handle_bytes, handle_text
from schemas import DATASETS, Canonical, FieldSpec
from schemas.codes import code_title
from schemas.masking import mask, mask_kind, scrub

DAYS: Final = 20
SEALED: Final = "correction"
OUTCOMES: Final = ("corrected", "upheld")
_MANY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Correction:
    """One request. `said` and `claimed` are in the clear: whoever shows them masks, or may unmask."""

    handle: str
    origin: str
    county: str
    dataset: str
    agency: str
    observation: str
    version: int
    path: str
    run: int
    evidence: str | None
    """Hash of the source's answer that the value came in, hex."""
    institution: str | None
    opened_at: str
    due_on: str
    state: str
    note: str | None
    closed_at: str | None
    said: str | None = None
    claimed: str | None = None
    record: dict[str, str] = field(default_factory=dict)
    """What the agency finds the record by: the fields of its key."""

    @property
    def title(self) -> str:
        """Of the field."""
        return self._spec.of.title if self._spec else self.path

    @property
    def _spec(self) -> FieldSpec | None:
        leaf = ".".join(step for step in self.path.split(".") if not step.isdigit())
        return DATASETS[self.dataset].fields.get(leaf)

    def as_dict(self, *, full: bool = False) -> dict[str, Any]:
        """What was said and what is claimed masked, unless `full`."""
        fields, spec = DATASETS[self.dataset].fields, self._spec
        codes = spec.of.codes if spec else None

        def shown(value: str | None, of: FieldSpec | None) -> str | None:
            return value if full or value is None or of is None else scrub(mask(mask_kind(of), value))

        said = code_title(codes, self.said) if codes and self.said is not None else self.said
        known = [(fields[name], value) for name, value in self.record.items() if name in fields]
        key = {one.of.title: shown(value, one) for one, value in known}
        told = {"said": shown(said, spec), "claimed": shown(self.claimed, spec), "record": key}
        return asdict(self) | told | {"title": self.title}


class Corrections:
    """The requests of one store."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, calendar: Callable[[], WorkingCalendar]) -> None:
        self._store, self._vault, self._clock, self._calendar = store, vault, clock, calendar

    def ask(
        self,
        tx: Tx,
        version: Version,
        *,
        origin: str,
        county: str,
        dataset: str,
        agency: str,
        path: str,
        said: str | None,
        claimed: str,
        record: Canonical,
        actor: str,
        institution: str | None = None,
    ) -> str:
        """Opens a request about one value of one version; its handle. One that stands about it already is the answer."""
        for row in tx.all("corrections_of", observation=version.handle):
            if row.path == path and row.origin == origin:
                return handle_text(row.handle)
        key = {name: record[name] for name in DATASETS[dataset].key_fields(record) or ()}
        handle, told = os.urandom(NAME_BYTES), {"said": said, "claimed": claimed, "record": key}
        due = self._calendar().on_or_before(self._clock.today() + timedelta(days=DAYS))
        tx.run(
            "correction_add",
            handle=handle,
            origin=origin,
            county=county,
            dataset=dataset,
            agency=agency,
            observation=version.handle,
            version=version.number,
            path=path,
            run=version.run_id,
            evidence=version.evidence_hash.hex() if version.evidence_hash else None,
            institution=institution,
            at=self._clock.stamp(),
            actor=actor,
            due=due.isoformat(),
            sealed=self._vault.seal(SEALED, msgspec.json.encode(told)),
        )
        return handle_text(handle)

    def withdraw(self, tx: Tx, observation: bytes, path: str, origin: str, actor: str) -> None:
        """Takes an open request back, where there is one: what it rests on was a mistake."""
        for row in tx.all("corrections_of", observation=observation):
            if row.path == path and row.origin == origin:
                tx.run(
                    "correction_close",
                    handle=row.handle,
                    state="withdrawn",
                    note=None,
                    at=self._clock.stamp(),
                    actor=actor,
                )

    def answer(self, handle: str, outcome: str, note: str, actor: str) -> Correction:
        """The agency's written answer.

        Raises:
            Usage: no such open request, no such outcome, or a note that says nothing or names a person.
        """
        if outcome not in OUTCOMES:
            raise Usage("没有处理结果 {name}。可用的有：{known}", name=outcome, known="、".join(OUTCOMES))
        if not note.strip():
            raise Usage("请写明核实的经过和依据：书面答复要给本人看")
        if names_a_person(note):
            raise Usage("答复里像是有证件号或电话号码，请改写：答复不留个人信息")
        name = _named(handle)
        with self._store.write() as tx:
            at = self._clock.stamp()
            if not tx.run("correction_close", handle=name, state=outcome, note=note.strip()[:2000], at=at, actor=actor):
                raise Usage("没有待处理的更正 {handle}", handle=handle)
            return self._opened(tx.one("correction_get", handle=name))

    def get(self, handle: str) -> Correction:
        """Raises Usage."""
        with self._store.read() as tx:
            row = tx.one("correction_get", handle=_named(handle))
        if row is None:
            raise Usage("没有更正 {handle}", handle=handle)
        return self._opened(row)

    def within(self, scope: Scope, state: str = "open", institution: str = "") -> list[Correction]:
        """Those in reach, the most urgent first; an empty state: all. An institution sees those that it raised."""
        with self._store.read() as tx:
            rows = tx.all("corrections", state=state, count=_MANY)
        return [
            self._opened(row)
            for row in rows
            if scope.sees(row.county, row.dataset) or (row.institution and row.institution in scope.asked(institution))
        ]

    def disputes(self, observation: str) -> Sequence[Correction]:
        """Open disputes about an observation."""
        with self._store.read() as tx:
            rows = tx.all("corrections_of", observation=handle_bytes(observation))
        return [self._opened(row) for row in rows if row.origin == "dispute"]

    def _opened(self, row: Any) -> Correction:
        told = msgspec.json.decode(self._vault.open(SEALED, row.sealed)) if row.sealed else {}
        return Correction(
            handle_text(row.handle),
            row.origin,
            row.county,
            row.dataset,
            row.agency,
            handle_text(row.observation),
            row.version,
            row.path,
            row.run_id,
            row.evidence,
            row.institution,
            row.opened_at,
            row.due_on,
            row.state,
            row.note,
            row.closed_at,
            told.get("said"),
            told.get("claimed"),
            told.get("record", {}),
        )


def _named(handle: str) -> bytes:
    try:
        return handle_bytes(handle)
    except ValueError:
        raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
