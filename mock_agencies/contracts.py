"""承包地: contracts of the second round, 1998 to 2027, as NY/T 2539 keeps them, and their extension by thirty years."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final

from mock_agencies.dirt import Dirt
from mock_agencies.entities import Entities
from mock_agencies.items import Canonical, Column, Raw
from mock_agencies.ledger import Ledger, Times, past
from mock_agencies.people import DAY_0, VILLAGES, Household, Person, Population

PLOTS, MEMBERS = "CBDKXX", "CBF_JTCY"
"""Tables of the standard, here lists inside a contract's row."""
COLUMNS: Final = (
    Column("CBHTBM", "contract_code", "contract_code", "key"),
    Column("CBFBM", "contractor_code", "contractor_code"),
    Column("FBFBM", "issuer_code", "issuer_code"),
    Column("FBFMC", "issuer_name", "text"),
    Column("CBFLX", "contractor_type", "code", "required"),
    Column("CBFS", "way", "code"),
    Column("CBQXQ", "valid_from", "ahead"),
    Column("CBQXZ", "valid_to", "open_date"),
    Column("QDSJ", "signed_on", "date"),
    Column("HTZMJ", "area_m2", "area"),
    Column("HTZMJM", "area_mu", "mu"),
    Column("CBDKZS", "plot_count", "count"),
    Column("CBJYQZBM", "certificate_code", "contract_code"),
    Column("CBJYQZLSH", "cert_no", "cert"),
    Column("CBFMC", "contractor_name", "name", "required"),
    Column("CBFZJHM", "contractor_id_no", "id"),
    Column("CBFCYSL", "member_count", "count"),
    Column("DKBM", "plots.code", "plot_code", "required", PLOTS),
    Column("DKMC", "plots.name", "text", within=PLOTS),
    Column("DKLB", "plots.kind", "code", within=PLOTS),
    Column("TDYT", "plots.use", "code", within=PLOTS),
    Column("DLDJ", "plots.grade", "code", within=PLOTS),
    Column("SFJBNT", "plots.basic_farmland", "code", within=PLOTS),
    Column("CBJYQQDFS", "plots.way", "code", within=PLOTS),
    Column("HTMJ", "plots.area_m2", "area", within=PLOTS),
    Column("HTMJM", "plots.area_mu", "mu", within=PLOTS),
    Column("SFQQQG", "plots.by_share", "code", within=PLOTS),
    Column("CYXM", "members.name", "name", "required", MEMBERS),
    Column("CYZJHM", "members.id_no", "id", within=MEMBERS),
    Column("YHZGX", "members.relation", "code", within=MEMBERS),
    Column("SFGYR", "members.co_owner", "code", within=MEMBERS),
)

_SECOND_ROUND: Final = (date(1998, 1, 1), date(2027, 12, 31))
_THIRD_ROUND: Final = (date(2028, 1, 1), date(2057, 12, 31))
_YES_NO: Final = {"1": "1", "0": "2"}
"""2 is no in NY/T 2539."""
_FIELDS: Final = ("门前垄", "大塘下", "枫树坳", "老屋背", "水圳边", "庙前丘", "长坵", "石壁脚")
_CENT: Final = Decimal("0.01")
_SPOUSES: Final = {"10", "11", "12"}
_HEIR: Final = re.compile("1[0-2]|2[0-7]|3[0-7]")
"""Spouses and children of the head."""


def mu_of(square_metres: Decimal) -> Decimal:
    return (square_metres * 3 / 2000).quantize(_CENT, ROUND_HALF_UP)


def _compact(day: date | None) -> str | None:
    """Dates of the standard have no dashes."""
    return f"{day:%Y%m%d}" if day else None


@dataclass(frozen=True)
class Contract:
    """One contract as it stands; members as they were when it was last signed."""

    code: str
    home: Household | None
    kind: str
    way: str
    name: str
    document: str
    """The contractor's ID number, or a unit's credit code."""
    id_no: str | None
    begins: date
    ends: date
    signed: date
    cert_no: str
    plots: tuple[Canonical, ...]
    members: tuple[Canonical, ...]
    area: Decimal

    @property
    def mu(self) -> Decimal:
        """Summed from the rounded plots, as registers do."""
        return sum((Decimal(p["area_mu"]) for p in self.plots), Decimal(0)) if self.plots else mu_of(self.area)


def _relation(home: Household, holder: Person, who: Person) -> str:
    """What somebody is to the holder of the contract, who is the head of the household or its elder."""
    if who is holder:
        return "02"
    if holder is home.head:
        return who.relation
    if who is home.head:
        return "20" if who.sex == "1" else "30"
    if who.relation in _SPOUSES:
        return "38" if who.sex == "2" else "28"
    return ("41" if who.sex == "1" else "42") if who.relation[0] in "23" else "97"


class Contracts:
    """The register of contracts, and what happens in it."""

    def __init__(self, population: Population, entities: Entities, dirt: Dirt, salt: str) -> None:
        self.population, self.salt = population, salt
        self.ledger = Ledger(dirt)
        self.contracts: dict[str, Contract] = {}
        self.of_household: dict[str, Contract] = {}
        self._serials: Counter[str] = Counter()
        rng = Random(f"{salt}/contracts")
        for home in population.households:
            if rng.random() < 0.88:
                self._keep(self._by_household(rng, home), past(rng))
        for entity in entities.cooperatives():
            assert entity.home is not None
            holder = (entity.facts["name"], entity.facts["credit_code"], None)
            self._keep(self._otherwise(rng, entity.home, "3", holder), past(rng))
        for home in rng.sample(population.households, max(1, len(population.households) // 50)):
            head = home.head
            self._keep(self._otherwise(rng, home, "2", (head.name, head.id_no, head.id_no)), past(rng))
        self.ledger.repeat_some(rng, {"FBFMC": f"{population.county.name}某村民小组"}, "GXSJ")

    @staticmethod
    def _issuer(home: Household) -> str:
        return f"{home.division}{home.group:02d}"

    def _next(self, issuer: str, digits: int) -> str:
        """The next of an issuer's contractors (4 digits) or plots (5)."""
        name = f"{issuer}/{digits}"
        self._serials[name] += 1
        return f"{issuer}{self._serials[name]:0{digits}d}"

    def _by_household(self, rng: Random, home: Household) -> Contract:
        extended = rng.random() < 0.1
        signed = DAY_0 - timedelta(days=rng.randrange(20, 200) if extended else rng.randrange(2800, 3400))
        elders = [who for who in home.members if who.relation in {"51", "52"}]
        # A contract stays in the name of the dead until it is extended.
        often = 0.95 if elders and elders[0].died else 0.6
        holder = elders[0] if elders and not extended and rng.random() < often else home.head
        # A few households hold a share of the group's land and no plots of their own (确权确股不确地).
        plots = () if rng.random() < 0.03 else self._plots(rng, self._issuer(home), rng.randint(2, 7), "110")
        begins, ends = _THIRD_ROUND if extended else _SECOND_ROUND
        serial = len(self.contracts) + 1
        return Contract(
            code=f"{self._next(self._issuer(home), 4)}J",
            home=home,
            kind="1",
            way="110",
            name=holder.name,
            document=holder.id_no,
            id_no=holder.id_no,
            begins=begins,
            ends=ends,
            signed=signed,
            cert_no=f"赣({signed.year}){home.county.name}农村土地承包经营权证第{serial:06d}号",
            plots=plots,
            members=self._members(home, holder, signed),
            area=self._total(rng, plots),
        )

    def _otherwise(self, rng: Random, home: Household, kind: str, holder: tuple[str, str, str | None]) -> Contract:
        """A contract for waste land, let by negotiation or auction."""
        way = rng.choice(("122", "123"))
        signed = DAY_0 - timedelta(days=rng.randrange(300, 2500))
        plots = self._plots(rng, self._issuer(home), rng.randint(1, 2), way, large=True)
        name, document, id_no = holder
        return Contract(
            code=f"{self._next(self._issuer(home), 4)}Q",
            home=None,
            kind=kind,
            way=way,
            name=name,
            document=document,
            id_no=id_no,
            begins=signed,
            ends=signed.replace(year=signed.year + 20, day=1),
            signed=signed,
            cert_no=f"赣({signed.year}){home.county.name}农村土地承包经营权证第{len(self.contracts) + 1:06d}号",
            plots=plots,
            members=(),
            area=self._total(rng, plots),
        )

    def _plots(self, rng: Random, issuer: str, count: int, way: str, *, large: bool = False) -> tuple[Canonical, ...]:
        out = []
        for _ in range(count):
            area = Decimal(rng.randint(500_000, 3_000_000) if large else rng.randint(10_000, 180_000)) / 100
            out.append({
                "code": self._next(issuer, 5),
                "name": rng.choice(_FIELDS),
                "kind": "23" if large else "10",
                "use": rng.choice("1112") if large else "1",
                "grade": f"{rng.randint(1, 10):02d}",
                "basic_farmland": "0" if large or rng.random() < 0.2 else "1",
                "way": way,
                "area_m2": f"{area:.2f}",
                "area_mu": f"{mu_of(area):.2f}",
                "by_share": "0",
            })  # fmt: skip
        return tuple(out)

    @staticmethod
    def _total(rng: Random, plots: tuple[Canonical, ...]) -> Decimal:
        shares = Decimal(rng.randint(60_000, 400_000)) / 100
        return sum((Decimal(p["area_m2"]) for p in plots), Decimal(0)) if plots else shares

    @staticmethod
    def _members(home: Household, holder: Person, on: date) -> tuple[Canonical, ...]:
        there = [who for who in home.members if who.born <= on and (who.moved_in or on) <= on]
        there = [
            who for who in there if not (who.died and who.died <= on) and not (who.moved_out and who.moved_out <= on)
        ]
        return tuple(
            {
                "name": who.name,
                "id_no": who.id_no,
                "relation": _relation(home, holder, who),
                "co_owner": "1" if who.age(on) >= 1 else "0",
            }
            for who in (holder, *(who for who in there if who is not holder))
        )

    def _keep(self, contract: Contract, updated: str, *, clean: bool = False) -> None:
        self.contracts[contract.code] = contract
        if contract.home is not None:
            self.of_household[contract.home.no] = contract
        issuer = contract.code[:14]
        canonical: Canonical = {
            "contract_code": contract.code,
            "contractor_code": contract.code[:18],
            "issuer_code": issuer,
            "issuer_name": f"{self.population.county.name}{VILLAGES[int(issuer[9:12]) - 200]}{int(issuer[12:])}组",
            "contractor_type": contract.kind,
            "way": contract.way,
            "valid_from": contract.begins.isoformat(),
            "valid_to": contract.ends.isoformat(),
            "signed_on": contract.signed.isoformat(),
            "area_m2": f"{contract.area:.2f}",
            "area_mu": f"{contract.mu:.2f}",
            "plot_count": str(len(contract.plots)),
            "certificate_code": contract.code,
            "cert_no": contract.cert_no,
            "contractor_name": contract.name,
            "contractor_id_no": contract.id_no,
            "member_count": str(len(contract.members)),
            "plots": [dict(plot) for plot in contract.plots],
            "members": [dict(member) for member in contract.members],
        }
        self.ledger.put(contract.code, updated, self._raw(contract, canonical, updated), canonical, clean=clean)

    @staticmethod
    def _raw(contract: Contract, canonical: Canonical, updated: str) -> Raw:
        raw: Raw = {c.name: canonical[c.path] for c in COLUMNS if not c.within}
        raw |= {
            "CBQXQ": _compact(contract.begins),
            "CBQXZ": _compact(contract.ends),
            "QDSJ": _compact(contract.signed),
            "CBFZJLX": "3" if contract.kind == "3" else "1",
            "CBFZJHM": contract.document,
            "CBFDZ": contract.home.address if contract.home else None,
            "LXDH": f"1390000{int(contract.code[14:18]):04d}",
            PLOTS: [
                _nested(PLOTS, plot) | {"DKDZ": "水圳", "DKXZ": f"{contract.name}田"} for plot in canonical["plots"]
            ],
            MEMBERS: [_nested(MEMBERS, member) | {"CYZJLX": "1", "CYBZ": "6"} for member in canonical["members"]],
            "GXSJ": updated,
        }
        return raw

    def pass_day(self, day: date) -> None:
        """Contracts are extended, often by another head of the household; the first of a day is surely clean."""
        rng, times = Random(f"{self.salt}/contracts/{day}"), Times(day)
        old = [c for c in self.contracts.values() if c.home is not None and c.ends == _SECOND_ROUND[1]]
        old = [contract for contract in old if contract.code not in self.ledger.frozen]
        for nth, contract in enumerate(rng.sample(old, min(len(old), 1 + len(self.contracts) // 200))):
            self._keep(self._extended(rng, contract, day), times.next(), clean=nth == 0)

    def _extended(self, rng: Random, contract: Contract, day: date) -> Contract:
        home = contract.home
        assert home is not None
        heirs = [p for p in home.members[1:] if p.present and 18 <= p.age(day) <= 65 and _HEIR.fullmatch(p.relation)]
        holder = rng.choice(heirs) if heirs and rng.random() < 0.4 else home.head
        begins, ends = _THIRD_ROUND
        members = self._members(home, home.head, day)
        if holder is not home.head:
            members = tuple(_led_by(holder, member) for member in members)
        return replace(
            contract,
            name=holder.name,
            document=holder.id_no,
            id_no=holder.id_no,
            begins=begins,
            ends=ends,
            signed=day,
            members=members,
        )


def _led_by(holder: Person, member: Canonical) -> Canonical:
    """A member under a new head, who was the spouse or a child of the one before."""
    if member["id_no"] == holder.id_no:
        return member | {"relation": "02"}
    if member["relation"] != "02":
        return member | {"relation": "97"}
    return member | {"relation": "10" if holder.relation in _SPOUSES else "50"}


def _nested(within: str, element: Canonical) -> dict[str, Any]:
    raw = {c.name: element[c.path.partition(".")[2]] for c in COLUMNS if c.within == within}
    return raw | {name: _YES_NO[raw[name]] for name in ("SFJBNT", "SFQQQG", "SFGYR") if raw.get(name) is not None}
