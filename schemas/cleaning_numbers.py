"""Areas in m² or 亩, money in 元, quantities, counts: exact decimals, rounded half up to the scale of the field (china-facts §3.10)."""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from schemas.cleaning_common import NOTHING, NULL, Cleaned, Cleaner, Options, as_text, is_null, refused, squeeze

_CENT: Final = Decimal("0.01")
_UNSIGNED: Final = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(?:\.[0-9]{0,20})?|\.[0-9]{1,20}"

_SQUARE_METRE: Final = "m²"
_MU: Final = "亩"
_AREA_UNITS: Final[Mapping[str, tuple[int, int]]] = {
    _SQUARE_METRE: (1, 1),
    _MU: (2000, 3),
    "公顷": (10_000, 1),
    "分": (200, 3),
    "厘": (20, 3),
}
"""m² a unit, as a fraction: divided once and last, so that nothing is rounded twice."""
_AREA_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("m2", "平方米", "平米", "平方", "平"), _SQUARE_METRE),
    **dict.fromkeys(("公顷", "ha", "hm2"), "公顷"),
    **dict.fromkeys(("亩", "市亩"), _MU),
    "分": "分",
    "厘": "厘",
}
_AREA: Final = re.compile(rf"({_UNSIGNED})({'|'.join(sorted(_AREA_WORDS, key=len, reverse=True))})?", re.IGNORECASE)
_MIXED_MU: Final = re.compile(rf"(?:({_UNSIGNED})市?亩)?(?:({_UNSIGNED})分)?(?:({_UNSIGNED})厘)?")
_LABEL: Final = re.compile(r"([一-鿿]*面积)[:=]?(.*)")
_BETWEEN_LABELS: Final = re.compile(r"[/;,、|](?=[一-鿿]*面积)")
_PLAIN_AREA: Final = re.compile(r"(?:0|[1-9][0-9]{0,8})\.[0-9]{2}")
_ZERO: Final = "0.00"

_MONEY_UNITS: Final[Mapping[str, Decimal]] = {"元": Decimal(1), "万元": Decimal(10_000)}
_MONEY_WORDS: Final[Mapping[str, Decimal]] = {**_MONEY_UNITS, "圆": Decimal(1), "万": Decimal(10_000)}
_MONEY: Final = re.compile(rf"([-+]?)(?:人民币|RMB|CNY)?¥?([-+]?)({_UNSIGNED})(万元|万|元|圆)?整?", re.IGNORECASE)
_PARENTHESES: Final = re.compile(r"\(([^-+]*)\)")
_PLAIN_MONEY: Final = re.compile(r"(?!-0\.00$)-?(?:0|[1-9][0-9]{0,11})\.[0-9]{2}")

_QUANTITY: Final = re.compile(
    rf"({_UNSIGNED})(万)?([头只羽尾口匹箱群窝台套件株棵盆筒袋棒吨亩户人]|公斤|千克|斤|立方米|平方米|m3|m2|公顷)?"
)

_COUNT: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,12})(?:\.0*)?[人口户个名层块]?")


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _two_places(value: Decimal) -> str:
    return format(value.quantize(_CENT, ROUND_HALF_UP) + 0, "f")


def _unit(options: Options, allowed: Mapping[str, Any], default: str) -> str:
    unit = options.unit or default
    if unit not in allowed:
        raise ValueError(f"单位“{unit}”不可用。可用的有：{'、'.join(allowed)}")
    return unit


def _converted(value: Decimal, unit: str, wanted: str) -> Decimal:
    (up, down), (wanted_up, wanted_down) = _AREA_UNITS[unit], _AREA_UNITS[wanted]
    return value * (up * wanted_down) / (down * wanted_up)


def _measure(text: str, declared: str, wanted: str, *, zero: bool) -> Cleaned:
    """One number with its unit, or 亩分厘; the unit written in the text outranks the declared one."""
    flags: tuple[str, ...] = ("UNIT_CONVERTED",)
    if found := _AREA.fullmatch(text):
        unit = _AREA_WORDS[found[2].lower()] if found[2] else declared
        area = _converted(_decimal(found[1]), unit, wanted)
        flags = () if unit == declared else flags
    elif found := _MIXED_MU.fullmatch(text):
        mu = sum((_decimal(n) / 10**i for i, n in enumerate(found.groups()) if n), Decimal(0))
        area = _converted(mu, _MU, wanted)
    else:
        return refused("BAD_NUMBER")
    value = _two_places(area)
    if value == _ZERO and not zero:
        return Cleaned(None, ("ZERO_AREA",))
    return Cleaned(value, flags) if len(value) <= 12 else refused("BAD_NUMBER")


def _choose(parts: Mapping[str, str], wanted: str | None) -> str | None:
    """The text under the label that is meant: the same words, or the one ending the other (建筑面积)."""
    if wanted is None:
        return next(iter(parts.values())) if len(parts) == 1 else None
    if wanted in parts:
        return parts[wanted]
    return next((text for label, text in parts.items() if label.endswith(wanted) or wanted.endswith(label)), "")


def _areas(options: Options, wanted: str, *, zero: bool) -> Cleaner:
    declared = _unit(options, _AREA_UNITS, wanted)
    plain = declared == wanted

    def clean(raw: Any) -> Cleaned:
        if plain and raw.__class__ is str and _PLAIN_AREA.fullmatch(raw) and (zero or raw != _ZERO):
            return Cleaned(raw)
        text = squeeze(as_text(raw))
        if not text:
            return NOTHING
        if is_null(text, zero=False):
            return NULL
        if "面积" not in text:
            return _measure(text, declared, wanted, zero=zero)
        labelled = [_LABEL.fullmatch(piece) for piece in _BETWEEN_LABELS.split(text)]
        parts = {found[1]: found[2] for found in labelled if found}
        chosen = _choose(parts, options.part) if len(parts) == len(labelled) else None
        if chosen is None:
            return refused("BAD_NUMBER")
        if not chosen or is_null(chosen, zero=False):
            return Cleaned(None, ("COMPOSITE",))
        measured = _measure(chosen, declared, wanted, zero=zero)
        return measured._replace(flags=("COMPOSITE", *measured.flags))

    return clean


def area_cleaner(options: Options) -> Cleaner:
    """m², two decimals. 0 means "not entered" (ZERO_AREA); of a composite text the part named by the mapping counts."""
    return _areas(options, _SQUARE_METRE, zero=False)


def mu_cleaner(options: Options) -> Cleaner:
    """As an area, in 亩."""
    return _areas(options, _MU, zero=False)


def area_or_zero_cleaner(options: Options) -> Cleaner:
    """As an area, where 0 is an answer: nothing built beyond what was approved."""
    return _areas(options, _SQUARE_METRE, zero=True)


def mu_or_zero_cleaner(options: Options) -> Cleaner:
    """As an area in 亩, where 0 is an answer: nothing let to others."""
    return _areas(options, _MU, zero=True)


def money_cleaner(options: Options) -> Cleaner:
    """元, two decimals; parentheses are accountants' minus."""
    factor = _MONEY_UNITS[_unit(options, _MONEY_UNITS, "元")]
    plain = factor == 1

    def clean(raw: Any) -> Cleaned:
        if plain and raw.__class__ is str and _PLAIN_MONEY.fullmatch(raw):
            return Cleaned(raw)
        text = squeeze(as_text(raw)).replace("−", "-")
        if not text:
            return NOTHING
        if is_null(text, zero=False):
            return NULL
        bracketed = _PARENTHESES.fullmatch(text)
        found = _MONEY.fullmatch(bracketed[1] if bracketed else text)
        if not found or (found[1] and found[2]):
            return refused("BAD_NUMBER")
        value = _decimal(found[3]) * (_MONEY_WORDS[found[4]] if found[4] else factor)
        out = _two_places(-value if bracketed or "-" in (found[1], found[2]) else value)
        return Cleaned(out) if len(out.lstrip("-")) <= 15 else refused("BAD_NUMBER")

    return clean


def clean_quantity(raw: Any) -> Cleaned:
    """A non-negative number, two decimals. A unit written behind it is dropped, flagged: the column of units counts."""
    text = squeeze(as_text(raw))
    if not text:
        return NOTHING
    if is_null(text, zero=False):
        return NULL
    found = _QUANTITY.fullmatch(text)
    if not found:
        return refused("BAD_NUMBER")
    value = _two_places(_decimal(found[1]) * (10_000 if found[2] else 1))
    return Cleaned(value, ("UNIT_WRITTEN",) if found[3] else ()) if len(value) <= 12 else refused("BAD_NUMBER")


def clean_count(raw: Any) -> Cleaned:
    """A non-negative integer below a million."""
    text = squeeze(as_text(raw))
    if not text:
        return NOTHING
    if is_null(text, zero=False):
        return NULL
    found = _COUNT.fullmatch(text)
    number = int(found[1].replace(",", "")) if found else -1
    return Cleaned(str(number)) if 0 <= number < 1_000_000 else refused("BAD_NUMBER")
