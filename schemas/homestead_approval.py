"""宅基地审批: one approval of a homestead and the house on it (自然资源·乡镇; china-facts §2.5, §3.4)."""

from typing import Annotated, Final

from schemas.checks import before, number, text
from schemas.fields import (
    C1,
    C2,
    Area,
    AreaOrZero,
    Canonical,
    CertNo,
    Code,
    Count,
    Dataset,
    Date,
    DateAhead,
    Division,
    DocumentNo,
    IdNo,
    Name,
    Of,
    ParcelCode,
    Record,
    Text,
)

LIMIT_M2: Final = 180
LIMIT_ON_CULTIVATED_M2: Final = 120
"""What Jiangxi allows a household (§3.10); a county may allow less, so more is a flag and no fault."""


class HomesteadApproval(Record):
    """One approval. It names the land before the register does: the parcel may have no code yet, and no right may follow."""

    approval_no: Annotated[CertNo, Of("批准书编号", "content", C2, required=True)]
    parcel_code: Annotated[ParcelCode | None, Of("宗地代码", "content", C2, note="登记前可以没有")]
    document_no: Annotated[DocumentNo | None, Of("批准文号", "content", C1)]
    kind: Annotated[Code | None, Of("申请类型", "content", C1, codes="approval_kind")]
    status: Annotated[Code, Of("审批状态", "content", C1, codes="approval_status", required=True)]
    approved_on: Annotated[Date, Of("批准日期", "content", C1, required=True)]
    valid_to: Annotated[DateAhead | None, Of("批准书有效期止", "content", C1)]
    accepted_on: Annotated[Date | None, Of("验收日期", "content", C1)]
    approver: Annotated[Text | None, Of("批准机关", "content", C1)]
    division: Annotated[Division | None, Of("乡镇村区划", "content", C1)]
    approved_area_m2: Annotated[Area | None, Of("批准面积", "content", C2, unit="m²")]
    over_area_m2: Annotated[AreaOrZero | None, Of("超占面积", "content", C2, unit="m²", note="0 为未超占，空为未核")]
    building_area_m2: Annotated[Area | None, Of("批准建筑面积", "content", C2, unit="m²")]
    storeys: Annotated[Count | None, Of("批准层数", "content", C1, unit="层")]
    land_origin: Annotated[Code | None, Of("占用地类", "content", C1, codes="land_origin")]
    location: Annotated[Text | None, Of("坐落", "location", C2)]
    applicant_name: Annotated[Name, Of("申请人", "subject", C2, required=True)]
    applicant_id_no: Annotated[IdNo, Of("申请人身份证号", "subject", C2, required=True)]
    household_size: Annotated[Count | None, Of("家庭人口", "subject", C2, unit="人")]


def area_is_within_limits(record: Canonical) -> tuple[str, ...]:
    """Flags an approval of more land than a household may have: a mistake, or a mix-up of units."""
    area = number(record, "approved_area_m2")
    limit = LIMIT_ON_CULTIVATED_M2 if record["land_origin"] == "cultivated" else LIMIT_M2
    return ("AREA_OVER_LIMIT",) if area is not None and area > limit else ()


def dates_run_forward(record: Canonical) -> tuple[str, ...]:
    """Flags a term or an acceptance that lies before the approval."""
    approved = text(record, "approved_on")
    later = (text(record, name) for name in ("valid_to", "accepted_on"))
    return ("TERM_REVERSED",) if any(before(date, approved) for date in later) else ()


DATASET = Dataset(
    name="homestead_approval",
    title="宅基地审批",
    version=1,
    record=HomesteadApproval,
    record_key=(("approval_no",),),
    match_key=(("parcel_code",),),
    subjects={"applicant": "applicant_id_no"},
    indexes={"parcel": ("parcel_code",)},
    kind="event",
    period_by="approved_on",
    checks=(area_is_within_limits, dates_run_forward),
)
