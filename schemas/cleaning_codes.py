"""Identifiers and codes: ID numbers, organisations, units, parcels, plots, certificates, documents, divisions, accounts,
code lists.
"""

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
    document_no,
    has_id_shape,
    id_checksum_holds,
    id_problem,
    is_birthdate,
    is_contract_code,
    is_contractor_code,
    is_issuer_code,
    is_org_code,
    is_parcel_code,
    is_plot_code,
    is_registration_no,
    is_uscc,
    parse_certificate,
    parse_unit_number,
    titled_document_no,
    upgrade_id,
)

_X_LOOKALIKES: Final = str.maketrans(dict.fromkeys("Хх×Χχ✕✖", "X"))
"""Cyrillic, Greek and signs that NFKC leaves alone (§2.1)."""
_MASKED: Final = re.compile(r"[0-9]*(?:[*●•○#]|[Xx×]{2,}[0-9]).*")
_ONE_DIGIT: Final = re.compile(r"([0-9])\1{14}(?:\1{3})?")
_SCIENTIFIC: Final = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{2}")
_OTHER_DOCUMENT: Final = re.compile(r"[A-Z]{1,2}[0-9]{7,10}")
_NEVER_IN_A_CREDIT_CODE: Final = str.maketrans("OI", "01")
"""GB 32100 leaves these letters out because they are read as digits; the check character tells."""
_CREDIT_SHAPE: Final = re.compile(r"[0-9A-Z]{18}")
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
        if _OTHER_DOCUMENT.fullmatch(upper) or (is_uscc(upper) and not upper[8:17].isdigit()):
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


def credit_cleaner(options: Options) -> Cleaner:
    """A unified social credit code (GB 32100), or what came before it: 15 or 9 characters, flagged LEGACY_CODE.

    A person's ID number in its place is nothing, flagged OTHER_DOCUMENT: those without a code often write it there.
    """
    today = options.today

    def clean(raw: Any) -> Cleaned:
        if raw.__class__ is str and is_uscc(raw) and id_problem(raw, today) and not _stands_for_nothing(raw):
            return Cleaned(raw)
        text, flags = compact(as_text(raw))
        if not text:
            return NOTHING
        if _stands_for_nothing(text):
            return NULL
        code = text.upper()
        if code != text:
            flags = tuple(dict.fromkeys((*flags, "TRIMMED")))
        if lost_precision(raw):
            return refused("CREDIT_CODE_FORM")
        if id_problem(code, today) is None:
            return Cleaned(None, ("OTHER_DOCUMENT",))
        if is_uscc(code):
            return Cleaned(code, flags)
        if is_uscc(folded := code.translate(_NEVER_IN_A_CREDIT_CODE)):
            return Cleaned(folded, (*flags, "LOOKALIKE_FOLDED"))
        if is_registration_no(code) or is_org_code(code):
            return Cleaned(code.replace("-", ""), (*flags, "LEGACY_CODE"))
        return refused("CREDIT_CODE_CHECKSUM" if _CREDIT_SHAPE.fullmatch(code) else "CREDIT_CODE_FORM")

    return clean


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

clean_issuer: Final = _formed(lambda text: text if is_issuer_code(text) else None, "LAND_CODE_FORM")
"""14 digits (NY/T 2537)."""

clean_contractor: Final = _formed(lambda text: text if is_contractor_code(text) else None, "LAND_CODE_FORM")
"""18 digits."""

clean_plot: Final = _formed(lambda text: text if is_plot_code(text) else None, "LAND_CODE_FORM")
"""19 digits."""

_contract: Final = _formed(lambda text: text if is_contract_code(text) else None, "LAND_CODE_FORM")


def clean_contract(raw: Any) -> Cleaned:
    """A contract's or its certificate's code; one without the letter at its end is kept so, flagged."""
    cleaned = _contract(raw)
    if cleaned.value and cleaned.value.isdigit():
        return cleaned._replace(flags=(*cleaned.flags, "CONTRACT_CODE_SHORT"))
    return cleaned


def clean_document(raw: Any) -> Cleaned:
    """The number of an official document, or several joined by `/`. Out of a title it is taken, flagged."""
    text, flags = compact(as_text(raw))
    if not text:
        return NOTHING
    if _stands_for_nothing(text):
        return NULL
    numbers = [document_no(piece) for piece in _JOINTS.split(text) if piece]
    joined = "/".join(number for number in numbers if number)
    if numbers and all(numbers) and len(joined) <= 120:
        return Cleaned(joined, flags)
    if titled := titled_document_no(text):
        return Cleaned(titled, (*flags, "DOCUMENT_NO_FROM_TITLE"))
    return refused("DOCUMENT_NO_FORM")


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
