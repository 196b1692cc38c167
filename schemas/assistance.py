"""社会救助: one entitlement of one person (民政; china-facts §3.9)."""

from typing import Annotated

from schemas.fields import C1, C2, CertNo, Code, Count, Dataset, Division, IdNo, Money, Month, Name, Of, Record


class Assistance(Record):
    """One entitlement. The cause of poverty is not ingested: it may name a disease (征信业管理条例 art. 14)."""

    cert_no: Annotated[CertNo, Of("救助证号", "content", C2, required=True)]
    kind: Annotated[Code, Of("救助类型", "content", C2, codes="assistance_kind", required=True)]
    category: Annotated[Code | None, Of("保障类别", "content", C2, codes="assistance_category")]
    since: Annotated[Month, Of("起始保障年月", "content", C2, required=True)]
    until: Annotated[Month | None, Of("终止年月", "content", C2)]
    period: Annotated[Month, Of("所属月份", "content", C1, required=True)]
    covered_people: Annotated[Count | None, Of("保障人口", "content", C2, unit="人")]
    division: Annotated[Division | None, Of("乡镇村区划", "content", C1)]
    name: Annotated[Name, Of("姓名", "subject", C2, required=True)]
    id_no: Annotated[IdNo, Of("身份证号", "subject", C2, required=True)]
    monthly_amount: Annotated[Money | None, Of("月保障金额", "money", C2, unit="元")]


DATASET = Dataset(
    name="assistance",
    title="社会救助",
    version=1,
    record=Assistance,
    record_key=(("cert_no", "id_no"),),
    match_key=(("id_no", "kind"),),
    subjects={"beneficiary": "id_no"},
    indexes={"certificate": ("cert_no",)},
    kind="state",
    period_by="period",
)
