"""Identifiers and codes: ID numbers, units, parcels, certificates, divisions, accounts, code lists."""

import re
from collections.abc import Callable
from typing import Any, Final

from schemas.cleaning_common import (
    NOTHING,
    NULL,
    Cleaned,
    Cleaner,
    Options,
    as_text,
    compact,
    is_null,
    lost_precision,
    refused,
)
from schemas.codes import code_key, code_list, lookup
from schemas.divisions import county_of
from schemas.identifiers import (
    ID_AREAS,
    has_id_shape,
    id_checksum_holds,
    id_problem,
    is_birthdate,
    is_parcel_code,
    parse_certificate,
    parse_unit_number,
    upgrade_id,
)

_X_LOOKALIKES: Final = str.maketrans(dict.fromkeys("Хх×Χχ✕✖", "X"))
"""Cyrillic, Greek and signs that NFKC leaves alone (§2.1)."""
_MASKED: Final = re.compile(r"[0-9]*(?:[*●•○#]|[Xx×]{2,}[0-9]).*")
_ONE_DIGIT: Final = re.compile(r"([0-9])\1{14}(?:\1{3})?")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{2}")
_OTHER_DOCUMENT: Final = re.compile(r"[A-Z]{1,2}[0-9]{7,10}")
_ACCOUNT: Final = re.compile(r"[0-9]{8,32}|[0-9]{0,12}[*Xx]{2,}([0-9]{4})")
_JOINTS: Final = re.compile(r"[/、,;]")
_DIVISION: Final = re.compile(r"[0-9]{6}(?:[0-9]{3}(?:[0-9]{3})?)?")
_IDENT: Final = re.compile(r"[0-9A-Za-z_\-./]{1,64}")


def id_cleaner(options: Options) -> Cleaner:
    """An 18-character ID number (GB 11643). Another document's number is nothing, flagged OTHER_DOCUMENT."""
    today = options.today
    born: set[str] = set()  # valid birth dates seen; a calendar of 120 years bounds it

    def slow(raw: Any) -> Cleaned:
        text, flags = compact(as_text(raw))
        if not text:
            return NOTHING
        if is_null(text) or _ONE_DIGIT.fullmatch(text):
            return NULL
        if _MASKED.fullmatch(text):
            return refused("ID_MASKED")
        if _SCIENTIFIC.fullmatch(text) or lost_precision(raw):
            return refused("ID_PRECISION_LOST")
        number = text.translate(_X_LOOKALIKES)
        if number != text:
            flags = (*flags, "LOOKALIKE_FOLDED")
        upper = number.upper()
        if upper != number:
            flags = tuple(dict.fromkeys((*flags, "TRIMMED")))
        if len(upper) == 15 and upper.isascii() and upper.isdigit():
            upper, flags = upgrade_id(upper), (*flags, "ID15_UPGRADED")
        problem = id_problem(upper, today)
        if problem is None:
            born.add(upper[6:14])
            return Cleaned(upper, flags)
        if _OTHER_DOCUMENT.fullmatch(upper):
            return Cleaned(None, ("OTHER_DOCUMENT",))
        # A spreadsheet keeps 15 digits of a number and fills up with zeros.
        lost = problem == "ID_CHECKSUM" and upper.endswith("000")
        return refused("ID_PRECISION_LOST" if lost else problem)

    def clean(raw: Any) -> Cleaned:
        if (
            raw.__class__ is str
            and has_id_shape(raw)
            and id_checksum_holds(raw)
            and raw[:2] in ID_AREAS
            and (raw[6:14] in born or is_birthdate(raw[6:14], today))
        ):
            born.add(raw[6:14])
            return Cleaned(raw)
        return slow(raw)

    return clean


def code_cleaner(options: Options) -> Cleaner:
    """A canonical code, by the source's own dictionary if it has one, else by what the list accepts.

    Raises:
        ValueError: no list, an unknown list, or a dictionary that leads outside of its list.
    """
    exact = _dictionary(options)
    folded = {code_key(text): code for text, code in exact.items()}

    def clean(raw: Any) -> Cleaned:
        if raw.__class__ is str and (code := exact.get(raw)) is not None:
            return Cleaned(code)
        text, flags = compact(as_text(raw))
        if (code := folded.get(text.casefold())) is not None:
            return Cleaned(code, flags)
        if not text:
            return NOTHING
        return NULL if is_null(text, zero=False) else refused("CODE_UNKNOWN")

    return clean


def _dictionary(options: Options) -> dict[str, str]:
    if options.codes is None:
        if options.code_list is None:
            raise ValueError("代码字段要写明代码表，或给出对照 codes")
        return lookup(options.code_list)
    if options.code_list is not None:
        allowed = code_list(options.code_list).codes
        for text, code in options.codes.items():
            if code not in allowed:
                listed = "、".join(f"{c} {t}" for c, t in allowed.items())
                raise ValueError(f"对照“{text}: {code}”不在代码表 {options.code_list} 中。可用的有：{listed}")
    return dict(options.codes)


def _stands_for_nothing(text: str) -> bool:
    return is_null(text) or not text.strip("0")


def _formed(accept: Callable[[str], str | None], problem: str) -> Cleaner:
    """A cleaner of compact upper-case text; `accept` returns the canonical text or None."""

    def clean(raw: Any) -> Cleaned:
        if raw.__class__ is str and accept(raw) == raw and not _stands_for_nothing(raw):
            return Cleaned(raw)
        text, flags = compact(as_text(raw))
        if not text:
            return NOTHING
        if _stands_for_nothing(text):
            return NULL
        upper = text.upper()
        value = accept(upper)
        if value is None or lost_precision(raw):
            return refused(problem)
        return Cleaned(value, flags if upper == text else tuple(dict.fromkeys((*flags, "TRIMMED"))))

    return clean


def _certificates(text: str) -> str | None:
    if found := parse_certificate(text):
        return found.number
    several = [parse_certificate(piece) for piece in _JOINTS.split(text) if piece]
    joined = "/".join(found.number for found in several if found)
    return joined if several and all(several) and len(joined) <= 80 else None


clean_unit: Final = _formed(lambda text: text if parse_unit_number(text) else None, "UNIT_NO_FORM")
"""28 characters (GB/T 37346)."""

clean_parcel: Final = _formed(lambda text: text if is_parcel_code(text) else None, "PARCEL_FORM")
"""The first 19 characters of a unit number."""

clean_cert: Final = _formed(_certificates, "CERT_NO_FORM")
"""A certificate number (§2.6), or several joined by `/`; brackets become `()`, which is not worth a flag."""


def clean_division(raw: Any) -> Cleaned:
    """6, 9 or 12 digits. A former county code becomes its present county, flagged: its towns are not ours to guess."""
    text, flags = compact(as_text(raw))
    if not text:
        return NOTHING
    if _stands_for_nothing(text):
        return NULL
    if not _DIVISION.fullmatch(text):
        return refused("DIVISION_FORM")
    county = county_of(text)
    if county and county != text[:6]:
        return Cleaned(county, (*flags, "DIVISION_HISTORIC"))
    return Cleaned(text, flags)


def clean_account(raw: Any) -> Cleaned:
    """`****1234`: the last four digits of an account of eight or more; the number itself is never kept (§3.7)."""
    text, flags = compact(as_text(raw))
    text = text.replace("-", "") if text.strip("-") else text
    if not text:
        return NOTHING
    if _stands_for_nothing(text):
        return NULL
    if not _ACCOUNT.fullmatch(text) or lost_precision(raw):
        return refused("IDENT_FORM")
    return Cleaned(f"****{text[-4:]}", flags)


def clean_ident(raw: Any) -> Cleaned:
    """A source's own number: letters, digits and `_-./`, case kept."""
    if raw.__class__ is str and _IDENT.fullmatch(raw) and not is_null(raw):
        return Cleaned(raw)
    text, flags = compact(as_text(raw))
    if not text:
        return NOTHING
    if is_null(text):
        return NULL
    if not _IDENT.fullmatch(text) or lost_precision(raw):
        return refused("IDENT_FORM")
    return Cleaned(text, flags)
