"""One run, opened: its pages, counts that add up, what is wrong, and the answers that were kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from gateway.errors import Usage
from gateway.freshness.arrivals import seconds_between
from gateway.scope import Scope
from gateway.store import Store, row_dict

PAGES_SHOWN: Final = 200
_HIDDEN: Final = ("token", "options")


@dataclass(frozen=True, slots=True)
class Sum:
    """One line of the books of a run: what went in and where all of it went."""

    what: str
    total: int | None
    parts: tuple[tuple[str, int], ...]

    @property
    def holds(self) -> bool:
        return self.total is None or self.total == sum(count for _name, count in self.parts)


@dataclass(frozen=True, slots=True)
class PageLine:
    """One answer of the source that was kept: what was asked (its shape), what came. Its text stays in the vault."""

    page: int
    at: str
    request: str
    status: int
    media: str
    size: int
    hash: str
    kept: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything of one run."""

    run: dict[str, Any]
    options: dict[str, Any]
    seconds: int | None
    sums: tuple[Sum, ...]
    ignored: tuple[tuple[str, int], ...]
    causes: tuple[tuple[str, str | None, int], ...]
    """Why its rows are in quarantine: reason, field, how many are still open."""
    pages: tuple[PageLine, ...]
    more_pages: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"reconciles": all(found.holds for found in self.sums)}


def run_view(store: Store, within: Scope, number: int) -> RunView:
    """One run. Raises Usage: there is none of this number within."""
    with store.read() as tx:
        run = tx.one("run_get", id=number)
        feed = tx.one("feed_by_id", id=run.feed_id) if run is not None else None
        if run is None or feed is None or not within.sees(feed.county, feed.dataset):
            raise Usage("没有批次 {run}", run=number)
        ignored = [(row.rule, int(row.items)) for row in tx.among("runs_ignored", [number])]
        causes = [(row.reason, row.field, int(row.rows)) for row in tx.all("quarantine_of_run", run_id=number)]
        pages = tx.all("evidence_of_run", run_id=number, count=PAGES_SHOWN)
        total = int(tx.value("evidence_of_run_count", run_id=number))
    return RunView(
        run={name: value for name, value in row_dict(run).items() if name not in _HIDDEN},
        options={name: value for name, value in msgspec.json.decode(run.options).items() if value},
        seconds=seconds_between(run.started_at, run.finished_at) if run.started_at and run.finished_at else None,
        sums=tuple(_sums(run)),
        ignored=tuple(ignored),
        causes=tuple(causes),
        pages=tuple(
            PageLine(p.page, p.at, p.request, p.status, p.media, int(p.size), bytes(p.hash).hex()[:16], bool(p.kept))
            for p in pages
        ),
        more_pages=total - len(pages),
    )


def _sums(run: Any) -> list[Sum]:
    """DESIGN §5.2: every item fetched is accounted for, every row mapped is changed or not."""
    went = ("recognised", "mapped", "duplicate", "quarantined", "ignored")
    sums = [
        Sum("fetched", int(run.fetched), tuple((name, int(getattr(run, name))) for name in went)),
        Sum("mapped", int(run.mapped), (("changed", int(run.changed)), ("unchanged", int(run.unchanged)))),
    ]
    if run.declared is not None:
        sums.append(Sum("declared", int(run.declared), (("fetched", int(run.fetched)),)))
    return sums
