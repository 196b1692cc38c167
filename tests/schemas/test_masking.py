"""What is shown by default, and what a log may hold (china-facts §4)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import DATASETS
from schemas.identifiers import id_check_char
from schemas.masking import mask, mask_kind, scrub


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("id_no", "36098119800101008X", "3609**********008X"),
        ("name", "张三", "张*"),
        ("name", "张三丰", "张**"),
        ("name", "欧阳建国", "欧**"),
        ("name", "阿不都·热合曼", "阿**"),
        ("name", "张", "*"),
        ("phone", "13800000000", "138****0000"),
        ("account_tail", "****1234", "****1234"),
        ("account_tail", "6217000012341234", "****1234"),
        ("address", "江西省丰城市袁渡镇某某村12组5号", "江西省丰城市袁渡镇某某村***"),
        ("address", "丰城市剑光街道东方红社区8栋", "丰城市剑光街道东方红社区***"),
        ("address", "某处", "***"),
        ("cert_no", "赣(2023)丰城市不动产权第0001234号", "赣(2023)丰城市不动产权第****234号"),
        ("cert_no", "丰集用(2010)第012号", "丰集用(2010)第***号"),
        ("cert_no", "J360981-2026-000123", "J360981-2026-***123"),
        ("unit_no", "360981102203JC00123F00010001", "360981102203************0001"),
        ("parcel_code", "360981102203JC00123", "360981102203*****23"),
        ("contract_code", "360981102203010001J", "360981102203*****1J"),
        ("contractor_code", "360981102203010001", "360981102203****01"),
        ("plot_code", "3609811022030100001", "360981102203*****01"),
        ("credit_code", "92360981MA0TEXT125", "92************T125"),
        ("document_no", "赣农字〔2023〕15号", "赣农字〔2023〕15号"),
        ("birth_date", "1980-01-01", "1980"),
        ("money", "1234.50", "1234.50"),
        ("date", "2023-07-01", "2023-07-01"),
        ("code", "1", "1"),
    ],
)
def test_masks(kind: str, value: str, shown: str) -> None:
    assert mask(kind, value) == shown


@pytest.mark.parametrize("kind", ["id_no", "phone", "unit_no", "parcel_code", "name"])
def test_too_short_a_value_shows_nothing_but_its_length(kind: str) -> None:
    assert set(mask(kind, "1")) == {"*"}


def test_addresses_and_births_are_told_apart_from_other_texts_and_dates() -> None:
    kinds = {f"{d.name}.{s.path}": mask_kind(s) for d in DATASETS.values() for s in d.fields.values()}
    assert {p for p, k in kinds.items() if k == "address"} == {
        "household_member.register_address",
        "homestead.location",
        "homestead_approval.location",
        "agri_entity.location",
    }
    assert {p for p, k in kinds.items() if k == "birth_date"} == {
        "household_member.birth_date",
        "marriage.parties.birth_date",
    }
    assert kinds["homestead.reg_office"] == "text"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("no 36099919900101007X!", "no <身份证号>!"),
        ("身份证36099919900101007x的人", "身份证<身份证号>的人"),
        ("360999 19900101 0061", "<身份证号>"),
        ("３６０９９９１９９００１０１００６１", "<身份证号>"),
        ("360999800101001", "<身份证号>"),
        ("123456789012345", "123456789012345"),
        ("360999139901001", "360999139901001"),
        ("card 6217000012345670123.", "card <账号>."),
        ("6217 0000 1234 5670 123", "<账号>"),
        ("tel 13800000000, 138-0000-0000", "tel <电话>, <电话>"),
        ("12800000000", "12800000000"),
        ("run 42 at 2026-03-02 12:00:00 took 12345 ms", "run 42 at 2026-03-02 12:00:00 took 12345 ms"),
    ],
)
def test_scrub(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@given(
    born=st.dates().filter(lambda d: d.year > 1899),
    number=st.integers(0, 999),
    before=st.text("abc甲 ,=:", max_size=5),
    after=st.text("abc甲 ,=:", max_size=5),
)
def test_no_number_survives_scrubbing(born: date, number: int, before: str, after: str) -> None:
    first17 = f"360999{born:%Y%m%d}{number:03}"
    identity = first17 + id_check_char(first17)
    out = scrub(f"{before}{identity}{after}")
    assert out == f"{before}<身份证号>{after}"
    assert mask("id_no", identity)[4:14] == "*" * 10
