"""What follows from several facts and is stored nowhere: household, nets, traits, contradictions (DESIGN §2a); pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Final

from gateway.reports.facts import Fact
from gateway.reports.standing import Standing
from schemas.divisions import name_of

GROWN_UP: Final = 14
"""Below this age a person's data are sensitive in themselves (PIPL art. 28, 31): counted, never shown."""
TRAITS: Final = {
    "large_grower": "种植大户",
    "large_breeder": "养殖大户",
    "family_farm": "家庭农场",
    "cooperative": "农民合作社负责人",
    "leading_enterprise": "农业产业化龙头企业负责人",
}
_WAITING: Final = frozenset({"declared", "publicised", "pending"})
_ENDINGS: Final = ("moved_out_on", "died_on", "cancelled_on")


def is_present(row: Fact) -> bool:
    """Whether a register row says that its person belongs to its household now."""
    return not any(row.record[name] for name in _ENDINGS)


def register_row(register: Sequence[Standing]) -> Fact | None:
    """The row by which a person is in a household now: the newest that is not ended; else the newest at all."""
    rows = [s.fact for s in register]
    return max(rows, key=lambda f: (is_present(f), f.as_of, f.handle), default=None)


def members(rows: Iterable[Standing]) -> list[Fact]:
    """Who is in a household now, the head first, then by relation and age."""
    present = [s.fact for s in rows if is_present(s.fact)]
    return sorted(
        present,
        key=lambda f: (
            f.text("relation_to_head") != "02",
            f.text("relation_to_head") or "~",
            f.text("birth_date") or "~",
        ),
    )


def age(born: str | None, today: date) -> int | None:
    """Full years; None where the date of birth is not known to the day."""
    if born is None or len(born) != 10:
        return None
    day = date.fromisoformat(born)
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


@dataclass(frozen=True, slots=True)
class Net:
    """What came of one kind of money in one year."""

    year: str
    kind: str
    paid: Decimal
    """元; recoveries are taken off."""
    payments: int
    recovered: Decimal
    pending: int
    failed: int
    facts: tuple[Fact, ...]


def payment_nets(payments: Iterable[Standing]) -> list[Net]:
    """Payments by year and item, newest year first. Only what was paid counts; a failed payment that was sent again is a
    detail of its own (china-facts §3.7).
    """
    return _nets(payments, "item_name", "amount_paid")


def subsidy_nets(subsidies: Iterable[Standing], since: int) -> list[Net]:
    """Awards by year and type of the years from `since` on, newest first. A recovery may be a row of its own, negative, or
    what became of the award itself: then nothing of it was kept.
    """
    wanted = (s for s in subsidies if str(s.fact.text("year")) >= str(since))
    return _nets(wanted, "subsidy_type", "amount")


def _nets(standings: Iterable[Standing], kind: str, amount: str) -> list[Net]:
    def key(fact: Fact) -> tuple[str, str]:
        return str(fact.text("year")), str(fact.text(kind))

    facts = sorted((s.fact for s in standings), key=lambda f: (key(f), f.handle))
    out = []
    for (year, what), group in groupby(facts, key):
        rows = tuple(group)
        paid = [Decimal(str(f.text(amount))) for f in rows if f.text("status") == "paid"]
        back = [Decimal(str(f.text(amount))) for f in rows if f.text("status") == "recovered"]
        taken = [-value for value in paid if value < 0] + [abs(value) for value in back]
        out.append(
            Net(
                year,
                what,
                sum(paid, Decimal(0)) + sum((value for value in back if value < 0), Decimal(0)),
                sum(value >= 0 for value in paid),
                sum(taken, Decimal(0)),
                sum(f.text("status") in _WAITING for f in rows),
                sum(f.text("status") == "failed" for f in rows),
                rows,
            )
        )
    return sorted(out, key=lambda net: (net.year, net.kind), reverse=True)


def traits(entities: Iterable[Standing]) -> dict[str, list[Fact]]:
    """Each trait with the active entities behind it that the person operates; an empty list is a checked negative only
    where the directories were read.
    """
    found: dict[str, list[Fact]] = {name: [] for name in TRAITS}
    for standing in entities:
        fact = standing.fact
        if "operator" in fact.roles and fact.text("status") == "active":
            found.setdefault(str(fact.text("entity_type")), []).append(fact)
    return found


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Two facts that cannot both be right, or should not stand unexplained; both values are kept."""

    code: str
    title: str
    facts: tuple[Fact, ...]
    values: tuple[tuple[str, str | None], ...] = ()
    """(where it says so, what it says): field titles and values, masked by whoever shows them."""


def discrepancies(standings: Sequence[Standing], titles: Mapping[str, str]) -> list[Discrepancy]:
    """Contradictions between feeds about one thing, and between agencies about one person.

    `titles`: dataset -> its Chinese title.
    """
    out = []
    for standing in standings:
        by_path = [c for c in standing.conflicts if not c.path.endswith("_tail")]
        others = {f.handle: f for f in standing.beside}
        out += [
            Discrepancy(
                "SOURCES_DIFFER",
                f"{titles[standing.fact.dataset]}：两个来源不一致",
                (standing.fact, others[c.other_handle]),
                ((c.path, c.standing), (c.path, c.other)),
            )
            for c in by_path
        ]
    return out + _registered_twice(standings) + _names_differ(standings, titles) + _exceeds(standings)


def _registered_twice(standings: Sequence[Standing]) -> list[Discrepancy]:
    """Who belongs to a household in two registers: a move that one of them has not heard of."""
    rows = [s.fact for s in standings if s.fact.dataset == "household_member" and "person" in s.fact.roles]
    rows = [row for row in rows if is_present(row)]
    if len({row.county for row in rows}) < 2:
        return []
    values = tuple((name_of(row.county) or row.county, row.text("register_address")) for row in rows)
    return [Discrepancy("REGISTERED_TWICE", "在两个县的户籍中都未迁出", tuple(rows), values)]


_NAME_OF_ROLE: Final = {
    ("household_member", "person"): "name",
    ("subsidy", "payee"): "payee_name",
    ("payment", "payee"): "payee_name",
    ("homestead_approval", "applicant"): "applicant_name",
    ("contracted_land", "contractor"): "contractor_name",
    ("agri_entity", "operator"): "operator_name",
    ("assistance", "beneficiary"): "name",
}


def _names_differ(standings: Sequence[Standing], titles: Mapping[str, str]) -> list[Discrepancy]:
    """One number, two names: the register's name counts, a former name explains itself."""
    said: dict[str, Fact] = {}
    known: set[str] = set()
    for standing in standings:
        for role in standing.fact.roles:
            field = _NAME_OF_ROLE.get((standing.fact.dataset, role))
            if field and (name := standing.fact.text(field)):
                said.setdefault(name, standing.fact)
                if standing.fact.dataset == "household_member" and (former := standing.fact.text("former_name")):
                    known.add(former)
    if len(said.keys() - known) < 2:
        return []
    values = tuple((titles[fact.dataset], name) for name, fact in sorted(said.items()))
    return [Discrepancy("NAMES_DIFFER", "同一身份证号在各部门的姓名不一致", tuple(said.values()), values)]


def _exceeds(standings: Sequence[Standing]) -> list[Discrepancy]:
    """A registered homestead larger than what was approved for its parcel, or an approval that found it overbuilt."""
    rights = {s.fact.text("parcel_code"): s.fact for s in standings if s.fact.dataset == "homestead"}
    out = []
    for standing in standings:
        approval = standing.fact
        if approval.dataset != "homestead_approval" or approval.text("parcel_code") is None:
            continue
        right = rights.get(approval.text("parcel_code"))
        approved, over = approval.text("approved_area_m2"), approval.text("over_area_m2")
        if right and approved and (area := right.text("land_area_m2")) and Decimal(area) > Decimal(approved):
            values = (("登记使用权面积", area), ("批准面积", approved))
            out.append(Discrepancy("AREA_EXCEEDS_APPROVAL", "宅基地登记面积大于批准面积", (right, approval), values))
        if over and Decimal(over) > 0:
            said = (("超占面积", over), ("批准面积", approved))
            out.append(Discrepancy("OVERBUILT", "宅基地审批记录有超占面积", (approval,), said))
    return out
