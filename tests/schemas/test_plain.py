"""The shortcut says nothing that the cleaner would not say, and what is common takes it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cleaning import Cleaned, Options, cleaner
from schemas.plain import plain

OPTIONS = Options(today=date(2026, 3, 2))
KINDS = [
    "id_no",
    "name",
    "text",
    "unit_no",
    "cert_no",
    "ident",
    "count",
    "area_m2",
    "area_mu",
    "plot_code",
    "contract_code",
]
COMMON = {
    "id_no": "36099919900101007X",
    "name": "张三丰",
    "text": "丰城市白土镇东溪村3组12号",
    "unit_no": "360981102203JC00123F00010001",
    "cert_no": "赣(2023)丰城市不动产权第0001234号",
    "ident": "ZJD000000000001",
    "count": "12",
    "area_m2": "120.50平方米",
    "area_mu": "1.25亩",
    "plot_code": "3609811022030100001",
    "contract_code": "360981102203010001J",
}
PIECES = st.text(st.sampled_from("0123456789XxJQCF赣()不动产权第号张三丰暂无未知亩平方米㎡. -Ａ１"), max_size=30)


@pytest.mark.parametrize("kind", KINDS)
def test_common_values_take_it(kind: str) -> None:
    shortcut = plain(kind, OPTIONS)
    assert shortcut is not None
    (value,) = shortcut([COMMON[kind]])
    assert value is not None
    assert Cleaned(value) == cleaner(kind, OPTIONS)(COMMON[kind])


@pytest.mark.parametrize("unit", ["m²", "亩", "公顷"])
@pytest.mark.parametrize("kind", ["area_m2", "area_mu"])
def test_it_says_nothing_of_a_number_in_another_unit(kind: str, unit: str) -> None:
    options = Options(unit=unit, today=OPTIONS.today)
    shortcut = plain(kind, options)
    assert shortcut is not None
    assert shortcut(["12.50"])[0] in {None, cleaner(kind, options)("12.50").value}


@pytest.mark.parametrize("kind", KINDS)
@given(raw=PIECES | st.text(max_size=20) | st.from_regex(r"36099919\d{9}[\dX]\d?[JQ]?", fullmatch=True))
def test_it_never_disagrees_with_the_cleaner(kind: str, raw: str) -> None:
    shortcut = plain(kind, OPTIONS)
    assert shortcut is not None
    for text, value in zip([raw, COMMON[kind]], shortcut([raw, COMMON[kind]]), strict=True):
        if value is not None:
            assert cleaner(kind, OPTIONS)(text) == Cleaned(value)
