"""What is true of the people themselves, kept apart from what any register says of them: married to whom, living with whom,
running what, paid how much. A report that follows from the registers must come to the same.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from mock_agencies.marriages import Bond
from mock_agencies.people import Household, Person
from mock_agencies.world import World


@dataclass
class Truth:
    """One person; `bond` is None for who never did anything at a marriage desk."""

    person: Person
    home: Household | None
    """Where they live now; None for who died or left."""
    bond: Bond | None = None
    widowed: date | None = None
    """When the partner of a standing marriage died."""
    runs: set[str] = field(default_factory=set)
    """Types of entities in a directory."""
    paid: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(dataset, year, item) -> 分 that reached them and stayed."""

    @property
    def living_with(self) -> list[Person]:
        """Everybody of the household, themselves too."""
        return [who for who in self.home.members if who.present] if self.home else []


def truths(worlds: Iterable[World]) -> dict[str, Truth]:
    """Everybody of these counties' households, by number."""
    worlds = list(worlds)
    out: dict[str, Truth] = {}
    for home in (home for world in worlds for home in world.population.households):
        for who in home.members:
            known = out.setdefault(who.id_no, Truth(who, None))
            if who.present:
                known.person, known.home = who, home
    for world in worlds:
        for number, bond in world.bonds.items():
            bound = out.get(number)
            if bound is not None and (bound.bond is None or bound.bond.since < bond.since):
                bound.bond = bond
        for number, sort in world.running:
            if number in out:
                out[number].runs.add(sort)
        for (dataset, number, year, item), cents in world.paid.items():
            if number in out:
                out[number].paid[dataset, year, item] += cents
    for truth in out.values():
        partner = out.get(truth.bond.partner) if truth.bond and truth.bond.stands and truth.bond.partner else None
        truth.widowed = partner.person.died if partner else None
    return out
