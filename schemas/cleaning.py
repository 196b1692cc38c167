"""From dirty values to canonical ones: pure functions, one for each kind of field (china-facts §3.10 is their test).

A cleaner is built once per column and called per distinct value. It never raises: what cannot be read comes back as a
problem. Cleaning is idempotent, and values that Python holds equal (1, 1.0, True) clean alike.
"""

from collections.abc import Callable, Mapping
from typing import Final

from schemas.cleaning_codes import (
    clean_account,
    clean_cert,
    clean_contract,
    clean_contractor,
    clean_division,
    clean_document,
    clean_ident,
    clean_issuer,
    clean_parcel,
    clean_plot,
    clean_unit,
    code_cleaner,
    credit_cleaner,
    id_cleaner,
)
from schemas.cleaning_common import Cleaned, Cleaner, Options
from schemas.cleaning_dates import date_ahead_cleaner, date_cleaner, month_cleaner, open_date_cleaner, year_cleaner
from schemas.cleaning_numbers import (
    area_cleaner,
    area_or_zero_cleaner,
    clean_count,
    clean_quantity,
    money_cleaner,
    mu_cleaner,
    mu_or_zero_cleaner,
)
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
    "date_ahead": date_ahead_cleaner,
    "open_date": open_date_cleaner,
    "month": month_cleaner,
    "year": year_cleaner,
    "area_m2": area_cleaner,
    "area_m2_or_zero": area_or_zero_cleaner,
    "area_mu": mu_cleaner,
    "area_mu_or_zero": mu_or_zero_cleaner,
    "money": money_cleaner,
    "quantity": _fixed(clean_quantity),
    "count": _fixed(clean_count),
    "unit_no": _fixed(clean_unit),
    "parcel_code": _fixed(clean_parcel),
    "issuer_code": _fixed(clean_issuer),
    "contractor_code": _fixed(clean_contractor),
    "contract_code": _fixed(clean_contract),
    "plot_code": _fixed(clean_plot),
    "cert_no": _fixed(clean_cert),
    "document_no": _fixed(clean_document),
    "credit_code": credit_cleaner,
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
