"""How agencies spoil values (china-facts §3.10 and the invalid numbers of §2.1), and what is true of a spoilt value.

A spoiler takes the canonical value of one field and gives what is sent instead, or None where it does not fit (a number
without X has no lower-case x). `SPOILERS[kind]` says which kinds of values it fits.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any, Final, NamedTuple, TypeAlias

from mock_agencies.people import check_character


class Spoilt(NamedTuple):
    """What is sent, and what it means: a value, nothing (None), or a problem."""

    raw: Any
    canonical: str | None = None
    problem: str | None = None


Spoiler: TypeAlias = Callable[[str, Random], Spoilt | None]

SPOILERS: Final[dict[str, tuple[frozenset[str], Spoiler]]] = {}
"""Kind of dirt -> (kinds of values it fits, how)."""


def _fits(kind: str, *values: str) -> Callable[[Spoiler], Spoiler]:
    def register(spoiler: Spoiler) -> Spoiler:
        SPOILERS[kind] = (frozenset(values), spoiler)
        return spoiler

    return register


def _form(kind: str, value: str, write: Callable[[str], Any]) -> None:
    """Registers another way of writing the same value; None from `write`: it cannot be written so."""

    def spoil(true: str, _rng: Random) -> Spoilt | None:
        raw = write(true)
        return None if raw is None or raw == true else Spoilt(raw, true)

    _fits(kind, value)(spoil)


def _broken(kind: str, value: str, problem: str, write: Callable[[str], Any]) -> None:
    """Registers something given that cannot be read."""

    def spoil(true: str, _rng: Random) -> Spoilt | None:
        raw = write(true)
        return None if raw is None else Spoilt(raw, None, problem)

    _fits(kind, value)(spoil)


_WIDE: Final = {c: c + 0xFEE0 for c in range(0x21, 0x7F)}
_WIDE_ALNUM: Final = {c: c + 0xFEE0 for c in range(0x21, 0x7F) if chr(c).isalnum()}
EVERY: Final = frozenset({
    "id", "name", "date", "open_date", "month", "year", "area", "money", "count", "code", "flag",
    "unit_no", "parcel", "cert", "code_cert", "division", "ident", "text", "account",
    "ahead", "mu", "mu0", "area0", "quantity", "wan",
    "contract_code", "contractor_code", "issuer_code", "plot_code", "credit_code", "document_no",
})  # fmt: skip
"""Kinds of values."""
_NULL_TOKENS: Final = ("无", "/", "—", "--", "-", "暂无", "未知", "不详", "null", "NULL", "N/A", "空")
_ID_NULL_TOKENS: Final = ("0", "0" * 18, "1" * 18, "无证件", "未办证")


# 无 and 空 say "no" in a flag, so there they are no absence.
@_fits("NULL_TOKEN", *(EVERY - {"id", "flag"}))
def _null_token(_true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice(_NULL_TOKENS))


@_fits("ID_NULL_TOKEN", "id")
def _id_null_token(_true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice(_NULL_TOKENS + _ID_NULL_TOKENS))


@_fits("BLANK", *EVERY)
def _blank(_true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice((None, "", "  ")))


@_fits(
    "FULLWIDTH",
    *("id", "date", "month", "year", "money", "count", "unit_no", "division", "ident", "code_cert"),
    *("ahead", "mu", "contract_code", "contractor_code", "issuer_code", "plot_code", "credit_code"),
)
def _full_width(true: str, _rng: Random) -> Spoilt:
    return Spoilt(true.translate(_WIDE_ALNUM), true)


@_fits("TEXT_FULLWIDTH", "text")
def _full_width_digits(true: str, _rng: Random) -> Spoilt | None:
    wide = true.translate(_WIDE_ALNUM)
    return None if wide == true else Spoilt(wide, true)


# Codes, accounts, open ends and 万元 are sent in other words than the canonical ones.
@_fits("PADDED", *(EVERY - {"name", "code", "flag", "account", "open_date", "wan"}))
def _padded(true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice((" {}", "{} ", "{}\t", "{}\u3000")).format(true), true)


# ID numbers


def _x(true: str, letter: str) -> str | None:
    return true[:17] + letter if true[17] == "X" else None


_form("ID_LOWER_X", "id", lambda v: _x(v, "x"))
_form("ID_QUOTED", "id", lambda v: f"'{v}")
_form("ID_TAB", "id", lambda v: f"{v}\t")
_form("ID_SPACED", "id", lambda v: f"{v[:6]} {v[6:14]} {v[14:]}")
_form("ID_15", "id", lambda v: v[:6] + v[8:17] if v[6:8] == "19" else None)
_broken("ID_SCIENTIFIC", "id", "ID_PRECISION_LOST", lambda v: f"{float(v[:17] + '0'):.5E}")
_broken("ID_FLOAT", "id", "ID_PRECISION_LOST", lambda v: float(v[:17] + "0"))
_broken("ID_CHECKSUM", "id", "ID_CHECKSUM", lambda v: v[:17] + ("1" if v[17] != "1" else "2"))
_broken("ID_SHORT", "id", "ID_FORM", lambda v: v[:16])
_broken("ID_LETTER", "id", "ID_FORM", lambda v: f"{v[:9]}O{v[10:]}")


@_fits("ID_CYRILLIC_X", "id")
def _cyrillic_x(true: str, rng: Random) -> Spoilt | None:
    raw = _x(true, rng.choice("Хх×ⅩΧ"))
    return None if raw is None else Spoilt(raw, true)


@_fits("ID_ZEROED", "id")
def _zeroed(true: str, _rng: Random) -> Spoilt | None:
    zeroed = f"{true[:15]}000"
    # One in eleven comes out right by chance, and nobody could tell.
    return None if check_character(zeroed[:17]) == "0" else Spoilt(zeroed, None, "ID_PRECISION_LOST")


@_fits("ID_MASKED", "id")
def _masked(true: str, rng: Random) -> Spoilt:
    return Spoilt(true[: rng.choice((4, 6))] + "********" + true[14:], None, "ID_MASKED")


@_fits("ID_BIRTHDATE", "id")
def _thirtieth_of_february(true: str, _rng: Random) -> Spoilt:
    first17 = f"{true[:10]}0230{true[14:17]}"
    return Spoilt(first17 + check_character(first17), None, "ID_BIRTHDATE")


# Names

_SHORT_HAN: Final = re.compile("[\u3400-\u9fff\U00020000-\U000323af]{2,4}")


def _spaced(true: str, space: str) -> str | None:
    return space.join(true) if _SHORT_HAN.fullmatch(true) else None


_form("NAME_SPACED", "name", lambda v: _spaced(v, " "))
_form("NAME_WIDE_SPACE", "name", lambda v: _spaced(v, "\u3000"))
_form("NAME_MOJIBAKE", "name", lambda v: v.encode().decode("latin-1"))


@_fits("NAME_DOT", "name")
def _dot(true: str, rng: Random) -> Spoilt | None:
    return Spoilt(true.replace("·", rng.choice("•．・.‧")), true) if "·" in true else None


@_fits("NAME_SUFFIX", "name")
def _suffix(true: str, rng: Random) -> Spoilt | None:
    if not _SHORT_HAN.fullmatch(true) and "·" not in true:
        return None  # a unit's name may well end in brackets
    return Spoilt(true + rng.choice(("(户主)", "（已故）", " 等")), true)


@_fits("NAME_GARBLED", "name")
def _garbled(true: str, rng: Random) -> Spoilt:
    raw = true[0] + rng.choice("?□〇*\ue000")
    return Spoilt(raw, raw)


# Dates

_NUMERALS: Final = "〇一二三四五六七八九"


def _numeral(n: int) -> str:
    tens, ones = divmod(n, 10)
    return ("" if not tens else "十" if tens == 1 else _NUMERALS[tens] + "十") + (_NUMERALS[ones] if ones else "")


def _in_numerals(true: str) -> str:
    year, month, day = true.split("-")
    return "".join(_NUMERALS[int(c)] for c in year) + f"年{_numeral(int(month))}月{_numeral(int(day))}日"


def _excel(true: str) -> int:
    return (date.fromisoformat(true) - date(1899, 12, 30)).days


def _epoch(true: str) -> int | None:
    at = datetime.fromisoformat(true).replace(tzinfo=UTC) - timedelta(hours=8)
    # Thirteen digits, so that it can be nothing else.
    return int(at.timestamp() * 1000) if at.year > 2001 else None


def _chinese(true: str) -> str:
    year, month, day = map(int, true.split("-"))
    return f"{year}年{month}月{day}日"


_DATE_FORMS: Final[dict[str, Callable[[str], Any]]] = {
    "DATE_CHINESE": _chinese,
    "DATE_SLASH": lambda v: re.sub("[年月]", "/", _chinese(v)).rstrip("日"),
    "DATE_DOT": lambda v: re.sub("[年月]", ".", _chinese(v)).rstrip("日"),
    "DATE_COMPACT": lambda v: v.replace("-", ""),
    "DATE_CLOCK": lambda v: f"{v} 00:00:00",
    "DATE_CLOCK_FRACTION": lambda v: f"{v} 00:00:00.0",
    "DATE_ISO_ZONE": lambda v: f"{v}T00:00:00.000+0800",
    "DATE_COMPACT_CLOCK": lambda v: v.replace("-", "") + "000000",
    "DATE_EXCEL": _excel,
    "DATE_EPOCH_MS": _epoch,
    "DATE_NUMERALS": _in_numerals,
    "DATE_WIDE_CHINESE": lambda v: "{}年{}月{}日".format(*v.translate(_WIDE_ALNUM).split("-")),
}
for _kind, _write in _DATE_FORMS.items():
    _form(_kind, "date", _write)


@_fits("DATE_PARTIAL", "date")
def _partial(true: str, rng: Random) -> Spoilt:
    year, month, _ = true.split("-")
    return Spoilt(rng.choice((f"{year}年{int(month)}月", f"{year}{month}", f"{year}-{month}")), f"{year}-{month}")


@_fits("DATE_ZERO", "date")
def _zero_date(_true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice(("0000-00-00", "1900-01-01", "19000101", "1899-12-30", "0001-01-01")))


@_fits("DATE_BAD", "date")
def _bad_date(_true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice(("2023-02-30", "20231301", "2088-08-08")), None, "BAD_DATE")


@_fits("DATE_OPEN", "open_date")
def _open(_true: str, rng: Random) -> Spoilt:
    return Spoilt(rng.choice(("长期", "永久", "9999-12-31", "99991231", "2999-12-31")), "open")


@_fits("MONTH_FORM", "month")
def _month(true: str, rng: Random) -> Spoilt:
    year, month = true.split("-")
    return Spoilt(rng.choice((f"{year}年{int(month)}月", f"{year}{month}", f"{year}-{month}-01")), true)


_broken("MONTH_BAD", "month", "BAD_DATE", lambda v: f"{v[:4]}13")
_form("YEAR_FORM", "year", lambda v: f"{v}年")
_broken("YEAR_BAD", "year", "BAD_DATE", lambda v: v.replace("0", "O"))

# Areas (sent in m²) and money (sent in 元)

_CENT: Final = Decimal("0.01")


def _from_mu(mu: Decimal) -> str:
    return str((mu * 2000 / 3).quantize(_CENT, ROUND_HALF_UP))


@_fits("AREA_UNIT", "area", "area0")
def _area_unit(true: str, rng: Random) -> Spoilt:
    return Spoilt(true + rng.choice(("平方米", "㎡", "m2", " M²")), true)


@_fits("AREA_MU", "area", "area0")
def _area_mu(true: str, _rng: Random) -> Spoilt:
    mu = (Decimal(true) * 3 / 2000).quantize(_CENT)
    return Spoilt(f"{mu}亩", _from_mu(mu))


@_fits("AREA_MU_FEN", "area")
def _area_mu_fen(_true: str, rng: Random) -> Spoilt:
    fen = rng.randint(1, 9)
    return Spoilt(f"1亩{fen}分", _from_mu(1 + Decimal(fen) / 10))


@_fits("AREA_FEN", "area", "area0")
def _area_fen(true: str, _rng: Random) -> Spoilt:
    fen = (Decimal(true) * 3 / 200).quantize(Decimal("0.1"))
    return Spoilt(f"{fen}分", _from_mu(fen / 10))


_fits("AREA_ZERO", "area")(lambda _true, _rng: Spoilt("0.00"))


@_fits("AREA_SUSPECT", "area")
def _area_suspect(true: str, _rng: Random) -> Spoilt:
    large = str(Decimal(true) + 2000)
    return Spoilt(large, large)


_broken("AREA_BAD", "area", "BAD_NUMBER", lambda v: v.replace(".", "o"))

_form("MONEY_COMMA", "money", lambda v: f"{Decimal(v):,}")
_form("MONEY_SIGN", "money", lambda v: None if v.startswith("-") else f"￥{v.rstrip('0').rstrip('.')}")
_form("MONEY_YUAN", "money", lambda v: f"{v.rstrip('0').rstrip('.')}元")
_form("MONEY_WAN", "money", lambda v: f"{(Decimal(v) / 10000).normalize():f}万元")
_broken("MONEY_BAD", "money", "BAD_NUMBER", lambda v: f"{v}.0")


@_fits("MONEY_PARENTHESES", "money")
def _parentheses(true: str, _rng: Random) -> Spoilt | None:
    amount = true.lstrip("-")
    return None if Decimal(amount) == 0 else Spoilt(f"({amount})", f"-{amount}")


_form("COUNT_UNIT", "count", lambda v: f"{v}人")
_broken("COUNT_BAD", "count", "BAD_NUMBER", lambda v: f"{v}.5")

# Codes and certificates

_fits("CODE_UNKNOWN", "code", "flag")(lambda _true, _rng: Spoilt("Q9", None, "CODE_UNKNOWN"))
_form("UNIT_SPACED", "unit_no", lambda v: " ".join((v[:6], v[6:12], v[12:19], v[19:])))
_broken("UNIT_BAD", "unit_no", "UNIT_NO_FORM", lambda v: v[:-1])
_form("PARCEL_SPACED", "parcel", lambda v: " ".join((v[:6], v[6:12], v[12:])))
_broken("PARCEL_BAD", "parcel", "PARCEL_FORM", lambda v: f"{v[:12]}4{v[13:]}")
_form("CERT_FULLWIDTH", "cert", lambda v: v.translate(_WIDE))
_form("CERT_TORTOISE", "cert", lambda v: v.replace("(", "〔").replace(")", "〕"))
_form("CERT_SPACED", "cert", lambda v: v.replace("(", " (").replace(")", ") ").replace("第", "第 "))
_broken("CERT_BAD", "cert", "CERT_NO_FORM", lambda _: "赣(2023)丰城市不动产权第号")
_broken("CODE_CERT_BAD", "code_cert", "CERT_NO_FORM", lambda _: "证号待补录")

# What only the countryside's registers hold: dates ahead, 亩 (and m² in their place), 万元, quantities, land and credit codes

_form("AHEAD_CHINESE", "ahead", _chinese)
_broken("AHEAD_BAD", "ahead", "BAD_DATE", lambda _: "2027-02-30")


@_fits("MU_UNIT", "mu", "mu0")
def _mu_unit(true: str, _rng: Random) -> Spoilt:
    return Spoilt(f"{true}亩", true)


@_fits("MU_METRES", "mu", "mu0")
def _mu_metres(true: str, _rng: Random) -> Spoilt:
    return Spoilt(f"{_from_mu(Decimal(true))}平方米", true)


@_fits("MU_CONTRADICTS", "mu")
def _mu_contradicts(true: str, _rng: Random) -> Spoilt:
    other = str(Decimal(true) + Decimal("0.50"))
    return Spoilt(other, other)


_fits("MU_ZERO", "mu")(lambda _true, _rng: Spoilt("0.00"))
_fits("MU_BAD", "mu", "mu0")(lambda true, _rng: Spoilt(true.replace(".", "o"), None, "BAD_NUMBER"))

_form("WAN_UNIT", "wan", lambda v: f"{(Decimal(v) / 10000).normalize():f}万元")
_form("WAN_YUAN", "wan", lambda v: f"{v}元")
_form("QUANTITY_COMMA", "quantity", lambda v: f"{Decimal(v):,}")
_form("QUANTITY_UNIT", "quantity", lambda v: f"{v.removesuffix('.00')}头")
_form("QUANTITY_WAN", "quantity", lambda v: f"{(Decimal(v) / 10000).normalize():f}万")
_broken("QUANTITY_BAD", "quantity", "BAD_NUMBER", lambda _: "若干")

_LAND_CODES: Final = ("contract_code", "contractor_code", "issuer_code", "plot_code")
_fits("LAND_CODE_SPACED", *_LAND_CODES)(lambda true, _rng: Spoilt(f"{true[:6]} {true[6:12]} {true[12:]}", true))
_fits("LAND_CODE_SHORT", *_LAND_CODES)(lambda true, _rng: Spoilt(true[:-2], None, "LAND_CODE_FORM"))
_form("CONTRACT_LOWER", "contract_code", str.lower)
_form("CREDIT_LOWER", "credit_code", str.lower)
_form("CREDIT_SPACED", "credit_code", lambda v: f"{v[:8]} {v[8:17]} {v[17]}")
_form("CREDIT_CONFUSED", "credit_code", lambda v: v.replace("0", "O", 1))
_broken("CREDIT_CHECKSUM", "credit_code", "CREDIT_CODE_CHECKSUM", lambda v: v[:17] + ("1" if v[17] != "1" else "2"))
_broken("CREDIT_SHORT", "credit_code", "CREDIT_CODE_FORM", lambda v: v[:-1])


@_fits("CREDIT_ID_NUMBER", "credit_code")
def _id_for_a_code(_true: str, rng: Random) -> Spoilt:
    first17 = f"36099919700101{rng.randint(1, 995):03d}"
    return Spoilt(first17 + check_character(first17))


_form("DOCUMENT_BRACKETS", "document_no", lambda v: v.replace("〔", "（").replace("〕", "）"))
_form("DOCUMENT_SERIAL", "document_no", lambda v: v.replace("〕", "〕第0"))
_form("DOCUMENT_TITLE", "document_no", lambda v: f"关于下达补助资金的通知（{v}）")
_broken("DOCUMENT_BAD", "document_no", "DOCUMENT_NO_FORM", lambda _: "文号待补")
