"""一卡通发放明细: one payment detail (财政; china-facts §3.7)."""

from typing import Annotated

from schemas.fields import (
    C1,
    C2,
    AccountTail,
    Code,
    Dataset,
    Date,
    Division,
    Ident,
    IdNo,
    Money,
    Name,
    Of,
    Record,
    Text,
    Year,
)


class Payment(Record):
    """One detail of one pay-out batch. A re-sent payment is a new detail; netting is derived when read."""

    detail_id: Annotated[Ident, Of("批次明细ID", "content", C1, required=True)]
    batch_no: Annotated[Ident | None, Of("批次号", "content", C1)]
    year: Annotated[Year, Of("年度", "content", C1, required=True)]
    item_code: Annotated[Ident | None, Of("补贴项目编码", "content", C1)]
    item_name: Annotated[Text, Of("补贴项目名称", "content", C2, required=True)]
    authority: Annotated[Text | None, Of("主管部门", "content", C1)]
    document_no: Annotated[Text | None, Of("资金文号", "content", C1)]
    division: Annotated[Division | None, Of("乡镇村区划", "content", C1)]
    status: Annotated[Code, Of("发放状态", "content", C1, codes="payment_status", required=True)]
    paid_on: Annotated[Date | None, Of("发放日期", "content", C1)]
    failure: Annotated[Text | None, Of("失败原因", "content", C1)]
    payee_name: Annotated[Name, Of("姓名", "subject", C2, required=True)]
    payee_id_no: Annotated[IdNo, Of("身份证号", "subject", C2, required=True)]
    amount_due: Annotated[Money | None, Of("应发金额", "money", C2, unit="元")]
    amount_paid: Annotated[Money, Of("实发金额", "money", C2, unit="元", required=True, note="负数为追回")]
    account_tail: Annotated[AccountTail | None, Of("银行账号", "account", C2, note="只留后四位 `****1234`，不保存账号")]


DATASET = Dataset(
    name="payment",
    title="一卡通发放明细",
    version=1,
    record=Payment,
    record_key=(("detail_id",),),
    match_key=(("detail_id",),),
    subjects={"payee": "payee_id_no"},
    indexes={},
    kind="event",
    period_by="paid_on",
)
