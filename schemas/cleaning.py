"""From dirty values to canonical ones: pure functions, one for each kind of field (china-facts §3.10 is their test).

A cleaner is built once per column and called per distinct value. It never raises: what cannot be read comes back as a
problem. Cleaning is idempotent, and values that Python holds equal (1, 1.0, True) clean alike.
"""

from collections.abc import Callable, Mapping
from typing import Final

from schemas.cleaning_codes import (
    clean_account,
    clean_cert,
    clean_division,
    clean_ident,
    clean_parcel,
    clean_unit,
    code_cleaner,
    id_cleaner,
)
from schemas.cleaning_common import Cleaned, Cleaner, Options
from schemas.cleaning_dates import date_cleaner, month_cleaner, open_date_cleaner, year_cleaner
from schemas.cleaning_numbers import area_cleaner, clean_count, money_cleaner
from schemas.cleaning_text import clean_name, clean_text

HOMESTEAD_PLAUSIBLE_M2: Final = 2000
"""Above it a homestead's land is probably in another unit: Jiangxi allows 180 m² (§3.10)."""


def _fixed(clean: Cleaner) -> Callable[[Options], Cleaner]:
    """A kind that no mapping can say anything about."""
    return lambda _options: clean


CLEANERS: Final[Mapping[str, Callable[[Options], Cleaner]]] = {
    "text": _fixed(clean_text),
    "name": _fixed(clean_name),
    "id_no": id_cleaner,
    "code": code_cleaner,
    "date": date_cleaner,
    "open_date": open_date_cleaner,
    "month": month_cleaner,
    "year": year_cleaner,
    "area_m2": area_cleaner,
    "money": money_cleaner,
    "count": _fixed(clean_count),
    "unit_no": _fixed(clean_unit),
    "parcel_code": _fixed(clean_parcel),
    "cert_no": _fixed(clean_cert),
    "division": _fixed(clean_division),
    "account_tail": _fixed(clean_account),
    "ident": _fixed(clean_ident),
}


def cleaner(kind: str, options: Options) -> Cleaner:
    """The cleaner of a kind of field.

    Raises:
        ValueError: unknown kind, unit or code list; the sentence says what is allowed.
    """
    if kind not in CLEANERS:
        raise ValueError(f"没有这种字段类型“{kind}”。可用的有：{'、'.join(CLEANERS)}")
    return CLEANERS[kind](options)


__all__ = ["CLEANERS", "HOMESTEAD_PLAUSIBLE_M2", "Cleaned", "Cleaner", "Options", "cleaner"]
