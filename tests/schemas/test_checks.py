"""Cross-field checks: each flags what contradicts itself, and keeps quiet about what does not or cannot be told."""

from typing import Any

import pytest

from schemas import DATASETS, Canonical, flags
from schemas.checks import before

PLOT = {
    "code": "3609811022030100001",
    "name": "门前垄",
    "kind": "10",
    "use": "1",
    "grade": "03",
    "basic_farmland": "1",
    "way": "110",
    "area_m2": "1200.00",
    "area_mu": "1.80",
    "by_share": "0",
}
HEAD = {"name": "张三", "id_no": "360999198001010016", "relation": "02", "co_owner": "1"}
WIFE = {"name": "李四", "id_no": "360999198203150025", "relation": "10", "co_owner": "1"}
SOUND: dict[str, dict[str, Any]] = {
    "contracted_land": {
        "contract_code": "360981102203010001J",
        "contractor_code": "360981102203010001",
        "issuer_code": "36098110220301",
        "contractor_type": "1",
        "valid_from": "1998-01-01",
        "valid_to": "2027-12-31",
        "area_m2": "2000.00",
        "area_mu": "3.00",
        "plot_count": "2",
        "contractor_id_no": HEAD["id_no"],
        "member_count": "2",
        "plots": [PLOT, PLOT | {"code": "3609811022030100002", "area_m2": "800.00", "area_mu": "1.20"}],
        "members": [HEAD, WIFE],
    },
    "subsidy": {
        "subsidy_type": "farmland_protection",
        "contracted_mu": "4.00",
        "subsidised_mu": "3.50",
        "quantity": None,
        "standard": "106.38",
        "amount": "372.33",
    },
    "agri_entity": {
        "credit_code": "92360981MA0TEXT125",
        "entity_type": "family_farm",
        "registered": "1",
        "operator_id_no": HEAD["id_no"],
        "land_mu": "120.00",
        "rented_mu": "120.00",
    },
    "homestead_approval": {
        "approved_on": "2025-06-01",
        "valid_to": "2027-05-31",
        "accepted_on": "2026-01-15",
        "approved_area_m2": "120.00",
        "land_origin": "cultivated",
    },
}


def flagged(dataset: str, **changes: Any) -> list[str]:
    record: Canonical = {**SOUND[dataset], **changes}
    return [flag for check in DATASETS[dataset].checks for flag in check(record)]


@pytest.mark.parametrize("dataset", SOUND)
def test_a_sound_record_is_not_flagged(dataset: str) -> None:
    assert flagged(dataset) == []


@pytest.mark.parametrize("dataset", SOUND)
def test_what_is_absent_contradicts_nothing(dataset: str) -> None:
    kept = {"contract_code", "contractor_type", "subsidy_type", "entity_type", "approved_on", "contractor_id_no"}
    absent = {name: None for name, value in SOUND[dataset].items() if name not in kept and isinstance(value, str)}
    parts = {name: [] for name, value in SOUND[dataset].items() if isinstance(value, list)}
    assert flagged(dataset, **absent, **parts) == (["OPERATOR_ID_BLANK"] if dataset == "agri_entity" else [])


def plots(**changes: Any) -> list[dict[str, Any]]:
    first, *rest = SOUND["contracted_land"]["plots"]
    return [first | changes, *rest]


LAND = [
    ({"area_mu": "3.02"}, []),
    ({"area_mu": "3.03"}, ["AREA_CONTRADICTS"]),
    ({"area_mu": "2000.00"}, ["AREA_CONTRADICTS"]),
    ({"plots": plots(area_mu="1.81")}, []),
    ({"plots": plots(area_mu="1.82")}, ["AREA_CONTRADICTS"]),
    ({"plots": plots(area_mu=None)}, []),
    ({"plots": plots(area_m2="1213.00", area_mu=None)}, []),
    ({"plots": plots(area_m2="1214.00", area_mu=None)}, ["PLOTS_DIFFER"]),
    ({"plots": plots(area_m2=None)}, []),
    ({"plot_count": "3"}, ["PLOTS_DIFFER"]),
    ({"plots": [], "plot_count": "0"}, []),
    ({"plots": [], "plot_count": "2"}, ["PLOTS_DIFFER"]),
    ({"plots": plots(area_m2="100000.01", area_mu="150.00"), "area_m2": None}, ["AREA_SUSPECT"]),
    ({"plots": plots(area_m2="100000.00", area_mu="150.00"), "area_m2": None}, []),
    ({"members": [HEAD, WIFE | {"relation": "02"}]}, ["HEAD_NOT_ONE"]),
    ({"members": [HEAD | {"relation": "01"}, WIFE | {"relation": "02"}]}, []),
    ({"members": [HEAD | {"relation": "01"}, WIFE]}, ["HEAD_NOT_ONE"]),
    ({"members": [WIFE | {"relation": "02"}], "member_count": "1"}, ["CONTRACTOR_NOT_A_MEMBER"]),
    ({"member_count": "3"}, ["MEMBERS_DIFFER"]),
    ({"contractor_type": "3", "contractor_id_no": None, "members": [], "member_count": "9"}, []),
    ({"contractor_id_no": None}, ["CONTRACTOR_ID_BLANK"]),
    ({"contractor_type": "2", "contractor_id_no": None}, ["CONTRACTOR_ID_BLANK"]),
    ({"contractor_code": "360981102203010002"}, ["LAND_CODES_CONTRADICT"]),
    ({"issuer_code": "36098110220302"}, ["LAND_CODES_CONTRADICT"]),
    ({"plots": plots(code="3609811022030200001")}, ["LAND_CODES_CONTRADICT"]),
    ({"contract_code": "360981102203010001"}, []),
    ({"valid_to": "1997-12-31"}, ["TERM_REVERSED"]),
    ({"valid_to": "open"}, []),
    ({"valid_to": "1998-01"}, []),
]
AWARDS = [
    ({"amount": "373.33"}, []),
    ({"amount": "373.34"}, ["AMOUNT_CONTRADICTS"]),
    ({"amount": "-372.33"}, []),
    ({"subsidised_mu": None, "quantity": "3.50"}, []),
    ({"subsidised_mu": None, "quantity": "2.00"}, ["AMOUNT_CONTRADICTS"]),
    ({"subsidised_mu": "4.01", "amount": "426.58"}, ["AREA_EXCEEDS_CONTRACT"]),
    ({"subsidy_type": "grain_scale", "subsidised_mu": "400.00", "amount": "42552.00"}, []),
    ({"contracted_mu": None, "subsidised_mu": "2333.33", "standard": None}, ["AREA_SUSPECT"]),
]
ENTITIES = [
    ({"operator_id_no": None}, ["OPERATOR_ID_BLANK"]),
    ({"credit_code": None}, ["CODE_ABSENT"]),
    ({"credit_code": None, "registered": "0"}, []),
    ({"credit_code": None, "registered": None, "entity_type": "cooperative"}, ["CODE_ABSENT"]),
    ({"credit_code": "93360981MA0TEXT20W"}, ["CODE_OF_ANOTHER_KIND"]),
    ({"credit_code": "93360981MA0TEXT20W", "entity_type": "cooperative"}, []),
    ({"entity_type": "cooperative"}, ["CODE_OF_ANOTHER_KIND"]),
    ({"credit_code": "110108000000016", "entity_type": "cooperative"}, []),
    ({"rented_mu": "120.01"}, ["RENTED_EXCEEDS_LAND"]),
]
APPROVALS = [
    ({"approved_area_m2": "120.01"}, ["AREA_OVER_LIMIT"]),
    ({"approved_area_m2": "180.00", "land_origin": "construction"}, []),
    ({"approved_area_m2": "180.01", "land_origin": None}, ["AREA_OVER_LIMIT"]),
    ({"accepted_on": "2025-05-31"}, ["TERM_REVERSED"]),
    ({"accepted_on": "2025-06"}, []),
    ({"valid_to": "2025-05"}, ["TERM_REVERSED"]),
]
CASES = [
    (dataset, changes, told)
    for dataset, rows in (
        ("contracted_land", LAND),
        ("subsidy", AWARDS),
        ("agri_entity", ENTITIES),
        ("homestead_approval", APPROVALS),
    )
    for changes, told in rows
]


@pytest.mark.parametrize(("dataset", "changes", "told"), CASES, ids=[f"{d}-{i}" for i, (d, _, _) in enumerate(CASES)])
def test_a_contradiction_is_flagged_and_nothing_else(dataset: str, changes: dict[str, Any], told: list[str]) -> None:
    assert flagged(dataset, **changes) == told
    assert set(told) <= set(flags.flags())


@pytest.mark.parametrize(
    ("one", "other", "earlier"),
    [
        ("2025-05-31", "2025-06-01", True),
        ("2025-06-01", "2025-06-01", False),
        ("2025-06", "2025-06-30", False),
        ("2025-05", "2025-06-30", True),
        ("open", "2025-06-30", False),
        (None, "2025-06-30", False),
        ("2025-06-30", None, False),
    ],
)
def test_dates_are_compared_as_far_as_both_go(one: str | None, other: str | None, earlier: bool) -> None:
    assert before(one, other) == earlier
