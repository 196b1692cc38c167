"""社会救助: entitlements of the civil affairs bureau, listed in full for each month they are in force."""

from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt, repeat
from mock_agencies.items import Canonical, Column, Item, Raw
from mock_agencies.ledger import stamp
from mock_agencies.people import DAY_0, Household, Population

COLUMNS: Final = (
    Column("JZZH", "cert_no", "code_cert", "key"),
    Column("JZLX", "kind", "code", "required"),
    Column("BZLB", "category", "code"),
    Column("QSNY", "since", "month", "required"),
    Column("ZZNY", "until", "month"),
    Column("BZRK", "covered_people", "count"),
    Column("QHDM", "division", "division"),
    Column("XM", "name", "name", "required"),
    Column("SFZH", "id_no", "id", "key"),
    Column("BZJE", "monthly_amount", "money"),
)
"""Mapped columns that may be spoilt. SSNY is not among them: QSNY shows what happens to months."""

_SHARE: Final = 0.125
_HISTORY: Final = ("2025-12", "2026-01", "2026-02")
_FEWEST: Final = 12
"""Lists shorter than this lose nobody, lest a withdrawal look like a broken list."""
_CAUSES: Final = ("因病", "因残", "缺劳动力", "因学")


@dataclass
class Entitlement:
    """What is said of it every month alike; a spoilt entitlement stays so, as nobody corrects it."""

    item: Item
    since: str
    twin: str | None = None


class Assistances:
    """The lists; `months` is what each month's list holds."""

    def __init__(self, population: Population, dirt: Dirt, salt: str) -> None:
        self.population, self.dirt, self.salt = population, dirt, salt
        self.months: dict[str, list[Item]] = {}
        self.current = ""
        self.held: dict[str, Canonical] = {}
        self._serial = 0
        self._in_force: list[Entitlement] = []
        rng = Random(f"{salt}/assistances")
        for home in population.households:
            if rng.random() < _SHARE:
                self._entitle(rng, home, DAY_0 - timedelta(days=rng.randint(0, 1500)))
        clean = [e for e in self._in_force if not e.item.dirt and e.since < _HISTORY[0]]
        for i, entitlement in enumerate(rng.sample(clean, min(2 * dirt.twins(len(self._in_force)), len(clean)))):
            entitlement.twin = ("DUPLICATE", "DUPLICATE_KEY")[i % 2]
        for month in (*_HISTORY, f"{DAY_0:%Y-%m}"):
            self._list(month)

    def _entitle(self, rng: Random, home: Household, since: date) -> None:
        self._serial += 1
        who = rng.choice([p for p in home.members if p.present] or home.members)
        kind = rng.choices("1234", (6, 2, 1, 2))[0]
        canonical: Canonical = {
            "cert_no": f"DB{home.county.code}{self._serial:06d}",
            "kind": kind,
            "category": rng.choice("ABC") if kind == "1" else None,
            "since": f"{since:%Y-%m}",
            "until": f"{since.year + 5}-12" if kind == "4" else None,
            "period": "",
            "covered_people": str(rng.randint(1, len(home.members))),
            "division": home.division,
            "name": who.name,
            "id_no": who.id_no,
            "monthly_amount": f"{rng.randint(300, 900)}.00",
        }
        raw: Raw = {column.name: canonical[column.path] for column in COLUMNS}
        raw |= {
            "SSNY": None,
            "YHZH": f"621700361{rng.randrange(10**10):010d}",
            "ZPYY": rng.choice(_CAUSES),
            "GXSJ": None,
        }
        item = self.dirt.item(f"{canonical['cert_no']}|{who.id_no}", "", raw, canonical)
        self._in_force.append(Entitlement(item, canonical["since"]))

    def _list(self, month: str) -> None:
        """Draws up a month's list; what stands in it is what a reader holds from now on."""
        opened = datetime.combine(date.fromisoformat(f"{month}-01"), time(0))
        out: list[Item] = []
        listed = [e for e in self._in_force if e.since <= month]
        # Repetitions first: see mock_agencies.ledger.OLDEST.
        for nth, entitlement in enumerate(sorted(listed, key=lambda e: e.twin is None)):
            updated = stamp(opened + timedelta(hours=8, seconds=nth))
            template = entitlement.item
            item = replace(
                template, updated=updated, raw=template.raw | {"SSNY": month, "GXSJ": updated}, dirt=[*template.dirt]
            )
            if template.canonical is not None:
                item.canonical = deepcopy(template.canonical) | {"period": month}
            out.append(item)
            if entitlement.twin is not None:
                out.append(repeat(item, entitlement.twin, {"BZJE": "1.00"}))
        self.months[month], self.current = out, month
        self.held = {item.key: item.canonical for item in out if item.canonical is not None}

    def pass_day(self, day: date) -> None:
        """On the 1st a new list, some amounts raised, some entitlements new or ended; every fifth day one withdrawn."""
        rng = Random(f"{self.salt}/assistances/{day}")
        if day.day == 1:
            for entitlement in self._in_force:
                if not entitlement.item.dirt and rng.random() < 0.05:
                    self._raise(entitlement, rng.choice((20, 40, 60)))
            for home in rng.sample(self.population.households, len(self._in_force) // 40):
                self._entitle(rng, home, day)
            self._withdraw(rng, len(self._in_force) // 40)
            self._list(f"{day:%Y-%m}")
        elif (day - DAY_0).days % 5 == 0 and (gone := self._withdraw(rng, 1)):
            self.months[self.current] = [item for item in self.months[self.current] if item.key not in gone]
            self.held = {key: value for key, value in self.held.items() if key not in gone}

    def _raise(self, entitlement: Entitlement, by: int) -> None:
        true = entitlement.item.canonical
        assert true is not None
        amount = f"{float(true['monthly_amount']) + by:.2f}"
        entitlement.item.raw["BZJE"] = true["monthly_amount"] = amount

    def _withdraw(self, rng: Random, count: int) -> set[str]:
        free = [e for e in self._in_force if e.twin is None]
        if len(self._in_force) < _FEWEST:
            return set()
        gone = {e.item.key for e in rng.sample(free, count)}
        self._in_force = [e for e in self._in_force if e.item.key not in gone]
        return gone
