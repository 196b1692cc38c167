"""Rejected items one by one and by cause: what each is, what became of it, and what a person decides (ADR 0004, ADR 0017)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from adapters.kit import Item, decode_xml_row
from gateway.audit import names_a_person
from gateway.clock import Clock
from gateway.errors import Usage
from gateway.keptback import OVERRIDE
from gateway.quarantine.notice import notice
from gateway.quarantine.terms import Terms, masked
from gateway.scope import Scope
from gateway.sorter import ITEM, PLACE
from gateway.store import Store, Tx
from gateway.store.rejected import settle
from gateway.vault import Vault, handle_bytes, handle_text
from schemas.masking import scrub

REPAIR: Final = "repair"
"""What the evidence of a page says that holds rows a person put right, and the reason of its run."""


EVERY: Final = 10_000_000
"""Rows, where what is asked for is sifted afterwards."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Unsettled items of one feed with the same reason and field: one mend cures them all."""

    feed: str
    dataset: str
    county: str
    reason: str
    field: str | None
    rows: int
    returned: int
    """Of them, those that are with the agency."""
    oldest: str


@dataclass(frozen=True, slots=True)
class Event:
    """One step in an item's history. `changes`: column -> (what was, what is), masked, where a person put it right."""

    at: str
    actor: str
    event: str
    note: str | None = None
    notice: str | None = None
    changes: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One rejected item. `item` is masked for people without the right to unmask."""

    handle: str
    feed: str
    state: str
    reason: str
    field: str | None
    first_at: str
    last_at: str
    note: str | None
    returned_at: str | None = None
    settled_at: str | None = None
    item: dict[str, str | None] | None = None
    place: str | None = None
    """Where it stands at its source: file › sheet › row, or run and page."""
    history: list[Event] = dataclasses.field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opened:
    """One item with its values, in memory only."""

    id: int
    handle: str
    raw_digest: bytes
    reason: str
    field: str | None
    state: str
    first_at: str
    settled_at: str | None
    about: bytes | None
    """Handle of the observation it is about, where its record key could be read."""
    item: Item
    place: str
    """As `HeldItem.place`."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What one agency was told of the items that went back to it (退回)."""

    id: int
    at: str
    actor: str
    agency: str
    county: str
    items: int
    text: str
    waiting: int
    """Of the items, those that are not settled yet."""
    feed: str | None


class Quarantine:
    """The quarantine of one store."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store, self._vault, self._clock = store, vault, clock

    def causes(self, within: Scope, feed: str = "") -> list[Cause]:
        """Unsettled items in reach by feed, reason and field, most frequent first."""
        with self._store.read() as tx:
            found = [Cause(**row._asdict()) for row in tx.all("quarantine_causes")]
        return [c for c in found if feed in ("", c.feed) and within.sees(c.county, c.dataset)]

    def items(self, within: Scope, feed: str = "", state: str = "open", count: int = 100) -> list[HeldItem]:
        """Items in reach, of one feed or of all, in one state, the oldest first."""
        with self._store.read() as tx:
            asked = [feed] if within.everything else [n for n in _reached(tx, within) if feed in ("", n)]
            rows = [row for name in asked for row in tx.all("quarantine_list", feed=name, state=state, count=count)]
        return [_held(row) for row in sorted(rows, key=lambda row: row.id)[:count]]

    def show(self, handle: str, kinds: Mapping[str, str]) -> HeldItem:
        """One item with its values masked, and its history; `kinds` says what stands in which column, and hides the rest."""
        row = self.row(handle)
        with self._store.read() as tx:
            history = self._history(tx, row, kinds)
        values = masked(self._open(row), kinds) if row.item else {}
        return _held(row, item=values, place=self._place(row), history=history)

    def unsettled(self, feed: str, reason: str = "") -> list[Opened]:
        """The unsettled items of a feed with their values, perhaps of one reason; who calls masks them or may see them."""
        with self._store.read() as tx:
            rows = tx.all("quarantine_unsettled", feed=feed)
        return [self._opened(row) for row in rows if row.item and reason in ("", row.reason)]

    def opened(self, handle: str) -> Opened:
        """One item with its values. Raises Usage: no handle, none of ours, or erased."""
        row = self.row(handle)
        if not row.item:
            raise Usage("{handle} 的内容已擦除", handle=handle)
        return self._opened(row)

    def discard(self, handle: str, reason: str, actor: str) -> None:
        """Closes an item for good; the mark and its reason stay."""
        written(reason, "请写明丢弃原因")
        row = self.row(handle)
        with self._store.write() as tx:
            done = settle(tx, row.id, "discarded", self._clock.stamp(), actor, reason)
        if not done:
            raise Usage("{handle} 已不在隔离区（状态：{state}）", handle=handle, state=row.state)

    def give_back(self, terms: Terms, handles: Sequence[str], note: str, actor: str) -> Returned:
        """Returns items to the agency (退回): from now on it is its move, until the source sends them right or they are settled.

        Raises:
            Usage: the note is blank or names a person, or an item is settled or another feed's.
        """
        written(note, "请写明退回说明")
        rows = [self.row(handle) for handle in handles]
        for row in rows:
            if row.feed != terms.feed or row.settled_at is not None:
                raise Usage("{handle} 已不在隔离区（状态：{state}）", handle=handle_text(row.handle), state=row.state)
        at, text = self._clock.stamp(), notice(terms, rows, note)
        with self._store.write() as tx:
            told = {"actor": actor, "agency": terms.agency, "county": terms.county}
            number = int(tx.value("notice_add", at=at, items=len(rows), text=text, **told))
            for row in rows:
                tx.run("quarantine_return", id=row.id, at=at)
                step = {"at": at, "actor": actor, "event": "returned", "note": None, "notice_id": number}
                tx.run("quarantine_event_add", id=row.id, **step)
        return Returned(id=number, at=at, items=len(rows), text=text, waiting=len(rows), feed=terms.feed, **told)

    def returned(self, within: Scope, count: int = 100) -> list[Returned]:
        """What went back to agencies in reach, newest first."""
        with self._store.read() as tx:
            rows = tx.all("notices", count=count if within.everything else EVERY)
            reached = _reached(tx, within)
        found = [Returned(**row._asdict()) for row in rows if within.everything or row.feed in reached]
        return found[:count]

    def raw(self, feed: str) -> list[bytes]:
        """The bytes of a feed's unsettled items, for a replay."""
        with self._store.read() as tx:
            rows = tx.all("quarantine_unsettled", feed=feed)
        return [self._vault.open(ITEM, row.item) for row in rows if row.item]

    def feed_of(self, handle: str) -> str:
        feed: str = self.row(handle).feed
        return feed

    def lies(self, handle: str, within: Scope) -> bool:
        """Whether an item lies within. Raises Usage as `row`."""
        row = self.row(handle)
        with self._store.read() as tx:
            return within.everything or row.feed in _reached(tx, within)

    def row(self, handle: str) -> Any:
        """As it is stored. Raises Usage: no handle, or none of ours."""
        try:
            name = handle_bytes(handle)
        except ValueError:
            raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
        with self._store.read() as tx:
            row = tx.one("quarantine_get", handle=name)
        if row is None:
            raise Usage("隔离区没有 {handle}", handle=handle)
        return row

    def _open(self, row: Any) -> Item:
        return decode_item(self._vault.open(ITEM, row.item))

    def _opened(self, row: Any) -> Opened:
        return Opened(
            id=row.id,
            handle=handle_text(row.handle),
            raw_digest=row.raw_digest,
            reason=row.reason,
            field=row.field,
            state=row.state,
            first_at=row.first_at,
            settled_at=row.settled_at,
            about=row.about,
            item=self._open(row),
            place=self._place(row),
        )

    def _place(self, row: Any) -> str:
        if row.place is not None:
            return scrub(self._vault.open(PLACE, row.place).decode())
        return f"第 {row.run_id} 批第 {row.page or 1} 页"

    def _history(self, tx: Tx, row: Any, kinds: Mapping[str, str]) -> list[Event]:
        changed = self._changes(tx, row, kinds)
        events = [
            Event(e.at, e.actor, e.event, e.note, e.notice, changed if e.event == "repaired" else {})
            for e in tx.all("quarantine_events", id=row.id)
        ]
        return [Event(row.first_at, "source", "held"), *events]

    def _changes(self, tx: Tx, row: Any, kinds: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        made = tx.one("override_of", id=row.id)
        if made is None or not made.changes:
            return {}
        pairs = msgspec.json.decode(self._vault.open(OVERRIDE, made.changes), type=dict[str, tuple[str, str]])
        was = masked({column: pair[0] for column, pair in pairs.items()}, kinds)
        now = masked({column: pair[1] for column, pair in pairs.items()}, kinds)
        return {column: (was[column] or "", now[column] or "") for column in pairs}


def _reached(tx: Tx, within: Scope) -> set[str]:
    """Names of the feeds in reach."""
    return {row.name for row in tx.all("feeds") if within.sees(row.county, row.dataset)}


def written(text: str, missing: str) -> None:
    """What a person writes is there, and names nobody. Raises Usage."""
    if not text.strip():
        raise Usage(missing)
    if names_a_person(text):
        raise Usage("说明里不能写证件号、手机号或卡号")


def _held(row: Any, **more: Any) -> HeldItem:
    return HeldItem(
        handle=handle_text(row.handle),
        feed=row.feed,
        state=row.state,
        reason=row.reason,
        field=row.field,
        first_at=row.first_at,
        last_at=row.last_at,
        note=row.note,
        returned_at=row.returned_at,
        settled_at=row.settled_at,
        **more,
    )


class KeptRows:
    """Items out of quarantine or out of a kept answer, as a page's rows."""

    def __init__(self, raw: Sequence[bytes]) -> None:
        self.raw = raw

    def decode(self, wanted: Sequence[int] | None = None) -> list[dict[str, Any]]:
        chosen = range(len(self.raw)) if wanted is None else wanted
        return [dict(decode_item(self.raw[i])) for i in chosen]


def decode_item(raw: bytes) -> Item:
    """A kept item, JSON or one XML row, as columns."""
    if raw.lstrip().startswith(b"<"):
        return decode_xml_row(raw)
    item: Item = msgspec.json.decode(raw)
    return item
