"""The shortcut says nothing that the cleaner would not say, and what is common takes it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cleaning import Cleaned, Options, cleaner
from schemas.plain import plain

OPTIONS = Options(today=date(2026, 3, 2))
KINDS = ["id_no", "name", "text", "unit_no", "cert_no", "ident", "count", "area_m2"]
COMMON = {
    "id_no": "36099919900101007X",
    "name": "张三丰",
    "text": "丰城市白土镇东溪村3组12号",
    "unit_no": "360981102203JC00123F00010001",
    "cert_no": "赣(2023)丰城市不动产权第0001234号",
    "ident": "ZJD000000000001",
    "count": "12",
    "area_m2": "120.50平方米",
}
PIECES = st.text(st.sampled_from("0123456789XxJCF赣()不动产权第号张三丰暂无未知亩平方米㎡. -Ａ１"), max_size=30)


@pytest.mark.parametrize("kind", KINDS)
def test_common_values_take_it(kind: str) -> None:
    shortcut = plain(kind, OPTIONS)
    assert shortcut is not None
    (value,) = shortcut([COMMON[kind]])
    assert value is not None
    assert Cleaned(value) == cleaner(kind, OPTIONS)(COMMON[kind])


@pytest.mark.parametrize("kind", KINDS)
@given(raw=PIECES | st.text(max_size=20) | st.from_regex(r"36099919\d{9}[\dX]", fullmatch=True))
def test_it_never_disagrees_with_the_cleaner(kind: str, raw: str) -> None:
    shortcut = plain(kind, OPTIONS)
    assert shortcut is not None
    for text, value in zip([raw, COMMON[kind]], shortcut([raw, COMMON[kind]]), strict=True):
        if value is not None:
            assert cleaner(kind, OPTIONS)(text) == Cleaned(value)
