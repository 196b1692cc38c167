"""The one port in which embedded and distributed differ, and the order in which queued runs are given out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

URGENCIES: Final = {"scheduled": 1, "back_fill": 0}
"""What a person or a source began comes first (2), what history is filled with comes last."""
STEPS: Final = 1000
"""Places a county has within one urgency; who has more waiting shares the last."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that waits to be carried out: whose it is, and why it was queued."""

    id: int
    county: str
    reason: str
    """Of `run.reason`; `back_fill` where it reads what is dated on a day or after."""


class Dispatcher(Protocol):
    """Gets queued runs carried out, somewhere, at least once; leases and fences make it once."""

    def submit(self, runs: Sequence[Queued]) -> None:
        """All that wait; those handed over before are among them."""
        ...

    def close(self) -> None:
        """Takes no more runs and waits for those under way."""
        ...


def in_turn(runs: Iterable[Queued]) -> list[tuple[int, Queued]]:
    """Priorities, the highest first: by urgency, then the counties in turn, so that a thousand runs of one delay no other."""
    waiting: Counter[tuple[int, str]] = Counter()
    out = []
    for run in runs:
        urgency = URGENCIES.get(run.reason, 2)
        place = min(waiting[urgency, run.county], STEPS - 1)
        waiting[urgency, run.county] += 1
        out.append((urgency * STEPS + STEPS - 1 - place, run))
    return sorted(out, key=lambda turn: -turn[0])
