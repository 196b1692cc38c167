"""婚姻登记: acts of the county's civil affairs bureau. Court divorces and old marriages left no act here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Column, Raw
from mock_agencies.ledger import Ledger, Times, past
from mock_agencies.people import DAY_0, Couple, Person, Population

COLUMNS: Final = (
    Column("op_type", "op_type", "code", "key"),
    Column("op_date", "op_date", "date", "key"),
    Column("cert_no", "cert_no", "code_cert", "key"),
    Column("dept_code", "dept_code", "ident"),
    Column("dept_name", "dept_name", "text"),
    *(
        column
        for i, who in enumerate(("man", "woman"))
        for column in (
            Column(f"name_{who}", f"parties.{i}.name", "name", "required"),
            Column(f"cert_num_{who}", f"parties.{i}.id_no", "id"),
            Column(f"birth_{who}", f"parties.{i}.birth_date", "date"),
            Column(f"nation_{who}", f"parties.{i}.nationality", "code"),
        )
    ),
)

_PREFIX: Final = {"IA": "J", "INR": "J", "IB": "L", "ICA": "BJ", "ICB": "BL"}


@dataclass(frozen=True)
class Bond:
    """How somebody stands: married since a day, or divorced since one."""

    stands: bool
    since: date
    partner: str | None
    """The other's number; None for who came from abroad."""


class Marriages:
    """The register of acts, and what happens in it."""

    def __init__(self, population: Population, dirt: Dirt, salt: str, weddings: Sequence[Couple] = ()) -> None:
        """`weddings`: couples of whom one lives in another county, married here."""
        self.population, self.salt = population, salt
        self.ledger = Ledger(dirt)
        self.bonds: dict[str, Bond] = {}
        """Number -> what is true, re-issued papers aside."""
        self._serials: dict[int, int] = {}
        self._couples: list[Couple] = []
        rng = Random(f"{salt}/marriages")
        for home in population.households:
            head, others = home.head, home.members[1:]
            spouse = next((p for p in others if p.relation in {"10", "11", "12"}), None)
            if spouse is not None:
                self._history(rng, head, spouse)
            elif head.marital == "40" and rng.random() < 0.85:
                self._divorced(rng, head)
        for couple in weddings:
            self._wed(Random(f"{salt}/weddings/{couple[0].id_no}"), couple)
        self.ledger.repeat_some(rng, {"dept_name": f"{population.county.name}民政局"}, "update_time")

    def _history(self, rng: Random, head: Person, spouse: Person) -> None:
        couple = (head, spouse) if head.sex == "1" else (spouse, head)
        chance = rng.random()
        # Marriages before 1985 or so were often never written down.
        if chance < 0.12:
            return
        wed = self._wed(rng, couple)
        if chance < 0.18:
            self._act("ICA", _later(rng, wed, 1, 12), couple, past(rng))

    def _wed(self, rng: Random, couple: Couple) -> date:
        wed = _later(rng, max(who.born for who in couple), 22, 30)
        self._act("IA", wed, couple, past(rng))
        self._couples.append(couple)
        return wed

    def _divorced(self, rng: Random, head: Person) -> None:
        """A marriage and its end with somebody of no household here; some came from abroad."""
        abroad = head.sex == "1" and rng.random() < 0.15
        other = self.population.person(rng, sex="2" if head.sex == "1" else "1", born=head.born + timedelta(days=400))
        couple = (head, other) if head.sex == "1" else (other, head)
        wed = _later(rng, other.born, 22, 30)
        self._act("INR" if abroad else "IA", wed, couple, past(rng), abroad=abroad)
        ended = _later(rng, wed, 2, 10)
        self._act("IB", ended, couple, past(rng), abroad=abroad)
        if rng.random() < 0.1:
            self._act("ICB", _later(rng, ended, 1, 5), couple, past(rng), abroad=abroad)

    def _act(
        self,
        op: str,
        on: date,
        couple: Couple,
        updated: str,
        *,
        abroad: bool = False,
        clean: bool = False,
    ) -> None:
        county = self.population.county
        if op in {"IA", "INR", "IB"}:
            for who, other in (couple, couple[::-1]):
                self.bonds[who.id_no] = Bond(op != "IB", on, None if abroad and other.sex == "2" else other.id_no)
        serial = self._serials[on.year] = self._serials.get(on.year, 0) + 1
        cert = f"{_PREFIX[op]}{county.code}-{on.year}-{serial:06d}"
        canonical: Canonical = {
            "op_type": op,
            "op_date": on.isoformat(),
            "cert_no": cert,
            "dept_code": f"{county.code}500000",
            "dept_name": f"{county.name}民政局婚姻登记处",
            "parties": [
                {
                    "role": role,
                    "name": who.name,
                    "id_no": None if abroad and role == "woman" else who.id_no,
                    "birth_date": who.born.isoformat(),
                    "nationality": "VNM" if abroad and role == "woman" else "CHN",
                }
                for role, who in zip(("man", "woman"), couple, strict=True)
            ],
        }
        raw: Raw = {
            "op_type": op,
            "op_date": on.isoformat(),
            "cert_no": cert,
            "dept_code": f"{county.code}500000",
            "dept_name": f"{county.name}民政局婚姻登记处",
        }
        for party, who in zip(canonical["parties"], couple, strict=True):
            role = party["role"]
            raw |= {
                f"name_{role}": party["name"],
                f"cert_num_{role}": party["id_no"],
                f"birth_{role}": party["birth_date"],
                f"nation_{role}": "704" if party["nationality"] == "VNM" else "156",
                f"folk_{role}": who.ethnic,
            }
        raw["update_time"] = updated
        self.ledger.put(f"{cert}|{op}|{on}", updated, raw, canonical, clean=clean)

    def pass_day(self, day: date) -> None:
        """A wedding where two are free, sometimes a divorce, else a re-issue; the first of a day is surely clean."""
        rng, times = Random(f"{self.salt}/marriages/{day}"), Times(day)
        for nth in range(1 + len(self.population.households) // 1500):
            chance, couple = rng.random(), self._free_couple(rng, day)
            if couple is not None and chance < 0.7:
                self._couples.append(couple)
                op = "IA"
            elif self._couples:
                couple, op = rng.choice(self._couples), "IB" if chance < 0.2 else "ICA"
                if op == "IB":
                    self._couples.remove(couple)
            else:
                couple, op = self._strangers(rng), "IA"
            self._act(op, day, couple, times.next(), clean=nth == 0)

    def _free_couple(self, rng: Random, day: date) -> Couple | None:
        taken = {who.id_no for couple in self._couples for who in couple}
        free: dict[str, list[Person]] = {"1": [], "2": []}
        for home in self.population.households:
            for who in home.members:
                if who.marital == "10" and who.present and 22 <= who.age(day) <= 45 and who.id_no not in taken:
                    free[who.sex].append(who)
        return (rng.choice(free["1"]), rng.choice(free["2"])) if free["1"] and free["2"] else None

    def _strangers(self, rng: Random) -> Couple:
        man, woman = (self.population.person(rng, sex=sex, born=date(1998, 5, 17)) for sex in "12")
        return man, woman


def _later(rng: Random, since: date, least: int, most: int) -> date:
    """A day so many years later, though not in the last weeks before day 0."""
    return min(
        since + timedelta(days=rng.randint(365 * least, 365 * most)), DAY_0 - timedelta(days=rng.randint(14, 400))
    )
