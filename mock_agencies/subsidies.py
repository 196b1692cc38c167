"""农业补贴: awards of the agriculture bureau. Each month has its list, of one kind of subsidy: opened on the 1st, paid on the
15th; what could not be paid is paid on the 25th, and a payment is taken back now and then.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Final

from mock_agencies.contracts import Contracts
from mock_agencies.dirt import Dirt
from mock_agencies.items import Canonical, Column, Raw, key_text
from mock_agencies.ledger import Ledger, stamp
from mock_agencies.people import DAY_0, Household, Population

KEYS: Final = (("detail_id",), ("subsidy_type", "year", "payee_id_no"))
COLUMNS: Final = (
    Column("MXBH", "detail_id", "ident"),
    Column("BTLX", "subsidy_type", "code", "required"),
    Column("BTND", "year", "year", "required"),
    Column("SSYF", "period", "month", "required"),
    Column("BTDX", "item", "text"),
    Column("QHDM", "division", "division"),
    Column("ZJWH", "document_no", "document_no"),
    Column("BTZT", "status", "code", "required"),
    Column("FFRQ", "paid_on", "date"),
    Column("XM", "payee_name", "name", "required"),
    Column("SFZH", "payee_id_no", "id", "required"),
    Column("CBDMJ", "contracted_mu", "mu0"),
    Column("LZCMJ", "let_out_mu", "mu0"),
    Column("DGDZMJ", "entrusted_mu", "mu0"),
    Column("BYBTMJ", "excluded_mu", "mu0"),
    Column("BTMJ", "subsidised_mu", "mu0"),
    Column("BTSL", "quantity", "quantity"),
    Column("JLDW", "quantity_unit", "code"),
    Column("BTBZ", "standard", "money"),
    Column("BTJE", "amount", "money", "required"),
    Column("YHZH", "account_tail", "account"),
)

_HISTORY_FROM: Final = date(2025, 12, 1)
_CENT: Final = Decimal("0.01")
_TYPE_WORDS: Final = {
    "breeding_sow": "能繁母猪补贴",
    "farmland_protection": "耕地地力保护补贴",
    "grain_grower": "实际种粮农民一次性补贴",
    "double_rice": "双季稻补贴",
    "insurance": "农业保险保费补贴",
    "public_forest": "生态公益林补偿",
    "rice": "稻谷补贴",
    "grain_scale": "种粮大户补贴",
    "soybean_corn": "大豆玉米补贴",
    "farmland_to_forest": "退耕还林补助",
    "pig_breed": "生猪良种补贴",
    "machinery": "农机购置与应用补贴",
}
_STATUS_WORDS: Final = {"publicised": "公示中", "paid": "已发放", "failed": "发放失败", "recovered": "已追回"}
_UNIT_WORDS: Final = {"head": "头", "set": "台"}


@dataclass(frozen=True)
class _Kind:
    """What is paid, how much for a unit, to which share of households."""

    type: str
    standard: str
    share: float
    item: str | None = None
    unit: str | None = None
    """Paid by the piece, of this unit; otherwise by the 亩."""


_YEAR: Final = (
    _Kind("breeding_sow", "100.00", 0.05, "能繁母猪", "head"),
    _Kind("farmland_protection", "106.38", 0.8),
    _Kind("grain_grower", "12.35", 0.6),
    _Kind("double_rice", "150.00", 0.3, "早稻"),
    _Kind("insurance", "21.60", 0.3, "水稻"),
    _Kind("public_forest", "15.00", 0.15),
    _Kind("rice", "60.00", 0.5, "稻谷"),
    _Kind("grain_scale", "95.00", 0.06),
    _Kind("soybean_corn", "200.00", 0.08, "大豆"),
    _Kind("farmland_to_forest", "125.00", 0.05),
    _Kind("pig_breed", "40.00", 0.05, "生猪", "head"),
    _Kind("machinery", "4200.00", 0.06, "旋耕机", "set"),
)
"""By month, January first."""


@dataclass(frozen=True)
class Award:
    """One award as it stands."""

    detail_id: str | None
    kind: _Kind
    period: date
    home: Household
    areas: Canonical
    quantity: str | None
    amount: Decimal
    account: str
    status: str = "publicised"
    paid_on: date | None = None


class Subsidies:
    """The lists, and what happens to them."""

    def __init__(self, population: Population, contracts: Contracts, dirt: Dirt, salt: str) -> None:
        self.population, self.contracts, self.salt = population, contracts, salt
        self.ledger = Ledger(dirt)
        self.paid: Counter[tuple[str, str, str]] = Counter()
        """(number, year, type) -> 分 that reached somebody and stayed."""
        self._open: list[Award] = []
        self._failed: list[Award] = []
        for passed in range((DAY_0 - _HISTORY_FROM).days + 1):
            self.pass_day(_HISTORY_FROM + timedelta(days=passed))
        settled = [slot for slot in self.ledger.slots() if self.ledger.updated(slot) < f"{DAY_0.replace(day=1)}"]
        self.ledger.repeat_some(Random(f"{salt}/subsidies"), {"BTJE": "0.01"}, "GXSJ", settled)

    def pass_day(self, day: date) -> None:
        rng = Random(f"{self.salt}/subsidies/{day}")
        step = {1: self._list, 15: self._pay, 25: self._settle}.get(day.day)
        if step is not None:
            step(rng, day)

    def _list(self, rng: Random, day: date) -> None:
        """A month's awards. Some towns report on paper: theirs have no number of their own."""
        kind, self._open = _YEAR[day.month - 1], []
        for home in self.population.households:
            contract = self.contracts.of_household.get(home.no)
            if rng.random() >= kind.share or (contract is None and kind.unit is None):
                continue
            areas, quantity = self._areas(rng, contract.mu if contract else Decimal(0)), None
            if kind.unit is not None:
                areas, quantity = {}, f"{1 if kind.unit == 'set' else rng.randint(1, 40)}.00"
            measure = Decimal(quantity or areas["subsidised_mu"])
            number = f"BT{home.county.tag}{day:%Y%m}{len(self._open) + 1:06d}"
            award = Award(
                detail_id=None if kind.unit != "set" and int(home.town) % 4 == 0 else number,
                kind=kind,
                period=day,
                home=home,
                areas=areas,
                quantity=quantity,
                amount=(measure * Decimal(kind.standard)).quantize(_CENT, ROUND_HALF_UP),
                account=f"621700362{rng.randrange(10**10):010d}",
            )
            self._open.append(award)
            self._write(award, day, len(self._open))

    @staticmethod
    def _areas(rng: Random, contracted: Decimal) -> Canonical:
        let = (contracted * rng.choice((0, 0, 0, 1, 2)) / 4).quantize(_CENT, ROUND_HALF_UP)
        excluded = (contracted * rng.choice((0, 0, 0, 1)) / 20).quantize(_CENT, ROUND_HALF_UP)
        return {
            "contracted_mu": f"{contracted:.2f}",
            "let_out_mu": f"{let:.2f}",
            "entrusted_mu": "0.00",
            "excluded_mu": f"{excluded:.2f}",
            "subsidised_mu": f"{contracted - let - excluded:.2f}",
        }

    def _pay(self, rng: Random, day: date) -> None:
        self._failed = []
        for nth, award in enumerate(self._open, 1):
            if rng.random() < 0.04:
                failed = replace(award, status="failed")
                self._failed.append(failed)
                self._write(failed, day, nth)
            else:
                self._write(replace(award, status="paid", paid_on=day), day, nth)

    def _settle(self, rng: Random, day: date) -> None:
        for nth, award in enumerate(self._failed, 1):
            self._write(replace(award, status="paid", paid_on=day), day, nth)
        numbered = [award for award in self._open if award.detail_id is not None]
        for award in rng.sample(numbered, min(1, len(numbered))):
            back = replace(
                award, detail_id=f"{award.detail_id}T", amount=-award.amount, status="recovered", paid_on=day
            )
            self._write(back, day, len(self._failed) + 1, clean=True)
        self._open, self._failed = [], []

    def _write(self, award: Award, day: date, nth: int, *, clean: bool = False) -> None:
        head, kind = award.home.head, award.kind
        if award.status in {"paid", "recovered"}:
            self.paid[head.id_no, str(award.period.year), kind.type] += int(award.amount * 100)
        canonical: Canonical = {column.path: None for column in COLUMNS} | {
            "detail_id": award.detail_id,
            "subsidy_type": kind.type,
            "year": str(award.period.year),
            "period": f"{award.period:%Y-%m}",
            "item": kind.item,
            "division": award.home.division,
            "document_no": f"赣财农〔{award.period.year}〕{award.period.month + 10}号",
            "status": award.status,
            "paid_on": award.paid_on.isoformat() if award.paid_on else None,
            "payee_name": head.name,
            "payee_id_no": head.id_no,
            "quantity": award.quantity,
            "quantity_unit": kind.unit,
            "standard": kind.standard,
            "amount": f"{award.amount:.2f}",
            "account_tail": f"****{award.account[-4:]}",
            **award.areas,
        }
        updated = stamp(datetime.combine(day, time(10)) + timedelta(seconds=nth))
        raw: Raw = {column.name: canonical[column.path] for column in COLUMNS}
        raw |= {
            "BTLX": _TYPE_WORDS[kind.type],
            "BTZT": _STATUS_WORDS[award.status],
            "JLDW": _UNIT_WORDS.get(kind.unit or ""),
            "YHZH": award.account,
            "LXDH": f"1390000{nth % 10000:04d}",
            "GXSJ": updated,
        }
        key = key_text(canonical, KEYS)
        assert key is not None
        self.ledger.put(key, updated, raw, canonical, clean=clean)
