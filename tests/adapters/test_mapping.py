"""From raw items to records: the fast and the slow path agree, every fault has its name, nothing is lost."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import DeletedRule, FieldRule, IgnoreRule, MappingError, Translator, mapping_faults, moment
from adapters.kit.rules import columns_read
from schemas import DATASETS

HOMESTEAD = DATASETS["homestead"]
RULES: dict[str, FieldRule | str] = {
    "unit_no": "BDCDYH",
    "cert_no": "BDCQZH",
    "right_type": FieldRule(from_="QLLX", codes={"5": "5", "8001606": "5"}),
    "right_status": "QSZT",
    "reg_date": "DJSJ",
    "land_area_m2": FieldRule(from_="SYQMJ", unit="m²"),
    "holders.name": FieldRule(from_="QLRMC", split=","),
    "holders.id_no": FieldRule(from_="ZJH", split=","),
}
ITEM = {
    "BDCDYH": "360981102203JC00123F00010001",
    "BDCQZH": "赣(2023)丰城市不动产权第0001234号",
    "QLLX": "5",
    "QSZT": "1",
    "DJSJ": "2023-07-01",
    "SYQMJ": "120.00",
    "QLRMC": "张三",
    "ZJH": "360999198001010016",
    "GXSJ": "2026-03-01 10:00:00",
}
TODAY = date(2026, 3, 2)


def translator(**ignore: IgnoreRule) -> Translator:
    return Translator(HOMESTEAD, RULES, source_time="GXSJ", ignore=ignore, today=TODAY)


def test_values_that_came_as_lists_are_in_step_like_joined_ones() -> None:
    ids = ["360999198001010016", "360999198201020016"]
    listed = {**ITEM, "QLRMC": ["张三", "李四"], "ZJH": ids}
    joined = {**ITEM, "QLRMC": "张三,李四", "ZJH": ",".join(ids)}
    one, other = (translator().translate([item]) for item in (listed, joined))
    assert [holder["name"] for holder in one.records[0]["holders"]] == ["张三", "李四"]
    assert (one.records, one.rejected) == (other.records, other.rejected)
    uneven = translator().translate([{**ITEM, "QLRMC": ["张三", "李四"], "ZJH": ids[:1]}])
    assert [rejected.reason for rejected in uneven.rejected] == ["MISALIGNED"]


def test_a_plain_item_becomes_a_whole_record() -> None:
    t = translator().translate([ITEM])
    (record,) = t.records
    assert set(record) == {*HOMESTEAD.record.model_fields}
    assert record["holders"] == [{"name": "张三", "id_no": "360999198001010016", "share": None}]
    assert record["parcel_code"] is None
    assert t.flags == [()]
    assert t.times == [t.newest] == ["2026-03-01T10:00:00"]
    HOMESTEAD.record.model_validate(record)


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"BDCDYH": ""}, "KEY_MISSING", "unit_no"),
        ({"BDCDYH": "3609811022"}, "UNIT_NO_FORM", "unit_no"),
        ({"DJSJ": ""}, "MISSING", "reg_date"),
        ({"DJSJ": "2021-13-45"}, "BAD_DATE", "reg_date"),
        ({"QSZT": "77"}, "CODE_UNKNOWN", "right_status"),
        ({"QLRMC": "张三,李四", "ZJH": "360999198001010016,360999198203150025,1"}, "MISALIGNED", "holders"),
        ({"ZJH": "360999198001010017"}, "ID_CHECKSUM", "holders.id_no"),
        ({"QLRMC": "", "ZJH": ""}, "MISSING", "holders.name"),
        ({"BDCQZH": "", "QSZT": "77"}, "KEY_MISSING", "cert_no"),
    ],
)
def test_one_fault_is_named_and_the_others_carry_on(change: dict[str, str], reason: str, field: str) -> None:
    t = translator().translate([ITEM, {**ITEM, **change}, ITEM])
    assert [(r.position, r.reason, r.field) for r in t.rejected] == [(1, reason, field)]
    assert t.positions == [0, 2]
    assert len(t.partial) == 1


def test_repairs_are_flagged_by_field() -> None:
    t = translator().translate([{**ITEM, "SYQMJ": "0.18亩", "ZJH": "３６０９９９１９８００１０１００１６"}])
    assert t.records[0]["land_area_m2"] == "120.00"
    assert set(t.flags[0]) >= {"land_area_m2:UNIT_CONVERTED", "holders.id_no:FULLWIDTH"}


def test_co_owners_stay_aligned_and_a_blank_number_is_accepted() -> None:
    item = {**ITEM, "QLRMC": "张三，李四", "ZJH": "360999198001010016,"}
    t = translator().translate([item, {**item, "ZJH": ""}])
    assert [h["id_no"] for h in t.records[0]["holders"]] == ["360999198001010016", None]
    assert [h["id_no"] for h in t.records[1]["holders"]] == [None, None]
    assert all("HOLDER_ID_BLANK" in flags for flags in t.flags)


def test_items_that_are_none_of_our_business_are_counted_by_their_rule() -> None:
    rule = IgnoreRule(from_="QLLX", unless=("5", "6", "8001606"))
    t = translator(NOT_HOMESTEAD=rule).translate([ITEM, {**ITEM, "QLLX": "4"}, {**ITEM, "QLLX": " 8001606 "}])
    assert t.ignored == {"NOT_HOMESTEAD": [1]}
    assert t.positions == [0, 2]


@pytest.mark.parametrize("first", ["合计", " 合 计 ", "合计：3 户"])
def test_a_rule_may_look_at_the_first_cell_wherever_it_stands(first: str) -> None:
    rule = IgnoreRule(from_="@first", starts=("合计",))
    blank = dict.fromkeys(ITEM, "")
    t = translator(TOTAL=rule).translate([ITEM, {"@sheet": "村一", **blank, "DJSJ": first, "SYQMJ": "合计"}, ITEM])
    assert t.ignored == {"TOTAL": [1]}
    assert not rule.matches({**ITEM, "QLRMC": "合计"})
    assert not rule.matches(blank)


def test_a_row_that_could_not_be_laid_out_is_rejected_whatever_it_seems_to_say() -> None:
    """Its cells may stand under other columns, so that even a whole record is none."""
    t = translator().translate([{**ITEM, "@fault": "ROW_SHORT:ZJH"}, {**ITEM, "@fault": "ROW_LONG"}, ITEM])
    assert [(r.position, r.reason, r.field) for r in t.rejected] == [
        (0, "ROW_SHORT", "holders.id_no"),
        (1, "ROW_LONG", None),
    ]
    assert t.positions == [2]
    assert t.partial[0]["unit_no"] == ITEM["BDCDYH"]


WITHDRAWN = DeletedRule(from_="SCBZ", equals=("1",))


def withdrawing() -> Translator:
    return Translator(HOMESTEAD, RULES, source_time="GXSJ", deleted=WITHDRAWN, today=TODAY)


def test_a_withdrawn_record_is_told_by_its_key_alone() -> None:
    gone = {"BDCDYH": ITEM["BDCDYH"], "BDCQZH": ITEM["BDCQZH"], "SCBZ": 1, "GXSJ": ITEM["GXSJ"], "DJSJ": "无"}
    t = withdrawing().translate([{**ITEM, "SCBZ": "0"}, gone, {**ITEM, "SCBZ": None}])
    assert (t.positions, t.rejected) == ([0, 2], [])
    (deleted,) = t.deleted
    assert (deleted.position, deleted.time) == (1, "2026-03-01T10:00:00")
    assert deleted.key == {"unit_no": ITEM["BDCDYH"], "cert_no": ITEM["BDCQZH"]}
    assert t.records[0]["unit_no"] == deleted.key["unit_no"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"BDCDYH": ""}, "KEY_MISSING"), ({"BDCDYH": "36"}, "UNIT_NO_FORM"), ({"@fault": "ROW_LONG"}, "ROW_LONG")],
)
def test_nothing_is_withdrawn_without_a_key(change: dict[str, str], reason: str) -> None:
    t = withdrawing().translate([{**ITEM, "SCBZ": "1", **change}])
    assert (t.deleted, [r.reason for r in t.rejected], len(t.partial)) == ([], [reason], 1)


def test_what_is_ignored_withdraws_nothing() -> None:
    ignore = {"OTHER": IgnoreRule(from_="QLLX", equals=("4",))}
    t = Translator(HOMESTEAD, RULES, ignore=ignore, deleted=WITHDRAWN, today=TODAY).translate(
        [{**ITEM, "SCBZ": "1", "QLLX": "4"}]
    )
    assert (t.deleted, t.ignored) == ([], {"OTHER": [0]})


def test_the_rule_that_deletes_is_part_of_the_version() -> None:
    assert withdrawing().version != translator().version
    with pytest.raises(ValueError, match="equals"):
        DeletedRule(from_="SCBZ", equals=())


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({**RULES, "colour": "X"}, "没有这个字段"),
        ({k: v for k, v in RULES.items() if k != "cert_no"}, "没有映射规则"),
        ({**RULES, "land_area_m2": FieldRule(from_="SYQMJ", unit="斤")}, "可用的有"),
        ({**RULES, "right_status": FieldRule(from_="A", const="1")}, "之一"),
    ],
)
def test_impossible_rules_are_refused_in_one_sentence(rules: dict[str, FieldRule | str], sentence: str) -> None:
    with pytest.raises(MappingError, match=sentence):
        Translator(HOMESTEAD, rules, today=TODAY)


ENTITY_RULES: dict[str, FieldRule | str] = {
    "credit_code": "XYDM",
    "directory_no": "MLBH",
    "entity_type": "ZTLX",
    "name": "ZTMC",
    "status": "ZT",
}
ENTITY = {"XYDM": "92360981MA0TEXT125", "MLBH": "JTNC0001", "ZTLX": "家庭农场", "ZTMC": "张三家庭农场", "ZT": "正常"}


def test_a_row_is_rejected_only_if_no_alternative_of_its_key_is_there() -> None:
    entities = Translator(DATASETS["agri_entity"], ENTITY_RULES, today=TODAY)
    codeless, nameless = {**ENTITY, "XYDM": None}, {**ENTITY, "XYDM": None, "MLBH": None}
    t = entities.translate([ENTITY, codeless, nameless, {**nameless, "XYDM": "无", "ZT": " 正常"}])
    assert t.positions == [0, 1]
    assert [(r.position, r.reason, r.field) for r in t.rejected] == [(2, "KEY_MISSING", None), (3, "KEY_MISSING", None)]
    assert [p["name"] for p in t.partial] == ["张三家庭农场"] * 2
    keyless = {path: rule for path, rule in ENTITY_RULES.items() if path not in {"credit_code", "directory_no"}}
    with pytest.raises(MappingError, match="credit_code / directory_no"):
        Translator(DATASETS["agri_entity"], keyless, today=TODAY)


LAND_RULES: dict[str, FieldRule | str] = {
    "contract_code": "CBHTBM",
    "contractor_type": "CBFLX",
    "contractor_name": "CBFMC",
    "plots.code": FieldRule(from_="DKBM", each="CBDKXX"),
    "plots.area_m2": FieldRule(from_="HTMJ", each="CBDKXX"),
    "plots.by_share": FieldRule(from_="SFQQQG", each="CBDKXX", codes={"1": "1", "2": "0"}),
    "plots.way": FieldRule(const="110"),
    "members.name": FieldRule(from_="CYXM", each="CBF_JTCY"),
    "members.id_no": FieldRule(from_="CYZJHM", each="CBF_JTCY"),
}
PLOTS = [
    {"DKBM": "3609811022030100001", "HTMJ": "1200.00", "SFQQQG": "2", "DKDZ": "水圳"},
    {"DKBM": "3609811022030100002", "HTMJ": None, "SFQQQG": "1"},
]
LAND = {
    "CBHTBM": "360981102203010001J",
    "CBFLX": "1",
    "CBFMC": "张三",
    "CBDKXX": PLOTS,
    "CBF_JTCY": [{"CYXM": "张三", "CYZJHM": "360999198001010016"}],
}


def land(rules: dict[str, FieldRule | str] = LAND_RULES) -> Translator:
    return Translator(DATASETS["contracted_land"], rules, today=TODAY)


def test_rows_inside_a_row_become_the_elements_of_a_part() -> None:
    bare = {**LAND, "CBHTBM": "360981102203010002J", "CBDKXX": [], "CBF_JTCY": None}
    t = land().translate([LAND, bare, {**LAND, "CBDKXX": PLOTS[1:]}])
    first, second, third = t.records
    assert [(p["code"], p["area_m2"], p["by_share"], p["way"], p["name"]) for p in first["plots"]] == [
        ("3609811022030100001", "1200.00", "0", "110", None),
        ("3609811022030100002", None, "1", "110", None),
    ]
    assert [m["id_no"] for m in first["members"]] == ["360999198001010016"]
    assert (second["plots"], second["members"]) == ([], [])
    assert [p["code"] for p in third["plots"]] == ["3609811022030100002"]
    DATASETS["contracted_land"].record.model_validate(first)


@pytest.mark.parametrize("column", [PLOTS, json.dumps(PLOTS), json.dumps(PLOTS, ensure_ascii=False)])
def test_rows_inside_a_row_may_come_as_text(column: object) -> None:
    assert land().translate([{**LAND, "CBDKXX": column}]).records == land().translate([LAND]).records
    one = land().translate([{**LAND, "CBDKXX": PLOTS[0]}]).records
    assert one == land().translate([{**LAND, "CBDKXX": PLOTS[:1]}]).records
    assert land().translate([{**LAND, "CBDKXX": " "}]).records[0]["plots"] == []


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"CBDKXX": [PLOTS[0], {**PLOTS[1], "DKBM": "36098110220301"}]}, "LAND_CODE_FORM", "plots.code"),
        ({"CBDKXX": [{**PLOTS[0], "DKBM": None}]}, "MISSING", "plots.code"),
        ({"CBF_JTCY": [{"CYXM": "张三", "CYZJHM": "360999198001010017"}]}, "ID_CHECKSUM", "members.id_no"),
        ({"CBDKXX": "两块"}, "LIST_FORM", "plots"),
        ({"CBDKXX": ["3609811022030100001"]}, "LIST_FORM", "plots"),
        ({"CBDKXX": 2}, "LIST_FORM", "plots"),
    ],
)
def test_a_fault_inside_a_row_is_named_and_others_carry_on(change: dict[str, object], reason: str, field: str) -> None:
    t = land().translate([LAND, {**LAND, **change}, LAND])
    assert [(r.position, r.reason, r.field) for r in t.rejected] == [(1, reason, field)]
    assert t.positions == [0, 2]
    assert t.records[0] == t.records[1] == land().translate([LAND]).records[0]


def test_a_repair_inside_a_row_is_flagged_and_keeps_its_place() -> None:
    odd = {**LAND, "CBDKXX": [{**PLOTS[0], "HTMJ": "1.8亩"}, PLOTS[1]]}
    t = land().translate([odd, LAND])
    assert [plot["area_m2"] for plot in t.records[0]["plots"]] == ["1200.00", None]
    assert t.records[0] == t.records[1]
    assert "plots.area_m2:UNIT_CONVERTED" in t.flags[0]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({**LAND_RULES, "plots.area_m2": FieldRule(from_="HTMJ", each="DK")}, "同一列"),
        ({**LAND_RULES, "plots.area_m2": "HTMJ"}, "同一列"),
        ({**LAND_RULES, "area_m2": FieldRule(from_="HTZMJ", each="CBDKXX")}, "成组"),
        ({**LAND_RULES, "plots.0.area_m2": FieldRule(from_="HTMJ", each="CBDKXX")}, "成组"),
    ],
)
def test_lists_are_named_alike_throughout_a_part(rules: dict[str, FieldRule | str], sentence: str) -> None:
    with pytest.raises(MappingError, match=sentence):
        land(rules)


def test_the_version_names_rules_and_nothing_else() -> None:
    assert translator().version == translator().version
    changed = {**RULES, "land_area_m2": FieldRule(from_="SYQMJ", unit="亩")}
    assert Translator(HOMESTEAD, changed, source_time="GXSJ", today=TODAY).version != translator().version


DIRTY = st.sampled_from(
    [
        "",
        "无",
        " 张 三 ",
        "120㎡",
        "0.18亩",
        "２０２３年７月１日",
        "360999198001010016",
        "36099919800101001Ｘ",
        "5",
        "x" * 500,
    ]
)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(ITEM, DIRTY | st.none() | st.integers())), max_size=8))
def test_every_item_is_accounted_for_and_every_record_fits_its_schema(items: list[dict[str, object]]) -> None:
    t = translator(OTHER=IgnoreRule(from_="QLLX", unless=("5", ""))).translate(items)
    ignored = [i for positions in t.ignored.values() for i in positions]
    assert sorted([*t.positions, *(r.position for r in t.rejected), *ignored]) == list(range(len(items)))
    for record in t.records:
        HOMESTEAD.record.model_validate(record)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(ITEM, DIRTY)), min_size=1, max_size=6))
def test_a_row_comes_out_the_same_alone_and_in_company(items: list[dict[str, str]]) -> None:
    together = translator().translate(items)
    alone = [r for item in items for r in translator().translate([item]).records]
    assert together.records == alone


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("2026-03-01 10:00:00", "2026-03-01T10:00:00"),
        ("2026-03-01T10:00:00.0", "2026-03-01T10:00:00"),
        ("20260301100000", "2026-03-01T10:00:00"),
        ("2026-03-01", "2026-03-01T00:00:00"),
        (1772330400000, "2026-03-01T10:00:00"),
        ("无", None),
        (None, None),
    ],
)
def test_source_times(raw: object, iso: str | None) -> None:
    assert moment(raw) == iso


def test_a_page_of_which_nothing_is_left_is_empty_columns() -> None:
    t = translator(ALL=IgnoreRule(from_="QLLX", equals=("5",))).translate([ITEM])
    assert (t.records, list(t.column("unit_no")), t.ignored) == ([], [], {"ALL": [0]})


JOINED = {**RULES, "location": FieldRule(join=("XZ", "CUN", "ZU"), between="·")}


def test_columns_are_joined_and_blank_ones_left_out() -> None:
    rows = [
        {**ITEM, "XZ": "白土镇", "CUN": " 坪上村 ", "ZU": "三组"},
        {**ITEM, "XZ": "白土镇", "CUN": None, "ZU": ""},
        ITEM,
    ]
    t = Translator(HOMESTEAD, JOINED, today=TODAY).translate(rows)
    assert t.column("location") == ["白土镇·坪上村·三组", "白土镇", None]
    assert Translator(HOMESTEAD, JOINED, today=TODAY).version != Translator(HOMESTEAD, RULES, today=TODAY).version


@pytest.mark.parametrize("more", [{"from_": "ZL"}, {"const": "某镇"}])
def test_a_value_comes_from_one_place(more: dict[str, str]) -> None:
    with pytest.raises(MappingError, match="之一"):
        Translator(HOMESTEAD, {**RULES, "location": FieldRule(join=("XZ",), **more)}, today=TODAY)


def test_every_fault_of_a_mapping_is_told_once() -> None:
    rules = {path: rule for path, rule in RULES.items() if path != "cert_no"}
    wrong = {**rules, "cert_nr": "BDCQZH", "colour": "X", "land_area_m2": FieldRule(from_="SYQMJ", unit="斤")}
    assert [fault.path for fault in mapping_faults(HOMESTEAD, wrong)] == ["cert_nr", "colour", "land_area_m2"]
    assert [fault.path for fault in mapping_faults(HOMESTEAD, rules)] == ["cert_no"]
    apart = {
        **RULES,
        "holders.id_no": FieldRule(from_="ZJH", each="GYR"),
        "holders.name": FieldRule(from_="XM", each="QLR"),
    }
    assert [fault.sentence for fault in mapping_faults(HOMESTEAD, apart)] == ["同一组字段的 each 要写同一列"]
    assert list(mapping_faults(HOMESTEAD, RULES)) == []


def test_the_columns_that_rules_look_at() -> None:
    rules = [
        "A",
        FieldRule(from_="B"),
        FieldRule(from_="c", each="C"),
        FieldRule(join=("D", "E")),
        FieldRule(const="x"),
        None,
    ]
    assert columns_read([*rules, IgnoreRule(from_="F"), DeletedRule(from_="G", equals=("1",))]) == set("ABCDEFG")
