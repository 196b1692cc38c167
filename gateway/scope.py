"""What somebody may touch, and what an action touches. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Place:
    """What an action touches: a county, a dataset of it, an institution. An empty part: none of that kind."""

    county: str = ""
    dataset: str = ""
    institution: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whole counties, single duties (county, dataset) and institutions; or everything."""

    everything: bool = False
    counties: frozenset[str] = frozenset()
    duties: frozenset[tuple[str, str]] = frozenset()
    institutions: frozenset[str] = frozenset()

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            self.everything or other.everything,
            self.counties | other.counties,
            self.duties | other.duties,
            self.institutions | other.institutions,
        )

    def sees(self, county: str, dataset: str) -> bool:
        """Whether a dataset of a county lies within."""
        return self.everything or county in self.counties or (county, dataset) in self.duties

    def serves(self, institution: str) -> bool:
        """Whether what an institution asks and is told lies within."""
        return self.everything or institution in self.institutions

    def asked(self, institution: str) -> list[str]:
        """Whose lists to read, of one institution or of all in reach; an empty name: of all there are."""
        if not institution and not self.everything:
            return sorted(self.institutions)
        return [institution] if self.serves(institution) else []

    def holds(self, place: Place) -> bool:
        """Whether the whole of a place lies within; the whole gateway, where it names nothing."""
        if self.everything or place == Place():
            return self.everything
        if place.institution and not self.serves(place.institution):
            return False
        return not place.county or self.sees(place.county, place.dataset)


EVERYTHING: Final = Scope(everything=True)
NOTHING: Final = Scope()
WHOLE: Final = Place()
"""The gateway itself."""
