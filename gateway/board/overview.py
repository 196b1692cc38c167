"""The overview: every duty at a glance, whose move it is, what today brought, and what is new since somebody looked.

Its cost is that of `Ledger.standings` and of a look at each feed, however long the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway.clock import Clock
from gateway.config import Config
from gateway.freshness import Finding, Ledger, Standing, tellable, verdicts
from gateway.freshness.verdicts import OWED, RANK, SEVERITY
from gateway.scope import Scope
from gateway.store import Store, Tx

OWNERS: Final = ("agency", "county", "gateway", "chain")
BESIDE_DUTIES: Final = ("county", "duty")
"""Kinds of findings that the map of duties shows already."""


@dataclass(frozen=True, slots=True)
class Today:
    """What this day brought so far, over all feeds."""

    day: str
    answered: int
    """Feeds whose source answered today."""
    failing: int
    """Feeds of which a run failed today."""
    feeds: int
    news: int
    """Versions, withdrawals included, that were committed today."""
    confirmed: int
    """Statements that every sink together confirmed today."""
    held: int
    """Open items of quarantine, of whatever day."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since a moment, as counts and as lines that name the thing: (kind, target, code)."""

    since: str
    fallen_due: tuple[Standing, ...]
    made_up: tuple[Standing, ...]
    received: int
    """Duties of which a period was received in time."""
    feeds: tuple[Finding, ...]
    """Feeds that changed their state, as they stand now."""
    held: int
    failed_runs: int
    batches: int
    """Confirmations of a batch by a sink."""
    published: tuple[tuple[str, str], ...]
    """Versions of the configuration: when, by whom."""

    @property
    def nothing(self) -> bool:
        found = (self.fallen_due, self.made_up, self.received, self.feeds, self.held, self.failed_runs)
        return not any((*found, self.batches, self.published))


@dataclass(frozen=True, slots=True)
class Overview:
    """How everything stands. `cells` are by county and dataset; counties with the most that is owed come first."""

    counties: tuple[tuple[str, str], ...]
    datasets: tuple[str, ...]
    cells: dict[tuple[str, str], Standing]
    codes: dict[str, int]
    """How many duties stand at each verdict, the worst first."""
    owners: dict[str, int]
    """How many moves wait for each owner."""
    moves: tuple[Finding, ...]
    """What needs somebody, the worst first, duties before what is not one."""
    today: Today
    changes: Changes

    def as_dict(self) -> dict[str, Any]:
        """As the API gives it: cells as a list."""
        return {
            "counties": [{"code": code, "name": name} for code, name in self.counties],
            "datasets": list(self.datasets),
            "duties": [cell.as_dict() for cell in self.cells.values()],
            "codes": self.codes,
            "owners": self.owners,
            "moves": [move.as_dict() for move in self.moves],
            "today": asdict(self.today),
            "changes": asdict(self.changes),
        }


def overview(store: Store, clock: Clock, config: Config, ledger: Ledger, within: Scope, since: str = "") -> Overview:
    """Everything in reach that the first page shows. `since`: ISO, what changed after it; empty: since this day began."""
    standings = ledger.standings(within)
    today = clock.today().isoformat()
    since = since or f"{today}T00:00:00+08:00"
    found = tellable(verdicts(store, clock, config, standings, within))
    with store.read() as tx:
        reach = _Reach(tx, config, within, today)
        confirmed = tx.all("confirmed_since", since=since, day=f"{today}T00:00:00+08:00")
        day = _today(tx, today, reach, confirmed)
        changes = _changes(tx, reach, standings, since, confirmed)
    owed = Counter(s.county for s in standings if s.owner is not None)
    worst: dict[str, int] = {}
    for standing in standings:
        rank = RANK[standing.code]
        worst[standing.county] = min(worst.get(standing.county, rank), rank)
    counties = sorted(worst, key=lambda code: (-owed[code], worst[code], code))
    named = {standing.dataset for standing in standings}
    moves = [finding for finding in found if finding.kind != "county"]
    codes = Counter(s.code for s in standings)
    owners = Counter(move.owner for move in moves)
    return Overview(
        counties=tuple((code, config.counties[code].name) for code in counties),
        datasets=tuple(name for name in config.catalogue if name in named),
        cells={(s.county, s.dataset): s for s in standings},
        codes={code: codes[code] for code in SEVERITY if codes[code]},
        owners={owner: owners[owner] for owner in OWNERS if owners[owner]},
        moves=tuple(sorted(moves, key=_urgency)),
        today=day,
        changes=changes,
    )


def _urgency(move: Finding) -> tuple[int, str]:
    """Duties as bad as their verdict; what is not a duty stands beside what is overdue."""
    rank = RANK[move.code] if move.kind == "duty" else 0
    return rank, move.since or ""


class _Reach:
    """The feeds in reach beside what their sources did today; `all` also holds what is no feed's, such as consents."""

    def __init__(self, tx: Tx, config: Config, within: Scope, day: str) -> None:
        rows = [row for row in tx.all("feeds_on_day", day=day) if within.sees(row.county, row.dataset)]
        self.all = within.everything
        self.configured = [row for row in rows if row.name in config.feeds]
        self.names = {row.name for row in self.configured}
        self._feeds, self._streams = {row.id for row in rows}, {row.stream_id for row in rows}

    def count(self, rows: Sequence[Any], column: str) -> int:
        """What rows by feed or by stream come to, in reach."""
        found = [row for row in rows if self.all or self._mine(row)]
        return sum(int(getattr(row, column)) for row in found)

    def _mine(self, row: Any) -> bool:
        return row.stream_id in self._streams if hasattr(row, "stream_id") else row.feed_id in self._feeds


def _today(tx: Tx, day: str, reach: _Reach, confirmed: Sequence[Any]) -> Today:
    rows, since = reach.configured, f"{day}T00:00:00+08:00"
    return Today(
        day=day,
        answered=sum(bool(row.answers) for row in rows),
        failing=sum(bool(row.failures) for row in rows),
        feeds=len(rows),
        news=sum(row.news or 0 for row in rows),
        confirmed=reach.count(confirmed, "statements"),
        held=reach.count(tx.all("quarantine_open", since=since), "held"),
    )


def _changes(tx: Tx, reach: _Reach, standings: Sequence[Standing], since: str, confirmed: Sequence[Any]) -> Changes:
    states = [row for row in tx.all("feeds_changed", since=since) if row.name in reach.names]
    return Changes(
        since=since,
        fallen_due=tuple(s for s in standings if s.code in OWED and s.due_at and s.due_at > since),
        made_up=tuple(s for s in standings if s.code == "made_up" and s.complete_at and s.complete_at > since),
        received=sum(s.code == "on_time" and bool(s.complete_at) and str(s.complete_at) > since for s in standings),
        feeds=tuple(
            Finding("feed", row.name, row.state, row.sentence or "", row.owner, row.action, row.since) for row in states
        ),
        held=reach.count(tx.all("quarantine_open", since=since), "new"),
        failed_runs=reach.count(tx.all("runs_failed_since", since=since), "failed"),
        batches=reach.count(confirmed, "batches"),
        published=tuple((row.at, row.actor) for row in tx.all("config_since", since=since) if reach.all),
    )
