"""承包地: one contract with its plots and the members of the household (农业农村, NY/T 2539; china-facts §2.7, §3.5)."""

from decimal import Decimal
from typing import Annotated, Final

from schemas.checks import before, elements, text
from schemas.fields import (
    C1,
    C2,
    Area,
    Canonical,
    CertNo,
    Code,
    Columns,
    ContractCode,
    ContractorCode,
    Count,
    Dataset,
    Date,
    DateAhead,
    IdNo,
    IssuerCode,
    Mu,
    Name,
    Of,
    OpenDate,
    Part,
    PlotCode,
    Record,
    Sanity,
    Scalar,
    Text,
)

PLOT_PLAUSIBLE_M2: Final = 100_000
"""150 亩: above it a household's plot is probably in another unit."""
_MU_M2: Final = Decimal(2000) / 3
_ROUNDING_MU: Final = Decimal("0.01")
"""Registers round m² and 亩 apart, plot by plot."""


class Plot(Part):
    """One plot. Its neighbours (四至) are not ingested: they name other people."""

    code: Annotated[PlotCode, Of("地块代码", "plot", C2, required=True, note="19 位")]
    name: Annotated[Text | None, Of("地块名称", "plot", C2)]
    kind: Annotated[Code | None, Of("地块类别", "plot", C1, codes="plot_kind")]
    use: Annotated[Code | None, Of("土地用途", "plot", C1, codes="plot_use")]
    grade: Annotated[Code | None, Of("地力等级", "plot", C1, codes="land_grade")]
    basic_farmland: Annotated[Code | None, Of("是否基本农田", "plot", C1, codes="yes_no")]
    way: Annotated[Code | None, Of("取得方式", "plot", C1, codes="contract_way")]
    area_m2: Annotated[Area | None, Of("合同面积", "plot", C2, unit="m²")]
    area_mu: Annotated[Mu | None, Of("合同面积（亩）", "plot", C2, unit="亩")]
    by_share: Annotated[Code | None, Of("是否确权确股", "plot", C1, codes="yes_no", note="确股不确地的没有自己的地块")]


class Member(Part):
    """One member of the contracting household. The remark on a member (成员备注) is not ingested: it may name a sentence."""

    name: Annotated[Name, Of("成员姓名", "member", C2, required=True)]
    id_no: Annotated[IdNo | None, Of("成员证件号码", "member", C2)]
    relation: Annotated[Code | None, Of("与户主关系", "member", C2, codes="relation_to_head")]
    co_owner: Annotated[Code | None, Of("是否共有人", "member", C2, codes="yes_no")]


class ContractedLand(Record):
    """One contract as it stands. Areas come in m² and in 亩; where both are given and differ, both are kept, flagged."""

    contract_code: Annotated[ContractCode, Of("承包合同代码", "content", C2, required=True, note="承包方编码加 J 或 Q")]
    contractor_code: Annotated[ContractorCode | None, Of("承包方编码", "content", C2, note="18 位")]
    issuer_code: Annotated[IssuerCode | None, Of("发包方编码", "content", C1, note="14 位，至村民小组")]
    issuer_name: Annotated[Text | None, Of("发包方名称", "content", C1)]
    contractor_type: Annotated[Code, Of("承包方类型", "content", C1, codes="contractor_type", required=True)]
    way: Annotated[Code | None, Of("承包方式", "content", C1, codes="contract_way")]
    valid_from: Annotated[DateAhead | None, Of("承包期限起", "content", C1, note="延包合同可在将来")]
    valid_to: Annotated[OpenDate | None, Of("承包期限止", "content", C1, note="来源写“长期”时为 `open`")]
    signed_on: Annotated[Date | None, Of("签订时间", "content", C1)]
    area_m2: Annotated[Area | None, Of("合同总面积", "content", C2, unit="m²")]
    area_mu: Annotated[Mu | None, Of("合同总面积（亩）", "content", C2, unit="亩")]
    plot_count: Annotated[Count | None, Of("承包地块总数", "content", C1, unit="块")]
    certificate_code: Annotated[ContractCode | None, Of("承包经营权证代码", "content", C2)]
    cert_no: Annotated[CertNo | None, Of("承包经营权证流水号", "content", C2)]
    contractor_name: Annotated[Name, Of("承包方名称", "subject", C2, required=True, note="农户为户主（代表）姓名")]
    contractor_id_no: Annotated[IdNo | None, Of("承包方证件号码", "subject", C2, note="单位承包的为空")]
    member_count: Annotated[Count | None, Of("承包方成员数量", "subject", C2, unit="人")]
    plots: list[Plot]
    members: list[Member]


def _differ(m2: Scalar, mu: Scalar, roundings: int) -> bool:
    if m2 is None or mu is None:
        return False
    return abs(Decimal(m2) / _MU_M2 - Decimal(mu)) > _ROUNDING_MU * roundings


def areas_agree(record: Canonical) -> tuple[str, ...]:
    """Flags m² and 亩 that do not say the same, of the contract or of a plot (§2.7)."""
    plots = elements(record, "plots")
    whole = _differ(text(record, "area_m2"), text(record, "area_mu"), max(1, len(plots)))
    return ("AREA_CONTRADICTS",) if whole or any(_differ(p["area_m2"], p["area_mu"], 1) for p in plots) else ()


def plots_add_up(record: Canonical) -> tuple[str, ...]:
    """Flags plots whose number or areas are not those of the contract. One without plots of its own (确股) has none to add."""
    plots, total, count = elements(record, "plots"), text(record, "area_m2"), text(record, "plot_count")
    if not plots:
        return ("PLOTS_DIFFER",) if count not in {None, "0"} else ()
    areas = [plot["area_m2"] for plot in plots]
    known = [Decimal(area) for area in areas if area is not None]
    short = (
        total is not None and len(known) == len(areas) and abs(sum(known) - Decimal(total)) > len(areas) * _MU_M2 / 100
    )
    return ("PLOTS_DIFFER",) if short or (count is not None and int(count) != len(plots)) else ()


def areas_are_plausible(record: Canonical) -> tuple[str, ...]:
    """Flags a plot so large that its unit is probably another one (§3.5)."""
    areas = (plot["area_m2"] for plot in elements(record, "plots"))
    return ("AREA_SUSPECT",) if any(a is not None and Decimal(a) > PLOT_PLAUSIBLE_M2 for a in areas) else ()


def household_holds(record: Canonical) -> tuple[str, ...]:
    """Flags a household that has not exactly one head, leaves out its contractor, or counts itself otherwise (§2.8)."""
    if record["contractor_type"] != "1":
        return ()
    members, number, flags = elements(record, "members"), text(record, "contractor_id_no"), []
    if members and sum(member["relation"] == "02" for member in members) != 1:
        flags.append("HEAD_NOT_ONE")
    if members and number is not None and number not in {member["id_no"] for member in members}:
        flags.append("CONTRACTOR_NOT_A_MEMBER")
    count = text(record, "member_count")
    if count is not None and int(count) != len(members):
        flags.append("MEMBERS_DIFFER")
    return tuple(flags)


def households_have_heads(columns: Columns) -> tuple[int, int]:
    """Each household that says how its members are related has exactly one head (§2.8)."""
    told = broken = 0
    for members in columns("members"):
        relations = [member["relation"] for member in members or () if isinstance(member, dict)]
        if any(relations):
            told += 1
            broken += relations.count("02") != 1
    return told, broken


def contractor_is_named(record: Canonical) -> tuple[str, ...]:
    """Flags a person or household without an ID number: the contract is found by its code only."""
    return ("CONTRACTOR_ID_BLANK",) if record["contractor_type"] != "3" and record["contractor_id_no"] is None else ()


def codes_belong_together(record: Canonical) -> tuple[str, ...]:
    """Flags codes of which one is not the beginning of the other: issuer, contractor, contract, plots (§2.7)."""
    contract = str(record["contract_code"])
    contractor, issuer = text(record, "contractor_code"), text(record, "issuer_code")
    held = contractor is None or contract.startswith(contractor)
    held = held and (issuer is None or contract.startswith(issuer))
    plots = (str(plot["code"]) for plot in elements(record, "plots"))
    return () if held and all(code.startswith(contract[:14]) for code in plots) else ("LAND_CODES_CONTRADICT",)


def term_runs_forward(record: Canonical) -> tuple[str, ...]:
    """Flags a term that ends before it begins."""
    begins, ends = text(record, "valid_from"), text(record, "valid_to")
    return ("TERM_REVERSED",) if before(ends, begins) else ()


DATASET = Dataset(
    name="contracted_land",
    title="承包地",
    version=1,
    record=ContractedLand,
    record_key=(("contract_code",),),
    match_key=(("contract_code",),),
    subjects={"contractor": "contractor_id_no", "member": "members.id_no"},
    indexes={"contract": ("contract_code",), "certificate": ("cert_no",)},
    kind="state",
    period_by="as_of",
    checks=(
        areas_agree,
        plots_add_up,
        areas_are_plausible,
        household_holds,
        contractor_is_named,
        codes_belong_together,
        term_runs_forward,
    ),
    sanities=(Sanity("members.relation", households_have_heads),),
)
