"""户籍成员: a person in a register household (公安; china-facts §3.2)."""

from typing import Annotated

from schemas.fields import C1, C2, Code, Columns, Dataset, Date, Division, Ident, IdNo, Name, Of, Record, Sanity, Text


class HouseholdMember(Record):
    """One person in one register household. Ethnicity is not ingested (PIPL art. 6: minimum necessary)."""

    id_no: Annotated[IdNo, Of("公民身份号码", "subject", C2, required=True)]
    name: Annotated[Name, Of("姓名", "subject", C2, required=True)]
    former_name: Annotated[Name | None, Of("曾用名", "subject", C2)]
    sex: Annotated[Code | None, Of("性别", "subject", C2, codes="sex")]
    birth_date: Annotated[Date | None, Of("出生日期", "subject", C2)]
    household_no: Annotated[Ident, Of("户号", "household", C2, required=True, note="只在一个派出所内唯一")]
    station_code: Annotated[Ident | None, Of("派出所代码", "household", C1)]
    relation_to_head: Annotated[Code | None, Of("与户主关系", "household", C2, codes="relation_to_head")]
    register_address: Annotated[Text | None, Of("户籍地址", "household", C2)]
    register_division: Annotated[Division | None, Of("户籍地区划", "household", C1)]
    register_kind: Annotated[Code | None, Of("户口性质", "household", C1, codes="register_kind")]
    head_id_no: Annotated[IdNo | None, Of("户主身份证号", "head", C2)]
    head_name: Annotated[Name | None, Of("户主姓名", "head", C2)]
    marital_self_reported: Annotated[
        Code | None, Of("婚姻状况(自报)", "marital", C2, codes="marital", note="自报，不得优先于民政登记")
    ]
    moved_in_on: Annotated[Date | None, Of("迁入日期", "events", C1)]
    moved_out_on: Annotated[Date | None, Of("迁出日期", "events", C1)]
    died_on: Annotated[Date | None, Of("死亡日期", "events", C2)]
    cancelled_on: Annotated[Date | None, Of("注销日期", "events", C1)]


def heads_are_heads(columns: Columns) -> tuple[int, int]:
    """The head is who is named as head; where nobody is named, nobody is 本人: a source that says so means its heads (§2.8)."""
    told = broken = 0
    for relation, person, head in zip(
        columns("relation_to_head"), columns("id_no"), columns("head_id_no"), strict=True
    ):
        if head is None:
            told += relation in {"01", "02"}
            broken += relation == "01"
        elif relation == "02" or person == head:
            told += 1
            broken += (relation == "02") != (person == head)
    return told, broken


def sexes_are_those_of_the_numbers(columns: Columns) -> tuple[int, int]:
    """The seventeenth digit of an ID number is odd for men and even for women (GB 11643)."""
    told = broken = 0
    for sex, person in zip(columns("sex"), columns("id_no"), strict=True):
        if sex in {"1", "2"}:
            told += 1
            broken += (int(str(person)[16]) % 2 == 1) != (sex == "1")
    return told, broken


DATASET = Dataset(
    name="household_member",
    title="户籍成员",
    version=1,
    record=HouseholdMember,
    record_key=(("household_no", "id_no"),),
    match_key=(("id_no",),),
    subjects={"person": "id_no"},
    indexes={"household": ("station_code", "household_no")},
    kind="state",
    period_by="as_of",
    sanities=(
        Sanity("relation_to_head", heads_are_heads),
        Sanity("sex", sexes_are_those_of_the_numbers),
    ),
)
