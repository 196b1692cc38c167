"""新型农业经营主体: the directories of the agriculture bureau, listed in full; what leaves a directory is in the list no more."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from mock_agencies.credit import credit_code
from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Column, Raw, key_text
from mock_agencies.ledger import Ledger, Times, past
from mock_agencies.people import DAY_0, Household, Population

KEYS: Final = (("credit_code",), ("directory_no",))
COLUMNS: Final = (
    Column("XYDM", "credit_code", "credit_code"),
    Column("MLBH", "directory_no", "ident"),
    Column("ZTLX", "entity_type", "code", "required"),
    Column("ZTMC", "name", "text", "required"),
    Column("SFDJ", "registered", "code"),
    Column("SFJB", "level", "code"),
    Column("RDRQ", "recognised_on", "date"),
    Column("RDWH", "recognition_no", "document_no"),
    Column("YXQZ", "valid_to", "open_date"),
    Column("JCND", "monitored_in", "year"),
    Column("JCJG", "monitoring", "code"),
    Column("CLRQ", "established_on", "date"),
    Column("JYLX", "business_kind", "code"),
    Column("ZYCP", "products", "text"),
    Column("ZT", "status", "code", "required"),
    Column("QHDM", "division", "division"),
    Column("DZ", "location", "text"),
    Column("FZRXM", "operator_name", "name"),
    Column("FZRSFZH", "operator_id_no", "id"),
    Column("JYTDMJ", "land_mu", "mu0"),
    Column("LZMJ", "rented_mu", "mu0"),
    Column("CLS", "stock", "quantity"),
    Column("CLLS", "sold", "quantity"),
    Column("JLDW", "scale_unit", "code"),
    Column("CYS", "member_count", "count"),
    Column("LDLS", "worker_count", "count"),
    Column("CZE", "capital", "wan"),
    Column("NXSE", "yearly_sales", "wan"),
)
_BLANK: Final[Canonical] = {column.path: None for column in COLUMNS}

_SORTS: Final = {
    "family_farm": ("JTNC", 0.06),
    "cooperative": ("HZS", 0.02),
    "leading_enterprise": ("LTQY", 0.008),
    "large_grower": ("ZZDH", 0.03),
    "large_breeder": ("YZDH", 0.02),
}
"""Entity type -> prefix of its directory's numbers, share of households."""
_TYPE_WORDS: Final = {
    "family_farm": "家庭农场",
    "cooperative": "农民专业合作社",
    "leading_enterprise": "农业产业化龙头企业",
    "large_grower": "种粮大户",
    "large_breeder": "养殖大户",
}
_LEVEL_WORDS: Final = {"national": "国家级", "provincial": "省级", "municipal": "市级", "county": "县级"}
_KIND_WORDS: Final = {"planting": "种植业", "breeding": "养殖业", "mixed": "种养结合"}
_STATUS_WORDS: Final = {"active": "正常", "removed": "移出名录"}
_UNIT_WORDS: Final = {"head": "头", "bird": "羽", "fish": "尾"}
_RESULT_WORDS: Final = {"passed": "监测合格", "failed": "监测不合格"}
_CROPS: Final = ("优质稻", "双季稻、油菜", "蔬菜", "脐橙", "富硒水稻")
_STOCK: Final = {"head": ("生猪", 300, 3000), "bird": ("肉鸡", 3000, 30000), "fish": ("四大家鱼", 20000, 90000)}
_FEWEST: Final = 12
"""Lists shorter than this lose nobody, lest a withdrawal look like a broken list."""


@dataclass
class Entity:
    """One entity in one directory."""

    facts: Canonical
    slot: str = field(default="")
    home: Household | None = None

    @property
    def key(self) -> str:
        key = key_text(self.facts, KEYS)
        assert key is not None
        return key


def _yuan(rng: Random, least: int, most: int) -> str:
    """Whole 万元."""
    return f"{rng.randint(least, most) * 10000}.00"


class Entities:
    """The directories, and what happens in them. A spoilt entity stays as it is: nobody corrects it."""

    def __init__(self, population: Population, dirt: Dirt, salt: str) -> None:
        self.population, self.salt = population, salt
        self.ledger = Ledger(dirt)
        self.entities: list[Entity] = []
        self._serials = dict.fromkeys(_SORTS, 0)
        self._codes = population.county.credit_serial
        rng = Random(f"{salt}/entities")
        homes = population.households
        for sort, (_, share) in _SORTS.items():
            for home in rng.sample(homes, min(len(homes), max(2, round(len(homes) * share)))):
                self._found(rng, sort, home, DAY_0 - timedelta(days=rng.randrange(200, 3000)), past(rng))
        self.ledger.repeat_some(rng, {"ZYCP": "其他"}, "GXSJ")

    def cooperatives(self) -> list[Entity]:
        return [entity for entity in self.entities if entity.facts["entity_type"] == "cooperative"]

    def _code(self, prefix: str) -> str:
        self._codes += 1
        return credit_code(prefix, self._codes)

    def _found(self, rng: Random, sort: str, home: Household, on: date, updated: str, *, clean: bool = False) -> None:
        self._serials[sort] += 1
        head, number = home.head, f"{_SORTS[sort][0]}{home.county.code}{self._serials[sort]:05d}"
        facts: Canonical = _BLANK | {
            "directory_no": number,
            "entity_type": sort,
            "established_on": on.isoformat(),
            "status": "active",
            "division": home.division,
            "location": home.address,
            "operator_name": head.name,
            "operator_id_no": head.id_no,
        }
        make = {
            "family_farm": self._farm,
            "cooperative": self._cooperative,
            "leading_enterprise": self._enterprise,
            "large_grower": self._grower,
            "large_breeder": self._breeder,
        }[sort]
        facts |= make(rng, home, on)
        entity = Entity(facts, home=home)
        self.entities.append(entity)
        self._write(entity, updated, clean=clean)

    def _farm(self, rng: Random, home: Household, on: date) -> Canonical:
        registered, land = rng.random() < 0.5, rng.randint(5_000, 60_000) / 100
        return {
            "credit_code": self._code(rng.choice(("91", "92"))) if registered else None,
            "name": f"{home.county.name}{home.town_name}{home.head.name}家庭农场",
            "registered": "1" if registered else "0",
            "business_kind": rng.choice(("planting", "mixed")),
            "products": rng.choice(_CROPS),
            "land_mu": f"{land:.2f}",
            "rented_mu": f"{land * rng.uniform(0.5, 1):.2f}",
            "worker_count": str(rng.randint(2, 9)),
            "yearly_sales": _yuan(rng, 8, 120),
        } | self._recognised(rng, on, 0.4, ("county", "municipal", "provincial"))

    def _cooperative(self, rng: Random, home: Household, on: date) -> Canonical:
        return {
            "credit_code": self._code("93"),
            "name": f"{home.county.name}{home.town_name}{rng.choice('丰禾惠兴广')}{rng.choice('农园田源')}种养专业合作社",
            "registered": "1",
            "business_kind": "mixed",
            "products": rng.choice(_CROPS),
            "member_count": str(rng.randint(5, 160)),
            "capital": _yuan(rng, 10, 500),
            "yearly_sales": _yuan(rng, 30, 900),
        } | self._recognised(rng, on, 0.5, ("county", "municipal", "provincial", "national"))

    def _enterprise(self, rng: Random, home: Household, on: date) -> Canonical:
        return {
            "credit_code": self._code("91"),
            "directory_no": None,
            "name": f"江西{rng.choice('丰禾惠兴广')}{rng.choice('农园田源')}农业发展有限公司",
            "registered": "1",
            "products": "大米加工",
            "capital": _yuan(rng, 200, 5000),
            "yearly_sales": _yuan(rng, 1000, 30000),
            "valid_to": f"{DAY_0.year + 1}-12-31",
            "monitored_in": str(DAY_0.year - 1),
            "monitoring": "passed",
        } | self._recognised(rng, on, 1, ("municipal", "provincial", "national"))

    def _grower(self, rng: Random, home: Household, on: date) -> Canonical:
        land = rng.randint(5_000, 80_000) / 100
        return {
            "name": home.head.name,
            "registered": "0",
            "business_kind": "planting",
            "products": rng.choice(_CROPS[:2]),
            "land_mu": f"{land:.2f}",
            "rented_mu": f"{land * rng.uniform(0.8, 1):.2f}",
        }

    def _breeder(self, rng: Random, home: Household, on: date) -> Canonical:
        unit = rng.choice(tuple(_STOCK))
        product, least, most = _STOCK[unit]
        stock = rng.randint(least, most)
        return {
            "name": home.head.name,
            "registered": "0",
            "business_kind": "breeding",
            "products": product,
            "stock": f"{stock}.00",
            "sold": f"{stock * rng.randint(1, 3)}.00",
            "scale_unit": unit,
        }

    def _recognised(self, rng: Random, on: date, share: float, levels: tuple[str, ...]) -> Canonical:
        if rng.random() >= share:
            return {}
        level = rng.choice(levels)
        day = min(on + timedelta(days=rng.randint(300, 900)), DAY_0 - timedelta(days=rng.randint(20, 90)))
        return {
            "level": level,
            "recognised_on": day.isoformat(),
            "recognition_no": f"{'赣' if level in {'provincial', 'national'} else self.population.county.short}农字〔{day.year}〕{rng.randint(1, 99)}号",
        }

    def _write(self, entity: Entity, updated: str, *, clean: bool = False) -> None:
        canonical = dict(entity.facts)
        raw: Raw = {column.name: canonical[column.path] for column in COLUMNS}
        words: dict[str, Any] = {
            "ZTLX": _TYPE_WORDS[canonical["entity_type"]],
            "SFDJ": {"1": "1", "0": "2"}[canonical["registered"]],
            "SFJB": _LEVEL_WORDS.get(canonical["level"]),
            "JYLX": _KIND_WORDS.get(canonical["business_kind"]),
            "ZT": _STATUS_WORDS[canonical["status"]],
            "JLDW": _UNIT_WORDS.get(canonical["scale_unit"]),
            "JCJG": _RESULT_WORDS.get(canonical["monitoring"]),
            "CZE": _wan(canonical["capital"]),
            "NXSE": _wan(canonical["yearly_sales"]),
        }
        raw |= words | {"LXDH": f"1390000{len(self.entities):04d}", "GXSJ": updated}
        slot = entity.key
        if entity.slot and entity.slot != slot:
            self.ledger.end(entity.slot)
        entity.slot = slot
        self.ledger.put(slot, updated, raw, canonical, clean=clean)

    def pass_day(self, day: date) -> None:
        """On the 1st some enter, one leaves, one farm is registered; every fourth day one is recognised or grows."""
        rng, times = Random(f"{self.salt}/entities/{day}"), Times(day)
        if day.day == 1:
            for nth in range(1 + len(self.entities) // 40):
                sort = rng.choice(("family_farm", "large_grower", "large_breeder"))
                home = rng.choice(self.population.households)
                self._found(rng, sort, home, day, times.next(), clean=nth == 0)
            self._leave(rng)
            self._register(rng, times)
        elif (day - DAY_0).days % 4 == 0:
            free = [e for e in self.entities if self.ledger.is_settled(e.slot) and e.facts["land_mu"] is not None]
            if free:
                entity = rng.choice(free)
                land = float(entity.facts["land_mu"]) + rng.randint(100, 5_000) / 100
                self._change(entity, {"land_mu": f"{land:.2f}"}, times.next())

    def _change(self, entity: Entity, facts: Canonical, updated: str) -> None:
        self.entities.remove(entity)
        changed = replace(entity, facts=entity.facts | facts)
        self.entities.append(changed)
        self._write(changed, updated, clean=True)

    def _leave(self, rng: Random) -> None:
        free = [entity for entity in self.entities if self.ledger.is_settled(entity.slot)]
        if len(self.entities) >= _FEWEST and free:
            gone = rng.choice(free)
            self.ledger.end(gone.slot)
            self.entities.remove(gone)

    def _register(self, rng: Random, times: Times) -> None:
        """A family farm gets its credit code, and with it another key: its entry without one is gone."""
        free = [e for e in self.entities if e.facts["registered"] == "0" and e.facts["entity_type"] == "family_farm"]
        free = [entity for entity in free if self.ledger.is_settled(entity.slot)]
        if len(self.entities) >= _FEWEST and free:
            facts = {"credit_code": self._code("92"), "registered": "1"}
            self._change(rng.choice(free), facts, times.next())


def _wan(yuan: str | None) -> str | None:
    """元 as a directory prints it, in 万元."""
    return None if yuan is None else f"{int(float(yuan)) / 10000:g}"
