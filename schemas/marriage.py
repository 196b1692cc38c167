"""婚姻登记: one registration act (民政; china-facts §2.8, §3.3)."""

from typing import Annotated

from schemas.fields import C1, C2, CertNo, Code, Dataset, Date, Ident, IdNo, Name, Of, Part, Record, Text


class Party(Part):
    """One of the two people of the act. Folk (民族) is not ingested."""

    role: Annotated[Code, Of("当事人", "party", C1, codes="party_role", required=True)]
    name: Annotated[Name, Of("姓名", "party", C2, required=True)]
    id_no: Annotated[IdNo | None, Of("身份证件号", "party", C2, note="持护照等证件者为空")]
    birth_date: Annotated[Date | None, Of("出生日期", "party", C2)]
    nationality: Annotated[Code | None, Of("国籍", "party", C1, codes="country")]


class Marriage(Record):
    """One act. An act is an event: it is never undone by being absent, and a re-issue is not a marriage (§3.3)."""

    op_type: Annotated[Code, Of("业务类型", "act", C1, codes="marriage_op", required=True)]
    op_date: Annotated[Date, Of("登记日期", "act", C2, required=True)]
    cert_no: Annotated[CertNo, Of("证字号", "act", C2, required=True)]
    dept_code: Annotated[Ident | None, Of("登记机关代码", "act", C1)]
    dept_name: Annotated[Text | None, Of("登记机关", "act", C1)]
    parties: list[Party]


DATASET = Dataset(
    name="marriage",
    title="婚姻登记",
    version=1,
    record=Marriage,
    record_key=(("cert_no", "op_type", "op_date"),),
    match_key=(("cert_no", "op_type", "op_date"),),
    subjects={"party": "parties.id_no"},
    indexes={"certificate": ("cert_no",)},
    kind="event",
    period_by="op_date",
)
