"""The world: one population behind all agencies, deterministic, with its truth."""

import ast
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

import mock_agencies
from mock_agencies.people import check_character, id_number
from mock_agencies.world import COLUMNS, DATASETS, World
from schemas import DATASETS as FIELD_TABLE


def served(world: World) -> dict[str, list]:
    return {name: world.items(name) for name in DATASETS}


@pytest.fixture(scope="module")
def clean() -> World:
    return World(300, seed=2, dirt=0)


@pytest.fixture(scope="module")
def dirty() -> World:
    return World(300, seed=5, dirt=0.3)


def test_imports_nothing_of_ours():
    folder = Path(mock_agencies.__file__).parent
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.partition(".")[0] for name in names} & {"schemas", "adapters", "gateway"}, file.name


def test_the_same_seed_gives_the_same_world_another_another(dirty):
    assert served(World(300, seed=5, dirt=0.3)) == served(dirty)
    assert served(World(300, seed=6, dirt=0.3))["household_member"] != dirty.items("household_member")


def test_values_of_a_seed_stay_what_they_are():
    """Recordings and figures rest on the first five datasets: whatever is added draws from streams of its own."""
    world = World(120, seed=3, dirt=0.3)
    world.advance(35)
    assert {name: digest(world.items(name)) for name in DATASETS[:5]} == {
        "household_member": "86a5ad182ab1e791",
        "marriage": "d81f066075a271bf",
        "homestead": "316400577b655fbe",
        "payment": "43b82ea8098f752e",
        "assistance": "96c282a653544d8d",
    }


def digest(items) -> str:
    rows = [[item.raw, item.truth()] for item in items]
    return hashlib.sha256(json.dumps(rows, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def test_days_add_up():
    at_once, in_steps = World(120, seed=3, dirt=0.3), World(120, seed=3, dirt=0.3)
    at_once.advance(35)
    for days in (1, 9, 25):
        in_steps.advance(days)
    assert served(at_once) == served(in_steps)
    assert at_once.today.isoformat() == "2026-04-06"


def test_dirt_spoils_rows_but_leaves_the_people_alone(clean):
    spoilt = World(300, seed=2, dirt=0.3)
    assert {i.key for i in spoilt.items("homestead")} == {i.key for i in clean.items("homestead")}


def test_size_at_default_scale():
    world = World(2000, seed=1)
    count = {name: len(world.items(name)) for name in DATASETS}
    assert 6000 < count["household_member"] < 8000
    assert 2300 < count["homestead"] < 2900
    assert 1400 < count["marriage"] < 2000
    assert 200 < count["assistance"] < 300
    assert 1400 < count["homestead_approval"] < 1900
    assert 1700 < count["contracted_land"] < 1950
    assert 2200 < count["subsidy"] < 3200
    assert 220 < count["agri_entity"] < 340
    pay_days = [len(world.submitted(day)) for day in ("2026-02-10", "2026-02-20")]
    assert sum(pay_days) > 2000


def test_update_times_run_in_source_order_and_never_past_now(dirty):
    world = World(120, seed=3, dirt=0.3)
    assert all(
        i.updated < "2026-03-02" for name in ("household_member", "homestead", "marriage") for i in world.items(name)
    )
    world.advance(9)
    for name in DATASETS:
        times = [item.updated for item in world.items(name)]
        assert times == sorted(times)
        assert times[-1] <= world.now == "2026-03-11 18:00:00"


def test_truth_has_exactly_the_fields_of_the_field_table(dirty):
    for name in DATASETS:
        dataset = FIELD_TABLE[name]
        wanted = {path.partition(".")[0] for path in dataset.fields}
        parts = {p: {s.name for s in dataset.fields.values() if s.part == p} for p in dataset.parts}
        accepted = [item for item in dirty.items(name) if item.verdict == "accept"]
        assert accepted
        for item in accepted:
            assert set(item.canonical) == wanted
            for part, fields in parts.items():
                assert all(set(element) == fields for element in item.canonical[part])
        assert all(any(item.canonical[part] for item in accepted) for part in parts)


def test_canonical_values_satisfy_the_schema(dirty):
    for name in DATASETS:
        dataset = FIELD_TABLE[name]
        for item in dirty.items(name):
            if item.canonical is not None:
                dataset.record.model_validate(item.canonical)


def test_canonical_is_there_exactly_for_what_is_accepted(dirty):
    verdicts = Counter()
    for name in DATASETS:
        for item in dirty.items(name):
            verdicts[item.verdict] += 1
            assert (item.canonical is not None) == (item.verdict == "accept")
            assert (item.reason is not None) == (item.verdict in {"quarantine", "ignore"})
    assert set(verdicts) == {"accept", "quarantine", "ignore", "duplicate"}


AS_WRITTEN = {
    *("id", "name", "date", "ahead", "month", "year", "area", "area0", "mu", "mu0", "money", "quantity", "count"),
    *("unit_no", "parcel", "cert", "code_cert", "document_no", "credit_code"),
    *("contract_code", "contractor_code", "issuer_code", "plot_code"),
}
"""Kinds of values that agencies write as we do."""


def both_sides(item, column):
    """(as sent, as true) of every value of a column."""
    part, *steps = column.path.split(".")
    if not steps:
        return [(item.raw[column.name], item.canonical[part])]
    elements = item.canonical[part]
    if column.within:
        return [(row[column.name], e[steps[0]]) for row, e in zip(item.raw[column.within], elements, strict=True)]
    if len(steps) == 2:
        return [(item.raw[column.name], elements[int(steps[0])][steps[1]])]
    return [(item.raw[column.name], ",".join(element[steps[0]] or "" for element in elements))]


def test_clean_rows_say_what_is_true(clean):
    """The same on both sides, but for the dashes of dates, and no row of a clean world is odd."""
    for name in DATASETS:
        for item in clean.items(name):
            assert item.verdict in {"accept", "ignore"}
            assert item.dirt == []
            for column in COLUMNS[name]:
                if item.canonical is None or column.kind not in AS_WRITTEN:
                    continue
                for raw, true in both_sides(item, column):
                    if item.canonical.get("contractor_type") == "3" and column.path == "contractor_id_no":
                        assert (raw[:2], true) == ("93", None)
                    elif column.kind in {"date", "ahead"} and true:
                        assert raw.replace("-", "") == true.replace("-", "")
                    else:
                        assert raw == true


@pytest.mark.parametrize(
    "number",
    ["360999198001010016", "360999198203150025", "36099919900101007X", "36098119800101008X", "362202197512310037"],
)
def test_check_character(number):
    assert check_character(number[:17]) == number[17]


def test_people_have_numbers_that_hold_together(clean):
    from datetime import date

    assert id_number(date(1980, 1, 1), 1) == "360999198001010016"
    seen = set()
    for item in clean.items("household_member"):
        row = item.canonical
        number = row["id_no"]
        assert number[:6] == "360999"
        assert number[6:14] == row["birth_date"].replace("-", "")
        assert (int(number[16]) % 2 == 1) == (row["sex"] == "1")
        assert number[17] == check_character(number[:17])
        assert number not in seen
        seen.add(number)


def test_every_household_has_one_head_whom_all_name(clean):
    homes: dict[str, list] = {}
    for item in clean.items("household_member"):
        homes.setdefault(item.canonical["household_no"], []).append(item.canonical)
    assert len(homes) == 300
    for members in homes.values():
        (head,) = [m for m in members if m["relation_to_head"] == "02"]
        assert {(m["head_id_no"], m["head_name"]) for m in members} == {(head["id_no"], head["name"])}


def test_the_same_people_everywhere(clean):
    people = {i.canonical["id_no"]: i.canonical["name"] for i in clean.items("household_member")}
    for item in clean.items("homestead"):
        for holder in item.canonical["holders"] if item.canonical else ():
            assert holder["id_no"] is None or people[holder["id_no"]] == holder["name"]
    for item in clean.items("payment"):
        assert people[item.canonical["payee_id_no"]] == item.canonical["payee_name"]
    for item in clean.items("assistance"):
        assert people[item.canonical["id_no"]] == item.canonical["name"]
    married = [i.canonical for i in clean.items("marriage")]
    assert sum(all(p["id_no"] in people for p in act["parties"]) for act in married) > 0.7 * len(married)


def test_rare_and_dotted_names_occur(clean):
    names = "".join(i.canonical["name"] for i in clean.items("household_member"))
    assert all(c in names for c in "䶮㛃𬎆·")


def test_acts_of_several_kinds_and_marriages_without_act(clean):
    ops = Counter(i.canonical["op_type"] for i in World(2000, seed=2, dirt=0).items("marriage"))
    assert set(ops) == {"IA", "IB", "ICA", "ICB", "INR"}
    in_acts = {p["id_no"] for i in clean.items("marriage") for p in i.canonical["parties"]}
    heads = [i.canonical for i in clean.items("household_member") if i.canonical["relation_to_head"] == "02"]
    assert any(h["marital_self_reported"] == "40" and h["id_no"] not in in_acts for h in heads)
    assert any(h["marital_self_reported"] == "21" and h["id_no"] not in in_acts for h in heads)


def test_co_owners_with_and_without_number(clean):
    rights = [i for i in clean.items("homestead") if i.canonical]
    shared = [i for i in rights if len(i.canonical["holders"]) > 1]
    assert 0.08 < len(shared) / len(rights) < 0.25
    assert any(h["id_no"] is None for i in shared for h in i.canonical["holders"])
    assert all(i.canonical["parcel_code"] == i.canonical["unit_no"][:19] for i in rights)


def test_other_rights_are_ignored_by_rule(clean):
    other = [i for i in clean.items("homestead") if i.raw["QLLX"] not in {"5", "6", "8001606", "8001607"}]
    assert other
    assert {(i.verdict, i.reason) for i in other} == {("ignore", "NOT_HOMESTEAD")}
    assert {"8001606", "8001607"} <= {i.raw["QLLX"] for i in clean.items("homestead")}


def test_payments_come_again_paid_or_under_a_new_number():
    world = World(1000, seed=2, dirt=0)
    first = {i.key: i.canonical for i in world.submitted("2026-02-10")}
    again = {i.key: i.canonical for i in world.submitted("2026-02-15")}
    pending = {key for key, row in first.items() if row["status"] == "pending"}
    failed = {row["payee_id_no"] for row in first.values() if row["status"] == "failed"}
    assert pending
    assert failed
    assert pending == set(again) & set(first)
    assert {row["status"] for row in again.values()} == {"paid"}
    assert {again[key]["payee_id_no"] for key in set(again) - set(first)} == failed
    assert any(row.canonical["amount_paid"].startswith("-") for row in world.submitted("2026-03-02"))


def held(world: World, name: str) -> dict[tuple, str]:
    """What a perfect reader holds who read nothing but today's rows."""
    return {i.key: json.dumps(i.canonical, sort_keys=True) for i in world.items(name) if i.canonical}


def test_advance_counts_what_a_reader_would_see_change():
    world = World(200, seed=4, dirt=0)
    for days in (1, 8, 21):
        before = {name: held(world, name) for name in DATASETS}
        changed = world.advance(days)
        for name in DATASETS:
            after = held(world, name)
            keys = set(before[name]) | set(after)
            assert changed[name] == sum(before[name].get(k) != after.get(k) for k in keys), (name, days)


def test_a_row_that_turns_dirty_is_no_change_and_one_that_is_mended_is():
    world = World(150, seed=4, dirt=0.5)
    held_so_far = {i.key: i.canonical for i in world.items("household_member") if i.canonical}
    turned = mended = 0
    for _ in range(40):
        before = dict(held_so_far)
        counted = world.advance()["household_member"]
        for item in world.items("household_member"):
            turned += item.updated[:10] == world.today.isoformat() and item.canonical is None and item.key in before
            if item.canonical:
                mended += item.key not in before and item.canonical["moved_in_on"] != world.today.isoformat()
                held_so_far[item.key] = item.canonical
        assert counted == sum(before.get(k) != v for k, v in held_so_far.items())
    assert turned
    assert mended


def test_every_day_something_surely_changes():
    world = World(60, seed=8, dirt=0.9)
    for _ in range(20):
        changed = world.advance()
        surely = ("household_member", "homestead", "marriage", "homestead_approval", "contracted_land")
        assert min(changed[name] for name in surely) >= 1


def test_assistance_lists_follow_the_months():
    world = World(400, seed=4, dirt=0.3)
    february, march = world.assisted("2026-02"), world.assisted("2026-03")
    assert world.items("assistance") == march
    assert {i.raw["SSNY"] for i in march} == {"2026-03"}
    world.advance(5)
    assert len(world.assisted("2026-03")) == len(march) - 1
    world.advance(25)
    assert world.today.isoformat() == "2026-04-01"
    assert {i.raw["SSNY"] for i in world.items("assistance")} == {"2026-04"}
    gone = {i.key for i in march} - {i.key for i in world.items("assistance")}
    assert 0 < len(gone) < 0.2 * len(march)
    assert world.assisted("2026-02") == february
    assert world.assisted("2026-05") == []
