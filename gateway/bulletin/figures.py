"""The figures of a month: what fell due and was kept, what came and how, what was rejected and how soon it came home.

A period belongs to the month in which it falls due. What came late stays late, whenever the bulletin is made; what is not due
yet, and what no calendar dates, is not counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import Usage
from gateway.freshness.keeper import promises
from gateway.freshness.verdicts import OWED, code_of, late_days
from gateway.quarantine.cures import days_between, median_of
from gateway.scope import Scope
from gateway.store import Store

MONTH: Final = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_COUNTED: Final = ("due", "on_time", "made_up", "missed", "waived", "rows", "by_hand", "held", "waiting", "cured")


@dataclass(slots=True)
class Score:
    """What one county, one agency of it, or all together kept in the month."""

    county: str = ""
    agency: str = ""
    due: int = 0
    """Periods that fell due, waived ones included."""
    on_time: int = 0
    made_up: int = 0
    missed: int = 0
    waived: int = 0
    rows: int = 0
    """Records that came new or changed."""
    by_hand: int = 0
    """Of these, those that people handed in."""
    held: int = 0
    """Rows that were rejected for the first time."""
    waiting: int = 0
    """Rows that were rejected and not home at the end of the month."""
    cured: int = 0
    spans: list[tuple[float, int]] = field(default_factory=list, repr=False)
    """Days from held to home, and of how many rows."""

    @property
    def rate(self) -> float | None:
        """On time, of what was due and not waived; 0 to 1."""
        owed = self.due - self.waived
        return self.on_time / owed if owed else None

    @property
    def quality(self) -> float | None:
        """Records taken, of those and the rejected ones; 0 to 1."""
        whole = self.rows + self.held
        return self.rows / whole if whole else None

    @property
    def manual(self) -> float | None:
        """The part of the records that came by hand; 0 to 1."""
        return self.by_hand / self.rows if self.rows else None

    @property
    def cure_days(self) -> float | None:
        """Half of the rows that came home took longer; days."""
        return median_of(self.spans)

    def add(self, other: Score) -> None:
        for name in _COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.spans += other.spans

    def as_dict(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in ("county", "agency", *_COUNTED)}
        return told | {name: getattr(self, name) for name in ("rate", "quality", "manual", "cure_days")}


@dataclass(frozen=True, slots=True)
class Unkept:
    """A period that was not on time: made up after `late_days`, or missing (0)."""

    county: str
    agency: str
    dataset: str
    period: str
    due_at: str
    code: str
    late_days: int


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A month. Counties and agencies stand in the order of their on-time rate, the best first."""

    month: str
    at: str
    """When it was made."""
    over: bool
    """Whether the month is over; until then it tells of what fell due so far."""
    whole: Score
    counties: tuple[Score, ...]
    agencies: tuple[Score, ...]
    unkept: tuple[Unkept, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "month": self.month,
            "at": self.at,
            "over": self.over,
            "whole": self.whole.as_dict(),
            "counties": [score.as_dict() for score in self.counties],
            "agencies": [score.as_dict() for score in self.agencies],
            "unkept": [asdict(line) for line in self.unkept],
        }


def bulletin(store: Store, clock: Clock, config: Config, within: Scope, month: str = "") -> Bulletin:
    """The bulletin of a month (`2026-10`), by default of the last one that is over; of what lies within.

    Raises:
        Usage: it is no month, or one that has not begun.
    """
    today, now = clock.today(), clock.stamp()
    month = month or _before(today)
    if not MONTH.fullmatch(month) or month > today.isoformat()[:7]:
        raise Usage("“{month}”不是可以通报的月份，请写成 2026-10，不晚于本月", month=month)
    low, high = f"{month}-01", _after(month)
    owed = {key: promise.agency for key, promise in promises(config).items() if within.sees(*key)}
    scores: dict[tuple[str, str], Score] = {}

    def score(row: Any) -> Score:
        key = row.county, owed[row.county, row.dataset]
        return scores.setdefault(key, Score(*key))

    unkept = []
    with store.read() as tx:
        asked = {"low": low, "high": high}
        found = {
            name: [row for row in tx.all(name, **asked) if (row.county, row.dataset) in owed]
            for name in ("bulletin_periods", "bulletin_news", "bulletin_held", "bulletin_cured")
        }
    for row in found["bulletin_periods"]:
        code = code_of(row, waived=bool(row.waived), now=now)
        kept = score(row)
        if row.due_at > now or code not in (*OWED, "on_time", "made_up", "waived"):
            continue
        kept.due += 1
        kept.on_time += code == "on_time"
        kept.made_up += code == "made_up"
        kept.missed += code in OWED
        kept.waived += code == "waived"
        if code in (*OWED, "made_up"):
            told = row.dataset, row.period, row.due_at, code, late_days(row)
            unkept.append(Unkept(kept.county, kept.agency, *told))
    for row in found["bulletin_news"]:
        score(row).rows += int(row.news)
        score(row).by_hand += int(row.news) * (row.channel == "MANUAL")
    for row in found["bulletin_held"]:
        score(row).held += int(row.held)
        score(row).waiting += int(row.waiting)
    for row in found["bulletin_cured"]:
        score(row).cured += row.rows
        score(row).spans.append((days_between(row.first_at, row.settled_at), row.rows))
    counties: dict[str, Score] = {}
    whole = Score()
    for each in scores.values():
        counties.setdefault(each.county, Score(each.county)).add(each)
        whole.add(each)
    return Bulletin(
        month=month,
        at=now,
        over=today.isoformat() >= high,
        whole=whole,
        counties=_ranked(counties.values()),
        agencies=_ranked(scores.values()),
        unkept=tuple(sorted(unkept, key=lambda u: (u.code == "made_up", u.county, u.agency, u.due_at))),
    )


def _ranked(scores: Iterable[Score]) -> tuple[Score, ...]:
    return tuple(sorted(scores, key=lambda s: (s.rate is None, -(s.rate or 0), s.missed, s.county, s.agency)))


def _before(today: date) -> str:
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year:04}-{month:02}"


def _after(month: str) -> str:
    """The first day of the month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12:04}-{number % 12 + 1:02}-01"
