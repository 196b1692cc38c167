"""Values that need no repair, recognised at once: what most of a page is made of.

`plain(kind, options)` gives a function that returns the canonical text of such a value, or None where the cleaner has to
decide. Whatever it returns, the cleaner returns too, without a flag (held by a property test); it only says so sooner.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from schemas.cleaning_common import Options
from schemas.identifiers import ID_AREAS, is_birthdate

Plain: TypeAlias = Callable[[str], str | None]

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
_MU: Final = re.compile(r"([1-9][0-9]{0,3}\.[0-9]{2})亩?").fullmatch
_PLOT: Final = re.compile(r"[1-9][0-9]{18}").fullmatch
_CONTRACT: Final = re.compile(r"[1-9][0-9]{17}[JQ]").fullmatch


def _matched(match: Callable[[str], re.Match[str] | None]) -> Callable[[Options], Plain]:
    return lambda _options: lambda raw: raw if match(raw) else None


def _id_no(options: Options) -> Plain:
    """GB 11643 is ISO 7064 MOD 11-2: base 13 is base 2 there, so the check is one conversion and one remainder."""
    born: set[str] = set()

    def plain(raw: str) -> str | None:
        if len(raw) != 18 or not raw.isascii() or not raw[:17].isdigit() or raw[:2] not in ID_AREAS:
            return None
        if (raw[17] not in "0123456789X") or int(raw.replace("X", "A"), 13) % 11 != 1:
            return None
        birth = raw[6:14]
        if birth not in born:
            if not is_birthdate(birth, options.today):
                return None
            born.add(birth)
        return raw

    return plain


def _areas(unit: str, match: Callable[[str], re.Match[str] | None]) -> Callable[[Options], Plain]:
    def build(options: Options) -> Plain:
        if options.unit not in (None, unit):
            return lambda _raw: None

        def plain(raw: str) -> str | None:
            found = match(raw)
            return found[1] if found else None

        return plain

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
