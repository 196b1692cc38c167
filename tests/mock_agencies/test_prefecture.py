"""Ten counties side by side: worlds of their own, and a few people whom two of them know."""

from collections import defaultdict

import pytest

from mock_agencies.counties import COUNTIES, FENGCHENG, PILOT
from mock_agencies.people import AREA
from mock_agencies.prefecture import Prefecture
from mock_agencies.world import DATASETS, World

SMALL = dict.fromkeys(COUNTIES, 60)


@pytest.fixture(scope="module")
def prefecture() -> Prefecture:
    made = Prefecture(SMALL, seed=2, dirt=0)
    made.advance(14)
    return made


def registers(prefecture: Prefecture) -> dict[str, dict[str, dict]]:
    """ID number -> county -> what its register says."""
    found: dict[str, dict[str, dict]] = defaultdict(dict)
    for code, world in prefecture.worlds.items():
        for item in world.items("household_member"):
            if item.canonical is not None:
                found[item.canonical["id_no"]][code] = item.canonical
    return found


def numbers(value) -> set[str]:
    """Every ID number in a canonical value."""
    if isinstance(value, dict):
        return {n for v in value.values() for n in numbers(v)}
    if isinstance(value, list):
        return {n for v in value for n in numbers(v)}
    return {value} if isinstance(value, str) and len(value) == 18 and value.startswith(AREA) else set()


def test_no_number_is_given_out_in_two_counties():
    ranges = [set(county.serials) for county in COUNTIES.values()]
    assert sum(map(len, ranges)) == len(set().union(*ranges))
    assert 2 * max(map(max, ranges)) + 2 <= 995


def test_only_people_who_moved_are_in_two_registers(prefecture):
    shared = {number: found for number, found in registers(prefecture).items() if len(found) > 1}
    assert len(shared) == len(COUNTIES)
    for found in shared.values():
        left, came = sorted(found.values(), key=lambda member: member["moved_out_on"] is None)
        assert (left["moved_out_on"], came["moved_out_on"]) == (came["moved_in_on"], None)


def test_whoever_moved_is_still_paid_where_they_came_from(prefecture):
    for number, found in registers(prefecture).items():
        for county in (code for code, member in found.items() if len(found) > 1 and member["moved_out_on"]):
            paid = [item.canonical for item in prefecture.worlds[county].items("payment")]
            assert any(p["payee_id_no"] == number and not p["amount_due"].startswith("-") for p in paid), county


def test_each_county_marries_some_of_its_people_to_people_of_another(prefecture):
    known = registers(prefecture)
    for code, world in prefecture.worlds.items():
        couples = [item.canonical["parties"] for item in world.items("marriage") if item.canonical]
        homes = [[set(known.get(party["id_no"], ())) for party in couple] for couple in couples]
        assert any(code in man and woman and code not in woman for man, woman in homes), code


def test_nobody_else_crosses_a_border(prefecture):
    seen: dict[str, set[str]] = defaultdict(set)
    for code, world in prefecture.worlds.items():
        for dataset in DATASETS:
            for item in world.items(dataset):
                for number in numbers(item.canonical):
                    seen[number].add(code)
    crossing = [number for number, counties in seen.items() if len(counties) > 1]
    assert len(crossing) <= len(COUNTIES) * 3, "two weddings' brides or grooms and one who moved, for each county"


def test_what_is_written_begins_with_the_countys_code_or_name(prefecture):
    for code, world in prefecture.worlds.items():
        county = COUNTIES[code]
        assert all(i.canonical["unit_no"].startswith(code) for i in world.items("homestead") if i.canonical)
        assert all(i.canonical["contract_code"].startswith(code) for i in world.items("contracted_land") if i.canonical)
        certificates = {i.canonical["cert_no"] for i in world.items("homestead") if i.canonical}
        assert {c.split(")")[1][: len(county.name)] for c in certificates if c.startswith("赣")} == {county.name}
        assert all(i.canonical["division"][:9] in {code + t for t in county.towns} for i in world.items("payment"))


def test_numbers_of_entities_and_payments_are_one_countys_own(prefecture):
    for dataset, field in (("agri_entity", "credit_code"), ("payment", "detail_id"), ("marriage", "cert_no")):
        of = [
            {i.canonical[field] for i in w.items(dataset) if i.canonical} - {None} for w in prefecture.worlds.values()
        ]
        assert sum(map(len, of)) == len(set().union(*of)), dataset


def test_the_pilot_alone_is_the_world_it_always_was():
    alone = Prefecture({PILOT: 60}, seed=3, dirt=0.2).worlds[PILOT]
    assert alone.county is FENGCHENG
    world = World(60, seed=3, dirt=0.2)
    assert {d: alone.items(d) for d in DATASETS} == {d: world.items(d) for d in DATASETS}


def test_the_same_seed_gives_the_same_counties_another_others():
    def served(seed: int) -> dict:
        made = Prefecture(dict.fromkeys(list(COUNTIES)[:3], 20), seed=seed, dirt=0.2)
        made.advance(2)
        return {code: {d: world.items(d) for d in DATASETS} for code, world in made.worlds.items()}

    assert served(1) == served(1)
    assert served(1) != served(2)


def test_an_unknown_county_is_refused():
    with pytest.raises(ValueError, match="360999"):
        Prefecture({"360999": 10})
