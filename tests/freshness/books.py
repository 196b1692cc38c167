"""A ledger over a store, without a source: what would have been committed is written as segments, and runs end as told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from gateway.calendar import WorkingCalendar
from gateway.clock import SHANGHAI, Clock
from gateway.config import Config
from gateway.config.load import Feed
from gateway.config.models import CatalogueEntry, CountyModel, FeedModel, SharingModel, SourceModel
from gateway.freshness import Ending, Keeper, Ledger, Standing, close_run, count_arrivals
from gateway.scope import EVERYTHING
from gateway.store import Store
from gateway.store.segments import pack, pack_periods

COUNTY = CountyModel(code="360981", name="丰城市", bureau="丰城市数据局")


class StillClock(Clock):
    """A business clock that moves only when told."""

    def __init__(self, store: Store, moment: str) -> None:
        super().__init__(store)
        self.set_to(moment)

    def set_to(self, moment: str) -> None:
        self._moment = datetime.fromisoformat(moment).replace(tzinfo=SHANGHAI)

    def now(self) -> datetime:
        return self._moment


@dataclass
class Books:
    """One dataset of one county, with a feed from its system and, if asked, one by hand."""

    store: Store
    start: str = "2026-09-01T08:00:00"
    dataset: str = "subsidy"
    frequency: str = "每月"
    deadline: str | None = "次月10日前，遇节假日顺延"
    terms: dict[str, Any] = field(default_factory=dict)
    manual: bool = False
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)
    county: CountyModel = COUNTY
    beside: Books | None = None
    """Books of another county that share their clock and configuration with these."""

    def __post_init__(self) -> None:
        self.clock = self.beside.clock if self.beside else StillClock(self.store, self.start)
        self.config = self.beside.config if self.beside else Config(Path("config"), calendar=self.calendar)
        self.config.counties[self.county.code] = self.county
        self.promise()
        self.rows: dict[str, Any] = {}
        for key, channel in (("system", "SYSTEM"), *((("manual", "MANUAL"),) if self.manual else ())):
            self._add_feed(key, channel)
        with self.store.write() as tx:
            tx.run("rules_add", digest="rules")
            tx.run(
                "run_add",
                feed_id=self.rows["system"].id,
                due_at=self.start,
                reason="test",
                actor="test",
                options="{}",
            )
        self.keeper = Keeper(self.store, self.clock, lambda: self.config)
        self.ledger = Ledger(self.store, self.clock, lambda: self.config)
        self.keeper.keep_all()

    def promise(self, **changes: Any) -> None:
        """Publishes the catalogue's entry, changed."""
        said = {"update_frequency": self.frequency, "deadline": self.deadline, **self.terms, **changes}
        entry = CatalogueEntry(title="某数据", agency="某局", sharing=SharingModel(type="无条件共享"), **said)
        self.config.catalogue[self.dataset] = entry
        for feed in list(self.config.feeds.values()):
            self.config.feeds[feed.name] = Feed(feed.name, feed.county, feed.model, feed.source, entry, None)
        if changes:
            self.keeper.keep_all(anew=True)

    def _add_feed(self, key: str, channel: Any) -> None:
        name = f"{self.county.code}/{key}"
        with self.store.write() as tx:
            tx.run("stream_add", name=f"feed:{name}", kind="versions")
            stream = tx.one("stream_by_name", name=f"feed:{name}")
            given = {"dataset": self.dataset, "county": self.county.code, "channel": channel}
            tx.run("feed_add", uid=name, name=name, stream_id=stream.id, **given)
            self.rows[key] = tx.one("feed_by_name", name=name)
        model = FeedModel(source="s", dataset=self.dataset, poll=timedelta(hours=1), channel=channel)
        source = SourceModel(adapter="table", account="a")
        self.config.feeds[name] = Feed(name, self.county, model, source, self.config.catalogue[self.dataset], None)

    def at(self, moment: str) -> Books:
        """Lets time pass to this moment, with the worker awake."""
        self.clock.set_to(moment)
        self.keeper.keep_all()
        return self

    def run(
        self,
        *periods: str,
        feed: str = "system",
        rows: int = 3,
        times: tuple[str, ...] = (),
        done: bool = True,
        answered: bool = True,
        whole: bool = False,
        zero: bool = False,
        doubt: str | None = None,
        keep: bool = True,
    ) -> Books:
        """A run that brings `rows` versions for each named period, or versions with these source times."""
        row, at = self.rows[feed], self.clock.stamp()
        count = rows * len(periods) + len(times)
        if count:
            self._commit(row, at, count, dict.fromkeys(periods, rows), times)
        counted = count_arrivals(self.store, row.stream_id, dated_by_field=bool(periods))
        with self.store.write() as tx:
            ending = Ending(at, at, answered=answered, done=done, whole=whole, zero=zero, doubt=doubt)
            close_run(tx, row, counted, ending)
            if answered:
                tx.run("feed_contact", id=row.id, at=at)
        if keep:
            self.keeper.keep(self.county.code, self.dataset)
        return self

    def _commit(self, row: Any, at: str, count: int, periods: dict[str, int], times: tuple[str, ...]) -> None:
        stamps = [*times, *([None] * (count - len(times)))]
        with self.store.write() as tx:
            last = int(tx.value("stream_advance", id=row.stream_id, count=count))
            numbers, none = [1] * count, [0] * count
            tx.run(
                "segment_insert",
                stream_id=row.stream_id,
                first=last - count + 1,
                last=last,
                run_id=1,
                evidence_id=None,
                rules_id=1,
                at=at,
                flagged=0,
                periods=pack_periods(periods),
                suite="intl-1",
                body=pack(list(range(count)), numbers, none, stamps, [""] * count, [b"x"] * count),
            )

    def fails(self, state: str, owner: str, action: str, feed: str = "system") -> Books:
        """The feed's state after a failed run."""
        with self.store.write() as tx:
            tx.run(
                "feed_state",
                id=self.rows[feed].id,
                state=state,
                code="X",
                sentence="出错了",
                owner=owner,
                action=action,
                at=self.clock.stamp(),
            )
        return self

    @property
    def standing(self) -> Standing:
        (found,) = self.ledger.standings(EVERYTHING, self.county.code)
        return found

    def period(self, name: str) -> Any:
        return next(p for p in self.ledger.explain(self.county.code, self.dataset).periods if p.period == name)

    def code(self, name: str) -> str:
        return str(self.period(name).code)


def days(first: str, count: int) -> list[str]:
    start = date.fromisoformat(first)
    return [(start + timedelta(days=n)).isoformat() for n in range(count)]
