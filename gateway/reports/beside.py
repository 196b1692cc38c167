"""What a report knows beside the facts themselves: how their duties stand, how far they were found right, what is disputed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.accuracy import Accuracy
from gateway.corrections import Correction
from gateway.freshness import Standing

Duties = Callable[[str], Mapping[str, Standing]]
"""County -> how each of its duties stands, by dataset."""
Accuracies = Mapping[tuple[str, str, str, str], Accuracy]
"""(agency, channel, dataset, field) -> what spot checks found."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Looked up when a report is made."""

    duties: Duties
    accuracies: Callable[[], Accuracies] = dict
    disputes: Callable[[str], Sequence[Correction]] = lambda _observation: ()
    """Open disputes about an observation, by handle."""


def of_source(found: Accuracies, agency: str, channel: str, dataset: str) -> dict[str, Any] | None:
    """The accuracy of all fields of one source together; None where nothing was checked."""
    mine = [a for (who, how, what, _), a in found.items() if (who, how, what) == (agency, channel, dataset)]
    if not mine:
        return None
    return Accuracy(sum(a.right for a in mine), sum(a.checked for a in mine), max(a.until for a in mine)).as_dict()
