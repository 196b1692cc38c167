"""Rejected items: seen by cause, opened one at a time, replayed after a mapping is mended, or discarded with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from adapters.kit import Item, Translator, decode_xml_row
from gateway.clock import Clock
from gateway.errors import Usage
from gateway.sorter import ITEM, PLACE
from gateway.store import Store, row_dict
from gateway.vault import Vault, handle_bytes, handle_text
from schemas.masking import mask, scrub

HIDDEN: Final = "***"


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
    item: dict[str, Any] | None = None
    place: str | None = None
    """Where it stands at its source: file › sheet › row."""


class Quarantine:
    """The quarantine of one store."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store, self._vault, self._clock = store, vault, clock

    def causes(self) -> list[dict[str, Any]]:
        """Open items by feed, reason and field, most frequent first: one mend cures a whole group."""
        with self._store.read() as tx:
            return [row_dict(row) for row in tx.all("quarantine_causes")]

    def items(self, feed: str = "", state: str = "open", count: int = 100) -> list[HeldItem]:
        with self._store.read() as tx:
            return [_held(row) for row in tx.all("quarantine_list", feed=feed, state=state, count=count)]

    def show(self, handle: str, kinds: Mapping[str, str]) -> HeldItem:
        """One item with its values masked; `kinds` says what stands in which column, and hides what it does not name.

        Rows inside a column are shown as `column.0.member`.
        """
        row = self._row(handle)
        place = self._vault.open(PLACE, row.place).decode() if row.place is not None else None
        return replace(_held(row), item=_shown(decode_item(self._open(row)), kinds), place=place and scrub(place))

    def discard(self, handle: str, reason: str, actor: str) -> None:
        """Closes an item for good; the mark and its reason stay."""
        if not reason.strip():
            raise Usage("请写明丢弃原因")
        row = self._row(handle)
        with self._store.write() as tx:
            done = tx.run(
                "quarantine_close", id=row.id, state="discarded", note=reason, actor=actor, at=self._clock.stamp()
            )
        if not done:
            raise Usage("{handle} 已不在隔离区（状态：{state}）", handle=handle, state=row.state)

    def raw(self, feed: str) -> list[bytes]:
        """The bytes of a feed's open items, for a replay."""
        with self._store.read() as tx:
            rows = tx.all("quarantine_list", feed=feed, state="open", count=1_000_000)
        return [self._open(row) for row in rows]

    def feed_of(self, handle: str) -> str:
        feed: str = self._row(handle).feed
        return feed

    def _row(self, handle: str) -> Any:
        try:
            name = handle_bytes(handle)
        except ValueError:
            raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
        with self._store.read() as tx:
            row = tx.one("quarantine_get", handle=name)
        if row is None:
            raise Usage("隔离区没有 {handle}", handle=handle)
        return row

    def _open(self, row: Any) -> bytes:
        return self._vault.open(ITEM, row.item)


def column_kinds(translator: Translator) -> dict[str, str]:
    """Source column, or `column.member` -> kind of the field it feeds, as `schemas.masking` names kinds."""
    return {
        f"{rule.each}.{column}" if rule.each else column: translator.kind(path)
        for path, rule in translator.rules.items()
        for column in rule.sources
    }


def _shown(item: Item, kinds: Mapping[str, str]) -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for column, value in item.items():
        rows = value if isinstance(value, list) and all(isinstance(row, dict) for row in value) else []
        for i, row in enumerate(rows):
            out |= {f"{column}.{i}.{name}": _masked(kinds.get(f"{column}.{name}"), cell) for name, cell in row.items()}
        if not rows:
            out[column] = _masked(kinds.get(column), value)
    return out


def _masked(kind: str | None, value: Any) -> str | None:
    """Nobody knows what stands in a column that no rule reads: a name, or the cause of somebody's poverty."""
    if value is None:
        return None
    return HIDDEN if kind is None else scrub(mask(kind, str(value)))


def _held(row: Any) -> HeldItem:
    return HeldItem(
        handle_text(row.handle),
        row.feed,
        row.state,
        row.reason,
        row.field,
        row.first_at,
        row.last_at,
        row.note,
    )


def decode_item(raw: bytes) -> Item:
    """A kept item, JSON or one XML row, as columns."""
    if raw.lstrip().startswith(b"<"):
        return decode_xml_row(raw)
    item: Item = msgspec.json.decode(raw)
    return item
