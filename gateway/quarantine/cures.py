"""How long an agency takes to put its rows right: a figure for each agency of each county."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.config import Config
from gateway.quarantine.terms import agency_of
from gateway.scope import Scope
from gateway.store import Store

CURED: Final = ("repaired", "superseded")
"""Ways in which a row came home: mapped, put right, or sent right by its source. Discarded ones are no cure."""


@dataclass(slots=True)
class Cure:
    """One agency's rejected rows in one county. Times are ISO, Asia/Shanghai; durations are days."""

    county: str
    agency: str
    open: int = 0
    returned: int = 0
    """Of the open ones, those that are with the agency."""
    oldest: str | None = None
    """When the oldest open one was held."""
    cured: int = 0
    discarded: int = 0
    median_days: float | None = None
    """From the first time a row was held until it was home: half of them took longer."""
    spans: list[tuple[float, int]] = field(default_factory=list, repr=False)
    """Days from held to home, and of how many rows."""

    def as_dict(self) -> dict[str, str | int | float | None]:
        names = ("county", "agency", "open", "returned", "oldest", "cured", "discarded", "median_days")
        return {name: getattr(self, name) for name in names}


def cures(store: Store, config: Config, within: Scope) -> list[Cure]:
    """By county and agency in reach, those with open rows first, the longest first."""
    agencies = {name: agency_of(feed) for name, feed in config.feeds.items()}
    found: dict[tuple[str, str], Cure] = {}
    with store.read() as tx:
        rows = [row for row in tx.all("quarantine_cures") if within.sees(row.county, row.dataset)]
    for row in rows:
        agency = agencies.get(row.feed) or _former(config, row.dataset, row.county)
        cure = found.setdefault((row.county, agency), Cure(row.county, agency))
        if row.settled_at is None:
            cure.open += row.rows
            cure.returned += row.rows * (row.state == "returned")
            cure.oldest = min(cure.oldest or row.first_at, row.first_at)
        elif row.state in CURED:
            cure.cured += row.rows
            cure.spans.append((days_between(row.first_at, row.settled_at), row.rows))
        else:
            cure.discarded += row.rows
    for cure in found.values():
        cure.median_days = median_of(cure.spans)
    return sorted(found.values(), key=lambda c: (c.oldest is None, c.oldest or "", c.county, c.agency))


def by_agency(found: Iterable[Cure]) -> Mapping[str, Cure]:
    """All counties of an agency together."""
    out: dict[str, Cure] = {}
    for cure in found:
        whole = out.setdefault(cure.agency, Cure("", cure.agency))
        for name in ("open", "returned", "cured", "discarded"):
            setattr(whole, name, getattr(whole, name) + getattr(cure, name))
        whole.oldest = min(filter(None, (whole.oldest, cure.oldest)), default=None)
        whole.spans += cure.spans
        whole.median_days = median_of(whole.spans)
    return out


def _former(config: Config, dataset: str, county: str) -> str:
    """Of a feed that is no longer configured: who provides its dataset."""
    entry = config.catalogue.get(dataset)
    return entry.promise(dataset, county).agency if entry else "—"


def days_between(earlier: str, later: str) -> float:
    span = datetime.fromisoformat(later) - datetime.fromisoformat(earlier)
    return max(0.0, round(span.total_seconds() / 86_400, 2))


def median_of(spans: list[tuple[float, int]]) -> float | None:
    """Of spans with how often each occurs; of an even number the upper one."""
    half = sum(count for _, count in spans) // 2
    met = 0
    for span, count in sorted(spans):
        met += count
        if met > half:
            return span
    return None
