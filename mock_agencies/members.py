"""户籍成员: the register of households, one row a person."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Column, Raw
from mock_agencies.ledger import Ledger, Times, past
from mock_agencies.people import DAY_0, Household, Person, Population

COLUMNS: Final = (
    Column("GMSFHM", "id_no", "id", "key"),
    Column("XM", "name", "name", "required"),
    Column("CYM", "former_name", "name"),
    Column("XB", "sex", "code"),
    Column("CSRQ", "birth_date", "date"),
    Column("HH", "household_no", "ident", "key"),
    Column("PCSDM", "station_code", "ident"),
    Column("YHZGX", "relation_to_head", "code"),
    Column("HJDXZ", "register_address", "text"),
    Column("HJDQH", "register_division", "division"),
    Column("HKXZ", "register_kind", "code"),
    Column("HZSFZH", "head_id_no", "id"),
    Column("HZXM", "head_name", "name"),
    Column("HYZK", "marital_self_reported", "code"),
    Column("QRRQ", "moved_in_on", "date"),
    Column("QCRQ", "moved_out_on", "date"),
    Column("SWRQ", "died_on", "date"),
    Column("ZXSJ", "cancelled_on", "date"),
)

RESIDENT_COLUMNS: Final = tuple(replace(c, name="HJDSSXQDM") if c.name == "HJDQH" else c for c in COLUMNS)
"""The population service of 公安 names the register's division by its county alone."""

_SEX_WORDS: Final = {"1": "男", "2": "女"}
_KIND_WORDS: Final = {"1": "家庭户", "2": "集体户"}


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def is_elsewhere(who: Person) -> bool:
    """Whether the population service knows nothing of somebody: their file lies with the police of another place."""
    return int(who.id_no[6:17]) % 89 == 0


class Members:
    """The register, and what happens in it; read in full by the provincial platform, person by person at the police."""

    def __init__(self, population: Population, dirt: Dirt, residents: Dirt, salt: str) -> None:
        """`residents`: the dirt of the population service, which writes the same rows its own way."""
        self.population, self.salt = population, salt
        self.ledger, self.residents = Ledger(dirt), Ledger(residents)
        rng = Random(f"{salt}/members")
        for home in population.households:
            for who in home.members:
                self._write(home, who, past(rng))
        self.ledger.repeat_some(rng, {"HJDXZ": f"{population.county.name}{population.county.seat}人民路1号"}, "GXSJ")

    def _write(self, home: Household, who: Person, updated: str, *, clean: bool = False) -> None:
        head, words = home.head, int(who.id_no[5:17]) % 3
        ended = who.died or who.moved_out
        canonical: Canonical = {
            "id_no": who.id_no,
            "name": who.name,
            "former_name": who.former_name,
            "sex": who.sex,
            "birth_date": who.born.isoformat(),
            "household_no": home.no,
            "station_code": f"{home.county.code}{int(home.town):03d}000",
            "relation_to_head": who.relation,
            "register_address": home.address,
            "register_division": home.division,
            "register_kind": home.kind,
            "head_id_no": head.id_no,
            "head_name": head.name,
            "marital_self_reported": who.marital,
            "moved_in_on": _iso(who.moved_in),
            "moved_out_on": _iso(who.moved_out),
            "died_on": _iso(who.died),
            "cancelled_on": _iso(ended),
        }
        raw: Raw = {column.name: canonical[column.path] for column in COLUMNS}
        raw["XB"] = _SEX_WORDS[who.sex] if words else who.sex
        raw["HKXZ"] = _KIND_WORDS[home.kind] if words == 1 else home.kind
        raw |= {"MZ": who.ethnic, "GXSJ": updated}
        resident = {**canonical, "register_division": home.county.code}
        told = {k: v for k, v in raw.items() if k != "HJDQH"} | {"HJDSSXQDM": home.county.code}
        self.ledger.put(f"{home.no}|{who.id_no}", updated, raw, canonical, clean=clean)
        if not is_elsewhere(who):
            self.residents.put(f"{home.no}|{who.id_no}", updated, told, resident, clean=clean)

    def names(self) -> dict[str, set[str]]:
        """Number -> the names its bearer has, or had."""
        out: dict[str, set[str]] = {}
        for home in self.population.households:
            for who in home.members:
                out.setdefault(who.id_no, set()).update({who.name, who.former_name or who.name})
        return out

    def pass_day(self, day: date) -> None:
        """Births, moves, deaths, changes of name or relation; the first of a day is surely clean."""
        rng, times = Random(f"{self.salt}/members/{day}"), Times(day)
        homes = self.population.households
        touched: set[str] = set()
        for nth in range(2 + len(homes) // 400):
            home = rng.choice(homes)
            free = [
                who
                for who in home.members[1:]
                if who.present and who.id_no not in touched and f"{home.no}|{who.id_no}" not in self.ledger.frozen
            ]
            who = self._happens(rng, home, rng.choice(free) if free else None, day)
            touched.add(who.id_no)
            self._write(home, who, times.next(), clean=nth == 0)

    def _happens(self, rng: Random, home: Household, who: Person | None, day: date) -> Person:
        """One event of a household; without anybody it could befall, somebody is born or moves in."""
        event = rng.choices(("in", "out", "died", "renamed", "relation"), (4, 2, 1, 2, 2))[0] if who else "in"
        if who is None or event == "in":
            who = self.population.person(rng, sex=rng.choice("12"), born=DAY_0.replace(year=rng.randint(1990, 2024)))
            who.moved_in, who.relation = day, rng.choice(("38", "28", "41", "42", "80"))
            who.marital = "10" if who.age(day) >= 20 else None
            home.members.append(who)
        elif event == "out":
            who.moved_out = day
        elif event == "died":
            who.died = day
        elif event == "renamed":
            who.former_name, who.name = who.name, who.name[0] + rng.choice("安康宁瑞祥嘉") + rng.choice("之然如恒")
        else:
            who.relation = rng.choice([code for code in ("29", "39", "49", "79", "80", "97") if code != who.relation])
        return who
