"""The rejected items of a page, and what settles the ones before: part of the page's transaction (ADR 0004, ADR 0017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.store.engine import Tx


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
    place: bytes | None = None
    """Where it stands at its source; sealed."""


@dataclass(frozen=True, slots=True)
class Override:
    """What a person put right: the item, the observation made of it, and what was and what is, sealed (ADR 0017)."""

    item: int
    raw_digest: bytes
    handle: bytes
    actor: str
    changes: bytes
    note: str | None = None


class Rejecting(Protocol):
    """What a page says of rejected items."""

    @property
    def feed_id(self) -> int: ...
    @property
    def rules_id(self) -> int: ...
    @property
    def run_id(self) -> int: ...
    @property
    def at(self) -> str: ...
    @property
    def held(self) -> Sequence[Held]: ...
    @property
    def settled(self) -> Sequence[bytes]: ...
    @property
    def superseded(self) -> Sequence[int]: ...
    @property
    def overrides(self) -> Sequence[Override]: ...


def write_rejected(tx: Tx, page: Rejecting, evidence_id: int) -> None:
    """Items that this page holds back, and those that it settles."""
    tx.many(
        "quarantine_insert",
        [
            (
                *(h.handle, page.feed_id, h.raw_digest, page.rules_id, h.reason, h.field),
                *(page.run_id, evidence_id, page.at, page.at, h.item, h.about, h.place),
            )
            for h in page.held
        ],
    )
    tx.many("quarantine_mapped_event", [(page.at, page.feed_id, digest) for digest in page.settled])
    tx.many("quarantine_mapped", [(page.at, page.at, page.feed_id, digest) for digest in page.settled])
    for item in page.superseded:
        settle(tx, item, "superseded", page.at, "source")
    for made in page.overrides:
        _override(tx, page.feed_id, page.at, made)


def settle(tx: Tx, item: int, state: str, at: str, actor: str, note: str | None = None) -> bool:
    """Closes an item of quarantine and writes its history; False if it was settled already."""
    if not tx.run("quarantine_settle", id=item, state=state, at=at, actor=actor, note=note):
        return False
    tx.run("quarantine_event_add", id=item, at=at, actor=actor, event=state, note=note, notice_id=None)
    return True


def _override(tx: Tx, feed_id: int, at: str, made: Override) -> None:
    """Raises LookupError when somebody settled the item meanwhile: the page is not written."""
    if not settle(tx, made.item, "repaired", at, made.actor, made.note):
        raise LookupError(made.item)
    tx.run("quarantine_names", id=made.item, handle=made.handle)
    said = {"raw_digest": made.raw_digest, "handle": made.handle, "changes": made.changes}
    tx.run("override_add", id=made.item, feed_id=feed_id, at=at, actor=made.actor, **said)
