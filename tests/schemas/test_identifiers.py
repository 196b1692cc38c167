"""Vectors of china-facts §2."""

from datetime import date

import pytest

from schemas import identifiers as ids
from schemas.divisions import counties, county_of, name_of

TODAY = date(2026, 3, 2)

VALID = [
    "360981198001010012",
    "360981198506150029",
    "36098119800101008X",
    "362202197512310037",
    "360902199911111233",
    "360982200002290040",
    "360981201506014013",
    "360921197005201114",
    "11010519491231002X",
    "360999198001010016",
    "360999198203150025",
    "360999201206010030",
    "360999195511110048",
    "360999199001010061",
    "360999197507070054",
    "36099919900101007X",
]


@pytest.mark.parametrize("number", VALID)
def test_valid_numbers(number: str) -> None:
    assert ids.id_problem(number, TODAY) is None
    assert ids.id_check_char(number[:17]) == number[17]


@pytest.mark.parametrize("number", VALID)
def test_every_other_check_character_is_refused(number: str) -> None:
    for other in set("0123456789X") - {number[17]}:
        assert ids.id_problem(number[:17] + other, TODAY) == "ID_CHECKSUM"


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("360981199002300016", "ID_BIRTHDATE"),
        ("360981198001010013", "ID_CHECKSUM"),
        ("3609811980010100", "ID_FORM"),
        ("36098119800101008Х", "ID_FORM"),
        ("36098119800101008A", "ID_FORM"),
        ("３６0981198001010012", "ID_FORM"),
    ],
)
def test_invalid_numbers(number: str, problem: str) -> None:
    assert ids.id_problem(number, TODAY) == problem


def test_15_digits_become_18() -> None:
    assert ids.upgrade_id("362202751231003") == "362202197512310037"
    assert ids.upgrade_id("110105491231002") == "11010519491231002X"
    with pytest.raises(ValueError):
        ids.upgrade_id("36220275123100")


@pytest.mark.parametrize(
    "code",
    ["92360981MA0TEXT125", "93360981MA0TEXT20W", "N2360981MF0TEXT37K", "12360981MB0TEXT40C", "91350100M000100Y43"],
)
def test_social_credit_codes(code: str) -> None:
    assert ids.is_uscc(code)
    assert not any(ids.is_uscc(code[:17] + c) for c in "0123456789ABCDEFGHJKLMNPQRTUWXYIOSVZ" if c != code[17])
    assert not ids.is_uscc(code[:-1])


def test_organisation_codes() -> None:
    # GB 11714's own example, and both special remainders.
    assert ids.is_org_code("D2143569-X")
    assert ids.is_org_code("D2143569X")
    assert not ids.is_org_code("D2143569-1")
    assert [ids.is_org_code(f"{body}0") for body in ("00000000", "00000004")] == [True, False]
    assert not ids.is_org_code("D214356-X")


def test_registration_numbers_of_before_2015() -> None:
    # GS 15-2006's own example; a cooperative's has no check digit.
    assert ids.is_registration_no("110108000000016")
    assert not any(ids.is_registration_no(f"11010800000001{digit}") for digit in "012345789")
    assert ids.is_registration_no("360981NA000123X")
    assert not ids.is_registration_no("360981NB000123X")
    assert not ids.is_registration_no("11010800000001")


def test_codes_of_contracted_land_have_their_lengths() -> None:
    issuer, contractor, plot = "36098110220301", "360981102203010001", "3609811022030100001"
    assert [ids.is_issuer_code(c) for c in (issuer, issuer[:-1], f"0{issuer[1:]}")] == [True, False, False]
    assert [ids.is_contractor_code(c) for c in (contractor, plot, f"{contractor[:-1]}J")] == [True, False, False]
    assert [ids.is_plot_code(c) for c in (plot, contractor, f"{plot}0")] == [True, False, False]
    contracts = (f"{contractor}J", f"{contractor}Q", contractor, f"{contractor}K", f"{contractor}JJ")
    assert [ids.is_contract_code(c) for c in contracts] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("赣农字〔2023〕15号", "赣农字〔2023〕15号"),
        ("赣农字(2023)第015号", "赣农字〔2023〕15号"),
        ("农经发[2023]5号", "农经发〔2023〕5号"),
        ("农业农村部公告第634号", "农业农村部公告第634号"),
        ("赣农字2023-15", None),
        ("赣农字〔1823〕15号", None),
        ("〔2023〕15号", None),
        ("赣农字〔2023〕0号", None),
    ],
)
def test_document_numbers(text: str, number: str | None) -> None:
    assert ids.document_no(text) == number
    assert ids.titled_document_no(text) is None
    assert ids.titled_document_no(f"关于公布名单的通知({text})") == (number if number and "〔" in number else None)


def test_unit_numbers_come_apart() -> None:
    unit = ids.parse_unit_number("360981102203JC00123F00010001")
    assert unit == ("360981", "102", "203", "JC", "00123", "F", "00010001")
    assert unit
    assert unit.parcel == "360981102203JC00123"
    assert ids.is_parcel_code(unit.parcel)
    assert ids.parse_unit_number("360981102203JC00124W00000000")
    assert ids.parse_unit_number("320684413219GB00029F00010002")
    for wrong in ("360981102203JC00123F0001000", "360981102203KC00123F00010001", "360981102203JC00123X00010001"):
        assert ids.parse_unit_number(wrong) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("赣(2023)丰城市不动产权第0001234号", "RIGHT"),
        ("赣〔2023〕丰城市不动产权第0001234号", "RIGHT"),
        ("赣(2023)丰城市不动产证明第0004321号", "PROOF"),
        ("丰集用(2010)第01234号", "LEGACY"),
        ("丰房权证剑光字第10234号", "LEGACY"),
        ("J360981-2026-000123", "CODE"),
    ],
)
def test_certificates_know_their_family(text: str, kind: str) -> None:
    found = ids.parse_certificate(text)
    assert found
    assert found.kind == kind


def test_serials_keep_their_digits() -> None:
    found = ids.parse_certificate("赣(2023)丰城市不动产权第001234号")
    assert found
    assert found.number.endswith("第001234号")


COUNTIES = {
    "360902": ("袁州区", ["362201", "362225"]),
    "360921": ("奉新县", ["362226"]),
    "360922": ("万载县", ["362227"]),
    "360923": ("上高县", ["362228"]),
    "360924": ("宜丰县", ["362229"]),
    "360925": ("靖安县", ["362232"]),
    "360926": ("铜鼓县", ["362233"]),
    "360981": ("丰城市", ["362202", "362221"]),
    "360982": ("樟树市", ["362203", "362223"]),
    "360983": ("高安市", ["362204", "362222"]),
}


@pytest.mark.parametrize("code", COUNTIES)
def test_counties_of_the_pilot_and_their_former_codes(code: str) -> None:
    name, former = COUNTIES[code]
    assert counties()[code] == name_of(code) == name
    assert [county_of(c) for c in (code, *former, f"{code}102203")] == [code] * (len(former) + 2)


def test_there_are_ten_counties() -> None:
    assert set(counties()) == set(COUNTIES)


def test_codes_hold_in_their_time_only() -> None:
    assert county_of("362202", date(1990, 1, 1)) == "360981"
    assert county_of("362202", date(1987, 12, 31)) is None
    assert county_of("362202", date(2000, 1, 1)) is None
    assert county_of("362221", date(1987, 12, 31)) == "360981"
    assert county_of("360981", date(1999, 12, 31)) is None
    assert county_of("360981", date(2026, 1, 1)) == "360981"
    assert county_of("440106") is None


def test_names_of_divisions() -> None:
    assert [name_of(c) for c in ("36", "3609", "360981", "362221", "360981102", "360981102000", "360900")] == [
        "江西省", "宜春市", "丰城市", "丰城市", "袁渡镇", "袁渡镇", "宜春市",
    ]  # fmt: skip
    assert name_of("360981999") is name_of("440106") is None
