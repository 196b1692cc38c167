"""One agency's promise about one dataset in one county."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from gateway.promise.periods import DATED
from gateway.promise.rules import Rule


@dataclass(frozen=True, slots=True)
class Promise:
    """What the catalogue says, a county's exceptions applied."""

    county: str
    dataset: str
    agency: str
    frequency: str
    rule: Rule | None
    """None: the frequency owes nothing by a date."""
    grace: timedelta
    period_by: str
    """`as_of`, or the field whose date names the period a row counts for."""
    heartbeat: bool = False
    """The agency sends a row every day even when nothing changed."""
    waived_until: date | None = None
    reason: str | None = None

    @property
    def dated(self) -> bool:
        return self.frequency in DATED
