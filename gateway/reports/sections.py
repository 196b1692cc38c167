"""The thirteen sections of the report (china-facts §3.11): which data each shows, under which consent, and of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.reports.facts import Fact
from schemas import DATASETS


class State(StrEnum):
    """A section never says less than it knows: not obtained never looks like none."""

    DATA = "data"
    NONE = "none"
    UNKNOWN = "unknown"


STATE_TITLES: Final = {State.DATA: "有数据", State.NONE: "已查无记录", State.UNKNOWN: "未取得数据"}


class Why(StrEnum):
    """Why a section has no data though there may be some."""

    NOT_CONSENTED = "not_consented"
    NOT_SHARED = "not_shared"
    NOT_CONNECTED = "not_connected"
    NOT_COLLECTED = "not_collected"
    SOURCE_FAILING = "source_failing"
    WITHHELD = "withheld"


WHY_TITLES: Final = {
    Why.NOT_CONSENTED: "未授权",
    Why.NOT_SHARED: "目录未向本机构共享",
    Why.NOT_CONNECTED: "本县尚未接入",
    Why.NOT_COLLECTED: "尚未采集",
    Why.SOURCE_FAILING: "数据源故障",
    Why.WITHHELD: "数据已过期，按约定不予提供",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One section that shows facts."""

    id: str
    number: int
    title: str
    consent: str
    """The class of data a consent must name."""
    datasets: tuple[str, ...]


SECTIONS: Final = (
    Section("subject", 1, "核查对象与身份核验", "household", ("household_member",)),
    Section("household", 2, "家庭成员", "household", ("household_member",)),
    Section("marriage", 3, "婚姻状况", "marriage", ("marriage",)),
    Section("real_estate", 4, "宅基地及不动产", "real_estate", ("homestead", "homestead_approval")),
    Section("contracted_land", 5, "承包地及流转", "contracted_land", ("contracted_land",)),
    Section("subsidy", 6, "农业补贴（近三年）", "income", ("subsidy",)),
    Section("payment", 7, "惠民惠农“一卡通”发放", "income", ("payment",)),
    Section("traits", 8, "新型农业经营主体特征", "entity", ("agri_entity",)),
    Section("assistance", 9, "社会救助", "assistance", ("assistance",)),
)
"""Section 0 is the head; 10, 11 and 12 are sources, contradictions and notes, which follow from these."""
TITLES: Final[Mapping[str, str]] = {name: dataset.title for name, dataset in DATASETS.items()}

_OTHERS: Final = {"household_member": frozenset({"head"})}
"""Groups that are about somebody else whoever is asked about."""
_MEMBER_SEEN: Final = frozenset({"household"})
"""What is shown of a grown-up member of the household who gave no consent: that they belong to it, and how."""


def groups_shown(fact: Fact, id_no: str) -> frozenset[str]:
    """The disclosure groups of a fact that are about the person asked for, or about nobody; never a co-owner's."""
    dataset = DATASETS[fact.dataset]
    groups = set(dataset.groups(fact.record))
    if not fact.roles:
        return frozenset(groups & _MEMBER_SEEN)
    shown = groups - _OTHERS.get(fact.dataset, frozenset())
    for part, stem in dataset.parts.items():
        if "id_no" not in {spec.name for spec in dataset.fields.values() if spec.part == part}:
            continue
        for i, element in enumerate(fact.rows(part)):
            if element.get("id_no") != id_no:
                shown.discard(f"{stem}/{i}")
    if fact.dataset == "contracted_land" and "contractor" not in fact.roles:
        shown.discard("subject")
    return frozenset(shown)
