"""One synthetic world behind all agencies: the same people everywhere, deterministic by seed, size, dirt and days."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from mock_agencies import (
    approvals,
    assistances,
    contracts,
    entities,
    homesteads,
    marriages,
    members,
    payments,
    subsidies,
)
from mock_agencies.counties import FENGCHENG
from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Item
from mock_agencies.ledger import differences, stamp
from mock_agencies.people import DAY_0, Couple, Population, people

DATASETS: Final = (
    *("household_member", "marriage", "homestead", "payment", "assistance"),
    *("homestead_approval", "contracted_land", "subsidy", "agri_entity"),
)

RESIDENTS: Final = "resident"
"""The register of households once more, as the population service of 公安 tells it of named persons."""

COLUMNS: Final = {
    "household_member": members.COLUMNS,
    "marriage": marriages.COLUMNS,
    "homestead": homesteads.COLUMNS,
    "payment": payments.COLUMNS,
    "assistance": assistances.COLUMNS,
    "homestead_approval": approvals.COLUMNS,
    "contracted_land": contracts.COLUMNS,
    "subsidy": subsidies.COLUMNS,
    "agri_entity": entities.COLUMNS,
}
_KEYS: Final = {"subsidy": subsidies.KEYS, "agri_entity": entities.KEYS}
"""Alternatives of record keys, where there are several."""


class World:
    """Nine registers over one population. `advance` and the reads exclude each other; an item never changes once read."""

    def __init__(
        self,
        households: int = 2000,
        seed: int = 1,
        dirt: float = 0.03,
        *,
        population: Population | None = None,
        weddings: Sequence[Couple] = (),
    ) -> None:
        """Fengcheng by itself, or the county of a population; `weddings`: acts whose parties live in two counties."""
        population = population or people(FENGCHENG, households, seed)
        self.population = population
        self.county, self.households = population.county, households
        self.seed, self.dirt, self.day, salt = seed, dirt, 0, population.salt
        self._lock = threading.Lock()
        spoil = {name: Dirt(name, columns, salt, dirt, _KEYS.get(name, ())) for name, columns in COLUMNS.items()}
        told = Dirt(RESIDENTS, members.RESIDENT_COLUMNS, salt, dirt)
        self._members = members.Members(population, spoil["household_member"], told, salt)
        self._marriages = marriages.Marriages(population, spoil["marriage"], salt, weddings)
        self._homesteads = homesteads.Homesteads(population, spoil["homestead"], salt)
        self._payments = payments.Payments(population, spoil["payment"], salt)
        self._assistances = assistances.Assistances(population, spoil["assistance"], salt)
        self._approvals = approvals.Approvals(population, self._homesteads, spoil["homestead_approval"], salt)
        self._entities = entities.Entities(population, spoil["agri_entity"], salt)
        self._contracts = contracts.Contracts(population, self._entities, spoil["contracted_land"], salt)
        self._subsidies = subsidies.Subsidies(population, self._contracts, spoil["subsidy"], salt)
        self._ledgers = {
            "household_member": self._members.ledger,
            "marriage": self._marriages.ledger,
            "homestead": self._homesteads.ledger,
            "payment": self._payments.ledger,
            "homestead_approval": self._approvals.ledger,
            "contracted_land": self._contracts.ledger,
            "subsidy": self._subsidies.ledger,
            "agri_entity": self._entities.ledger,
        }
        self._publish()

    @property
    def today(self) -> date:
        return DAY_0 + timedelta(days=self.day)

    @property
    def now(self) -> str:
        """The world stands still at six in the evening."""
        return stamp(datetime.combine(self.today, time(18)))

    @property
    def bonds(self) -> dict[str, marriages.Bond]:
        """Number -> how somebody stands by what happened here."""
        return self._marriages.bonds

    @property
    def running(self) -> list[tuple[str, str]]:
        """(number of who runs it, its type), of every entity that is in a directory."""
        return [(e.facts["operator_id_no"], e.facts["entity_type"]) for e in self._entities.entities]

    @property
    def paid(self) -> Counter[tuple[str, str, str, str]]:
        """(dataset, number, year, item) -> 分 that reached somebody and stayed."""
        books = {"payment": self._payments.paid, "subsidy": self._subsidies.paid}
        return Counter({(name, *key): cents for name, book in books.items() for key, cents in book.items()})

    def summary(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "households": self.households,
            "dirt": self.dirt,
            "day": self.day,
            "today": self.today.isoformat(),
            "now": self.now,
        }

    def advance(self, days: int = 1) -> dict[str, int]:
        """Lets days pass; dataset -> observations whose accepted content is new, changed or withdrawn since."""
        with self._lock:
            before = {name: dict(held) for name, held in self._held().items()}
            for _ in range(days):
                self.day += 1
                self._pass_day()
            self._publish()
            return {name: differences(before[name], held) for name, held in self._held().items()}

    def _pass_day(self) -> None:
        for register in (
            *(self._members, self._marriages, self._homesteads, self._payments, self._assistances),
            *(self._approvals, self._entities, self._contracts, self._subsidies),
        ):
            register.pass_day(self.today)

    def _held(self) -> dict[str, dict[str, Canonical]]:
        ledgers = {name: ledger.held for name, ledger in self._ledgers.items()}
        return ledgers | {"assistance": self._assistances.held}

    def _publish(self) -> None:
        self._items = {name: ledger.items() for name, ledger in self._ledgers.items()}
        self._items["assistance"] = self._assistances.months[self._assistances.current]
        self._items[RESIDENTS] = self._members.residents.items()
        self._by_number: dict[str, list[Item]] = {}
        for item in self._items[RESIDENTS]:
            self._by_number.setdefault(item.key.partition("|")[2], []).append(item)
        self._by_day: dict[str, list[Item]] = {}
        for item in self._items["payment"]:
            self._by_day.setdefault(item.updated[:10], []).append(item)
        self._called = self._members.names()
        self._by_month = dict(self._assistances.months)

    def items(self, dataset: str) -> list[Item]:
        """Everything the agency serves today, in source order; of assistance, the current month's list."""
        with self._lock:
            return self._items[dataset]

    def submitted(self, day: str) -> list[Item]:
        """Payments submitted on a day, `YYYY-MM-DD`."""
        with self._lock:
            return self._by_day.get(day, [])

    def resident(self, number: str) -> list[Item]:
        """What the population service holds of the person with this number."""
        with self._lock:
            return self._by_number.get(number, [])

    def is_called(self, number: str, name: str) -> bool:
        """Whether the person with this number bears this name, or bore it."""
        with self._lock:
            return name in self._called.get(number, ())

    def assisted(self, month: str) -> list[Item]:
        """The list of assistances in force in a month, `YYYY-MM`."""
        with self._lock:
            return self._by_month.get(month, [])
