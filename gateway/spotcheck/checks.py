"""Drawing a sample, taking its answers back, and what they say.

A stratum is a feed: one dataset of one agency by one channel, so that what comes by hand is measured apart from what comes
from the system. Within it observations are drawn at random, by a seed that is kept: whoever draws again gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from gateway.accuracy import Accuracy, drawn
from gateway.clock import Clock
from gateway.config import Config
from gateway.corrections import Corrections
from gateway.errors import Usage
from gateway.reports.facts import Fact, FactFinder
from gateway.scope import Scope
from gateway.statements import allowed
from gateway.store import Store
from gateway.store.pages import living
from schemas import DATASETS, FieldSpec
from schemas.codes import code_title

VERDICTS: Final = {"right": "一致", "wrong": "不一致", "unknown": "无法核实"}
VALID: Final = timedelta(days=365)
"""How long an answer counts."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value to be checked. `path` names the element, `spec` the field."""

    path: str
    spec: FieldSpec
    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One observation of a sample, opened: what it says of whom."""

    item: int
    agency: str
    fact: Fact
    cells: Sequence[Cell]

    @property
    def who(self) -> str:
        """Names of those it is about."""
        found = [name for path in DATASETS[self.fact.dataset].subjects.values() for name in _named(self.fact, path)]
        return "、".join(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the team found of one value; `found`: what is true, where it was wrong."""

    item: int
    path: str
    verdict: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the answers."""

    answers: int
    wrong: int
    tickets: tuple[str, ...]
    """Handles of what agencies are asked to put right."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measured:
    """The accuracy of one field of one agency and channel."""

    county: str
    dataset: str
    agency: str
    channel: str
    field: str
    accuracy: Accuracy

    def as_dict(self) -> dict[str, Any]:
        shown = {name: value for name, value in asdict(self).items() if name != "accuracy"}
        return shown | {"title": DATASETS[self.dataset].fields[self.field].of.title} | self.accuracy.as_dict()


class SpotChecks:
    """The spot checks of one store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        config: Callable[[], Config],
        finder: FactFinder,
        corrections: Corrections,
    ) -> None:
        self._store, self._clock, self._config = store, clock, config
        self._finder, self._corrections = finder, corrections

    def draw(self, county: str, *, each: int, seed: str, actor: str) -> int:
        """Draws up to `each` observations of every feed of a county; the number of the check. Raises Usage."""
        config = self._config()
        if county not in config.counties:
            raise Usage("没有县 {name}。可用的有：{known}", name=county, known="、".join(config.counties))
        with self._store.write() as tx:
            check = int(
                tx.value("spot_check_add", county=county, seed=seed, each=each, at=self._clock.stamp(), actor=actor)
            )
            for feed in tx.all("feeds"):
                if feed.county != county or feed.dataset not in config.catalogue:
                    continue
                agency = config.catalogue[feed.dataset].promise(feed.dataset, county).agency
                picked = drawn(living(tx, feed.id), each, f"{seed}/{feed.name}")
                for row in tx.among("observations_state", picked):
                    tx.run("spot_item_add", check=check, feed=feed.id, observation=row.id, seq=row.seq, agency=agency)
        return check

    def county(self, check: int) -> str:
        """Where a check is made. Raises Usage."""
        with self._store.read() as tx:
            row = tx.one("spot_check_get", id=check)
        if row is None:
            raise Usage("没有核查 {check}", check=check)
        return str(row.county)

    def recent(self, within: Scope, count: int = 100) -> list[dict[str, Any]]:
        """The latest checks: where, when, how many were drawn and how many answered."""
        with self._store.read() as tx:
            rows = tx.all("spot_checks", count=count)
        return [row._asdict() for row in rows if within.sees(row.county, "")]

    def sample(self, check: int) -> list[Drawn]:
        """What was drawn, in the clear, as it stood then; what was erased since is left out. Raises Usage."""
        self.county(check)
        with self._store.read() as tx:
            rows = tx.all("spot_items", check=check)
        facts = self._finder.at(rows)
        catalogue = self._config().catalogue
        return [
            Drawn(row.item, row.agency, fact, _cells(fact, allowed(DATASETS[fact.dataset], catalogue[fact.dataset])))
            for row in rows
            if (fact := facts.get((row.stream_id, row.seq))) is not None and fact.dataset in catalogue
        ]

    def answers(self, check: int) -> dict[tuple[int, str], str]:
        """(item, path) -> what was found so far."""
        with self._store.read() as tx:
            return {(row.item, row.path): row.verdict for row in tx.all("spot_results", check=check)}

    def take(self, check: int, answers: Iterable[Answer], actor: str) -> Taken:
        """Takes answers in; a later one replaces an earlier one. Each wrong value becomes a request to its agency.

        Raises:
            Usage: an item or a field that was not drawn, or no verdict; then nothing is taken.
        """
        sample = {d.item: d for d in self.sample(check)}
        found = [(answer, *_asked(sample, answer)) for answer in answers]
        tickets = []
        with self._store.write() as tx:
            at = self._clock.stamp()
            for answer, item, cell in found:
                field, version = cell.spec.path, item.fact.version
                tx.run(
                    "spot_result_put",
                    item=item.item,
                    path=cell.path,
                    field=field,
                    verdict=answer.verdict,
                    at=at,
                    actor=actor,
                )
                if answer.verdict == "wrong":
                    tickets.append(
                        self._corrections.ask(
                            tx,
                            version,
                            origin="spot_check",
                            county=item.fact.county,
                            dataset=item.fact.dataset,
                            agency=item.agency,
                            path=cell.path,
                            said=cell.value,
                            claimed=answer.found,
                            record=item.fact.record,
                            actor=actor,
                        )
                    )
                else:
                    self._corrections.withdraw(tx, version.handle, cell.path, "spot_check", actor)
        return Taken(len(found), len(tickets), tuple(tickets))

    def measured(self, within: Scope) -> list[Measured]:
        """Accuracy by county, dataset, agency, channel and field, of the answers of one year."""
        return [m for m in measured(self._store, self._clock) if within.sees(m.county, m.dataset)]


def measured(store: Store, clock: Clock) -> list[Measured]:
    since = (clock.now() - VALID).isoformat(timespec="seconds")
    with store.read() as tx:
        rows = tx.all("accuracies", since=since)
    return [
        Measured(
            r.county, r.dataset, r.agency, r.channel, r.field, Accuracy(int(r.right_ones), r.checked, r.until[:10])
        )
        for r in rows
        if r.field in DATASETS[r.dataset].fields
    ]


def accuracy_of(found: Iterable[Measured]) -> Mapping[tuple[str, str, str, str], Accuracy]:
    """(agency, channel, dataset, field) -> accuracy: as a report looks it up."""
    return {(m.agency, m.channel, m.dataset, m.field): m.accuracy for m in found}


def _cells(fact: Fact, paths: frozenset[str]) -> list[Cell]:
    out = []
    for spec in DATASETS[fact.dataset].fields.values():
        if spec.path not in paths:
            continue
        found = [(spec.path, fact.text(spec.name))] if spec.part is None else []
        if spec.part is not None:
            rows = enumerate(fact.rows(spec.part))
            found = [(f"{spec.part}.{i}.{spec.name}", element.get(spec.name)) for i, element in rows]
        for path, value in found:
            if value is not None:
                text = code_title(spec.of.codes, value) if spec.of.codes else value
                out.append(Cell(path, spec, value, text if text is not None else value))
    return out


def _asked(sample: Mapping[int, Drawn], answer: Answer) -> tuple[Drawn, Cell]:
    item = sample.get(answer.item)
    cell = next((c for c in item.cells if c.path == answer.path), None) if item else None
    if item is None or cell is None:
        raise Usage("这次核查没有抽到 {item}.{path}", item=answer.item, path=answer.path)
    if answer.verdict not in VERDICTS:
        raise Usage("没有核查结果 {name}。可用的有：{known}", name=answer.verdict, known="、".join(VERDICTS))
    return item, cell


def _named(fact: Fact, path: str) -> list[str]:
    """The names beside the number that a subject's path leads to."""
    part, _, name = path.rpartition(".")
    field = name.replace("id_no", "name")
    rows: list[Any] = list(fact.rows(part)) if part else [fact.record]
    return [str(row[field]) for row in rows if row.get(field)]
