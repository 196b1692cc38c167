"""Credit codes of organisations that never were: GB 32100 in the never-assigned area 360999."""

from typing import Final

from mock_agencies.people import AREA

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def credit_code(prefix: str, serial: int) -> str:
    """`prefix`: 91 enterprise, 92 individual business, 93 farmers' cooperative."""
    body = f"MA0{serial:05d}"
    rest = 11 - sum(int(c, 36) * w for c, w in zip(body, _ORG_WEIGHTS, strict=True)) % 11
    first17 = prefix + AREA + body + {10: "X", 11: "0"}.get(rest, str(rest))
    total = sum(_ALPHABET.index(c) * w for c, w in zip(first17, _WEIGHTS, strict=True))
    return first17 + _ALPHABET[(31 - total % 31) % 31]
