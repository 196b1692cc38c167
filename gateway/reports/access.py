"""What is held about a person, and who read it: the person's own right (PIPL art. 45; 征信业管理条例 art. 17)."""

from __future__ import annotations

from typing import Any

from gateway.corrections import Corrections
from gateway.names import SUBJECT
from gateway.reports.facts import Fact, FactFinder
from gateway.reports.sections import groups_shown
from gateway.scope import EVERYTHING
from gateway.store import Store
from gateway.vault import Vault, handle_text
from schemas import DATASETS


class SubjectAccess:
    """Answers persons about themselves. Safe to share between threads."""

    def __init__(self, store: Store, vault: Vault, finder: FactFinder, corrections: Corrections) -> None:
        self._store, self._vault, self._finder, self._corrections = store, vault, finder, corrections

    def about(self, id_no: str) -> dict[str, Any]:
        """Every observation about the person with its values, of others' nothing; every consent, query and request about them.

        Args:
            id_no: canonical.
        """
        facts = self._finder.about(id_no)
        name, handles = self._vault.name(SUBJECT, id_no), {fact.handle for fact in facts}
        with self._store.read() as tx:
            consents = tx.all("consents_about", subject=name)
            queries = tx.all("queries_about", subject=name)
        return {
            "held": [_held(fact, id_no) for fact in facts],
            "consents": [row._asdict() | {"handle": handle_text(row.handle)} for row in consents],
            "read": [row._asdict() for row in queries],
            "corrections": [
                c.as_dict(full=True) for c in self._corrections.within(EVERYTHING, "") if c.observation in handles
            ],
        }


def _held(fact: Fact, id_no: str) -> dict[str, Any]:
    dataset, groups = DATASETS[fact.dataset], groups_shown(fact, id_no)
    values: dict[str, str] = {}
    for spec in dataset.fields.values():
        if spec.part is None and spec.of.group in groups and (value := fact.text(spec.name)) is not None:
            values[spec.of.title] = value
        if spec.part is not None:
            for i, row in enumerate(fact.rows(spec.part)):
                if f"{spec.of.group}/{i}" in groups and (said := row.get(spec.name)) is not None:
                    values[f"{spec.of.title} {i + 1}"] = said
    return {
        "handle": fact.handle,
        "dataset": fact.dataset,
        "title": dataset.title,
        "county": fact.county,
        "channel": fact.channel,
        "as_of": fact.as_of,
        "roles": sorted(fact.roles),
        "values": values,
    }
