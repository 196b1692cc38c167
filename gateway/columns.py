"""What a source's columns hold, told from a sample: numbers of persons, forms of dates, numbers, codes, texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit import listed
from schemas.identifiers import has_id_shape, id_checksum_holds

CODES_MOST: Final = 8
CODE_LENGTH: Final = 3
"""Up to so many different values of so few characters, each more than once, are taken for codes."""
_YEAR, _MONTH, _DAY = r"(?:19|20|21|29|99)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_TWO_MONTH, _TWO_DAY, _TIME = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])", r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    form: re.compile(pattern)
    for form, pattern in {
        "日期 yyyyMMdd": rf"{_YEAR}{_TWO_MONTH}{_TWO_DAY}",
        "时间 yyyyMMddHHmmss": rf"{_YEAR}{_TWO_MONTH}{_TWO_DAY}(?:[01]\d|2[0-3])[0-5]\d[0-5]\d",
        "日期 yyyy-MM-dd": rf"{_YEAR}-{_MONTH}-{_DAY}",
        "日期 yyyy/M/d": rf"{_YEAR}/{_MONTH}/{_DAY}",
        "日期 yyyy.M.d": rf"{_YEAR}\.{_MONTH}\.{_DAY}",
        "日期 yyyy年M月d日": rf"{_YEAR}\u5e74{_MONTH}\u6708{_DAY}\u65e5",
        "时间 yyyy-MM-dd HH:mm:ss": rf"{_YEAR}[-/]{_MONTH}[-/]{_DAY} {_TIME}",
        "时间 ISO 8601": rf"{_YEAR}-{_MONTH}-{_DAY}T{_TIME}(?:Z|[+-]\d{{2}}:?\d{{2}})?",
        "月份 yyyyMM": rf"{_YEAR}{_TWO_MONTH}",
        "月份 yyyy-MM": rf"{_YEAR}-{_MONTH}",
        "月份 yyyy年M月": rf"{_YEAR}\u5e74{_MONTH}\u6708",
        "年度 yyyy": _YEAR,
        "时间 毫秒数": r"1\d{12}",
        "整数": r"-?\d{1,17}",
        "小数": r"-?\d{1,3}(?:,\d{3})*(?:\.\d+)?|-?\d*\.\d+",
    }.items()
}
"""By their words, the more telling first: a value has the first form it fits."""


@dataclass(frozen=True, slots=True)
class ColumnSeen:
    """One column of the sample. `kind` is the form most of its values have, `share` how many, per cent; no value is in it."""

    column: str
    filled: int
    of: int
    kind: str
    share: int


def seen(items: Sequence[Mapping[str, Any]]) -> list[ColumnSeen]:
    """Every column of the rows, and of the rows inside a row, in the order in which they first came."""
    given: dict[str, list[Any]] = {}
    of: Counter[str] = Counter()
    for item in items:
        for column, value in _cells(item):
            given.setdefault(column, []).append(value)
    for column in given:
        list_of, _, member = column.partition(".")
        of[column] = len(items) if not member else sum(len(listed(item.get(list_of)) or ()) for item in items)
    return [_column(column, values, of[column]) for column, values in given.items()]


def _cells(item: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for column, value in item.items():
        rows = listed(value) if isinstance(value, list) else None
        if rows:
            yield from ((f"{column}.{name}", inside) for row in rows for name, inside in row.items())
        else:
            yield column, value


def _column(column: str, values: Sequence[Any], of: int) -> ColumnSeen:
    texts = [str(value).strip() for value in values if value is not None and str(value).strip()]
    if not texts:
        return ColumnSeen(column, 0, of, "空", 100)
    kinds = Counter(map(_kind, texts))
    kind, count = kinds.most_common(1)[0]
    short = all(len(text) <= CODE_LENGTH and text.isascii() for text in texts)
    if kind in {"整数", "文字"} and short and 2 * len(set(texts)) <= len(texts) and len(set(texts)) <= CODES_MOST:
        kind, count = "代码", len(texts)
    return ColumnSeen(column, len(texts), of, kind, 100 * count // len(texts))


def _kind(text: str) -> str:
    if has_id_shape(text) and id_checksum_holds(text):
        return "身份证号码"
    return next((form for form, pattern in FORMS.items() if pattern.fullmatch(text)), "文字")
