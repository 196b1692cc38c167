"""How cross-field checks read a record: a field as text or number, a repeated part, dates of unlike precision."""

from decimal import Decimal

from schemas.fields import Canonical, Scalar


def text(record: Canonical, name: str) -> Scalar:
    value = record[name]
    return value if isinstance(value, str) else None


def number(record: Canonical, name: str) -> Decimal | None:
    value = record[name]
    return Decimal(value) if isinstance(value, str) else None


def elements(record: Canonical, part: str) -> list[dict[str, Scalar]]:
    value = record[part]
    return value if isinstance(value, list) else []


def before(one: Scalar, other: Scalar) -> bool:
    """Whether one date surely lies before the other: where either says the month only, months are compared.

    `open` lies before no date: letters sort behind digits.
    """
    if one is None or other is None:
        return False
    precision = min(len(one), len(other))
    return one[:precision] < other[:precision]
