"""Dates, open dates, months and years, from every form china-facts §3.10 lists, in China's time zone."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import Any, Final, NamedTuple

from schemas.cleaning_common import NOTHING, NULL, Cleaned, Cleaner, Options, as_text, is_null, refused, squeeze

_CHINA: Final = timezone(timedelta(hours=8))
_EXCEL_EPOCH: Final = date(1899, 12, 30)
_HORIZON: Final = timedelta(days=366 * 100)
"""How far ahead an end date or a month may lie: rights of use run 70 years."""

OPEN: Final = "open"
_OPEN_WORDS: Final = frozenset({OPEN, "长期", "永久", "长期有效", "永久有效", "无期限", "无固定期限"})
_OPEN_YEARS: Final = frozenset({2999, 9999})
_ZERO_DATES: Final = frozenset({(1, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 0), (1900, 1, 1)})
_FIRST_YEAR: Final = 1900
_MIDNIGHT: Final = frozenset({" 00:00:00", " 00:00:00.0"})

_TIME: Final = r"(?:(?:T| +|(?<=日))([0-9]{1,2})[:时]([0-9]{1,2})(?:[:分]([0-9]{1,2})(?:[.,][0-9]+)?秒?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_DAY: Final = re.compile(rf"([0-9]{{4}})[-/.年]([0-9]{{1,2}})[-/.月]([0-9]{{1,2}})[日号]?{_TIME}", re.IGNORECASE)
_MONTH: Final = re.compile(r"([0-9]{4})(?:[-/年]([0-9]{1,2})|\.([0-9]{2}))月?")
_DIGITS: Final = re.compile(r"([0-9]{4})([0-9]{2})(?:([0-9]{2})(?:[0-9]{4}|[0-9]{6}|[0-9]{9})?)?")
_SERIAL: Final = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
_MILLISECONDS: Final = re.compile(r"-?[0-9]{13}|-[0-9]{11,12}")
_MILLISECONDS_NUMBER: Final = re.compile(r"-?[0-9]{11,13}")
_NUMERALS: Final = re.compile(
    r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,2})月(?:([一二三四五六七八九十]{1,3})[日号])?"
)
_NUMERAL: Final = {c: i % 10 for i, c in enumerate("〇一二三四五六七八九零")} | {"○": 0}
_PLAIN_MONTH: Final = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_YEAR: Final = re.compile(r"([0-9]{4})(?:年度?)?")


class _Read(NamedTuple):
    """A date as written, before anybody asked whether the calendar has it; `day` None: precision month."""

    year: int
    month: int
    day: int | None


def _numeral(text: str) -> int:
    tens, ten, ones = text.rpartition("十")
    return (10 * (_NUMERAL[tens] if tens else 1) if ten else 0) + (_NUMERAL[ones] if ones else 0)


def _day_of(moment: datetime) -> _Read:
    local = moment.astimezone(_CHINA)
    return _Read(local.year, local.month, local.day)


def _written(found: re.Match[str]) -> _Read:
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    zone = found[7]
    if zone is None or zone.endswith(("+0800", "+08:00")) or year in _OPEN_YEARS or year < _FIRST_YEAR:
        return _Read(year, month, day)
    clock = f"{int(found[4]):02}:{found[5]:>02}:{found[6] or '0':>02}"
    return _day_of(datetime.fromisoformat(f"{year}-{month:02}-{day:02}T{clock}{zone.upper()}"))


def _read(raw: Any, text: str) -> _Read | None:
    """The date in a text, whatever its form; None if there is none. Raises ValueError or OverflowError off the calendar."""
    if found := _DAY.fullmatch(text):
        return _written(found)
    # Twelve digits from a number are milliseconds; from a text, YYYYMMDDHHMM.
    if (found := _DIGITS.fullmatch(text)) and (isinstance(raw, str) or len(text) != 12):
        return _Read(int(found[1]), int(found[2]), int(found[3]) if found[3] else None)
    if found := _MONTH.fullmatch(text):
        return _Read(int(found[1]), int(found[2] or found[3]), None)
    if found := _SERIAL.fullmatch(text):
        day = _EXCEL_EPOCH + timedelta(days=int(found[1]))
        return _Read(day.year, day.month, day.day)
    if (_MILLISECONDS if isinstance(raw, str) else _MILLISECONDS_NUMBER).fullmatch(text):
        return _day_of(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text)))
    if found := _NUMERALS.fullmatch(text):
        year = int("".join(str(_NUMERAL[c]) for c in found[1]))
        return _Read(year, _numeral(found[2]), _numeral(found[3]) if found[3] else None)
    return None


def _is_zero(at: _Read) -> bool:
    if at.day is None:
        return at.year == 0 or any(at[:2] == zero[:2] for zero in _ZERO_DATES)
    return at.year == 0 or at in _ZERO_DATES


def _parse(raw: Any, latest: date) -> Cleaned:
    """A date's text, with OPEN for one that never comes."""
    text = as_text(raw)
    squeezed = squeeze(text)
    if not squeezed:
        return NOTHING
    if squeezed in _OPEN_WORDS:
        return Cleaned(OPEN)
    if is_null(squeezed):
        return NULL
    # White space separates a day from its hour in ISO forms; in Chinese ones it is only dirt.
    folded = squeezed if "年" in squeezed else " ".join(unicodedata.normalize("NFKC", text).split()).strip("'\"")
    try:
        at = _read(raw, folded)
        if at is None:
            return refused("BAD_DATE")
        if _is_zero(at):
            return Cleaned(None, ("ZERO_DATE",))
        if at.year in _OPEN_YEARS:
            return Cleaned(OPEN)
        day = date(at.year, at.month, at.day or 1)
    except (ValueError, OverflowError):
        return refused("BAD_DATE")
    if day > latest or day.year < _FIRST_YEAR:
        return refused("BAD_DATE")
    return Cleaned(day.isoformat()) if at.day else Cleaned(day.isoformat()[:7], ("PARTIAL_DATE",))


def _plain(raw: Any, latest: str) -> str | None:
    """The hot path: a day in bounds written as YYYY-MM-DD, with or without midnight, as YYYYMMDD or YYYY年M月D日."""
    if raw.__class__ is not str:
        return None
    if len(raw) == 8 and raw.isdigit():
        raw = f"{raw[:4]}-{raw[4:6]}-{raw[6:]}"
    elif raw[4:5] == "年" and raw[-1:] == "日":
        month, _, day = raw[5:-1].partition("月")
        raw = f"{raw[:4]}-{month:>02}-{day:>02}"
    elif raw[10:] in _MIDNIGHT:
        raw = raw[:10]
    if len(raw) != 10 or raw[4] != "-" or raw[7] != "-" or not "1900-01-01" < raw <= latest:
        return None
    try:
        date.fromisoformat(raw)
    except ValueError:
        return None
    return str(raw)


def _day(raw: Any, latest: date, latest_text: str, *, open_ended: bool) -> Cleaned:
    if plain := _plain(raw, latest_text):
        return Cleaned(plain)
    parsed = _parse(raw, latest)
    return Cleaned(None, ("OPEN_ENDED",)) if parsed.value == OPEN and not open_ended else parsed


def date_cleaner(options: Options) -> Cleaner:
    """`YYYY-MM-DD`, or `YYYY-MM` flagged PARTIAL_DATE; an end that never comes is nothing, flagged OPEN_ENDED."""
    latest = options.today + timedelta(days=1)
    return partial(_day, latest=latest, latest_text=latest.isoformat(), open_ended=False)


def date_ahead_cleaner(options: Options) -> Cleaner:
    """As a date, but it may lie ahead: a contract signed today begins when the one before it ends."""
    latest = options.today + _HORIZON
    return partial(_day, latest=latest, latest_text=latest.isoformat(), open_ended=False)


def open_date_cleaner(options: Options) -> Cleaner:
    """As a date, but it may lie ahead, and one that never comes is `open`."""
    latest = options.today + _HORIZON
    return partial(_day, latest=latest, latest_text=latest.isoformat(), open_ended=True)


def month_cleaner(options: Options) -> Cleaner:
    """`YYYY-MM` from any form of date; it may lie ahead (the end of an entitlement)."""
    latest = options.today + _HORIZON
    last = latest.isoformat()[:7]

    def clean(raw: Any) -> Cleaned:
        if raw.__class__ is str and _PLAIN_MONTH.fullmatch(raw) and "1900-01" < raw <= last:
            return Cleaned(raw)
        parsed = _parse(raw, latest)
        if parsed.value == OPEN:
            return Cleaned(None, ("OPEN_ENDED",))
        return Cleaned(parsed.value[:7]) if parsed.value else parsed

    return clean


def year_cleaner(options: Options) -> Cleaner:
    """`YYYY`, at most next year's, from a year or a written date; a serial number of days is no year."""
    latest = date(options.today.year + 1, 12, 31)

    def clean(raw: Any) -> Cleaned:
        text = squeeze(as_text(raw))
        if found := _YEAR.fullmatch(text):
            if found[1] == "0000":
                return Cleaned(None, ("ZERO_DATE",))
            return Cleaned(found[1]) if _FIRST_YEAR <= int(found[1]) <= latest.year else refused("BAD_DATE")
        if _SERIAL.fullmatch(text):
            return refused("BAD_DATE")
        parsed = _parse(raw, latest)
        if parsed.value == OPEN:
            return Cleaned(None, ("OPEN_ENDED",))
        return Cleaned(parsed.value[:4]) if parsed.value else parsed

    return clean
