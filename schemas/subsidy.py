"""农业补贴: one award of one kind, year and payee (农业农村 assesses, 财政 pays; china-facts §3.6)."""

from decimal import Decimal
from typing import Annotated, Final

from schemas.checks import number
from schemas.fields import (
    C1,
    C2,
    AccountTail,
    Canonical,
    Code,
    Dataset,
    Date,
    Division,
    DocumentNo,
    Ident,
    IdNo,
    Money,
    Month,
    MuOrZero,
    Name,
    Of,
    Quantity,
    Record,
    Text,
    Year,
)

PLAUSIBLE_MU: Final = 2000
"""Above it the area of one payee is probably m² in a column of 亩: 3 亩 are 2000 m²."""
_ROUNDING: Final = Decimal(1)
"""Awards are rounded to 元 at the most."""


class Subsidy(Record):
    """One award. An award is an event: a later list that lacks it takes nothing back; a recovery says so itself."""

    detail_id: Annotated[Ident | None, Of("明细编号", "content", C1)]
    subsidy_type: Annotated[Code, Of("补贴类型", "content", C2, codes="subsidy_type", required=True)]
    year: Annotated[Year, Of("补贴年度", "content", C1, required=True)]
    period: Annotated[Month, Of("所属月份", "content", C1, required=True)]
    item: Annotated[Text | None, Of("补贴对象", "content", C2, note="机具品目、作物或畜种")]
    division: Annotated[Division | None, Of("乡镇村区划", "content", C1)]
    document_no: Annotated[DocumentNo | None, Of("资金文号", "content", C1)]
    status: Annotated[Code, Of("补贴状态", "content", C1, codes="subsidy_status", required=True)]
    paid_on: Annotated[Date | None, Of("发放日期", "content", C1)]
    payee_name: Annotated[Name, Of("姓名", "subject", C2, required=True)]
    payee_id_no: Annotated[IdNo, Of("身份证号", "subject", C2, required=True)]
    contracted_mu: Annotated[MuOrZero | None, Of("承包地面积", "scale", C2, unit="亩")]
    let_out_mu: Annotated[MuOrZero | None, Of("流转出面积", "scale", C2, unit="亩")]
    entrusted_mu: Annotated[MuOrZero | None, Of("代耕代种面积", "scale", C2, unit="亩")]
    excluded_mu: Annotated[MuOrZero | None, Of("不予补贴面积", "scale", C2, unit="亩")]
    subsidised_mu: Annotated[MuOrZero | None, Of("补贴面积", "scale", C2, unit="亩")]
    quantity: Annotated[Quantity | None, Of("补贴数量", "scale", C2, note="机具台数、畜禽头数")]
    quantity_unit: Annotated[Code | None, Of("计量单位", "scale", C1, codes="scale_unit")]
    standard: Annotated[Money | None, Of("补贴标准", "money", C2, unit="元", note="每亩，或每台、每头")]
    amount: Annotated[Money, Of("补贴金额", "money", C2, unit="元", required=True, note="负数为追回")]
    account_tail: Annotated[AccountTail | None, Of("银行账号", "account", C2, note="只留后四位 `****1234`，不保存账号")]


def amount_holds(record: Canonical) -> tuple[str, ...]:
    """Flags an amount that is not area (or, without one, quantity) times standard."""
    measure = number(record, "subsidised_mu") or number(record, "quantity")
    standard, amount = number(record, "standard"), number(record, "amount")
    if measure is None or standard is None or amount is None:
        return ()
    return ("AMOUNT_CONTRADICTS",) if abs(measure * standard - abs(amount)) > _ROUNDING else ()


def area_is_plausible(record: Canonical) -> tuple[str, ...]:
    """Flags an area so large that its unit is probably another one."""
    area = number(record, "subsidised_mu")
    return ("AREA_SUSPECT",) if area is not None and area > PLAUSIBLE_MU else ()


def area_is_contracted(record: Canonical) -> tuple[str, ...]:
    """Flags land protection paid for more land than the payee contracted: it follows the contract, not the plough."""
    contracted, subsidised = number(record, "contracted_mu"), number(record, "subsidised_mu")
    if record["subsidy_type"] != "farmland_protection" or contracted is None or subsidised is None:
        return ()
    return ("AREA_EXCEEDS_CONTRACT",) if subsidised > contracted else ()


DATASET = Dataset(
    name="subsidy",
    title="农业补贴",
    version=1,
    record=Subsidy,
    record_key=(("detail_id",), ("subsidy_type", "year", "payee_id_no")),
    match_key=(("subsidy_type", "year", "payee_id_no"),),
    subjects={"payee": "payee_id_no"},
    indexes={},
    kind="event",
    period_by="period",
    checks=(amount_holds, area_is_plausible, area_is_contracted),
)
