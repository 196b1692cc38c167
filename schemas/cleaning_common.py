"""What every cleaner shares: the verdict, what a mapping may say, null tokens, folding.

Flags name a repair or a remark; a problem names why a given value cannot be read (china-facts §3.10). Their sentences
are in `data/flags.json`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias


class Cleaned(NamedTuple):
    """One value's verdict. `value` is None where nothing was given, where it means nothing, or where it cannot be read."""

    value: str | None
    flags: tuple[str, ...] = ()
    problem: str | None = None
    """Quarantine reason; then `value` is None and the flags hold the same code."""


Cleaner: TypeAlias = Callable[[Any], Cleaned]


@dataclass(frozen=True, slots=True)
class Options:
    """What a mapping may say of a column."""

    unit: str | None = None
    """Unit of areas or money that carry none."""
    codes: Mapping[str, str] | None = None
    """Source text -> canonical code; replaces the texts the list itself accepts."""
    code_list: str | None = None
    part: str | None = None
    """Which labelled part of a composite text is meant, e.g. 房屋建筑面积."""
    today: date = field(default_factory=date.today)
    """Business date: a day after tomorrow's is BAD_DATE."""


NOTHING: Final = Cleaned(None)
NULL: Final = Cleaned(None, ("NULL_TOKEN",))

HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
"""Character class: CJK ideographs, extensions included, 〇 not (it stands for an unknown character in names)."""

_NULL_TOKENS: Final = frozenset(
    (
        "无",
        "暂无",
        "未知",
        "不详",
        "空",
        "无证件",
        "未办证",
        "null",
        "none",
        "nan",
        "n/a",
        "#n/a",
        "undefined",
        r"\n",
        "0" * 18,
        "1" * 18,
    )
)
_STROKES: Final = re.compile(r"[-‐‑‒–—―─/\\]+")
_DROPPED: Final = re.compile(r"[\s\x00-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_QUOTES: Final = "'\"`‘’“”"
_WIDE: Final = re.compile(r"[０-９Ａ-Ｚａ-ｚ]")


def refused(code: str, *flags: str) -> Cleaned:
    """A value was given and cannot be read."""
    return Cleaned(None, (*flags, code), code)


def as_text(raw: Any) -> str:
    """What a source sent, as text. Values that Python holds equal (1, 1.0, True) read alike, so memos are safe."""
    if isinstance(raw, str):
        return raw
    if raw is None:
        return ""
    if isinstance(raw, float):
        return str(int(raw)) if raw.is_integer() else format(Decimal(repr(raw)), "f")
    return str(int(raw)) if isinstance(raw, int) else str(raw)


def lost_precision(raw: Any) -> bool:
    """Whether a number went, or may have gone, through a 64-bit float that cannot hold its last digits."""
    return isinstance(raw, (int, float)) and 2**53 <= abs(raw) < 2**80 and float(raw) == raw


def squeeze(text: str) -> str:
    """NFKC without any white space, invisible characters or enclosing quotes (Excel's leading `'`)."""
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text)).strip(_QUOTES)


def compact(text: str) -> tuple[str, tuple[str, ...]]:
    """`squeeze`, and the flags that say what it repaired."""
    out = squeeze(text)
    flags = []
    if _WIDE.search(text):
        flags.append("FULLWIDTH")
    if len(unicodedata.normalize("NFKC", text)) != len(out):
        flags.append("TRIMMED")
    return out, tuple(flags)


def is_null(squeezed: str, *, zero: bool = True) -> bool:
    """Whether a squeezed text means "nothing" (§3.10). `zero`: a lone 0 does too."""
    return squeezed.casefold() in _NULL_TOKENS or (zero and squeezed == "0") or _STROKES.fullmatch(squeezed) is not None


def repair_encoding(text: str) -> str | None:
    """UTF-8 that was read as Latin-1 or Windows-1252, read rightly (once); None if it is not that."""
    if not any("\x80" <= c <= "\xff" for c in text):
        return None
    for charset in ("latin-1", "cp1252"):
        try:
            repaired = text.encode(charset).decode()
        except UnicodeError:
            continue
        if re.search(f"[{HAN}]", repaired):
            return repaired
    return None
