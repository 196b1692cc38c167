"""Names and free text. Neither is put through NFKC, which would change compatibility ideographs (china-facts §3.10)."""

import re
from typing import Any, Final

from schemas.cleaning_common import (
    HAN,
    NOTHING,
    NULL,
    Cleaned,
    Cleaner,
    as_text,
    is_null,
    refused,
    repair_encoding,
    squeeze,
)

_NAME_MAX: Final = 100
_TEXT_MAX: Final = 400

_PLAIN_NAME: Final = re.compile(r"(?!暂无|未知|不详|无证件|未办证)[\u4e00-\u9fff]{2,4}")
_GARBLED: Final = re.compile("[?？□〇*＊\ufffd\ue000-\uf8ff\U000f0000-\U0010fffd]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DOT: Final = re.compile(rf"(?<=[{HAN}])\s*[•．・.‧∙⋅·]\s*(?=[{HAN}])")
_SHORT_HAN: Final = re.compile(rf"[{HAN}]{{2,4}}")
_PERSON: Final = rf"[{HAN}](?: ?[{HAN}]){{1,3}}|[{HAN}]+(?:·[{HAN}]+)+"
_SUFFIX: Final = re.compile(rf"({_PERSON})(?: ?\([^()]*\)| 等| ?等[0-9一二三四五六七八九十]*人)+")

_SENTENCE_MARKS: Final = "，；：！？"
_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) not in _SENTENCE_MARKS}
_WIDE: Final = re.compile(r"[０-９Ａ-Ｚａ-ｚ]")
_INVISIBLE: Final = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_UNTIDY: Final = re.compile(
    r"[\s'\"`‘’“”\x00-\x1f\x7f-\xff\u200b-\u200f\u202a-\u202e\u2060-\u2064\ud800-\udfff\ufeff\uff01-\uff5e]"
)


def _tidy(text: str) -> tuple[str, tuple[str, ...]]:
    """ASCII width folded, white space trimmed and collapsed. Brackets are folded without a remark."""
    flags = ("FULLWIDTH",) if _WIDE.search(text) else ()
    folded = text.translate(_WIDTH)
    out = " ".join(_INVISIBLE.sub("", folded).split())
    return out, flags if out == folded else (*flags, "TRIMMED")


def _decoded(text: str) -> tuple[str, tuple[str, ...]]:
    repaired = repair_encoding(text)
    return (text, ()) if repaired is None else (repaired, ("MOJIBAKE",))


def _decoded_late(clean: Cleaner, cleaned: Cleaned) -> Cleaned:
    """Cleans again what only shows as mojibake once it is tidy; each turn is shorter than the one before."""
    if cleaned.value is None or repair_encoding(cleaned.value) is None:
        return cleaned
    again = clean(cleaned.value)
    return again._replace(flags=tuple(dict.fromkeys((*cleaned.flags, *again.flags))))


def clean_name(raw: Any) -> Cleaned:
    """A person's name: spaces between its characters, odd dots and remarks after it are removed, rare characters kept.

    A name with unreadable characters is kept as sent and flagged NAME_GARBLED: nothing may be matched on it.
    """
    if raw.__class__ is str and _PLAIN_NAME.fullmatch(raw):
        return Cleaned(raw)
    text, flags = _decoded(as_text(raw))
    squeezed = squeeze(text)
    if not squeezed:
        return NOTHING
    if is_null(squeezed):
        return NULL
    if _SURROGATE.search(text) or len(text) > _NAME_MAX:
        return refused("TEXT_FORM")
    if _GARBLED.search(text):
        return Cleaned(text, (*flags, "NAME_GARBLED"))
    spaced, repairs = _tidy(text)
    tidy = _DOT.sub("·", spaced)
    flags = (*flags, *repairs, "DOT_FOLDED") if tidy != spaced else (*flags, *repairs)
    if found := _SUFFIX.fullmatch(tidy):
        tidy, flags = found[1], (*flags, "NAME_SUFFIX")
    joined = tidy.replace(" ", "")
    if joined != tidy and _SHORT_HAN.fullmatch(joined):
        tidy, flags = joined, (*flags, "TRIMMED")
    return _decoded_late(clean_name, Cleaned(tidy, tuple(dict.fromkeys(flags))))


def clean_text(raw: Any) -> Cleaned:
    """Free text of at most 400 characters. Chinese sentence marks keep their width."""
    if raw.__class__ is str and 0 < len(raw) <= _TEXT_MAX and not _UNTIDY.search(raw) and not is_null(raw):
        return Cleaned(raw)
    text, flags = _decoded(as_text(raw))
    squeezed = squeeze(text)
    if not squeezed:
        return NOTHING
    if is_null(squeezed):
        return NULL
    out, repairs = _tidy(text)
    if _SURROGATE.search(out) or len(out) > _TEXT_MAX:
        return refused("TEXT_FORM")
    return _decoded_late(clean_text, Cleaned(out, (*flags, *repairs)))
