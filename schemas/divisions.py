"""Administrative divisions (GB/T 2260) of the pilot: Jiangxi's prefectures, Yichun's counties, Fengcheng's towns.

Former county codes live on in ID numbers, and some registers still send them. From `data/divisions/`.
"""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

PROVINCE: Final = ("36", "江西省")


@dataclass(frozen=True, slots=True)
class _Code:
    """One county code in its time; a bound that no source states is None."""

    county: str
    name: str
    first_year: int | None
    last_year: int | None

    def covers(self, day: date) -> bool:
        return (self.first_year or day.year) <= day.year <= (self.last_year or day.year)


def _load(name: str) -> Any:
    return json.loads(files("schemas").joinpath(f"data/divisions/{name}.json").read_text(encoding="utf-8"))


@cache
def _counties() -> dict[str, _Code]:
    out: dict[str, _Code] = {}
    for code, county in _load("yichun")["counties"].items():
        out[code] = _Code(code, county["name"], county["from"], None)
        for former in county["former"]:
            out[former["code"]] = _Code(code, county["name"], former["from"], former["to"])
    return out


@cache
def _names() -> dict[str, str]:
    names = {PROVINCE[0]: PROVINCE[1], **_load("jiangxi")["prefectures"], **_load("fengcheng")["towns"]}
    return names | {code: entry.name for code, entry in _counties().items()}


def counties() -> dict[str, str]:
    """Present county codes of the pilot -> names."""
    return {code: entry.name for code, entry in _counties().items() if code == entry.county}


def county_of(code: str, as_of: date | None = None) -> str | None:
    """The present county of a division code of six or more digits, former codes included.

    None if its county is not of the pilot, or if the code was not in force on `as_of` (None: at any time). Never to be
    asked of an ID number: it tells where its holder was first registered, not where they live.
    """
    entry = _counties().get(code[:6])
    return entry.county if entry and (as_of is None or entry.covers(as_of)) else None


def name_of(code: str) -> str | None:
    """The name of a province, prefecture, county (former codes: its present name) or town; None where unknown.

    Codes padded with zeros to a longer form are read as what they pad.
    """
    names = _names()
    if code in names:
        return names[code]
    for width in (9, 6, 4, 2):
        if len(code) > width and not code[width:].strip("0"):
            return names.get(code[:width]) or name_of(code[:width])
    return None
