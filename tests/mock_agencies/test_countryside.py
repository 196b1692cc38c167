"""Subsidies, contracted land, agricultural entities and approvals: of the same people, consistent, and moving with the days."""

import re
from collections import Counter
from decimal import Decimal

import pytest

from mock_agencies.credit import credit_code
from mock_agencies.world import World
from schemas.identifiers import is_org_code, is_uscc


@pytest.fixture(scope="module")
def clean() -> World:
    return World(300, seed=2, dirt=0)


def accepted(world: World, dataset: str) -> list[dict]:
    return [item.canonical for item in world.items(dataset) if item.canonical]


def by_key(world: World, dataset: str) -> dict[str, dict]:
    return {item.key: item.canonical for item in world.items(dataset) if item.canonical}


def people(world: World) -> dict[str, str]:
    return {row["id_no"]: row["name"] for row in accepted(world, "household_member")}


def test_the_same_people_again(clean):
    known = people(clean)
    for row in accepted(clean, "subsidy"):
        assert known[row["payee_id_no"]] == row["payee_name"]
    for row in accepted(clean, "agri_entity"):
        assert known[row["operator_id_no"]] == row["operator_name"]
    for row in accepted(clean, "homestead_approval"):
        assert known[row["applicant_id_no"]] == row["applicant_name"]
    for row in accepted(clean, "contracted_land"):
        assert row["contractor_id_no"] is None or known[row["contractor_id_no"]] == row["contractor_name"]
        assert all(known[member["id_no"]] == member["name"] for member in row["members"])


# Contracted land


def test_a_household_contracts_as_one(clean):
    home_of = {row["id_no"]: row["household_no"] for row in accepted(clean, "household_member")}
    contracts = [row for row in accepted(clean, "contracted_land") if row["contractor_type"] == "1"]
    assert 240 < len(contracts) < 290
    for row in contracts:
        assert {home_of[member["id_no"]] for member in row["members"]} == {home_of[row["contractor_id_no"]]}
        (head,) = [member for member in row["members"] if member["relation"] == "02"]
        assert head["id_no"] == row["contractor_id_no"]
        assert all(member["id_no"][6:14] <= row["signed_on"].replace("-", "") for member in row["members"])


def test_codes_of_land_lie_within_each_other_and_are_given_once(clean):
    group_of = {
        row["head_id_no"]: (row["register_division"], int(re.search(r"(\d+)组", row["register_address"])[1]))
        for row in accepted(clean, "household_member")
    }
    contracts, plots = accepted(clean, "contracted_land"), Counter()
    for row in contracts:
        assert row["contract_code"][:18] == row["contractor_code"]
        assert row["contractor_code"][:14] == row["issuer_code"]
        assert row["contract_code"][18] == ("J" if row["way"] == "110" else "Q")
        if row["contractor_id_no"] in group_of:
            assert (row["issuer_code"][:12], int(row["issuer_code"][12:])) == group_of[row["contractor_id_no"]]
        for plot in row["plots"]:
            assert plot["code"][:14] == row["issuer_code"]
            plots[plot["code"]] += 1
    assert set(plots.values()) == {1}
    assert len({row["contractor_code"] for row in contracts}) == len(contracts)


def test_shares_units_and_dead_contractors_occur():
    world = World(2000, seed=2, dirt=0)
    contracts = accepted(world, "contracted_land")
    died = {row["id_no"] for row in accepted(world, "household_member") if row["died_on"]}
    elders = {row["id_no"] for row in accepted(world, "household_member") if row["relation_to_head"] in {"51", "52"}}
    assert any(row["contractor_id_no"] in died for row in contracts)
    assert any(row["contractor_id_no"] in elders for row in contracts)
    assert any(row["contractor_type"] == "1" and not row["plots"] for row in contracts)
    cooperatives = {
        r["name"]: r["credit_code"] for r in accepted(world, "agri_entity") if r["entity_type"] == "cooperative"
    }
    units = [item for item in world.items("contracted_land") if item.canonical["contractor_type"] == "3"]
    assert units
    assert all(cooperatives[item.canonical["contractor_name"]] for item in units)
    assert {item.raw["CBFZJHM"] for item in units} == set(cooperatives.values())


def test_contracts_are_extended_by_thirty_years_and_heads_change():
    world = World(400, seed=3, dirt=0)
    before = by_key(world, "contracted_land")
    world.advance(60)
    after, register = by_key(world, "contracted_land"), people(world)
    moved = [key for key in before if before[key] != after[key]]
    assert set(after) == set(before)
    assert len(moved) >= 60
    heads = {row["head_id_no"] for row in accepted(world, "household_member")}
    changed = heirs = 0
    for key in moved:
        old, new = before[key], after[key]
        assert (old["valid_to"], new["valid_from"], new["valid_to"]) == ("2027-12-31", "2028-01-01", "2057-12-31")
        assert "2026-03-03" <= new["signed_on"] <= "2026-05-01"
        assert old["plots"] == new["plots"]
        (head,) = [member for member in new["members"] if member["relation"] == "02"]
        assert (head["id_no"], head["name"]) == (new["contractor_id_no"], new["contractor_name"])
        assert head["id_no"] in register
        changed += old["contractor_id_no"] != new["contractor_id_no"]
        heirs += new["contractor_id_no"] not in heads
    assert 0 < heirs < changed < len(moved)


# Subsidies


def test_each_month_has_its_list():
    world = World(300, seed=2, dirt=0)
    months = {row["period"] for row in accepted(world, "subsidy")}
    assert months == {"2025-12", "2026-01", "2026-02", "2026-03"}
    assert {row["status"] for row in accepted(world, "subsidy") if row["period"] == "2026-03"} == {"publicised"}
    world.advance(13)
    march = [row for row in accepted(world, "subsidy") if row["period"] == "2026-03"]
    assert Counter(row["status"] for row in march)["paid"] > 0.9 * len(march)
    assert {row["paid_on"] for row in march} == {"2026-03-15", None}
    world.advance(10)
    march = [row for row in accepted(world, "subsidy") if row["period"] == "2026-03"]
    assert {row["status"] for row in march} == {"paid", "recovered"}
    world.advance(7)
    assert world.today.isoformat() == "2026-04-01"
    assert {row["status"] for row in accepted(world, "subsidy") if row["period"] == "2026-04"} == {"publicised"}


def test_awards_follow_the_contract_and_the_standard(clean):
    contracted = {r["contractor_id_no"]: r["area_mu"] for r in accepted(clean, "contracted_land")}
    followed = 0
    for row in accepted(clean, "subsidy"):
        measure = row["subsidised_mu"] or row["quantity"]
        assert abs(Decimal(measure) * Decimal(row["standard"]) - abs(Decimal(row["amount"]))) < Decimal("0.01")
        if row["contracted_mu"] and row["payee_id_no"] in contracted:
            followed += row["contracted_mu"] == contracted[row["payee_id_no"]]
            assert Decimal(row["subsidised_mu"]) <= Decimal(row["contracted_mu"])
    assert followed > 100


def test_awards_without_a_number_are_told_apart_by_kind_year_and_payee(clean):
    items = clean.items("subsidy")
    paper = [item for item in items if item.canonical["detail_id"] is None]
    assert 0.1 * len(items) < len(paper) < 0.5 * len(items)
    assert len({item.key for item in items}) == len(items)
    for item in paper:
        row = item.canonical
        assert item.key == f"subsidy_type={row['subsidy_type']}|year={row['year']}|payee_id_no={row['payee_id_no']}"
    amounts = {row["detail_id"]: row["amount"] for row in accepted(clean, "subsidy") if row["detail_id"]}
    recovered = [row for row in accepted(clean, "subsidy") if row["status"] == "recovered"]
    assert recovered
    assert all(row["amount"] == f"-{amounts[row['detail_id'].removesuffix('T')]}" for row in recovered)


def test_what_a_reader_holds_is_counted_also_where_rows_hide_their_number():
    world = World(300, seed=4, dirt=0.5)
    held = by_key(world, "subsidy")
    hidden = 0
    for _ in range(31):
        before = dict(held)
        counted = world.advance()["subsidy"]
        held |= by_key(world, "subsidy")
        assert counted == sum(before.get(key) != row for key, row in held.items())
        hidden += sum("=" in key for key in held.keys() - before.keys())
    assert hidden
    assert held.keys() <= world._held()["subsidy"].keys()


# Entities


def test_directories_hold_every_kind_of_entity(clean):
    rows = accepted(clean, "agri_entity")
    kinds = {"family_farm", "cooperative", "leading_enterprise", "large_grower", "large_breeder"}
    assert {row["entity_type"] for row in rows} == kinds
    for row in rows:
        code, kind = row["credit_code"], row["entity_type"]
        assert code is None or is_uscc(code)
        assert (code is not None) == (row["registered"] == "1")
        assert (code or "")[:2] in {"cooperative": {"93"}, "leading_enterprise": {"91"}}.get(kind, {"", "91", "92"})
        assert (row["stock"] is not None) == (kind == "large_breeder") == (row["scale_unit"] is not None)
    assert any(row["credit_code"] is None for row in rows if row["entity_type"] == "family_farm")
    assert any(row["credit_code"] for row in rows if row["entity_type"] == "family_farm")
    assert {row["directory_no"] is None for row in rows} == {True, False}


@pytest.mark.parametrize("serial", [1, 2, 3, 57, 99999])
def test_credit_codes_hold_together_in_an_area_that_is_none(serial):
    code = credit_code("92", serial)
    assert is_uscc(code)
    assert is_org_code(code[8:17])
    assert code[:8] == "92360999"


def test_entities_enter_leave_grow_and_get_their_code():
    world = World(400, seed=3, dirt=0)
    before = by_key(world, "agri_entity")
    world.advance(2)
    assert by_key(world, "agri_entity") == before
    world.advance(2)
    grown = by_key(world, "agri_entity")
    assert set(grown) == set(before)
    assert [key for key in before if before[key]["land_mu"] != grown[key]["land_mu"]]
    world.advance(26)
    after = by_key(world, "agri_entity")
    entered, left = set(after) - set(before), set(before) - set(after)
    assert 0 < len(left) <= 2
    assert len(left) < 0.2 * len(before)
    registered = {before[key]["directory_no"] for key in left} & {after[key]["directory_no"] for key in entered}
    assert registered
    assert {before[key]["directory_no"] for key in left} - registered - {None}
    assert all(after[key]["credit_code"] for key in entered if after[key]["directory_no"] in registered)
    assert any(after[key]["established_on"] == "2026-04-01" for key in entered)


def test_small_directories_lose_nobody():
    world = World(20, seed=3, dirt=0)
    assert len(world.items("agri_entity")) < 12
    before = set(by_key(world, "agri_entity"))
    world.advance(30)
    assert before <= set(by_key(world, "agri_entity"))


def test_a_spoilt_entity_stays_as_it_is():
    world = World(400, seed=3, dirt=0.5)
    spoilt = [item for item in world.items("agri_entity") if item.dirt]
    assert len(spoilt) > 10
    world.advance(120)
    assert [item for item in world.items("agri_entity") if item in spoilt] == spoilt


def test_a_row_that_hides_its_best_key_is_filed_under_the_next():
    world = World(600, seed=5, dirt=0.6)
    hidden = {"subsidy": ("detail_id", "MXBH"), "agri_entity": ("credit_code", "XYDM")}
    for dataset, (path, column) in hidden.items():
        pure = {(i.raw["GXSJ"], i.ordinal): i for i in World(600, seed=5, dirt=0).items(dataset)}
        lost = [i for i in world.items(dataset) if i.dirt and i.canonical and i.canonical[path] is None]
        lost = [i for i in lost if (twin := pure.get((i.raw["GXSJ"], 0))) and twin.canonical[path]]
        assert lost, dataset
        assert all("=" in item.key for item in lost)
        assert {item.dirt[0] for item in lost} <= {"BLANK", "NULL_TOKEN", "CREDIT_ID_NUMBER"}
        assert all(item.raw[column] != pure[item.raw["GXSJ"], 0].raw[column] for item in lost)
    keyless = [
        i for seed in range(1, 9) for i in World(600, seed, 0.9).items("agri_entity") if i.reason == "KEY_MISSING"
    ]
    assert keyless
    assert {(item.canonical, item.field) for item in keyless} == {(None, None)}


# Approvals


def test_approvals_meet_rights_on_parcels(clean):
    rights = {row["parcel_code"]: row for row in accepted(clean, "homestead")}
    approvals = accepted(clean, "homestead_approval")
    met = [row for row in approvals if row["parcel_code"] in rights]
    waiting = [row for row in approvals if row["parcel_code"] not in rights]
    assert len(met) > 100
    assert {row["parcel_code"] is None for row in waiting} == {True, False}
    bare = set(rights) - {row["parcel_code"] for row in approvals}
    assert {rights[parcel]["reg_date"] >= "2019" for parcel in bare} == {True, False}
    for row in met:
        right = rights[row["parcel_code"]]
        assert row["applicant_id_no"] == right["holders"][0]["id_no"]
        assert row["approved_on"] < row["accepted_on"] < right["reg_date"]
        assert right["reg_date"] >= "2019"
        built = Decimal(row["approved_area_m2"]) + Decimal(row["over_area_m2"])
        assert built == Decimal(right["land_area_m2"])


def test_some_built_beyond_what_was_approved_and_some_are_not_measured_yet(clean):
    over = Counter(
        "unknown" if row["over_area_m2"] is None else "none" if row["over_area_m2"] == "0.00" else "over"
        for row in accepted(clean, "homestead_approval")
    )
    assert min(over[kind] for kind in ("unknown", "none", "over")) > 10
    assert {row["status"] for row in accepted(clean, "homestead_approval")} >= {"approved", "accepted"}


def test_approvals_are_given_and_houses_accepted():
    world = World(400, seed=3, dirt=0)
    before = by_key(world, "homestead_approval")
    world.advance(10)
    after = by_key(world, "homestead_approval")
    new = [after[key] for key in set(after) - set(before)]
    assert len(new) >= 10
    assert {row["status"] for row in new} == {"approved"}
    assert {row["approved_on"] for row in new} == {f"2026-03-{day:02d}" for day in range(3, 13)}
    accepted_now = [after[key] for key in before if before[key] != after[key]]
    assert accepted_now
    assert all(row["status"] == "accepted" and row["over_area_m2"] is not None for row in accepted_now)
