"""How far data are right, told from a sample: whom to check, and what the answers say of the rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from random import Random
from typing import Any, Final, TypeVar

T = TypeVar("T")
NORMAL_95: Final = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""


def drawn(everything: Sequence[T], count: int, seed: str) -> list[T]:
    """A simple random sample without replacement, in the order of the whole; the same for the same seed and whole."""
    chance = Random(seed)  # noqa: S311 # whoever draws again must get the same
    picked = chance.sample(range(len(everything)), min(count, len(everything)))
    return [everything[i] for i in sorted(picked)]


def wilson(hits: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a proportion by Wilson's score: honest for small samples and near 0 and 1. (0, 1) for none."""
    if count == 0:
        return 0.0, 1.0
    share, z2 = hits / count, NORMAL_95**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = NORMAL_95 * sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What spot checks found of one field of one agency and channel."""

    right: int
    checked: int
    """Answers that say right or wrong; what could not be told counts nowhere."""
    until: str
    """Day of the last answer."""

    @property
    def share(self) -> float:
        return self.right / self.checked

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.checked)

    def as_dict(self) -> dict[str, Any]:
        """In text, as everything in a report: shares to three places, the interval outwards."""
        low, high = self.interval
        told = {"share": f"{self.share:.3f}", "low": f"{low:.3f}", "high": f"{high:.3f}"}
        return {name: str(value) for name, value in asdict(self).items()} | told
