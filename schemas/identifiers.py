"""Identifiers: forms and check characters, nothing about where a value came from.

GB 11643-1999 (ID numbers), GB 32100-2015, GB 11714 and GS 15-2006 (organisations), GB/T 37346-2019 (real-estate units),
NY/T 2537 (contracted land), certificate numbers of the real-estate register and what came before it, numbers of official
documents (china-facts §2).
"""

import re
from datetime import date
from typing import Final, NamedTuple

_PROVINCES: Final = frozenset(
    f"{n}" for n in (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66))
) | {"71", "81", "82", "83"}
_PERMANENT_RESIDENT: Final = frozenset(f"9{n}" for n in range(1, 9))
ID_AREAS: Final = _PROVINCES | _PERMANENT_RESIDENT
"""First two characters of an ID number. The whole six are not looked up: a number keeps the area of first registration.
9x: permanent residence card of a foreigner, same layout and check."""

_ID_CHECK: Final = "10X98765432"
OLDEST: Final = 120


def id_check_char(first17: str) -> str:
    """The 18th character of an ID number (ISO 7064 MOD 11-2)."""
    return _ID_CHECK[sum(int(d) << (17 - i) for i, d in enumerate(first17)) % 11]


def id_checksum_holds(number: str) -> bool:
    """Whether 18 characters, 17 digits and a digit or X, satisfy MOD 11-2: base 13 will do, for 13 = 2 (mod 11)."""
    return int(number.replace("X", "A"), 13) % 11 == 1


def has_id_shape(text: str) -> bool:
    """17 ASCII digits and a digit or `X`."""
    return len(text) == 18 and text.isascii() and text[:17].isdigit() and text[17] in "0123456789X"


def is_birthdate(digits: str, today: date) -> bool:
    """Whether YYYYMMDD is a day of the calendar, not in the future, at most 120 years ago."""
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return born <= today and today.year - born.year <= OLDEST


def id_problem(number: str, today: date) -> str | None:
    """What is wrong with an 18-character number: ID_FORM, ID_BIRTHDATE or ID_CHECKSUM, in the standard's order."""
    if not has_id_shape(number) or number[:2] not in ID_AREAS:
        return "ID_FORM"
    if not is_birthdate(number[6:14], today):
        return "ID_BIRTHDATE"
    return None if id_checksum_holds(number) else "ID_CHECKSUM"


def upgrade_id(number15: str) -> str:
    """The 18-character form of a 15-digit number; its holders were born in 19xx. Raises ValueError on another form."""
    if not re.fullmatch(r"[0-9]{15}", number15):
        raise ValueError("a first-generation ID number has 15 digits")
    first17 = f"{number15[:6]}19{number15[6:]}"
    return first17 + id_check_char(first17)


_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(17))
_ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_USCC: Final = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_ORG: Final = re.compile(r"([0-9A-Z]{8})-?([0-9X])")


def uscc_check_char(first17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100)."""
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(first17, _USCC_WEIGHTS, strict=True))
    return _USCC_ALPHABET[-total % 31]


def is_uscc(code: str) -> bool:
    """Whether this is a unified social credit code with a right check character."""
    return _USCC.fullmatch(code) is not None and uscc_check_char(code[:17]) == code[17]


def is_org_code(code: str) -> bool:
    """Whether this is a nine-character organisation code (GB 11714), with or without its hyphen."""
    found = _ORG.fullmatch(code)
    if not found:
        return False
    rest = 11 - sum(int(c, 36) * w for c, w in zip(found[1], _ORG_WEIGHTS, strict=True)) % 11
    return found[2] == {10: "X", 11: "0"}.get(rest, str(rest))


_REGISTRATION: Final = re.compile(r"[0-9]{15}")
_COOPERATIVE: Final = re.compile(r"[0-9]{6}NA[0-9]{6}X")


def is_registration_no(text: str) -> bool:
    """Whether this is a registration number of before 2015: 15 digits that satisfy ISO 7064 MOD 11,10 (GS 15-2006).

    Farmers' cooperatives carried `NA` and an `X` that checks nothing.
    """
    if not _REGISTRATION.fullmatch(text):
        return _COOPERATIVE.fullmatch(text) is not None
    rest = 10
    for digit in text[:14]:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return (11 - rest) % 10 == int(text[14])


class UnitNumber(NamedTuple):
    """A real-estate unit number (GB/T 37346), cut into its parts."""

    county: str
    zone: str
    subzone: str
    feature: str
    """Ownership (G state, J collective, Z undecided) and kind of right; a homestead is `JC`."""
    order: str
    fixture: str
    """F building, L trees, Q other, W none."""
    unit: str

    @property
    def parcel(self) -> str:
        """The 19-character parcel code, which is how the number begins."""
        return "".join(self[:5])


_PARCEL_PARTS: Final = r"([0-9]{6})([0-9]{3})([0-9]{3})([GJZ][A-Z])([0-9]{5})"
_UNIT: Final = re.compile(rf"{_PARCEL_PARTS}([FLQW])([0-9]{{8}})")
_PARCEL: Final = re.compile(_PARCEL_PARTS)


def parse_unit_number(text: str) -> UnitNumber | None:
    """The parts of a 28-character unit number, or None if it is not of that form."""
    found = _UNIT.fullmatch(text)
    return UnitNumber(*found.groups()) if found else None


def is_parcel_code(text: str) -> bool:
    """Whether this is a 19-character parcel code."""
    return _PARCEL.fullmatch(text) is not None


_ISSUER: Final = re.compile(r"[1-9][0-9]{13}")
_CONTRACTOR: Final = re.compile(r"[1-9][0-9]{17}")
_PLOT: Final = re.compile(r"[1-9][0-9]{18}")
_CONTRACT: Final = re.compile(r"[1-9][0-9]{17}[JQ]?")


def is_issuer_code(text: str) -> bool:
    """发包方: county 6, town 3, village 3, group 2."""
    return _ISSUER.fullmatch(text) is not None


def is_contractor_code(text: str) -> bool:
    """承包方: its issuer's 14 digits and 4 more."""
    return _CONTRACTOR.fullmatch(text) is not None


def is_plot_code(text: str) -> bool:
    """承包地块: its issuer's 14 digits and 5 more."""
    return _PLOT.fullmatch(text) is not None


def is_contract_code(text: str) -> bool:
    """承包合同, and its certificate: the contractor's 18 digits and `J` (by household) or `Q` (another way).

    One printing of the standard gives 18 characters; registers built on it leave the letter out.
    """
    return _CONTRACT.fullmatch(text) is not None


class Certificate(NamedTuple):
    """A certificate number in canonical form, and its family."""

    number: str
    kind: str
    """RIGHT 不动产权证书 · PROOF 不动产登记证明 · LEGACY issued before the unified register · CODE letters and digits."""


_BRACKETS: Final = str.maketrans("〔〕【】[]﹝﹞{}", "()()()()()")
_UNIFIED: Final = re.compile(r"([一-龥])\(([0-9]{4})\)([一-龥]{2,12}?)不动产(权|证明)第([0-9]{5,8})号")
_LEGACY: Final = re.compile(
    # 丰集用(2010)第01234号, 丰房权证剑光字第123号, 结婚证字第…号: a word that makes it a certificate, then a serial.
    r"(?=.*[字证用有])[一-龥]{1,20}(?:\([0-9]{4}\)[一-龥]{0,20})?(?:第|字)?(?:[0-9A-Z]{1,12}-){0,3}[0-9A-Z]{0,4}[0-9]{3,14}号?"
)
_CODE: Final = re.compile(r"(?=(?:[^0-9]*[0-9]){4})[0-9A-Z]{1,24}(?:-[0-9A-Z]{1,24}){0,3}")


def parse_certificate(text: str) -> Certificate | None:
    """One certificate number from text already without white space and in NFKC; None if it is not one.

    Brackets become `()`, letters upper case; the serial's digits stay as given, for no register pads alike (§2.6).
    """
    number = text.translate(_BRACKETS).upper()
    if not 4 <= len(number) <= 80:
        return None
    if found := _UNIFIED.fullmatch(number):
        return Certificate(number, "RIGHT" if found[4] == "权" else "PROOF")
    if "不动产" in number:
        return None
    if _LEGACY.fullmatch(number):
        return Certificate(number, "LEGACY")
    return Certificate(number, "CODE") if _CODE.fullmatch(number) else None


_DOCUMENT: Final = re.compile(r"([一-龥]{1,30})\(((?:19|20)[0-9]{2})\)第?0{0,5}([1-9][0-9]{0,5})号")
_NOTICE: Final = re.compile(r"[一-龥]{2,30}第[1-9][0-9]{0,5}号")
_IN_A_TITLE: Final = re.compile(r"[^()]+\(([^()]+\([0-9]{4}\)[^()]+)\)")


def document_no(text: str) -> str | None:
    """The canonical number of an official document (GB/T 9704), 赣农字〔2023〕15号, or of a notice, …公告第634号.

    From text already without white space and in NFKC; the year's brackets become `〔〕`, its serial loses 第 and zeros.
    """
    folded = text.translate(_BRACKETS)
    if found := _DOCUMENT.fullmatch(folded):
        return f"{found[1]}〔{found[2]}〕{found[3]}号"
    return text if _NOTICE.fullmatch(text) else None


def titled_document_no(text: str) -> str | None:
    """The number in brackets behind a document's title; None if there is not exactly one."""
    found = _IN_A_TITLE.fullmatch(text.translate(_BRACKETS))
    return document_no(found[1]) if found else None
