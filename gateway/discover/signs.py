"""What speaks for one column being one field: its title, its name, its values, its declared length; and what speaks against."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from pypinyin import Style, lazy_pinyin

from gateway.discover.columns import Column, plain, words
from schemas import DATASETS
from schemas.cleaning import CLEANERS
from schemas.cleaning_common import Options
from schemas.codes import lookup
from schemas.fields import FieldSpec

FORMED: Final = frozenset(
    ["id_no", "unit_no", "parcel_code", "issuer_code", "contractor_code", "contract_code", "plot_code", "credit_code"]
)
"""Kinds whose values have a form or a check character of their own: hardly anything else looks like one."""
LENGTHS: Final[Mapping[str, str]] = {"id_no": "18", "unit_no": "28", "plot_code": "19", "issuer_code": "14"}
DATED: Final = frozenset({"date", "date_ahead", "open_date", "month"})
MEASURED: Final = frozenset({"area_m2", "area_m2_or_zero", "area_mu", "area_mu_or_zero", "money"})
UNITS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("平方米", "㎡", "m2", "m²", "平米"), "m²"), "亩": "亩", "公顷": "公顷", "万元": "万元", "元": "元",
}  # fmt: skip
MONEY: Final = frozenset({"元", "万元"})
SHARE: Final = 0.75
"""Of the sample values that must be readable before they speak for a field."""
_PAIR: Final = re.compile(r"([0-9A-Za-z]{1,8})\s*[-—–:：=、.]\s*([^\s,，;；、/|\d][^\s,，;；、/|]*)")
_UNIT: Final = re.compile(r"[(（]\s*(?:单位[:：]?)?\s*([^()（）]+?)\s*[)）]")


@dataclass(frozen=True, slots=True)
class Signs:
    """Of one column and one field. `score` orders; `sure` is what two signs, or the exact title, make."""

    title: str = ""
    """`exact`, `synonym`, `part` or nothing."""
    name: bool = False
    shape: bool = False
    formed: bool = False
    """The values, or the declared length, have the form of nothing else."""
    against: bool = False

    @property
    def score(self) -> int:
        said = {"exact": 10, "synonym": 7, "part": 2}.get(self.title, 0)
        return said + 5 * self.name + 2 * (self.shape and said + self.name > 0) + 3 * self.formed - 8 * self.against

    @property
    def sure(self) -> bool:
        if self.against:
            return False
        return self.title == "exact" or (self.title == "synonym" and (self.shape or self.name or self.formed))


@cache
def titles(dataset: str) -> Mapping[str, tuple[str, ...]]:
    """By path: its canonical title, then its synonyms, as they are compared. A numbered path belongs to one element of a part."""
    told: dict[str, list[str]] = {path: [spec.of.title] for path, spec in DATASETS[dataset].fields.items()}
    for path, synonyms in words()["titles"].get(dataset, {}).items():
        told.setdefault(path, []).extend(synonyms)
    return {path: tuple(map(plain, said)) for path, said in told.items()}


@cache
def names(dataset: str) -> Mapping[str, frozenset[str]]:
    """By path: pinyin, its initials, and English, of every title."""
    return {
        path: frozenset(
            [plain(path.rpartition(".")[2]), *words()["english"].get(path, ())]
            + [form for title in said for form in pinyin(title)]
        )
        for path, said in titles(dataset).items()
    }


def pinyin(title: str) -> tuple[str, str]:
    """Initials and syllables, without a space: bdcdyh, budongchandanyuanhao."""
    return (
        "".join(lazy_pinyin(title, style=Style.FIRST_LETTER)).casefold(),
        "".join(lazy_pinyin(title)).casefold(),
    )


def spec_of(dataset: str, path: str) -> FieldSpec:
    return DATASETS[dataset].fields[".".join(p for p in path.split(".") if not p.isdigit())]


def unit_of(column: Column) -> str | None:
    """The unit that a title, a type or a note states."""
    for text in (column.title, column.name, column.kind):
        for said in _UNIT.findall(text):
            if said in UNITS:
                return UNITS[said]
    found = re.search(r"单位[:：为是]?\s*(亩|公顷|平方米|㎡|m2|m²|万元|元)", column.note)
    return UNITS[found[1]] if found else UNITS.get(column.note.strip())


def code_pairs(column: Column) -> dict[str, str]:
    """`1-男，2-女` in a note: code -> its meaning."""
    return dict(_PAIR.findall(column.note))


def weigh(column: Column, dataset: str, path: str) -> Signs:
    spec = spec_of(dataset, path)
    said = {plain(text) for text in (column.title, _UNIT.sub("", column.title)) if text}
    canonical, *others = titles(dataset)[path]
    title = "exact" if canonical in said else "synonym" if said & set(others) else ""
    # whose title the column bears: that of another field of the dataset is not a part of ours
    if not title and not any(said & set(told) for told in titles(dataset).values()):
        close = any(len(t) > 1 and len(s) > 1 and (t in s or s in t) for t in (canonical, *others) for s in said)
        title = "part" if close else ""

    named = column.name.isascii() and plain(column.name) in names(dataset)[path]
    unit = unit_of(column)
    wrong_unit = spec.kind in MEASURED and unit is not None and (unit in MONEY) != (spec.kind == "money")
    good = _readable(column.values, spec, None if wrong_unit else unit)
    length = LENGTHS.get(spec.kind)
    declared = length is not None and re.search(rf"(?<!\d){length}(?!\d)", column.kind) is not None
    formed = spec.kind in FORMED and ((good is not None and good >= SHARE) or declared)
    typed = spec.kind in DATED and re.search(r"date|time|日期|时间", column.kind, re.IGNORECASE) is not None
    # any text can be read as a text: reading one says nothing
    telling = spec.kind not in {"text", "ident", "code", "document_no", "cert_no"}
    shape = (telling and good is not None and good >= SHARE) or typed or declared
    against = (good is not None and good < SHARE) or wrong_unit or _wrong_type(column.kind, spec.kind)
    return Signs(title, named, shape, formed, against)


def _readable(values: Sequence[str], spec: FieldSpec, unit: str | None) -> float | None:
    """The share of sample values that can be read as this kind; None if there are none. Bare codes tell nothing."""
    given = [v for v in values if v.strip()]
    if not given:
        return None
    if spec.of.codes is not None:
        accepted = lookup(spec.of.codes)
        given = [v for v in given if len(v) > 3 or not v.isalnum() or not v.isascii()]
        return sum(v.strip() in accepted for v in given) / len(given) if given else None
    clean = CLEANERS[spec.kind](Options(unit=unit if spec.kind in MEASURED else None))
    return sum(clean(v).problem is None and clean(v).value is not None for v in given) / len(given)


def _wrong_type(kind: str, wanted: str) -> bool:
    is_date = re.match(r"\s*(date|datetime|timestamp|日期)", kind, re.IGNORECASE) is not None
    is_number = re.match(r"\s*(decimal|double|float|金额|小数)", kind, re.IGNORECASE) is not None
    return (is_date and wanted not in DATED | {"year"}) or (
        is_number and wanted not in MEASURED | {"quantity", "count", "year"}
    )
