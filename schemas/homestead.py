"""宅基地使用权: one right on one real-estate unit (自然资源·不动产登记; china-facts §2.5, §2.6, §3.4)."""

from typing import Annotated

from schemas.cleaning import HOMESTEAD_PLAUSIBLE_M2
from schemas.fields import (
    C1,
    C2,
    Area,
    Canonical,
    CertNo,
    Code,
    Dataset,
    Date,
    Ident,
    IdNo,
    Name,
    Of,
    OpenDate,
    ParcelCode,
    Part,
    Record,
    Text,
    UnitNo,
)


class Holder(Part):
    """One right holder. A blank co-owner's number is accepted and flagged HOLDER_ID_BLANK."""

    name: Annotated[Name, Of("权利人", "holder", C2, required=True)]
    id_no: Annotated[IdNo | None, Of("证件号", "holder", C2)]
    share: Annotated[Text | None, Of("权利比例", "holder", C2)]


class Homestead(Record):
    """One right on one unit, with all of its holders."""

    unit_no: Annotated[UnitNo, Of("不动产单元号", "content", C2, required=True, note="28 位，GB/T 37346")]
    parcel_code: Annotated[ParcelCode | None, Of("宗地代码", "content", C2, note="不动产单元号的前 19 位")]
    cert_no: Annotated[CertNo, Of("不动产权证号", "content", C2, required=True)]
    right_type: Annotated[Code, Of("权利类型", "content", C1, codes="right_type", required=True)]
    right_status: Annotated[Code, Of("权属状态", "content", C1, codes="right_status", required=True)]
    reg_type: Annotated[Code | None, Of("登记类型", "content", C1, codes="reg_type")]
    reg_date: Annotated[Date, Of("登记时间", "content", C1, required=True)]
    reg_office: Annotated[Text | None, Of("登记机构", "content", C1)]
    land_area_m2: Annotated[Area | None, Of("使用权面积", "content", C2, unit="m²")]
    building_area_m2: Annotated[Area | None, Of("建筑面积", "content", C2, unit="m²")]
    use: Annotated[Code | None, Of("用途", "content", C1, codes="land_use")]
    use_from: Annotated[Date | None, Of("使用权起始", "content", C1)]
    use_to: Annotated[OpenDate | None, Of("使用权结束", "content", C1, note="来源写“长期”时为 `open`")]
    co_ownership: Annotated[Code | None, Of("共有方式", "content", C1, codes="co_ownership")]
    seized: Annotated[Code | None, Of("查封状态", "content", C2, codes="yes_no")]
    location: Annotated[Text | None, Of("坐落", "location", C2)]
    business_no: Annotated[Ident | None, Of("业务号", "content", C1)]
    holders: list[Holder]


def area_is_plausible(record: Canonical) -> tuple[str, ...]:
    """Flags land above the plausible size of a homestead: probably a unit mix-up (§3.10)."""
    area = record["land_area_m2"]
    return ("AREA_SUSPECT",) if isinstance(area, str) and float(area) > HOMESTEAD_PLAUSIBLE_M2 else ()


def holder_numbers(record: Canonical) -> tuple[str, ...]:
    """Flags a holder without a number; such a right is found by unit and certificate only."""
    holders = record["holders"]
    return ("HOLDER_ID_BLANK",) if any(h["id_no"] is None for h in holders or () if isinstance(h, dict)) else ()


DATASET = Dataset(
    name="homestead",
    title="宅基地使用权",
    version=1,
    record=Homestead,
    record_key=(("unit_no", "cert_no"),),
    match_key=(("unit_no",), ("cert_no",)),
    subjects={"holder": "holders.id_no"},
    indexes={"unit": ("unit_no",), "parcel": ("parcel_code",), "certificate": ("cert_no",)},
    kind="state",
    period_by="as_of",
    checks=(area_is_plausible, holder_numbers),
)
