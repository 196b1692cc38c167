"""Values that need no repair, recognised a column at a time: what most of a page is made of.

`plain(kind, options)` gives a function from a column of texts to their canonical texts, None where the cleaner has to
decide. Whatever it returns, the cleaner returns too, without a flag (held by a property test); it only says so sooner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from math import nan
from typing import Final, TypeAlias

from schemas.cleaning_common import Options
from schemas.identifiers import ID_AREAS, OLDEST, is_birthdate

Plain: TypeAlias = Callable[[Sequence[str]], Sequence[str | None]]

_HAN: Final = "\u4e00-\u9fff"
_NAME: Final = re.compile(rf"(?!暂无|未知|不详|无证件|未办证)[{_HAN}]{{2,4}}").fullmatch
_TEXT: Final = re.compile(
    rf"[{_HAN}][{_HAN}0-9A-Za-z〔〕]{{3,99}}|\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII
).fullmatch
_UNIT: Final = re.compile(r"[1-9][0-9]{11}[GJZ][ABSXCDEFHGWY][0-9]{5}[FLQ][0-9]{8}").fullmatch
_CERT: Final = re.compile(rf"[{_HAN}]\([0-9]{{4}}\)[{_HAN}]{{2,12}}?不动产权第[0-9]{{5,8}}号").fullmatch
_IDENT: Final = re.compile(r"[A-Z]{1,8}[0-9]{4,30}").fullmatch
_COUNT: Final = re.compile(r"[1-9][0-9]{0,4}").fullmatch
_AREA: Final = re.compile(r"([1-9][0-9]{0,3}\.[0-9]{2})(?:平方米|㎡)?").fullmatch
_SIX: Final = re.compile(r"[0-9]{6}").fullmatch
_FOUR: Final = re.compile(r"[0-9]{4}").fullmatch
_SEQUENCE: Final = re.compile(r"[0-9]{3}[0-9X]").fullmatch
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1)
_MU: Final = re.compile(r"([1-9][0-9]{0,3}\.[0-9]{2})亩?").fullmatch
_PLOT: Final = re.compile(r"[1-9][0-9]{18}").fullmatch
_CONTRACT: Final = re.compile(r"[1-9][0-9]{17}[JQ]").fullmatch


def _matched(match: Callable[[str], re.Match[str] | None]) -> Callable[[Options], Plain]:
    def column(raw: Sequence[str]) -> Sequence[str | None]:
        found = list(map(match, raw))
        return raw if all(found) else [r if m else None for r, m in zip(raw, found, strict=True)]

    return lambda _options: column


class _Part(dict[str, float]):
    """A piece of an ID number -> its part of the check sum (GB 11643); nan, which equals nothing, if it is not plain."""

    def __init__(self, first: int, is_plain: Callable[[str], object]) -> None:
        self._weights, self._is_plain = _WEIGHTS[first:], is_plain

    def __missing__(self, text: str) -> float:
        if not self._is_plain(text):
            return nan
        self[text] = value = sum(w * (10 if c == "X" else int(c)) for w, c in zip(self._weights, text, strict=False))
        return value


_divisions: Final = _Part(0, lambda text: _SIX(text) and text[:2] in ID_AREAS)
_days: Final = _Part(10, lambda text: _FOUR(text) and is_birthdate(f"2001{text}", date(2002, 1, 1)))
_sequences: Final = _Part(14, _SEQUENCE)


def _id_no(options: Options) -> Plain:
    """Numbers of people born in whole years behind us; 29 February and this year's children are left to the cleaner."""
    last = options.today.year
    years = _Part(6, lambda text: _FOUR(text) and last - OLDEST < int(text) < last)
    divisions, days, sequences = _divisions, _days, _sequences

    def column(raw: Sequence[str]) -> Sequence[str | None]:
        return [
            r if (divisions[r[:6]] + years[r[6:10]] + days[r[10:14]] + sequences[r[14:]]) % 11 == 1 else None
            for r in raw
        ]

    return column


def _areas(unit: str, match: Callable[[str], re.Match[str] | None]) -> Callable[[Options], Plain]:
    def column(raw: Sequence[str]) -> Sequence[str | None]:
        return [m[1] if m else None for m in map(match, raw)]

    def build(options: Options) -> Plain:
        return column if options.unit in (None, unit) else lambda raw: [None] * len(raw)

    return build


_PLAIN: Final[dict[str, Callable[[Options], Plain]]] = {
    "id_no": _id_no,
    "name": _matched(_NAME),
    "text": _matched(_TEXT),
    "unit_no": _matched(_UNIT),
    "cert_no": _matched(_CERT),
    "ident": _matched(_IDENT),
    "count": _matched(_COUNT),
    "area_m2": _areas("m²", _AREA),
    "area_mu": _areas("亩", _MU),
    "plot_code": _matched(_PLOT),
    "contract_code": _matched(_CONTRACT),
}


def plain(kind: str, options: Options) -> Plain | None:
    """The shortcut of a kind of field; None for kinds whose values repeat so much that a memo is all they need."""
    build = _PLAIN.get(kind)
    return build(options) if build else None
