"""宅基地审批: approvals before the rights of the real-estate register, and some that no right followed yet.

Old rights were never approved in this form, so not every right has one; some approvals wait for their parcel's code.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from mock_agencies.dirt import Dirt
from mock_agencies.homesteads import Homesteads, Right
from mock_agencies.items import Canonical, Column, Raw
from mock_agencies.ledger import Ledger, Times, past
from mock_agencies.people import DAY_0, Household, Population

COLUMNS: Final = (
    Column("PZSBH", "approval_no", "cert", "key"),
    Column("ZDDM", "parcel_code", "parcel"),
    Column("PZWH", "document_no", "document_no"),
    Column("SQLX", "kind", "code"),
    Column("SPZT", "status", "code", "required"),
    Column("PZRQ", "approved_on", "date", "required"),
    Column("YXQZ", "valid_to", "ahead"),
    Column("YSRQ", "accepted_on", "date"),
    Column("PZJG", "approver", "text"),
    Column("QHDM", "division", "division"),
    Column("PZMJ", "approved_area_m2", "area"),
    Column("CZMJ", "over_area_m2", "area0"),
    Column("JZMJ", "building_area_m2", "area"),
    Column("CS", "storeys", "count"),
    Column("ZYDL", "land_origin", "code"),
    Column("ZL", "location", "text"),
    Column("SQRXM", "applicant_name", "name", "required"),
    Column("SQRZJHM", "applicant_id_no", "id", "required"),
    Column("JTRK", "household_size", "count"),
)

_KIND_WORDS: Final = {"new": "新建", "rebuild": "原址翻建", "extend": "扩建", "relocate": "异址迁建"}
_STATUS_WORDS: Final = {
    "approved": "已批准",
    "accepted": "验收合格",
    "refused": "不予批准",
    "revoked": "已撤销",
    "lapsed": "已失效",
}
_ORIGIN_WORDS: Final = {"cultivated": "耕地", "construction": "村庄建设用地", "unused": "未利用地"}
_LIMITS: Final = {"cultivated": 120.0, "construction": 180.0, "unused": 180.0}
_NEW_PARCELS: Final = 50_000
"""Orders of parcels that the register has not reached."""


@dataclass(frozen=True)
class Approval:
    """One approval as it stands."""

    number: str
    home: Household
    parcel: str | None
    on: date
    kind: str
    origin: str
    land: float
    """What was built on, measured at acceptance."""
    storeys: int
    status: str = "approved"
    accepted_on: date | None = None

    @property
    def approved_area(self) -> float:
        return min(self.land, _LIMITS[self.origin])

    @property
    def over_area(self) -> str | None:
        """Known once it is measured: 0.00 if nothing was built beyond what was approved."""
        return f"{self.land - self.approved_area:.2f}" if self.accepted_on else None


class Approvals:
    """The approvals of the towns, and what happens to them."""

    def __init__(self, population: Population, homesteads: Homesteads, dirt: Dirt, salt: str) -> None:
        self.population, self.salt = population, salt
        self.ledger = Ledger(dirt)
        self.approvals: dict[str, Approval] = {}
        self._serial = 0
        rng = Random(f"{salt}/approvals")
        homes = {home.head.id_no: home for home in population.households}
        for right in homesteads.rights:
            if right.other is None and right.reg_date.year >= 2019 and rng.random() < 0.85:
                self._keep(self._before(rng, homes[right.holders[0].id_no], right), past(rng))
        for home in rng.sample(population.households, max(1, len(population.households) // 12)):
            self._keep(self._pending(rng, home, DAY_0 - timedelta(days=rng.randrange(15, 500))), past(rng))
        self.ledger.repeat_some(rng, {"PZJG": f"{population.county.name}某乡镇人民政府"}, "GXSJ")

    def _number(self, home: Household, on: date) -> str:
        self._serial += 1
        return f"{home.county.short}农宅字({on.year})第{home.town}{self._serial:05d}号"

    def _before(self, rng: Random, home: Household, right: Right) -> Approval:
        """The approval that a right rests on: applied for, built, accepted, registered."""
        accepted = right.reg_date - timedelta(days=rng.randint(10, 90))
        on = accepted - timedelta(days=rng.randint(200, 700))
        return Approval(
            number=self._number(home, on),
            home=home,
            parcel=right.unit_no[:19],
            on=on,
            kind=rng.choice(("new", "rebuild", "rebuild", "relocate")),
            origin=rng.choice(("construction", "construction", "unused", "cultivated")),
            land=float(right.land),
            storeys=rng.randint(1, 3),
            status="accepted",
            accepted_on=accepted,
        )

    def _pending(self, rng: Random, home: Household, on: date) -> Approval:
        """No right has followed; the parcel may not be surveyed."""
        order = _NEW_PARCELS + self._serial
        return Approval(
            number=self._number(home, on),
            home=home,
            parcel=f"{home.division}JC{order:05d}" if rng.random() < 0.4 else None,
            on=on,
            kind=rng.choice(tuple(_KIND_WORDS)),
            origin=rng.choice(tuple(_ORIGIN_WORDS)),
            land=rng.randint(6_000, 20_000) / 100,
            storeys=rng.randint(1, 3),
            status=rng.choices(("approved", "refused", "revoked", "lapsed"), (85, 6, 3, 6))[0],
        )

    def _keep(self, approval: Approval, updated: str, *, clean: bool = False) -> None:
        self.approvals[approval.number] = approval
        home, on = approval.home, approval.on
        canonical: Canonical = {
            "approval_no": approval.number,
            "parcel_code": approval.parcel,
            "document_no": f"{home.county.short}自然资字〔{on.year}〕{on.month}号",
            "kind": approval.kind,
            "status": approval.status,
            "approved_on": on.isoformat(),
            "valid_to": (on + timedelta(days=730)).isoformat(),
            "accepted_on": approval.accepted_on.isoformat() if approval.accepted_on else None,
            "approver": f"{home.county.name}{home.town_name}人民政府",
            "division": home.division,
            "approved_area_m2": f"{approval.approved_area:.2f}",
            "over_area_m2": approval.over_area,
            "building_area_m2": f"{approval.approved_area * approval.storeys * 0.9:.2f}",
            "storeys": str(approval.storeys),
            "land_origin": approval.origin,
            "location": home.address,
            "applicant_name": home.head.name,
            "applicant_id_no": home.head.id_no,
            "household_size": str(len(home.members)),
        }
        raw: Raw = {column.name: canonical[column.path] for column in COLUMNS}
        raw |= {
            "SQLX": _KIND_WORDS[approval.kind],
            "SPZT": _STATUS_WORDS[approval.status],
            "ZYDL": _ORIGIN_WORDS[approval.origin],
            "SQRLXDH": f"1390000{len(self.approvals) % 10000:04d}",
            "GXSJ": updated,
        }
        self.ledger.put(approval.number, updated, raw, canonical, clean=clean)

    def pass_day(self, day: date) -> None:
        """New approvals, and houses accepted; the first of a day is surely clean and new."""
        rng, times = Random(f"{self.salt}/approvals/{day}"), Times(day)
        for nth in range(1 + len(self.approvals) // 300):
            home = rng.choice(self.population.households)
            new = replace(self._pending(rng, home, day), status="approved")
            self._keep(new, times.next(), clean=nth == 0)
        built = [a for a in self.approvals.values() if a.status == "approved" and (day - a.on).days > 180]
        built = [approval for approval in built if approval.number not in self.ledger.frozen]
        for approval in rng.sample(built, min(len(built), 1 + len(self.approvals) // 300)):
            self._keep(replace(approval, status="accepted", accepted_on=day), times.next())
