"""How a county's system writes what the world knows: in columns, dictionaries and units of its own (china-facts §2.8, §3.10)."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import Any, Final

from mock_agencies.counties import County
from mock_agencies.items import Canonical, Column, Item, Raw
from mock_agencies.world import COLUMNS, World

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WIDE: Final = {c: c + 0xFEE0 for c in range(0x30, 0x3A)}
_CENT: Final = Decimal("0.01")
_METRES: Final = frozenset({"area", "area0"})
"""Kinds of values that the world writes in m²; the other measures are in 亩."""
_ZERO_COUNTS: Final = frozenset({"area0", "mu0"})


@dataclass(frozen=True)
class Wording:
    """The words of one system for one dataset, beside those the world writes by itself."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """The world's column -> the system's."""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column -> what the world writes -> what the system writes; anything else stays as it is."""
    means: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Canonical path -> a code -> the nearest one that the system's coarser dictionary has."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Column -> 亩 or m², where it is not the one the world writes."""
    number: str = ""
    """A column with a number of the row that grows with its update time, if there is one."""

    latest: bool = False
    """A table of how things stand, not a list of everything that was ever submitted about them."""

    @property
    def unannounced(self) -> "Wording":
        """The same after an update that went back to the national dictionaries and told nobody."""
        return replace(self, words={})

    def write_all(self, dataset: str, items: list[Item]) -> list[Item]:
        if self.latest:
            last = {item.key: item.updated for item in items}
            items = [item for item in items if item.updated == last[item.key]]
        return [self.write(dataset, item) for item in items]

    def write(self, dataset: str, item: Item) -> Item:
        """The item as the system serves it, and what is true of it then."""
        columns = {c.name: c for c in COLUMNS[dataset]}
        canonical, raw = item.canonical, item.raw
        if self.units or self.means:
            canonical, raw = deepcopy(canonical), dict(raw)
            for name, unit in self.units.items():
                _measure(raw, canonical, columns[name], unit)
            for path, codes in self.means.items():
                _read_coarsely(canonical, path, codes)
        raw = self._row(raw)
        if self.number:
            raw[self.number] = row_number(item)
        return replace(item, raw=raw, canonical=canonical)

    def _row(self, row: Raw) -> Raw:
        return {self.columns.get(name, name): self._value(name, value) for name, value in row.items()}

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._row(element) for element in value]
        words = self.words.get(name)
        return words.get(value, value) if words and isinstance(value, str) else value


def row_number(item: Item) -> str:
    """In the order of update times; the same for two rows with one key and one time."""
    return re.sub("[^0-9]", "", item.updated) + blake2b(item.key.encode(), digest_size=4).hexdigest()


def _measure(raw: Raw, canonical: Canonical | None, column: Column, unit: str) -> None:
    """A bare number in the system's unit, rounded as it stands there: that is what can be known. Other texts say their unit."""
    value = raw[column.name]
    text = value.strip() if isinstance(value, str) else ""
    plain = unicodedata.normalize("NFKC", text)
    if not _NUMBER.fullmatch(plain):
        return
    in_metres = column.kind in _METRES
    assert unit == ("亩" if in_metres else "m²")
    places = Decimal("0.0001") if in_metres else _CENT
    to_mu, to_metres = Decimal(3) / 2000, Decimal(2000) / 3
    there = (Decimal(plain) * (to_mu if in_metres else to_metres)).quantize(places, ROUND_HALF_UP)
    back = there * 2000 / 3 if in_metres else there * 3 / 2000
    written = str(there) if plain == text else str(there).translate(_WIDE)
    raw[column.name] = value.replace(text, written)
    if canonical is not None:
        known = back.quantize(_CENT, ROUND_HALF_UP)
        canonical[column.path] = str(known) if known or column.kind in _ZERO_COUNTS else None


def _read_coarsely(canonical: Canonical | None, path: str, codes: Mapping[str, str]) -> None:
    if canonical is None:
        return
    part, _, name = path.rpartition(".")
    for holder in canonical[part] if part else [canonical]:
        holder[name] = codes.get(holder[name], holder[name])


class Served:
    """A world as the systems of its county word it."""

    def __init__(self, world: World, wordings: Mapping[str, Wording]) -> None:
        self.world, self.wordings = world, wordings
        self._written: dict[tuple[str, str, bool], tuple[list[Item], list[Item]]] = {}

    @property
    def county(self) -> County:
        return self.world.county

    def items(self, dataset: str, *, unannounced: bool = False) -> list[Item]:
        """As `World.items`; `unannounced`: by dictionaries that nobody was told of."""
        return self._words(dataset, "", self.world.items(dataset), unannounced=unannounced)

    def submitted(self, day: str) -> list[Item]:
        """As `World.submitted`."""
        return self._words("payment", day, self.world.submitted(day))

    def assisted(self, month: str) -> list[Item]:
        """As `World.assisted`."""
        return self._words("assistance", month, self.world.assisted(month))

    def _words(self, dataset: str, part: str, items: list[Item], *, unannounced: bool = False) -> list[Item]:
        wording = self.wordings.get(dataset)
        if wording is None:
            return items
        wording = wording.unannounced if unannounced else wording
        known = self._written.get((dataset, part, unannounced))
        if known is None or known[0] is not items:
            known = items, wording.write_all(dataset, items)
            self._written[dataset, part, unannounced] = known
        return known[1]


def renamed(dataset: str, name: Callable[[Column], str], **others: str) -> dict[str, str]:
    """Columns of a dataset under names made from each; `others` for those that feed no field."""
    return {column.name: name(column) for column in COLUMNS[dataset]} | others


def lower(dataset: str, *unmapped: str) -> dict[str, str]:
    """All in small letters."""
    lists = {column.within for column in COLUMNS[dataset] if column.within}
    return renamed(dataset, lambda column: column.name.lower()) | {n: n.lower() for n in (*unmapped, *lists)}


def camel(dataset: str, **others: str) -> dict[str, str]:
    """In English, as a developer of the city would name them: `unit_no` -> `unitNo`, `parties.0.name` -> `party0Name`."""

    def name(column: Column) -> str:
        steps = column.path.replace("parties.", "party").split(".")
        steps = steps[1:] if column.within else steps
        first, *rest = "_".join(steps).split("_")
        return first + "".join(word.title() for word in rest)

    lists = {column.within: column.path.partition(".")[0] for column in COLUMNS[dataset] if column.within}
    return renamed(dataset, name, **others) | lists


def pick(items: Sequence[Item], since: str) -> list[Item]:
    """What changed at or after a time; all if it is blank."""
    return [item for item in items if item.updated >= since]
