"""新型农业经营主体: one entity in one directory, 名录 (农业农村; china-facts §3.8)."""

from typing import Annotated

from schemas.checks import number
from schemas.fields import (
    C1,
    C2,
    Canonical,
    Code,
    Count,
    CreditCode,
    Dataset,
    Date,
    Division,
    DocumentNo,
    Ident,
    IdNo,
    Money,
    MuOrZero,
    Name,
    Of,
    OpenDate,
    Quantity,
    Record,
    Text,
    Year,
)


class AgriEntity(Record):
    """One entity as its directory shows it. Family farms and big growers need no registration: they may have no code."""

    credit_code: Annotated[
        CreditCode | None, Of("统一社会信用代码", "content", C2, note="旧的 15 位或 9 位代码原样保留")
    ]
    directory_no: Annotated[Ident | None, Of("名录编号", "content", C1)]
    entity_type: Annotated[Code, Of("主体类型", "content", C2, codes="entity_type", required=True)]
    name: Annotated[Name, Of("主体名称", "content", C2, required=True)]
    registered: Annotated[Code | None, Of("是否工商登记", "content", C1, codes="yes_no")]
    level: Annotated[Code | None, Of("级别", "content", C1, codes="entity_level", note="示范或重点")]
    recognised_on: Annotated[Date | None, Of("认定日期", "content", C1)]
    recognition_no: Annotated[DocumentNo | None, Of("认定文号", "content", C1)]
    valid_to: Annotated[OpenDate | None, Of("有效期止", "content", C1)]
    monitored_in: Annotated[Year | None, Of("监测年度", "content", C1)]
    monitoring: Annotated[Code | None, Of("监测结果", "content", C1, codes="monitoring_result")]
    established_on: Annotated[Date | None, Of("成立日期", "content", C1)]
    business_kind: Annotated[Code | None, Of("经营类型", "content", C1, codes="business_kind")]
    products: Annotated[Text | None, Of("主营产品", "content", C1)]
    status: Annotated[Code, Of("状态", "content", C1, codes="entity_status", required=True)]
    division: Annotated[Division | None, Of("区划", "content", C1)]
    location: Annotated[Text | None, Of("地址", "location", C2)]
    operator_name: Annotated[Name | None, Of("负责人", "operator", C2, note="经营者或法定代表人")]
    operator_id_no: Annotated[IdNo | None, Of("负责人身份证号", "operator", C2)]
    land_mu: Annotated[MuOrZero | None, Of("经营土地面积", "scale", C2, unit="亩")]
    rented_mu: Annotated[MuOrZero | None, Of("其中流转面积", "scale", C2, unit="亩")]
    stock: Annotated[Quantity | None, Of("存栏量", "scale", C2)]
    sold: Annotated[Quantity | None, Of("年出栏量", "scale", C2)]
    scale_unit: Annotated[Code | None, Of("计量单位", "scale", C1, codes="scale_unit")]
    member_count: Annotated[Count | None, Of("成员数", "scale", C1, unit="人")]
    worker_count: Annotated[Count | None, Of("劳动力数", "scale", C1, unit="人")]
    capital: Annotated[Money | None, Of("出资额或注册资本", "money", C2, unit="元")]
    yearly_sales: Annotated[Money | None, Of("年销售额", "money", C2, unit="元")]


def operator_is_named(record: Canonical) -> tuple[str, ...]:
    """Flags an entity that no person can be found by."""
    return ("OPERATOR_ID_BLANK",) if record["operator_id_no"] is None else ()


def code_fits(record: Canonical) -> tuple[str, ...]:
    """Flags a registered entity without a code, and a code of another kind than the entity's: 93 is for cooperatives (§2.2)."""
    code, kind = record["credit_code"], record["entity_type"]
    if not isinstance(code, str):
        return ("CODE_ABSENT",) if record["registered"] == "1" or kind in {"cooperative", "leading_enterprise"} else ()
    return ("CODE_OF_ANOTHER_KIND",) if len(code) == 18 and (code[:2] == "93") != (kind == "cooperative") else ()


def land_holds(record: Canonical) -> tuple[str, ...]:
    """Flags more land rented than there is."""
    land, rented = number(record, "land_mu"), number(record, "rented_mu")
    return ("RENTED_EXCEEDS_LAND",) if land is not None and rented is not None and rented > land else ()


DATASET = Dataset(
    name="agri_entity",
    title="新型农业经营主体",
    version=1,
    record=AgriEntity,
    record_key=(("credit_code",), ("directory_no",)),
    match_key=(("credit_code",), ("directory_no",)),
    subjects={"operator": "operator_id_no"},
    indexes={"entity": ("credit_code",)},
    kind="state",
    period_by="as_of",
    checks=(operator_is_named, code_fits, land_holds),
)
