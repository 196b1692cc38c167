"""What one agency holds of one dataset: its items in source order, and what a perfect reader would hold of them."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt, repeat
from mock_agencies.items import Canonical, Item, Raw
from mock_agencies.people import DAY_0

_OLDEST: Final = datetime.combine(date(2024, 12, 31), time(8))
"""When repeated rows were written: before everything else, so that they stand in pairs from the first row of a full read
and no even page size parts them."""
_FIRST: Final = datetime.combine(date(2025, 1, 2), time(9))


def stamp(at: datetime) -> str:
    """As every source writes its update times."""
    return at.isoformat(sep=" ", timespec="seconds")


def past(rng: Random) -> str:
    """Some time before day 0."""
    span = datetime.combine(DAY_0, time(0)) - _FIRST
    return stamp(_FIRST + timedelta(seconds=rng.randrange(int(span.total_seconds()))))


class Times:
    """Distinct update times of one day, ascending: every half minute from nine."""

    def __init__(self, day: date) -> None:
        self._at = datetime.combine(day, time(9))

    def next(self) -> str:
        self._at += timedelta(seconds=30)
        return stamp(self._at)


class Ledger:
    """One dataset: an item takes the place of the one written before it in the same slot."""

    def __init__(self, dirt: Dirt) -> None:
        self.dirt = dirt
        self.held: dict[str, Canonical] = {}
        """Key -> the last accepted content."""
        self.frozen: set[str] = set()
        """Keys that must not change any more."""
        self._slots: dict[str, list[Item]] = {}
        self._revisions: dict[str, int] = {}

    def put(
        self, key: str, updated: str, raw: Raw, canonical: Canonical, *, slot: str | None = None, clean: bool = False
    ) -> None:
        """Writes an item; its slot is its key unless said. `clean`: without dirt, so that the change is surely seen."""
        slot = slot or key
        revision = self._revisions[slot] = self._revisions.get(slot, -1) + 1
        item = self.dirt.item(key, updated, raw, canonical, revision=f"{slot}/{revision}", clean=clean)
        self._slots[slot] = [item]
        if item.canonical is not None:
            self.held[item.key] = item.canonical

    def end(self, slot: str) -> None:
        """Nothing is said of it any more."""
        for item in self._slots.pop(slot):
            self.held.pop(item.key, None)

    def is_settled(self, slot: str) -> bool:
        """Whether what stands there is clean and free to change."""
        (item, *twins) = self._slots[slot]
        return not item.dirt and not twins

    def ignore(self, key: str, updated: str, raw: Raw, rule: str) -> None:
        """Writes an item that is none of the dataset's business."""
        self._slots[key] = [Item(key, updated, raw, None, "ignore", rule)]
        self.frozen.add(key)

    def repeat_some(self, rng: Random, vary: Raw, column: str | None, slots: Iterable[str] | None = None) -> None:
        """Lets the source send some clean rows twice, and some keys with two contents (the second differs by `vary`).

        `column` names the source's update time, which becomes the oldest of all; None leaves it.
        """
        clean = [s for s in slots or self._slots if self._slots[s][0].canonical and not self._slots[s][0].dirt]
        count = 2 * self.dirt.twins(len(self._slots))
        for i, slot in enumerate(rng.sample(clean, min(count, len(clean)))):
            (item,) = self._slots[slot]
            if column is not None:
                item.updated = item.raw[column] = stamp(_OLDEST + timedelta(seconds=i))
            self._slots[slot].append(repeat(item, ("DUPLICATE", "DUPLICATE_KEY")[i % 2], vary))
            self.frozen.add(item.key)

    def updated(self, slot: str) -> str:
        return self._slots[slot][0].updated

    def slots(self) -> list[str]:
        return list(self._slots)

    def items(self) -> list[Item]:
        """Everything served now, in source order."""
        return sorted((item for slot in self._slots.values() for item in slot), key=lambda item: item.order)


def differences(before: dict[str, Canonical], after: dict[str, Canonical]) -> int:
    """Keys that are new, changed or gone."""
    fresh = sum(1 for key, value in after.items() if before.get(key) is not value and before.get(key) != value)
    return fresh + sum(1 for key in before if key not in after)
