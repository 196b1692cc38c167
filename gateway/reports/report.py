"""Building the report: from facts to the thirteen sections, each value with its origin and its proof.

What the bank gets is one JSON document (`shuqiao-report/2`, docs/report-format.md); the PDF shows the same and carries it.
Numbers in it are text, as everywhere in a proof. Only what a consent, the sharing terms and the disclosure groups let out
is in it, and every value in it stands in a disclosed group of one of its proofs, or is marked as derived.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.config import CatalogueEntry
from gateway.disclosure import Disclosure
from gateway.proof import reports
from gateway.reports import derive
from gateway.reports.asked import Asked
from gateway.reports.beside import Accuracies, Beside, of_source
from gateway.reports.consents import CLASSES, PURPOSES
from gateway.reports.facts import Fact, FactFinder
from gateway.reports.lateness import UNPROMISED, Lateness
from gateway.reports.person import Person
from gateway.reports.sections import (
    SECTIONS,
    STATE_TITLES,
    TITLES,
    WHY_TITLES,
    Section,
    State,
    Why,
    groups_shown,
)
from gateway.reports.standing import Standing, resolve
from gateway.statements import allowed, may_share
from gateway.store import Store
from schemas import DATASETS, FieldSpec, flags
from schemas.codes import code_title
from schemas.masking import mask

NOTES: Final = (
    "本报告依据本人授权，由各部门系统数据汇总生成，仅供授权机构用于授权目的，不得转供他人。",
    "本报告不构成信用评级或授信承诺；“已查无记录”指数据源已接入并查询、未见记录，“未取得数据”不代表没有。",
    "无婚姻登记记录不等于未婚：法院判决离婚、事实婚姻及早年纸质登记不在系统中。",
    "本人对内容有异议的，可向县数据局提出，二十日内书面答复；核查期间有关内容标注“有异议”。",
)


@dataclass(slots=True)
class _Book:
    """Facts as they enter the document, each once, with its proof."""

    late: Lateness
    accuracies: Accuracies
    disputes: list[dict[str, Any]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    """Datasets of which this report may tell."""
    facts: list[dict[str, Any]] = field(default_factory=list)
    proofs: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[tuple[str, int], str] = field(default_factory=dict)

    def shown(self, fact: Fact, id_no: str) -> frozenset[str]:
        """The disclosure groups that are about this person, or nobody, and not withheld for being late."""
        hidden = {DATASETS[fact.dataset].fields[path].of.group for path in self.late.withheld_fields(fact)}
        return frozenset(g for g in groups_shown(fact, id_no) if g.partition("/")[0] not in hidden)


class ReportMaker:
    """Makes reports from one store. Safe to share between threads."""

    def __init__(
        self,
        store: Store,
        finder: FactFinder,
        disclosure: Disclosure,
        catalogue: Mapping[str, CatalogueEntry],
        beside: Beside,
    ) -> None:
        self._store, self._finder, self._disclosure = store, finder, disclosure
        self._catalogue, self._beside = catalogue, beside

    def make(self, asked: Asked) -> dict[str, Any]:
        """The document without its hash and signature.

        Raises:
            ProofInvalid, PayloadAltered, PayloadMissing: a batch behind a fact does not hold; nothing is given out.
        """
        standings = resolve(self._finder.about(asked.id_no))
        person = Person(self._finder, standings, asked)
        feeds = self._feeds(person.county)
        late = Lateness(self._catalogue, self._beside.duties, asked.at)
        book = _Book(late, self._beside.accuracies())
        barred = {s.id: self._barred(s, asked) for s in SECTIONS}
        book.open = {name for s in SECTIONS if barred[s.id] is None for name in s.datasets}
        book.open -= {name for name in book.open if self._withheld(name, person, standings, book.late)}
        sections = [self._section(s, person, feeds, book, asked, barred[s.id]) for s in SECTIONS]
        found = self._discrepancies(person, book, asked)
        return {
            "format": reports.FORMAT,
            "suite": asked.suite,
            "number": asked.number,
            "title": "农户信用信息专项核查报告",
            "at": asked.at,
            "institution": {"id": asked.institution, "title": asked.institution_title, "user": asked.user},
            "purpose": {"code": asked.purpose, "title": PURPOSES[asked.purpose]},
            "consent": {"handle": asked.consent, "classes": [CLASSES[c] for c in sorted(asked.classes)]},
            "submitter": asked.submitter,
            "county": person.county,
            "as_of": max((f["as_of"] for f in book.facts), default=None),
            "subject": {"name": asked.name, "id_no": mask("id_no", asked.id_no)},
            "sections": sections,
            "facts": book.facts,
            "sources": self._sources(feeds, book, person.county),
            "discrepancies": found,
            "disputes": book.disputes,
            "notes": list(NOTES),
            "proofs": book.proofs,
        }

    def _feeds(self, county: str | None) -> dict[str, list[Any]]:
        """Feeds of the person's county, or of all where it is not known, by dataset."""
        out: dict[str, list[Any]] = {}
        with self._store.read() as tx:
            for row in tx.all("feeds"):
                if county in (None, row.county):
                    out.setdefault(row.dataset, []).append(row)
        return out

    @staticmethod
    def _withheld(dataset: str, person: Person, standings: Sequence[Standing], late: Lateness) -> bool:
        """Whether any county behind what would be told is late, and the catalogue says not to tell then."""
        counties = {s.fact.county for s in standings if s.fact.dataset == dataset} | {person.county}
        return any(late.withholds(county, dataset) for county in counties if county)

    def _section(
        self,
        section: Section,
        person: Person,
        feeds: Mapping[str, Sequence[Any]],
        book: _Book,
        asked: Asked,
        why: Why | None,
    ) -> dict[str, Any]:
        out: dict[str, Any] = {"id": section.id, "number": str(section.number), "title": section.title}
        withheld = [name for name in section.datasets if why is None and name not in book.open]
        facts = [] if why else [f for f in person.facts(section.id) if f.dataset in book.open]
        if why is None and not facts:
            why = _unknown([row for name in section.datasets for row in feeds.get(name, ())])
            why = Why.WITHHELD if withheld else why
        state = State.DATA if facts else State.UNKNOWN if why else State.NONE
        out |= {"state": state, "state_title": STATE_TITLES[state]}
        out |= {"why": why, "why_title": WHY_TITLES[why] if why else None}
        out["withheld"] = [{"dataset": name, "title": TITLES[name]} for name in withheld]
        late = [book.late.verdict(person.county, name) for name in section.datasets if person.county]
        out["stale"] = state is not State.UNKNOWN and any(v.stale for v in [*late, *map(book.late.of, facts)])
        out["facts"] = [self._enter(fact, asked, book) for fact in facts]
        out["derived"] = person.derived(section.id, state, book.open)
        return out

    def _barred(self, section: Section, asked: Asked) -> Why | None:
        if section.consent not in asked.classes:
            return Why.NOT_CONSENTED
        entries = [self._catalogue.get(name) for name in section.datasets]
        open_to = [
            e
            for e in entries
            if e is not None and asked.institution in e.sharing.recipients and may_share(e, asked.today) is None
        ]
        return None if open_to else Why.NOT_SHARED

    def _enter(self, fact: Fact, asked: Asked, book: _Book) -> str:
        """The id of a fact in the document; it is written there once."""
        key = (fact.handle, fact.version.number)
        if key in book.ids:
            return book.ids[key]
        dataset, entry = DATASETS[fact.dataset], self._catalogue[fact.dataset]
        promise = entry.promise(fact.dataset, fact.county)
        shown, verdict = book.shown(fact, asked.id_no), book.late.of(fact)
        proof = self._disclosure.document(fact.version, shown)
        id_ = book.ids[key] = f"f{len(book.facts) + 1}"
        disputes = self._beside.disputes(fact.handle)
        book.disputes += [
            {
                "fact": id_,
                "handle": d.handle,
                "title": f"{dataset.title}：{d.title}",
                "path": d.path,
                "opened_at": d.opened_at,
                "due_on": d.due_on,
            }
            for d in disputes
        ]
        book.facts.append(
            {
                "id": id_,
                "dataset": fact.dataset,
                "title": dataset.title,
                "handle": fact.handle,
                "version": str(fact.version.number),
                "feed": fact.feed,
                "county": fact.county,
                "agency": promise.agency,
                "channel": fact.channel,
                "as_of": fact.as_of,
                "frequency": promise.frequency,
                "flags": [{"code": f, "title": flags.title(f)} for f in fact.flags],
                "disputed": bool(disputes),
                "freshness": verdict.as_dict(),
                "withheld": sorted(book.late.withheld_fields(fact)),
                "fields": [
                    told
                    | {"stale": book.late.flagged(fact, path)}
                    | {"accuracy": _measured(book, (promise.agency, fact.channel, fact.dataset, path))}
                    for path, told in _fields(fact, shown, allowed(dataset, entry))
                ],
                "proof": None if proof is None else str(len(book.proofs)),
            }
        )
        if proof is not None:
            book.proofs.append(proof)
        return id_

    def _sources(self, feeds: Mapping[str, Sequence[Any]], book: _Book, county: str | None) -> list[dict[str, Any]]:
        """Section 10: what was asked where, how fresh it is, and by which channel it came."""
        used: dict[str, int] = {}
        for fact in book.facts:
            used[fact["feed"]] = used.get(fact["feed"], 0) + 1
        return [
            {
                "dataset": name,
                "title": TITLES[name],
                "agency": promise.agency,
                "frequency": promise.frequency,
                "feed": row.name,
                "channel": row.channel,
                "contact_at": row.contact_at,
                "as_of": row.as_of,
                "state": row.state,
                "freshness": verdict.as_dict() | {"sentence": verdict.sentence},
                "accuracy": of_source(book.accuracies, promise.agency, row.channel, name),
                "facts": str(used.get(row.name, 0)),
            }
            for name, rows in sorted(feeds.items())
            if name in self._catalogue
            for row in rows
            for promise in (self._catalogue[name].promise(name, row.county),)
            for verdict in (book.late.verdict(row.county, name) if county else UNPROMISED,)
        ]

    def _discrepancies(self, person: Person, book: _Book, asked: Asked) -> list[dict[str, Any]]:
        """Section 11: contradictions of facts that are shown, about nobody else. What else was said stands beside it,
        as a fact with a proof of its own.
        """
        shown = set(book.ids)
        out = []
        for found in person.discrepancies(book.open):
            first = found.facts[0]
            if (first.handle, first.version.number) not in shown:
                continue
            values = [
                {"where": _where(first, where), "value": _masked(found, value)}
                for where, value in found.values
                if found.code != "SOURCES_DIFFER" or _group_of(first, where) in book.shown(first, asked.id_no)
            ]
            if values:
                ids = [self._enter(fact, asked, book) for fact in found.facts]
                out.append({"code": found.code, "title": found.title, "facts": ids, "values": values})
        return out


def _unknown(feeds: Iterable[Any]) -> Why | None:
    """Why nothing was found, if it does not mean that there is nothing."""
    rows = list(feeds)
    if not rows:
        return Why.NOT_CONNECTED
    if any(row.state == "ok" and row.contact_at for row in rows):
        return None
    return Why.NOT_COLLECTED if all(row.contact_at is None for row in rows) else Why.SOURCE_FAILING


def _measured(book: _Book, key: tuple[str, str, str, str]) -> dict[str, Any] | None:
    found = book.accuracies.get(key)
    return found.as_dict() if found else None


def _fields(fact: Fact, groups: frozenset[str], paths: frozenset[str]) -> list[tuple[str, dict[str, Any]]]:
    """The values of the groups shown, in the table's order, each by its field with its text for people."""
    dataset = DATASETS[fact.dataset]
    out = []
    for spec in dataset.fields.values():
        if spec.path not in paths:
            continue
        if spec.part is None:
            if spec.of.group in groups:
                out.append((spec.path, _field(spec, spec.path, spec.of.group, fact.text(spec.name))))
            continue
        for i, element in enumerate(fact.rows(spec.part)):
            if f"{spec.of.group}/{i}" in groups:
                path = f"{spec.part}.{i}.{spec.name}"
                out.append((spec.path, _field(spec, path, f"{spec.of.group}/{i}", element.get(spec.name))))
    return out


def _field(spec: FieldSpec, path: str, group: str, value: str | None) -> dict[str, Any]:
    text = code_title(spec.of.codes, value) if spec.of.codes and value is not None else value
    if value == "open":
        text = "长期"
    return {"path": path, "title": spec.of.title, "group": group, "value": value, "text": text, "unit": spec.of.unit}


def _masked(found: derive.Discrepancy, value: str | None) -> str | None:
    """Names that differ may be another person's."""
    return mask("name", value) if value is not None and found.code == "NAMES_DIFFER" else value


def _leaf(fact: Fact, path: str) -> FieldSpec | None:
    part, _, name = path.partition(".")
    return DATASETS[fact.dataset].fields.get(f"{part}.{name.partition('.')[2]}" if name else part)


def _where(fact: Fact, path: str) -> str:
    """The title of a field path; what is no path is a title already."""
    spec = _leaf(fact, path)
    return spec.of.title if spec else path


def _group_of(fact: Fact, path: str) -> str | None:
    spec = _leaf(fact, path)
    if spec is None or spec.part is None:
        return spec.of.group if spec else None
    return f"{spec.of.group}/{path.split('.')[1]}"
