"""What holds of every cleaner, whatever a source sends."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import fields, flags
from schemas.cleaning import CLEANERS, Options, cleaner
from schemas.identifiers import id_check_char, uscc_check_char
from tests.schemas.test_cleaning_table import ROWS

TODAY = date(2026, 3, 2)
REMARKS = {"NAME_GARBLED", "PARTIAL_DATE", "LEGACY_CODE", "CONTRACT_CODE_SHORT"}
"""Said of a canonical value each time it is seen."""

ANNOTATIONS = {
    meta.cleaner: annotation
    for annotation in vars(fields).values()
    for meta in getattr(annotation, "__metadata__", ())
    if isinstance(meta, fields.Kind)
}
CLEAN = {kind: cleaner(kind, Options(today=TODAY, code_list="sex" if kind == "code" else None)) for kind in CLEANERS}
VALIDATE: dict[str, TypeAdapter[Any]] = {
    kind: TypeAdapter(annotation, config={"strict": True}) for kind, annotation in ANNOTATIONS.items()
}

dirt = st.sampled_from(
    [
        *"'\t　　 ０９Ｘ年月日亩分厘㎡元万()（）-—/,，·•.*?□:等号第字",
        "面积",
        "2023",
        "不动产权",
        "null",
        "长期",
        "E+17",
        "\u200b",
    ]
)
numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.integers(0, 10**18), st.floats(0, 1e18))
ids = st.builds(
    lambda d, n: f"360999{d:%Y%m%d}{n:03}", st.dates(date(1930, 1, 1), date(2025, 1, 1)), st.integers(0, 999)
)
known = st.sampled_from([raw for _, raw, _ in ROWS])
edited = st.builds(
    lambda raw, at, bit: f"{str(raw)[: at % (len(str(raw)) + 1)]}{bit}{str(raw)[at % (len(str(raw)) + 1) :]}",
    known,
    st.integers(0, 40),
    dirt,
)
anything = st.one_of(st.none(), st.text(), st.lists(dirt, max_size=12).map("".join), numbers, known, edited, ids)


def test_every_kind_is_covered() -> None:
    assert set(ANNOTATIONS) == set(CLEANERS)


@pytest.mark.parametrize("kind", CLEANERS)
@settings(max_examples=150, deadline=None)
@given(raw=anything)
def test_output_satisfies_the_schema_and_is_clean(kind: str, raw: Any) -> None:
    cleaned = CLEAN[kind](raw)
    assert set(cleaned.flags) <= {*flags.flags(), *flags.reasons()}
    if cleaned.problem:
        assert cleaned.value is None
        assert cleaned.flags[-1] == cleaned.problem
        assert cleaned.problem in flags.reasons()
    if cleaned.value is not None:
        VALIDATE[kind].validate_python(cleaned.value)
        again = CLEAN[kind](cleaned.value)
        assert again.value == cleaned.value
        assert set(again.flags) <= REMARKS


@pytest.mark.parametrize("kind", CLEANERS)
@given(n=st.integers(-(10**6), 10**6))
def test_equal_values_clean_alike(kind: str, n: int) -> None:
    assert CLEAN[kind](n) == CLEAN[kind](float(n))
    assert CLEAN[kind](True) == CLEAN[kind](1)


@given(first17=ids)
def test_dirt_around_a_number_is_repaired_to_the_same_number(first17: str) -> None:
    number = first17 + id_check_char(first17)
    wide = number.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789X"})
    spaced = f" '{number[:6]} {number[6:14].lower()}　{number[14:].lower()}\n"
    assert {CLEAN["id_no"](raw).value for raw in (number, wide, spaced)} == {number}


@given(first17=ids, at=st.integers(0, 16), digit=st.integers(1, 9))
def test_one_wrong_digit_is_never_accepted(first17: str, at: int, digit: int) -> None:
    number = first17 + id_check_char(first17)
    wrong = f"{number[:at]}{(int(number[at]) + digit) % 10}{number[at + 1 :]}"
    assert CLEAN["id_no"](wrong).problem in {"ID_CHECKSUM", "ID_BIRTHDATE", "ID_FORM", "ID_PRECISION_LOST"}


@given(day=st.dates(date(1900, 1, 2), TODAY))
def test_every_form_of_a_day_reads_alike(day: date) -> None:
    forms = (f"{day:%Y-%m-%d}", f"{day:%Y%m%d}", f"{day.year}年{day.month}月{day.day}日", f"{day:%Y/%m/%d 09:30:00}")
    assert {CLEAN["date"](form) for form in forms} == {(day.isoformat(), (), None)}


@given(mu=st.decimals(Decimal("0.01"), 9999, places=2))
def test_mu_are_two_thirds_of_a_thousand_square_metres(mu: Decimal) -> None:
    metres = Decimal(CLEAN["area_m2"](f"{mu}亩").value or 0)
    assert abs(metres - mu * 2000 / 3) <= Decimal("0.005")


@given(mu=st.decimals(Decimal("0.01"), 9999, places=2))
def test_mu_come_through_square_metres_and_back(mu: Decimal) -> None:
    metres = CLEAN["area_m2"](f"{mu}亩").value
    assert CLEAN["area_mu"](f"{metres}平方米").value == CLEAN["area_mu"](str(mu)).value == f"{mu:.2f}"


@given(body=st.from_regex(r"9[123]360999[0-9A-HJ-NPQRTUWXY]{9}", fullmatch=True), at=st.integers(0, 17))
def test_one_wrong_character_of_a_credit_code_is_never_accepted(body: str, at: int) -> None:
    code = body + uscc_check_char(body)
    assume(not code.isdigit())
    other = (int(code[at], 36) + 1) % 10
    assert CLEAN["credit_code"](code) == (code, (), None)
    assert CLEAN["credit_code"](f"{code[:at]}{other}{code[at + 1 :]}").value is None


def test_constraints_used_here_can_fail() -> None:
    for kind, adapter in VALIDATE.items():
        with pytest.raises(ValidationError):
            adapter.validate_python(123)
        with pytest.raises(ValidationError):
            adapter.validate_python("" if kind in {"text", "name"} else "!")
