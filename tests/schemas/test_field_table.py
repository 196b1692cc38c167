"""The field table is complete, its code lists hold together, and what is generated from it is up to date."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import DATASETS, Canonical, Dataset, FieldSpec, Scalar, docs, flags
from schemas.cleaning import CLEANERS, Options, cleaner
from schemas.codes import NAMES, code_key, code_list, code_title

SPECS = [(dataset, spec) for dataset in DATASETS.values() for spec in dataset.fields.values()]
IDS = [f"{dataset.name}.{spec.path}" for dataset, spec in SPECS]


@pytest.mark.parametrize(("dataset", "spec"), SPECS, ids=IDS)
def test_every_field_is_described(dataset: Dataset, spec: FieldSpec) -> None:
    assert re.search("[一-龥]", spec.of.title)
    assert spec.of.group
    assert spec.kind in CLEANERS
    assert (spec.of.codes is not None) == (spec.kind == "code")
    assert (spec.of.unit is not None) >= (spec.kind.startswith(("area_", "money")))
    cleaner(spec.kind, Options(code_list=spec.of.codes))


@pytest.mark.parametrize(("dataset", "spec"), SPECS, ids=IDS)
def test_the_annotation_of_a_field_constrains_it(dataset: Dataset, spec: FieldSpec) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(spec.annotation)
    with pytest.raises(ValidationError):
        adapter.validate_python("")
    if spec.of.required:
        with pytest.raises(ValidationError):
            adapter.validate_python(None)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=list(DATASETS))
def test_keys_subjects_and_indexes_are_fields(dataset: Dataset) -> None:
    named = {f for alternative in (*dataset.record_key, *dataset.match_key) for f in alternative}
    named |= {*dataset.subjects.values(), *(f for fields in dataset.indexes.values() for f in fields)}
    named |= {dataset.period_by} - {"as_of"}
    assert named <= set(dataset.fields)
    assert {dataset.fields[path].kind for path in dataset.subjects.values()} == {"id_no"}
    assert len(dataset.record_key) > 1 or all(dataset.fields[path].of.required for path in dataset.record_key[0])


GRAIN: dict[str, tuple[Any, ...]] = {
    "household_member": ([["household_no", "id_no"]], [["id_no"]], {"person"}, "state", "as_of"),
    "marriage": (
        [["cert_no", "op_type", "op_date"]],
        [["cert_no", "op_type", "op_date"]],
        {"party"},
        "event",
        "op_date",
    ),
    "homestead": ([["unit_no", "cert_no"]], [["unit_no"], ["cert_no"]], {"holder"}, "state", "as_of"),
    "homestead_approval": ([["approval_no"]], [["parcel_code"]], {"applicant"}, "event", "approved_on"),
    "contracted_land": ([["contract_code"]], [["contract_code"]], {"contractor", "member"}, "state", "as_of"),
    "subsidy": (
        [["detail_id"], ["subsidy_type", "year", "payee_id_no"]],
        [["subsidy_type", "year", "payee_id_no"]],
        {"payee"},
        "event",
        "period",
    ),
    "payment": ([["detail_id"]], [["detail_id"]], {"payee"}, "event", "paid_on"),
    "agri_entity": (
        [["credit_code"], ["directory_no"]],
        [["credit_code"], ["directory_no"]],
        {"operator"},
        "state",
        "as_of",
    ),
    "assistance": ([["cert_no", "id_no"]], [["id_no", "kind"]], {"beneficiary"}, "state", "period"),
}
"""DESIGN §2a."""


def test_the_grain_is_that_of_the_design() -> None:
    assert {
        name: (list(map(list, d.record_key)), list(map(list, d.match_key)), set(d.subjects), d.kind, d.period_by)
        for name, d in DATASETS.items()
    } == GRAIN


def test_a_record_is_named_by_the_best_key_that_it_shows() -> None:
    subsidy, entity = DATASETS["subsidy"], DATASETS["agri_entity"]
    award: Canonical = {"detail_id": "MX1", "subsidy_type": "rice", "year": "2026", "payee_id_no": "360999198001010016"}
    assert subsidy.key_fields(award) == ("detail_id",)
    assert subsidy.key_fields({**award, "detail_id": None}) == ("subsidy_type", "year", "payee_id_no")
    assert subsidy.key_fields({**award, "detail_id": None, "year": None}) is None
    assert entity.key_fields({"credit_code": None, "directory_no": "D1"}) == ("directory_no",)
    assert entity.key_fields({"credit_code": None, "directory_no": None}) is None


@pytest.mark.parametrize(("dataset", "spec"), SPECS, ids=IDS)
def test_what_must_not_be_held_has_no_field(dataset: Dataset, spec: FieldSpec) -> None:
    """Telephone, ethnicity, faith, sentences, neighbours; an account but for its tail (china-facts §2.8, §3.7, §4)."""
    assert not re.search("电话|手机|民族|宗教|备注|四至|开户", spec.of.title)
    assert ("账号" in spec.of.title) == (spec.kind == "account_tail")


@st.composite
def a_record(draw: st.DrawFn) -> tuple[Dataset, Canonical]:
    dataset = draw(st.sampled_from(list(DATASETS.values())))
    value = st.one_of(st.none(), st.text(max_size=5))
    record: Canonical = {s.name: draw(value) for s in dataset.fields.values() if s.part is None}
    for part in dataset.parts:
        names = [s.name for s in dataset.fields.values() if s.part == part]
        record[part] = draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, value)), min_size=1, max_size=12))
    return dataset, record


@given(a_record())
def test_groups_come_together_again(case: tuple[Dataset, Canonical]) -> None:
    dataset, record = case
    groups = dataset.groups(record)
    assert dataset.assemble(groups) == record
    assert {name.partition("/")[0] for name in groups} == set(dataset.group_names)


def test_a_party_is_its_own_group() -> None:
    homestead = DATASETS["homestead"]
    holders: list[dict[str, Scalar]] = [{"name": n, "id_no": None, "share": None} for n in "甲乙"]
    record: Canonical = dict.fromkeys((s.name for s in homestead.fields.values() if s.part is None), "x")
    record["holders"] = holders
    groups = homestead.groups(record)
    assert [groups[f"holder/{i}"]["name"] for i in (0, 1)] == ["甲", "乙"]
    assert homestead.assemble({"holder/1": groups["holder/1"]}) == {"holders": [holders[1]]}


@pytest.mark.parametrize("name", NAMES)
def test_a_code_list_holds_together(name: str) -> None:
    found = code_list(name)
    assert found.name == name
    assert found.title
    assert found.source
    assert set(found.accepts.values()) <= set(found.codes)
    accepted = [*((c, c) for c in found.codes), *((t, c) for c, t in found.codes.items()), *found.accepts.items()]
    meanings: dict[str, set[str]] = {}
    for text, code in accepted:
        meanings.setdefault(code_key(text), set()).add(code)
    assert not {text: codes for text, codes in meanings.items() if len(codes) > 1}


def test_every_code_list_is_used_and_every_used_one_exists() -> None:
    assert set(NAMES) == {spec.of.codes for _, spec in SPECS if spec.of.codes}


def test_lists_say_what_the_standards_say() -> None:
    assert len(code_list("relation_to_head").codes) == 84
    assert code_title("relation_to_head", "02") == "户主"
    assert code_title("relation_to_head", "10") == "配偶"
    assert code_title("sex", "2") == "女性"
    assert code_title("marital", "30") == "丧偶"
    assert set(code_list("right_type").codes) == {"5", "6"}
    assert set(code_list("land_use").codes) == {"0702"}
    assert set(code_list("marriage_op").codes) == {"IA", "IB", "IC", "ICA", "ICB", "ID", "INR"}
    assert set(code_list("payment_status").codes) == {"pending", "paid", "failed"}
    assert code_title("sex", "7") == "7"


def test_generated_files_are_equal_to_the_field_table() -> None:
    assert docs.drifted() == []
    assert docs.main(["--check"]) == 0
    assert docs.main(["--help"]) == 2


def test_drift_is_noticed_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "_SCHEMAS", tmp_path / "jsonschema")
    monkeypatch.setattr(docs, "_DOCS", tmp_path)
    assert docs.main(["--check"]) == 1
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    (tmp_path / "jsonschema" / "marriage.json").write_text("{}")
    (tmp_path / "jsonschema" / "colour.json").write_text("{}")
    capsys.readouterr()
    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().err.split() == ["与字段表不一致：marriage.json", "与字段表不一致：colour.json"]


def test_json_schema_carries_the_field_table() -> None:
    schema = docs.json_schema(DATASETS["homestead"])
    assert schema["x-record-key"] == [["unit_no", "cert_no"]]
    area = schema["properties"]["land_area_m2"]
    assert (area["title"], area["x-unit"], area["x-sensitivity"], area["x-group"]) == (
        "使用权面积",
        "m²",
        "C2",
        "content",
    )
    status = schema["properties"]["right_status"]
    assert (status["x-codes"], status["enum"]) == ("right_status", ["0", "1", "2", "3"])
    assert schema["properties"]["seized"]["anyOf"][0]["enum"] == ["1", "0"]
    assert schema["$defs"]["Holder"]["properties"]["name"]["title"] == "权利人"
    assert json.loads(json.dumps(schema)) == schema


def test_schema_page_names_every_field_flag_and_reason() -> None:
    page = docs.markdown()
    for _, spec in SPECS:
        assert f"| `{spec.path}` | {spec.of.title} |" in page
    for code in (*flags.flags(), *flags.reasons()):
        assert f"| `{code}` | {flags.title(code)} |" in page


def test_flags_have_a_sentence_in_both_languages() -> None:
    for code, entry in (flags.flags() | flags.reasons()).items():
        assert set(entry) == {"zh", "en"}, code
        assert entry["zh"].endswith("。")
        assert entry["en"].endswith(".")
    assert not set(flags.flags()) & set(flags.reasons())
    later = [
        "KEY_MISSING",
        "MISSING",
        "MISALIGNED",
        "DUPLICATE_KEY",
        "DICT_MISMATCH",
        "HOLDER_ID_BLANK",
        "AREA_SUSPECT",
    ]
    assert all(flags.title(code) != code for code in later)
    assert flags.title("land_area_m2:ZERO_AREA", "en") == "An area of 0 stands for not entered; read as empty."
    assert flags.title("NO_SUCH") == "NO_SUCH"


def test_homestead_checks() -> None:
    record: Canonical = {"land_area_m2": "2000.01", "holders": [{"id_no": None}]}
    plain: Canonical = {"land_area_m2": "2000.00", "holders": [{"id_no": "360999198001010016"}]}
    checks = DATASETS["homestead"].checks
    assert [flag for check in checks for flag in check(record)] == ["AREA_SUSPECT", "HOLDER_ID_BLANK"]
    assert [flag for check in checks for flag in check(plain)] == []
    assert [flag for check in checks for flag in check({**plain, "land_area_m2": None})] == []
