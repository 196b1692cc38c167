"""What comes after a report: whether what it says has changed since, and a value that its subject disputes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gateway.config import CatalogueEntry
from gateway.corrections import Corrections
from gateway.errors import Usage
from gateway.reports.consents import Consents
from gateway.reports.facts import Fact, FactFinder
from gateway.reports.office import Office
from gateway.store import Store
from gateway.vault import handle_bytes


@dataclass(frozen=True, slots=True)
class Change:
    """A fact of a report that is not what it was. `kind`: `changed` or `gone`; what it is now takes another query."""

    fact: str
    title: str
    handle: str
    kind: str
    as_of: str | None
    """Of what stands now."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Aftermath:
    """Of the reports of one store."""

    def __init__(
        self,
        store: Store,
        office: Office,
        consents: Consents,
        finder: FactFinder,
        corrections: Corrections,
        catalogue: Callable[[], Mapping[str, CatalogueEntry]],
    ) -> None:
        self._store, self._office, self._consents = store, office, consents
        self._finder, self._corrections, self._catalogue = finder, corrections, catalogue

    def changes(self, number: str, institution: str = "") -> list[Change]:
        """Facts of a report whose observation has another version since, or is gone.

        Raises:
            Refused: the consent under which it was asked holds no more.
            Usage: no such report of this institution.
        """
        document = self._office.again(number, institution).document
        self._consents.in_force(document["consent"]["handle"])
        out = []
        for told in document["facts"]:
            found = self._finder.of(handle_bytes(told["handle"]))
            if not found:
                out.append(Change(told["id"], told["title"], told["handle"], "gone", None))
            elif str(found[0].version.number) != told["version"]:
                out.append(Change(told["id"], told["title"], told["handle"], "changed", found[0].as_of))
        return out

    def dispute(self, number: str, fact: str, path: str, claim: str, *, institution: str, actor: str) -> str:
        """The subject says that a value of a report is wrong, and what is right; the handle under which the agency answers.

        Raises:
            Usage: the report does not say this, what it said has changed since, or no claim is made.
        """
        document = self._office.again(number, institution).document
        told = next((f for f in document["facts"] if f["id"] == fact), None)
        shown = next((f for f in told["fields"] if f["path"] == path), None) if told else None
        if told is None or shown is None:
            raise Usage("报告 {number} 里没有 {fact} 的 {path}", number=number, fact=fact, path=path)
        if not claim.strip():
            raise Usage("请写明本人认为应当是什么")
        found = self._finder.of(handle_bytes(told["handle"]))
        if not found or _said(found[0], path) != shown["value"]:
            raise Usage("这个值在出报告之后已经变了，请重新查询")
        current = found[0]
        with self._store.write() as tx:
            return self._corrections.ask(
                tx,
                current.version,
                origin="dispute",
                county=current.county,
                dataset=current.dataset,
                agency=self._catalogue()[current.dataset].promise(current.dataset, current.county).agency,
                path=path,
                said=shown["value"],
                claimed=claim.strip()[:2000],
                record=current.record,
                actor=actor,
                institution=institution or document["institution"]["id"],
            )


def _said(fact: Fact, path: str) -> str | None:
    part, _, rest = path.partition(".")
    if not rest:
        return fact.text(part)
    index, _, name = rest.partition(".")
    rows = fact.rows(part)
    return rows[int(index)].get(name) if index.isdecimal() and int(index) < len(rows) else None
