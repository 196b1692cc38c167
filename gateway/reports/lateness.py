"""How late each fact of a report is, and what the catalogue says to do with it (DESIGN §9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from gateway.config import CatalogueEntry
from gateway.freshness import Standing
from gateway.freshness.verdicts import OWED
from gateway.i18n import WORDS
from gateway.reports.beside import Duties
from gateway.reports.facts import Fact
from schemas import DATASETS


@dataclass(frozen=True, slots=True)
class Verdict:
    """On the duty behind a fact."""

    code: str
    sentence: str
    stale: bool

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "title": WORDS.get(self.code, self.code), "stale": self.stale}


UNPROMISED = Verdict("as_needed", "", stale=False)


@dataclass(slots=True)
class Lateness:
    """The verdicts of one report; a county's duties are looked up once."""

    catalogue: Mapping[str, CatalogueEntry]
    duties: Duties
    at: str
    _known: dict[str, Mapping[str, Standing]] = field(default_factory=dict)

    def verdict(self, county: str, dataset: str) -> Verdict:
        """How the duty of this dataset stands in this county."""
        if county not in self._known:
            self._known[county] = self.duties(county)
        standing, entry = self._known[county].get(dataset), self.catalogue.get(dataset)
        if standing is None or entry is None:
            return UNPROMISED
        silent = _since(standing.contact_at, self.at) if standing.contact_at else None
        late = entry.stale.late(owed=standing.code in OWED, silent=silent)
        return Verdict(standing.code, standing.sentence, late)

    def of(self, fact: Fact) -> Verdict:
        return self.verdict(fact.county, fact.dataset)

    def withholds(self, county: str, dataset: str) -> bool:
        """Whether nothing of this dataset may be told."""
        entry = self.catalogue.get(dataset)
        return entry is not None and entry.stale.policy == "withhold" and self.verdict(county, dataset).stale

    def withheld_fields(self, fact: Fact) -> frozenset[str]:
        """Paths that this fact may not tell, with all that stands in their groups."""
        entry, dataset = self.catalogue.get(fact.dataset), DATASETS[fact.dataset]
        if entry is None or not entry.stale.fields or not self.of(fact).stale:
            return frozenset()
        groups = {dataset.fields[path].of.group for path in entry.stale.fields if entry.stale.of(path) == "withhold"}
        return frozenset(path for path, spec in dataset.fields.items() if spec.of.group in groups)

    def flagged(self, fact: Fact, path: str) -> bool:
        """Whether a field is told as stale."""
        return self.of(fact).stale and self.catalogue[fact.dataset].stale.of(path) == "flag"


def _since(contact: str, now: str) -> timedelta:
    return datetime.fromisoformat(now) - datetime.fromisoformat(contact)
