"""Several counties side by side, and what happens across their borders: people marry and move from one into the next."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final

from mock_agencies.counties import COUNTIES
from mock_agencies.outlets import Outlet
from mock_agencies.people import DAY_0, Couple, Household, Person, Population, people
from mock_agencies.world import World

_BORDER_COUPLES: Final = 2
"""Marriages of each county with the next."""


class Prefecture:
    """A world for each county, all on the same day."""

    def __init__(self, households: Mapping[str, int], seed: int = 1, dirt: float = 0.03) -> None:
        """`households`: county code -> how many; the pilot alone is the same as `World`.

        Raises:
            ValueError: there is no such county.
        """
        if unknown := households.keys() - COUNTIES.keys():
            raise ValueError(f"county must be one of {', '.join(COUNTIES)}, not {', '.join(unknown)}")
        populations = [people(COUNTIES[code], count, seed) for code, count in households.items()]
        weddings: dict[str, list[Couple]] = {code: [] for code in households}
        if len(populations) > 1:
            for here, there in zip(populations, [*populations[1:], populations[0]], strict=True):
                rng = Random(f"{here.salt}/borders")
                weddings[here.county.code] += _marry(rng, here, there)
                _move(rng, here, there)
        self.worlds: dict[str, World] = {
            code: World(count, seed, dirt, population=population, weddings=weddings[code])
            for (code, count), population in zip(households.items(), populations, strict=True)
        }

        self.outlets: list[Outlet] = []
        """What is filled again when days have passed."""

    def advance(self, days: int = 1) -> dict[str, dict[str, int]]:
        """Lets days pass everywhere; county -> dataset -> observations new, changed or withdrawn."""
        changed = {code: world.advance(days) for code, world in self.worlds.items()}
        for outlet in self.outlets:
            outlet.publish()
        return changed


def _single(population: Population, sex: str) -> list[Person]:
    everybody = [who for home in population.households for who in home.members]
    return [p for p in everybody if p.sex == sex and p.marital == "10" and p.present and 23 <= p.age(DAY_0) <= 45]


def _marry(rng: Random, here: Population, there: Population) -> list[Couple]:
    """Some single men of here with women of there, by an act of here; each stays in the register where they were."""
    men, women = _single(here, "1"), _single(there, "2")
    count = min(_BORDER_COUPLES, len(men), len(women))
    couples = list(zip(rng.sample(men, count), rng.sample(women, count), strict=True))
    for who in (who for couple in couples for who in couple):
        who.marital = "21"
    return couples


def _move(rng: Random, here: Population, there: Population) -> None:
    """Somebody who lived alone leaves for the next county. Here still pays, and still counts the house and the land as theirs."""
    alone = [h for h in here.households if len(h.members) == 1 and h.head.present and h.head.moved_in is None]
    if not alone:
        return
    home = rng.choice(alone)
    on = DAY_0 - timedelta(days=rng.randrange(60, 400))
    here.away.add(home.no)
    there.households.append(
        Household(
            county=there.county,
            no=f"{home.town}{len(there.households) + 1:06d}",
            town=rng.choice(tuple(there.county.towns)),
            village=home.village,
            group=home.group,
            door=home.door,
            kind="1",
            members=[replace(home.head, moved_in=on)],
        )
    )
    home.head.moved_out = on
