"""Dirt: every kind of china-facts §3.10 occurs, alone in its row, with the truth the table prints."""

import re
from pathlib import Path
from random import Random

import pytest

import mock_agencies
from mock_agencies.spoilers import EVERY, SPOILERS
from mock_agencies.world import COLUMNS, DATASETS, World


@pytest.fixture(scope="module")
def world() -> World:
    return World(300, seed=5, dirt=0.3)


@pytest.fixture(scope="module")
def large() -> World:
    """Large enough for every kind, also of those that only short lists can show."""
    return World(600, seed=5, dirt=0.5)


def all_items(world):
    return [(name, item) for name in DATASETS for item in world.items(name)]


def test_every_kind_occurs(large):
    seen = {kind for _, item in all_items(large) for kind in item.dirt}
    assert seen == set(SPOILERS) | {"AREA_COMPOSITE", "MISALIGNED", "DUPLICATE", "DUPLICATE_KEY"}


def test_every_reason_of_the_readme_occurs(large):
    text = (Path(mock_agencies.__file__).parent / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"quarantine with the field's code:\n(.*)\n", text)[1]
    reasons = {item.reason for _, item in all_items(large) if item.verdict == "quarantine"}
    assert reasons == set(re.findall(r"`([A-Z_]+)`", listed))


def test_a_row_has_one_spot_of_dirt_and_the_rate_holds(world):
    for name in ("household_member", "payment", "homestead", "contracted_land", "subsidy"):
        items = [i for i in world.items(name) if i.verdict != "ignore"]
        assert max(len(item.dirt) for item in items) == 1
        assert 0.25 < sum(map(bool, (i.dirt for i in items))) / len(items) < 0.36


def test_dirt_stands_in_mapped_columns_only_and_times_are_clean(world):
    clean = World(300, seed=5, dirt=0)
    for name in ("household_member", "homestead", "marriage", "homestead_approval", "contracted_land"):
        mapped = {column.within or column.name for column in COLUMNS[name]} | {"GXSJ", "update_time"}
        pure = {item.key: item.raw for item in clean.items(name)}
        for item in world.items(name):
            spoilt = {column for column, value in item.raw.items() if value != pure[item.key][column]}
            assert spoilt <= mapped
            assert item.updated == item.raw.get("GXSJ", item.raw.get("update_time"))
            assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", item.updated)


def test_absence_is_judged_by_need(world):
    needs = {"key": "KEY_MISSING", "required": "MISSING"}
    seen = set()
    for name, item in all_items(world):
        column = next((c for c in COLUMNS[name] if c.leaf == item.field), None)
        if item.reason in needs.values() and item.field:
            assert item.reason == needs[column.need]
            seen.add(item.reason)
    assert seen == set(needs.values())


PAIRED = (
    "household_member",
    "homestead",
    "marriage",
    "homestead_approval",
    "contracted_land",
    "subsidy",
    "agri_entity",
)


def test_repetitions_stand_in_pairs_at_the_head(world):
    for name in PAIRED:
        items = world.items(name)
        twins = [i for i, item in enumerate(items) if item.ordinal]
        assert twins == list(range(1, 2 * len(twins), 2))
        for at in twins:
            first, second = items[at - 1], items[at]
            assert (first.key, first.updated, first.verdict) == (second.key, second.updated, "accept")
            assert (first.raw == second.raw) == (second.verdict == "duplicate")
            assert second.reason == (None if second.verdict == "duplicate" else "DUPLICATE_KEY")


def test_repetitions_never_change():
    world = World(60, seed=5, dirt=0.5)
    before = {name: [i for i in world.items(name) if "DUPLICATE" in "".join(i.dirt)] for name in PAIRED}
    world.advance(30)
    for name in PAIRED:
        assert before[name]
        assert world.items(name)[: len(before[name])] == before[name]


TABLE = [
    ("FULLWIDTH", "36098119800101008X", {"３６０９８１１９８００１０１００８Ｘ"}, "36098119800101008X"),
    ("ID_LOWER_X", "36098119800101008X", {"36098119800101008x"}, "36098119800101008X"),
    ("ID_QUOTED", "36098119800101008X", {"'36098119800101008X"}, "36098119800101008X"),
    ("ID_TAB", "36098119800101008X", {"36098119800101008X\t"}, "36098119800101008X"),
    ("ID_SPACED", "36098119800101008X", {"360981 19800101 008X"}, "36098119800101008X"),
    ("ID_15", "362202197512310037", {"362202751231003"}, "362202197512310037"),
    ("ID_SCIENTIFIC", "36098119800101008X", {"3.60981E+17"}, None),
    ("ID_MASKED", "36098119800101008X", {"3609********008X", "360981********008X"}, None),
    ("ID_ZEROED", "360981198001010012", {"360981198001010000"}, None),
    ("ID_CYRILLIC_X", "36098119800101008X", {f"36098119800101008{x}" for x in "Хх×ⅩΧ"}, "36098119800101008X"),
    ("NAME_SPACED", "张三", {"张 三"}, "张三"),
    ("NAME_WIDE_SPACE", "张三", {"张　三"}, "张三"),
    ("NAME_SUFFIX", "张三", {"张三(户主)", "张三（已故）", "张三 等"}, "张三"),
    ("NAME_DOT", "阿不都·热合曼", {f"阿不都{dot}热合曼" for dot in "•．・.‧"}, "阿不都·热合曼"),
    ("NAME_MOJIBAKE", "张", {"å¼\xa0"}, "张"),
    ("DATE_CHINESE", "2023-07-01", {"2023年7月1日"}, "2023-07-01"),
    ("DATE_SLASH", "2023-07-01", {"2023/7/1"}, "2023-07-01"),
    ("DATE_DOT", "2023-07-01", {"2023.7.1"}, "2023-07-01"),
    ("DATE_COMPACT", "2023-07-01", {"20230701"}, "2023-07-01"),
    ("DATE_CLOCK", "2023-07-01", {"2023-07-01 00:00:00"}, "2023-07-01"),
    ("DATE_CLOCK_FRACTION", "2023-07-01", {"2023-07-01 00:00:00.0"}, "2023-07-01"),
    ("DATE_ISO_ZONE", "2023-07-01", {"2023-07-01T00:00:00.000+0800"}, "2023-07-01"),
    ("DATE_COMPACT_CLOCK", "2023-07-01", {"20230701000000"}, "2023-07-01"),
    ("DATE_EXCEL", "2023-07-01", {45108}, "2023-07-01"),
    ("DATE_EPOCH_MS", "2023-07-01", {1688140800000}, "2023-07-01"),
    ("DATE_NUMERALS", "2023-07-01", {"二〇二三年七月一日"}, "2023-07-01"),
    ("DATE_NUMERALS", "2023-11-20", {"二〇二三年十一月二十日"}, "2023-11-20"),
    ("DATE_WIDE_CHINESE", "2023-07-01", {"２０２３年０７月０１日"}, "2023-07-01"),
    ("DATE_PARTIAL", "2023-07-01", {"2023年7月", "202307", "2023-07"}, "2023-07"),
    ("DATE_OPEN", "open", {"长期", "永久", "9999-12-31", "99991231", "2999-12-31"}, "open"),
    ("AREA_UNIT", "120.00", {"120.00平方米", "120.00㎡", "120.00m2", "120.00 M²"}, "120.00"),
    ("AREA_MU", "120.00", {"0.18亩"}, "120.00"),
    ("AREA_FEN", "120.00", {"1.8分"}, "120.00"),
    ("AREA_ZERO", "120.00", {"0.00"}, None),
    ("MU_UNIT", "3.50", {"3.50亩"}, "3.50"),
    ("MU_METRES", "3.50", {"2333.33平方米"}, "3.50"),
    ("MU_CONTRADICTS", "3.50", {"4.00"}, "4.00"),
    ("MU_ZERO", "3.50", {"0.00"}, None),
    ("WAN_UNIT", "125000.00", {"12.5万元"}, "125000.00"),
    ("WAN_YUAN", "125000.00", {"125000.00元"}, "125000.00"),
    ("QUANTITY_COMMA", "1200.00", {"1,200.00"}, "1200.00"),
    ("QUANTITY_UNIT", "1200.00", {"1200头"}, "1200.00"),
    ("QUANTITY_WAN", "1200.00", {"0.12万"}, "1200.00"),
    ("AHEAD_CHINESE", "2028-01-01", {"2028年1月1日"}, "2028-01-01"),
    ("LAND_CODE_SPACED", "36098110220301", {"360981 102203 01"}, "36098110220301"),
    ("LAND_CODE_SHORT", "3609811022030100001", {"36098110220301000"}, None),
    ("CONTRACT_LOWER", "360981102203010001J", {"360981102203010001j"}, "360981102203010001J"),
    ("CREDIT_LOWER", "92360981MA0TEXT125", {"92360981ma0text125"}, "92360981MA0TEXT125"),
    ("CREDIT_SPACED", "92360981MA0TEXT125", {"92360981 MA0TEXT12 5"}, "92360981MA0TEXT125"),
    ("CREDIT_CONFUSED", "92360981MA0TEXT125", {"9236O981MA0TEXT125"}, "92360981MA0TEXT125"),
    ("CREDIT_CHECKSUM", "92360981MA0TEXT125", {"92360981MA0TEXT121"}, None),
    ("DOCUMENT_BRACKETS", "赣农字〔2023〕15号", {"赣农字（2023）15号"}, "赣农字〔2023〕15号"),
    ("DOCUMENT_SERIAL", "赣农字〔2023〕15号", {"赣农字〔2023〕第015号"}, "赣农字〔2023〕15号"),
    ("DOCUMENT_TITLE", "赣农字〔2023〕15号", {"关于下达补助资金的通知（赣农字〔2023〕15号）"}, "赣农字〔2023〕15号"),
    ("MONEY_COMMA", "1234.50", {"1,234.50"}, "1234.50"),
    ("MONEY_SIGN", "1234.50", {"￥1234.5"}, "1234.50"),
    ("MONEY_YUAN", "1234.50", {"1234.5元"}, "1234.50"),
    ("MONEY_WAN", "1200.00", {"0.12万元"}, "1200.00"),
    ("MONEY_PARENTHESES", "100.00", {"(100.00)"}, "-100.00"),
    (
        "CERT_TORTOISE",
        "赣(2023)丰城市不动产权第0001234号",
        {"赣〔2023〕丰城市不动产权第0001234号"},
        "赣(2023)丰城市不动产权第0001234号",
    ),
]


@pytest.mark.parametrize(
    ("kind", "true", "raws", "canonical"), TABLE, ids=[f"{row[0]}-{i}" for i, row in enumerate(TABLE)]
)
def test_forms_are_those_the_table_prints(kind, true, raws, canonical):
    _, spoiler = SPOILERS[kind]
    given = [spoiler(true, Random(seed)) for seed in range(60)]
    assert {spoilt.raw for spoilt in given} == raws
    assert {spoilt.canonical for spoilt in given} == {canonical}


def test_mu_and_fen_together_are_converted():
    _, spoiler = SPOILERS["AREA_MU_FEN"]
    assert {s.raw: s.canonical for s in (spoiler("100.00", Random(n)) for n in range(60))}["1亩8分"] == "1200.00"


def test_composite_areas_fill_both_columns():
    composite = [i for i in World(300, seed=5, dirt=0.9).items("homestead") if i.dirt == ["AREA_COMPOSITE"]]
    entered = set()
    for item in composite:
        assert item.raw["SYQMJ"] == item.raw["JZMJ"]
        land, building = re.fullmatch(r"宗地面积([\d.]+)㎡/房屋建筑面积([\d.]+)㎡", item.raw["SYQMJ"]).groups()
        assert item.canonical["land_area_m2"] == (None if land == "0.00" else land)
        assert item.canonical["building_area_m2"] == building
        entered.add(land != "0.00")
    assert entered == {True, False}


def test_misaligned_rows_have_names_and_numbers_that_do_not_pair(world):
    rows = [i for i in world.items("homestead") if i.dirt == ["MISALIGNED"]]
    assert rows
    for item in rows:
        assert len(item.raw["QLRMC"].split(",")) != len(item.raw["ZJH"].split(","))
        assert (item.reason, item.field) == ("MISALIGNED", "holders")


@pytest.mark.parametrize("kind", ["ID_CHECKSUM", "ID_BIRTHDATE", "ID_SHORT", "ID_LETTER"])
def test_broken_numbers_are_broken_in_one_way(kind):
    _, spoiler = SPOILERS[kind]
    raw = spoiler("360999198001010016", Random(1)).raw
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    wellformed = re.fullmatch(r"\d{17}[\dX]", raw) is not None
    assert wellformed == (kind in {"ID_CHECKSUM", "ID_BIRTHDATE"})
    if wellformed:
        sound = "10X98765432"[sum(int(d) * w for d, w in zip(raw, weights, strict=False)) % 11] == raw[17]
        assert sound == (kind == "ID_BIRTHDATE")
        assert (raw[10:14] == "0230") == (kind == "ID_BIRTHDATE")


def test_every_kind_of_value_is_spoilt_somehow():
    fitted = set().union(*(values for values, _ in SPOILERS.values()))
    assert fitted == EVERY
