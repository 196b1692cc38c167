"""The audit log in the store, and the one authorisation hook that every verb and route passes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from gateway.audit import GENESIS, Action, Actor, AuditEntry, Authorizer, entry, verify_chain
from gateway.clock import Clock
from gateway.scope import Place, Scope
from gateway.store import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries of the log; an empty part asks for nothing in particular. Days are whole, ISO."""

    actor: str = ""
    """A part of it does."""
    action: str = ""
    since: str = ""
    until: str = ""
    before: int = 0
    """Older than this entry."""


class AuditLog:
    """Appends hash-linked entries; asks before anything is done."""

    def __init__(self, store: Store, clock: Clock, authorizer: Authorizer) -> None:
        self._store, self._clock, self._authorizer = store, clock, authorizer

    def permit(self, actor: Actor, action: Action, target: str = "", place: Place | None = None) -> Scope:
        """What the actor may touch by this action. Raises NotAllowed."""
        return self._authorizer.authorize(actor, action, target, place)

    def allows(self, actor: Actor, action: Action, place: Place | None = None) -> bool:
        """Whether to offer it: nothing is refused, and nothing done. Without a place: anywhere."""
        return self._authorizer.allows(actor, action, place)

    def record(
        self, actor: Actor, action: Action, target: str, detail: Mapping[str, str | int | bool] | None = None
    ) -> None:
        """Appends what was done. `detail` holds handles, counts and codes only (checked)."""
        with self._store.write() as tx:
            last = tx.one("audit_last")
            made = entry(
                last.hash if last else GENESIS,
                (last.seq + 1) if last else 1,
                self._clock.stamp(),
                actor,
                action,
                target,
                dict(detail or {}),
            )
            tx.run(
                "audit_add",
                seq=made.seq,
                at=made.at,
                actor=str(made.actor),
                action=str(made.action),
                target=made.target,
                detail=msgspec.json.encode(made.detail, order="sorted").decode(),
                previous=made.previous,
                hash=made.hash,
            )

    def newest(self) -> int:
        """The number of the last entry; 0 while there is none."""
        with self._store.read() as tx:
            last = tx.one("audit_last")
        return int(last.seq) if last else 0

    def entries(self, wanted: Wanted, count: int) -> list[AuditEntry]:
        """The newest entries that match, the newest first."""
        with self._store.read() as tx:
            rows = tx.all(
                "audit_some",
                actor=f"%{wanted.actor}%",
                action=wanted.action,
                since=wanted.since,
                until=_day_after(wanted.until),
                before=wanted.before or sys.maxsize,
                count=count,
            )
        return list(map(_entry, rows))

    def broken_at(self) -> int | None:
        """The first entry that was altered or removed; None when the log holds."""
        with self._store.read() as tx:
            rows = tx.all("audit_all")
        return verify_chain(map(_entry, rows))


def _day_after(day: str) -> str:
    """The first moment that is too late."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat() if day else "9999"


def _entry(row: Any) -> AuditEntry:
    detail = msgspec.json.decode(row.detail)
    return AuditEntry(
        row.seq, row.at, Actor.parse(row.actor), Action(row.action), row.target, detail, row.previous, row.hash
    )
