"""Which items are dirty, how, and what is true of them then: one spot of dirt an item.

Whether an item is dirty depends on (seed, county, dataset, item, revision) alone. Which kind it gets goes round, so that every
kind occurs as soon as there are enough dirty items that it fits.
"""

from copy import deepcopy
from dataclasses import replace
from hashlib import blake2b
from random import Random
from typing import Final

from mock_agencies.items import Canonical, Column, Item, Raw, key_text
from mock_agencies.people import AREA, check_character
from mock_agencies.spoilers import EVERY, SPOILERS, Spoilt

TWINS_PER_DIRTY: Final = 40
"""One exact and one contradicting repetition for so many dirty items."""
_SCARCE: Final = frozenset({"MONTH", "COUNT", "CREDIT", "QUANTITY", "WAN"})
"""Kinds that only short sources can show: they come first, or a small world would lack them."""


class Dirt:
    """Makes the items of one dataset, clean or dirty."""

    def __init__(
        self,
        dataset: str,
        columns: tuple[Column, ...],
        salt: str,
        rate: float,
        keys: tuple[tuple[str, ...], ...] = (),
    ) -> None:
        """`keys`: alternatives of the record key, best first, where there are several."""
        self.dataset, self.columns, self.salt, self.rate, self.keys = dataset, columns, salt, rate, keys
        unknown = {c.kind for c in columns} - EVERY
        assert not unknown, unknown
        self._waiting = [kind for kind, (values, _) in SPOILERS.items() if any(c.kind in values for c in columns)]
        """Kinds of dirt, the longest unused first."""
        paths = {c.path for c in columns}
        if "land_area_m2" in paths:
            self._waiting.append("AREA_COMPOSITE")
        if "holders.id_no" in paths:
            self._waiting.append("MISALIGNED")
        Random(f"{salt}/{dataset}/kinds").shuffle(self._waiting)
        self._waiting.sort(key=lambda kind: kind.partition("_")[0] not in _SCARCE)

    def item(
        self, key: str, updated: str, raw: Raw, canonical: Canonical, *, revision: str = "", clean: bool = False
    ) -> Item:
        """One item; `revision` tells apart what is said of one key at different times."""
        item = Item(key, updated, raw, canonical)
        digest = blake2b(f"{self.salt}/{self.dataset}/{key}/{revision}".encode(), digest_size=8).digest()
        if not clean and int.from_bytes(digest) < self.rate * 2**64:
            self._spoil(item, Random(digest))
            self._file(item)
        return item

    def _file(self, item: Item) -> None:
        """A row that lost the best alternative of its key is filed under the next, or nowhere."""
        if not self.keys or item.canonical is None:
            return
        key = key_text(item.canonical, self.keys)
        if key is None:
            quarantine(item, "KEY_MISSING", None)
        else:
            item.key = key

    def twins(self, count: int) -> int:
        """How many repetitions of each sort a source of this many items holds."""
        return max(1, round(count * self.rate / TWINS_PER_DIRTY)) if self.rate else 0

    def _spoil(self, item: Item, rng: Random) -> None:
        for i, kind in enumerate(self._waiting):
            if self._apply(kind, item, rng):
                self._waiting.append(self._waiting.pop(i))
                item.dirt.append(kind)
                return

    def _apply(self, kind: str, item: Item, rng: Random) -> bool:
        if kind == "AREA_COMPOSITE":
            return _composite(item, rng)
        if kind == "MISALIGNED":
            return _misalign(item)
        values, spoiler = SPOILERS[kind]
        fitting = [c for c in self.columns if c.kind in values]
        rng.shuffle(fitting)
        for column in fitting:
            place = _Place(item, column, rng)
            if place.true is None or (kind == "DATE_PARTIAL" and column.need == "key"):
                continue
            if (spoilt := spoiler(place.true, rng)) is not None:
                place.put(spoilt)
                return True
        return False


class _Place:
    """Where one canonical value stands, in the canonical form and in the row."""

    def __init__(self, item: Item, column: Column, rng: Random) -> None:
        assert item.canonical is not None
        self.item, self.column, self.index = item, column, None
        steps = column.path.split(".")
        self.holder, self.name = item.canonical, steps[-1]
        self.true: str | None = None
        if len(steps) > 1:
            elements = item.canonical[steps[0]]
            if not elements:
                return
            index = int(steps[1]) if len(steps) == 3 else rng.randrange(len(elements))
            self.holder = elements[index]
            self.index = index if len(steps) == 2 else None
        self.true = self.holder[self.name]

    def put(self, spoilt: Spoilt) -> None:
        item, column, raw = self.item, self.column, spoilt.raw
        row = item.raw
        if column.within:
            row = item.raw[column.within][self.index]
        elif self.index is not None:
            pieces = item.raw[column.name].split(",")
            pieces[self.index] = "" if raw is None else str(raw)
            raw = ",".join(pieces)
        row[column.name] = raw
        problem = spoilt.problem
        if problem is None and spoilt.canonical is None:
            problem = {"key": "KEY_MISSING", "required": "MISSING"}.get(column.need)
        if problem is None:
            self.holder[self.name] = spoilt.canonical
        else:
            quarantine(item, problem, column.leaf)


def quarantine(item: Item, reason: str, field: str | None) -> None:
    """The item will not become a record."""
    item.verdict, item.reason, item.field, item.canonical = "quarantine", reason, field, None


def _composite(item: Item, rng: Random) -> bool:
    """Both areas in one sentence, in both columns; the land's is often not entered."""
    true = item.canonical
    assert true is not None
    if true["building_area_m2"] is None or true["land_area_m2"] is None:
        return False
    if rng.random() < 0.5:
        true["land_area_m2"] = None
    text = f"宗地面积{true['land_area_m2'] or '0.00'}㎡/房屋建筑面积{true['building_area_m2']}㎡"
    item.raw["SYQMJ"] = item.raw["JZMJ"] = text
    return True


def _misalign(item: Item) -> bool:
    """One number too few, or one too many."""
    numbers = (item.raw["ZJH"] or "").split(",")
    if not numbers[0]:
        return False
    if len(numbers) > 1:
        numbers.pop()
    else:
        first17 = f"{AREA}19700101{numbers[0][14:17]}"
        numbers.append(first17 + check_character(first17))
    item.raw["ZJH"] = ",".join(numbers)
    quarantine(item, "MISALIGNED", "holders")
    return True


def repeat(item: Item, kind: str, vary: Raw) -> Item:
    """The row after `item` in source order: the same again (DUPLICATE), or the same key saying else (DUPLICATE_KEY)."""
    twin = replace(item, raw=deepcopy(item.raw), canonical=None, ordinal=1, dirt=[kind])
    item.dirt = [kind]
    if kind == "DUPLICATE":
        twin.verdict = "duplicate"
    else:
        twin.raw.update(vary)
        quarantine(twin, "DUPLICATE_KEY", None)
    return twin
