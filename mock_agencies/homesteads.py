"""宅基地使用权: rights of the real-estate register, with rights of other kinds among them."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Column, Raw
from mock_agencies.ledger import Ledger, Times, past
from mock_agencies.people import DAY_0, Household, Person, Population

COLUMNS: Final = (
    Column("BDCDYH", "unit_no", "unit_no", "key"),
    Column("ZDDM", "parcel_code", "parcel"),
    Column("BDCQZH", "cert_no", "cert", "key"),
    Column("QSZT", "right_status", "code", "required"),
    Column("DJLX", "reg_type", "code"),
    Column("DJSJ", "reg_date", "date", "required"),
    Column("DJJG", "reg_office", "text"),
    Column("SYQMJ", "land_area_m2", "area"),
    Column("JZMJ", "building_area_m2", "area"),
    Column("YT", "use", "code"),
    Column("SYQQSSJ", "use_from", "date"),
    Column("SYQJSSJ", "use_to", "open_date"),
    Column("GYFS", "co_ownership", "code"),
    Column("CFZT", "seized", "flag"),
    Column("ZL", "location", "text"),
    Column("YWH", "business_no", "ident"),
    Column("QLRMC", "holders.name", "name", "required"),
    Column("ZJH", "holders.id_no", "id"),
    Column("QLBL", "holders.share", "text"),
)
"""Mapped columns that may be spoilt. QLLX is not among them: an odd one is another kind of right, not dirt."""

ELEMENTS: Final = [
    "BDCDYH",
    "ZDDM",
    "BDCQZH",
    "QLLX",
    "QSZT",
    "DJLX",
    "DJSJ",
    "DJJG",
    "SYQMJ",
    "JZMJ",
    "YT",
    "SYQQSSJ",
    "SYQJSSJ",
    "GYFS",
    "CFZT",
    "ZL",
    "YWH",
    "QLRMC",
    "ZJH",
    "QLBL",
    "GXSJ",
]
"""Children of a record, in the order of the schema."""

_OTHER_RIGHTS: Final = ("4", "7", "8", "9", "11")
_OTHER_SHARE: Final = 0.05


@dataclass
class Right:
    """One right on one unit."""

    unit_no: str
    cert_no: str
    right_type: str
    reg_date: date
    land: str
    building: str | None
    address: str
    business_no: str
    holders: list[Person]
    shares: list[str | None]
    co_ownership: str
    blank: int | None = None
    """The co-owner whose number was never entered."""
    status: str = "1"
    reg_type: str = "100"
    open_end: bool = False
    seized: str = "0"
    style: int = 0
    """How this row's clerk writes codes."""
    other: str | None = None


@dataclass
class Homesteads:
    """The register of rights, and what happens in it."""

    population: Population
    dirt: Dirt
    salt: str
    rights: list[Right] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.dirt)
        self._order = 0
        county, rng = self.population.county, Random(f"{self.salt}/homesteads")
        for home in self.population.households:
            for _ in range(rng.choices((0, 1, 2, 3), (6, 64, 26, 4))[0]):
                right = self._grant(rng, home, DAY_0 - timedelta(days=rng.randrange(20, 3600)))
                if rng.random() < _OTHER_SHARE:
                    right.other = rng.choice(_OTHER_RIGHTS)
                elif rng.random() < 0.04:
                    right.status, right.reg_type = rng.choice((("2", "200"), ("3", "400"), ("0", "700")))
                self._write(right, past(rng))
        self.ledger.repeat_some(rng, {"ZL": f"{county.name}{county.seat}人民路1号"}, "GXSJ")

    def _grant(self, rng: Random, home: Household, on: date) -> Right:
        self._order += 1
        built = rng.random() < 0.8
        unit = f"{home.division}JC{self._order:05d}" + (f"F{rng.randint(1, 3):04d}0001" if built else "W00000000")
        legacy = on.year < 2018
        land = rng.randint(4500, 24000) / 100
        holders, shares, co_ownership, blank = self._holders(rng, home)
        right = Right(
            unit_no=unit,
            cert_no=f"{home.county.short}集用({on.year})第{self._order:05d}号"
            if legacy
            else f"赣({on.year}){home.county.name}不动产权第{self._order:07d}号",
            right_type="6" if built else "5",
            reg_date=on,
            land=f"{land:.2f}",
            building=f"{land * rng.uniform(0.8, 2.4):.2f}" if built else None,
            address=home.address,
            business_no=f"{on:%Y%m%d}{self._order:06d}",
            holders=holders,
            shares=shares,
            co_ownership=co_ownership,
            blank=blank,
            open_end=rng.random() < 0.5,
            seized="1" if rng.random() < 0.01 else "0",
            style=rng.randrange(4),
        )
        self.rights.append(right)
        return right

    def _holders(self, rng: Random, home: Household) -> tuple[list[Person], list[str | None], str, int | None]:
        adults = [who for who in home.members[1:] if who.age(DAY_0) >= 18]
        if not adults or rng.random() > 0.18:
            return [home.head], ["100%" if rng.random() < 0.5 else None], "0", None
        holders = [home.head, *adults[: rng.choice((1, 1, 2))]]
        blank = len(holders) - 1 if rng.random() < 0.15 else None
        if rng.random() < 0.4:
            parts = ["50%", "50%"] if len(holders) == 2 else ["40%", "30%", "30%"]
            return holders, list(parts), "2", blank
        return holders, [None] * len(holders), "1", blank

    def _write(self, right: Right, updated: str, *, clean: bool = False) -> None:
        canonical: Canonical = {
            "unit_no": right.unit_no,
            "parcel_code": right.unit_no[:19],
            "cert_no": right.cert_no,
            "right_type": right.right_type,
            "right_status": right.status,
            "reg_type": right.reg_type,
            "reg_date": right.reg_date.isoformat(),
            "reg_office": f"{self.population.county.name}自然资源局",
            "land_area_m2": right.land,
            "building_area_m2": right.building,
            "use": "0702",
            "use_from": right.reg_date.isoformat() if right.open_end else None,
            "use_to": "open" if right.open_end else None,
            "co_ownership": right.co_ownership,
            "seized": right.seized,
            "location": right.address,
            "business_no": right.business_no,
            "holders": [
                {"name": who.name, "id_no": None if i == right.blank else who.id_no, "share": share}
                for i, (who, share) in enumerate(zip(right.holders, right.shares, strict=True))
            ],
        }
        written: Raw = {c.name: canonical[c.path] for c in COLUMNS if "." not in c.path}
        holders = canonical["holders"]
        written |= {
            "QLLX": right.other or (f"800160{int(right.right_type) + 1}" if right.style == 3 else right.right_type),
            "QSZT": "现势" if right.style == 1 and right.status == "1" else right.status,
            "YT": "072" if right.style == 2 else "0702",
            "SYQJSSJ": "长期" if right.open_end else None,
            "QLRMC": ",".join(h["name"] for h in holders),
            "ZJH": ",".join(h["id_no"] or "" for h in holders),
            "QLBL": ",".join(h["share"] for h in holders) if holders[0]["share"] else None,
            "GXSJ": updated,
        }
        raw = {name: written[name] for name in ELEMENTS}
        key = f"{right.unit_no}|{right.cert_no}"
        if right.other:
            self.ledger.ignore(key, updated, raw, "NOT_HOMESTEAD")
        else:
            self.ledger.put(key, updated, raw, canonical, clean=clean)

    def pass_day(self, day: date) -> None:
        """New rights, cancelled ones, corrected areas; the first of a day is surely clean."""
        rng, times = Random(f"{self.salt}/homesteads/{day}"), Times(day)
        touched: set[str] = set()
        for nth in range(1 + len(self.rights) // 400):
            right = rng.choice(self.rights) if self.rights else None
            frozen = right is None or right.unit_no in touched or right.status != "1"
            if (
                right is None
                or frozen
                or f"{right.unit_no}|{right.cert_no}" in self.ledger.frozen
                or rng.random() < 0.3
            ):
                right = self._grant(rng, rng.choice(self.population.households), day)
            elif rng.random() < 0.3:
                right.status, right.reg_type = "3", "400"
            else:
                right.land, right.reg_type = f"{float(right.land) + rng.randint(1, 1500) / 100:.2f}", "300"
            touched.add(right.unit_no)
            self._write(right, times.next(), clean=nth == 0)
