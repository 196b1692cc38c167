"""What a person may see without the right to see more (china-facts §4), and what a log may hold. Pure functions."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from schemas.fields import FieldSpec
from schemas.identifiers import ID_AREAS, is_birthdate

_ADDRESSES: Final = frozenset({"register_address", "location"})
_VILLAGE: Final = re.compile(r".*(?:村民委员会|居民委员会|村委会|居委会|社区|村|街道|[乡镇]|[市县区])")
_SERIAL: Final = re.compile(r"[0-9]+(?=[^0-9]*$)")


def _keep(text: str, head: int, tail: int) -> str:
    """The ends of a text; all stars where the ends would meet."""
    hidden = len(text) - head - tail
    return f"{text[:head]}{'*' * hidden}{text[-tail:]}" if hidden > 0 else "*" * len(text)


def _name(value: str) -> str:
    return value[:1] + "*" * min(len(value) - 1, 2) if len(value) > 1 else "*"


def _certificate(value: str) -> str:
    return "/".join(
        _SERIAL.sub(lambda serial: _keep(serial[0], 0, 3) if len(serial[0]) > 3 else "***", number)
        for number in value.split("/")
    )


def _address(value: str) -> str:
    found = _VILLAGE.match(value)
    return f"{found[0]}***" if found else "***"


_MASKS: Final[Mapping[str, Callable[[str], str]]] = {
    "id_no": lambda value: _keep(value, 4, 4),
    "name": _name,
    "phone": lambda value: _keep(value, 3, 4),
    "account_tail": lambda value: f"****{value[-4:]}",
    "address": _address,
    "cert_no": _certificate,
    "unit_no": lambda value: _keep(value, 12, 4),
    "parcel_code": lambda value: _keep(value, 12, 2),
    "contractor_code": lambda value: _keep(value, 12, 2),
    "contract_code": lambda value: _keep(value, 12, 2),
    "plot_code": lambda value: _keep(value, 12, 2),
    "credit_code": lambda value: _keep(value, 2, 4),
    "birth_date": lambda value: value[:4],
}


def mask(kind: str, value: str) -> str:
    """A value of this kind as it is shown by default; kinds that name nobody are returned as they are.

    Kinds are those of the field table, and `phone`, `address` and `birth_date`, which `mask_kind` tells apart.
    """
    masker = _MASKS.get(kind)
    return masker(value) if masker else value


def mask_kind(spec: FieldSpec) -> str:
    """The kind under which a field is masked: an address is a text and a birth date a date, but not to be shown."""
    if spec.name in _ADDRESSES:
        return "address"
    return "birth_date" if spec.name == "birth_date" else spec.kind


_RUNS: Final = re.compile(
    r"(?<!\d)(?:"
    r"(?P<id>\d{6}[ -]?\d{8}[ -]?\d{3}[ -]?[\dXxＸｘХх×](?!\d))"
    r"|(?P<bank>\d{16,}(?!\d)|\d{4}(?: \d{4}){3}(?: ?\d{1,3})?(?!\d))"
    r"|(?P<old>\d{15}(?!\d))"
    r"|(?P<phone>1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)))"
)
_BY_NAME: Final = {"id": "<身份证号>", "old": "<身份证号>", "bank": "<账号>", "phone": "<电话>"}


def scrub(text: str) -> str:
    """A text for a log: whatever looks like an ID number, an account or a phone number is replaced by what it is.

    Errs on the side of hiding: 16 digits and more always go, 15 digits where they hold an area and a birth date.
    """

    def replace(found: re.Match[str]) -> str:
        if found.lastgroup == "old":
            digits = unicodedata.normalize("NFKC", found[0])
            if digits[:2] not in ID_AREAS or not is_birthdate(f"19{digits[6:12]}", date(2000, 1, 1)):
                return found[0]
        return _BY_NAME[str(found.lastgroup)]

    return _RUNS.sub(replace, text)
