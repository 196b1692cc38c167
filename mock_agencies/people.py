"""The people of the world: who lives where, with whom. Everybody's number lies in the never-assigned area 360999."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final, TypeAlias

from mock_agencies.counties import County

DAY_0: Final = date(2026, 3, 2)

AREA: Final = "360999"
VILLAGES: Final = ("新建村", "前坊村", "南岗村", "大塘村", "石溪村", "罗坊村", "港背村", "高坪村")

_SURNAMES: Final = "王李张刘陈杨黄吴赵周徐孙马朱胡林郭何高罗熊邹聂袁甘游付徐曾谢廖丁范喻"
_GIVEN: Final = {
    "1": "伟强军勇明建国华志平文斌涛鹏杰辉峰龙浩宇",
    "2": "芳娜秀英敏静丽艳娟霞梅兰红玲燕萍莹雪琴婷",
}
_RARE: Final = ("䶮", "㛃", "𬎆")
_DOTTED: Final = {"1": ("阿不都·热合曼", "买买提·艾力"), "2": ("阿依古丽·买买提", "古丽娜尔·艾山")}

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def check_character(first17: str) -> str:
    """GB 11643."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def id_number(born: date, serial: int) -> str:
    """An ID number of area 360999; an odd serial (1 to 995) is a man's."""
    first17 = f"{AREA}{born:%Y%m%d}{serial:03d}"
    return first17 + check_character(first17)


@dataclass
class Person:
    """Somebody; `relation` and the dates are those of the register."""

    id_no: str
    name: str
    sex: str
    born: date
    relation: str = "99"
    marital: str | None = None
    former_name: str | None = None
    ethnic: str = "01"
    moved_in: date | None = None
    moved_out: date | None = None
    died: date | None = None

    @property
    def present(self) -> bool:
        return self.died is None and self.moved_out is None

    def age(self, on: date) -> int:
        return on.year - self.born.year


@dataclass
class Household:
    """A register household. The first member is its head."""

    county: County
    no: str
    town: str
    village: int
    group: int
    door: int
    kind: str
    members: list[Person]

    @property
    def head(self) -> Person:
        return self.members[0]

    @property
    def town_name(self) -> str:
        return self.county.towns[self.town]

    @property
    def division(self) -> str:
        """12 digits: county, town, village."""
        return f"{self.county.code}{self.town}{200 + self.village}"

    @property
    def address(self) -> str:
        return f"{self.county.name}{self.town_name}{VILLAGES[self.village]}{self.group}组{self.door}号"


Couple: TypeAlias = tuple[Person, Person]
"""Man and woman."""


class Population:
    """Makes people and households, and remembers them."""

    def __init__(self, county: County, households: int, salt: str) -> None:
        self.county, self.salt, self._rng = county, salt, Random(f"{salt}/people")
        self.away: set[str] = set()
        """Numbers of households that are paid still though their head has moved to another county."""
        self._serials: Counter[tuple[date, str]] = Counter()
        self._made = 0
        self.households = [self._household(i) for i in range(households)]

    def person(self, rng: Random, *, sex: str, born: date, surname: str | None = None) -> Person:
        """Somebody new. Every 61st bears a rare character, every 83rd a name with dots.

        Raises:
            IndexError: the county has given out its numbers of that day.
        """
        self._made += 1
        n = self.county.serials[self._serials[born, sex]]
        self._serials[born, sex] += 1
        ethnic = "01"
        name = (surname or rng.choice(_SURNAMES)) + "".join(rng.sample(_GIVEN[sex], rng.choice((1, 2, 2))))
        if self._made % 61 == 0:
            name = name[:2] + _RARE[self._made // 61 % 3]
        elif self._made % 83 == 0:
            name, ethnic = rng.choice(_DOTTED[sex]), "05"
        return Person(id_number(born, 2 * n + int(sex)), name, sex, born, ethnic=ethnic)

    def _born(self, year: int) -> date:
        return min(date(year, 1, 1) + timedelta(days=self._rng.randrange(365)), DAY_0 - timedelta(days=40))

    def _household(self, index: int) -> Household:
        rng = self._rng
        town = rng.choice(tuple(self.county.towns))
        home = Household(
            county=self.county,
            no=f"{town}{index + 1:06d}",
            town=town,
            village=rng.randrange(len(VILLAGES)),
            group=rng.randint(1, 18),
            door=rng.randint(1, 160),
            kind="2" if rng.random() < 0.02 else "1",
            members=[],
        )
        year = rng.randint(1950, 1996)
        head = self.person(rng, sex="1" if rng.random() < 0.85 else "2", born=self._born(year))
        head.relation, head.marital = "02", rng.choice(("10", "30", "40", "40"))
        home.members.append(head)
        if rng.random() < 0.82:
            self._family(home, head, year)
        for who in home.members:
            if rng.random() < 0.06:
                who.moved_in = who.born + timedelta(days=rng.randrange(1, max(2, (DAY_0 - who.born).days - 30)))
            if rng.random() < 0.03:
                who.former_name = who.name[0] + rng.choice(_GIVEN[who.sex])
        for who in home.members[1:]:
            if rng.random() < 0.02:
                who.died = DAY_0 - timedelta(days=rng.randrange(30, 900))
            elif rng.random() < 0.02:
                who.moved_out = DAY_0 - timedelta(days=rng.randrange(30, 900))
            for event in ("died", "moved_out"):
                at = getattr(who, event)
                if at is not None and at <= (who.moved_in or who.born):
                    setattr(who, event, None)
        return home

    def _family(self, home: Household, head: Person, year: int) -> None:
        rng = self._rng
        head.marital = rng.choice(("20", "21", "21", "22"))
        spouse = self.person(rng, sex="2" if head.sex == "1" else "1", born=self._born(year + rng.randint(-4, 4)))
        spouse.relation = rng.choice(("10", "12" if spouse.sex == "2" else "11"))
        spouse.marital = head.marital
        home.members.append(spouse)
        counts = Counter[str]()
        surname = (head if head.sex == "1" else spouse).name[0]
        first = year + rng.randint(21, 28)
        for i in range(rng.choice((0, 1, 1, 2, 2, 3))):
            if first + 3 * i > DAY_0.year - 1:
                break
            child = self.person(rng, sex=rng.choice("12"), born=self._born(first + 3 * i), surname=surname)
            counts[child.sex] += 1
            child.relation = f"{2 if child.sex == '1' else 3}{counts[child.sex] + 1}"
            child.marital = "10" if child.age(DAY_0) >= 20 else None
            home.members.append(child)
        if rng.random() < 0.25 and year > 1960:
            sex = rng.choice("12")
            elder = self.person(rng, sex=sex, born=self._born(year - rng.randint(20, 28)), surname=head.name[0])
            elder.relation, elder.marital = "51" if sex == "1" else "52", rng.choice(("20", "30"))
            home.members.append(elder)


def people(county: County, households: int, seed: int) -> Population:
    """A county's people, from seeded streams of its own."""
    return Population(county, households, f"{seed}/{county.tag}" if county.tag else f"{seed}")
