"""Thirty days over ten counties in which what can go wrong does: each cell has its planned verdict, owner and action on each day,
and each alert is sent once and recovered once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.alerts import AlertBook, Message, Post
from gateway.calendar import WorkingCalendar
from gateway.config import AlertsModel, GatewayFile
from gateway.config.models import CountyModel
from gateway.freshness import verdicts
from gateway.leases import Leases
from gateway.scope import EVERYTHING
from gateway.store import Store
from schemas.divisions import counties
from tests.freshness.books import Books

FIRST, DAYS = date(2026, 10, 1), 30
"""September's subsidies are due on the 10th of October, a Saturday that is worked; the calendar ends on the 25th."""
Move = tuple[str, str | None, str]
"""Code, owner, what the action says."""
OPEN: Move = ("open", None, "")
SOON: Move = ("due_soon", "agency", "提醒")
LATE: Move = ("overdue", "agency", "补报 2026-09")


@dataclass
class Plan:
    """What a county's agency does on which day of October, and how its duty stands from which day on."""

    what: str
    acts: dict[int, Callable[[Books], Any]]
    stands: dict[int, Move]
    alerts: list[tuple[int, str, str]]
    """(day, occasion, code) of everything that is told about the duty."""
    feed_alerts: list[tuple[int, str, str]] = field(default_factory=list)


def delivered(day: int) -> dict[int, Move]:
    """From the day its month came; the month after is owed from then on."""
    return {1: OPEN, 8: SOON, day: ("on_time", None, "")}


EARLY = {1: OPEN, 5: ("on_time", None, "")}
PLANS = [
    Plan("in time", {5: lambda b: b.run("2026-09")}, EARLY, []),
    Plan("silent", {}, {1: OPEN, 8: SOON, 11: LATE}, [(8, "raised", "due_soon"), (11, "raised", "overdue")]),
    Plan(
        "zero that nobody confirms",
        {5: lambda b: b.run(doubt="unverified")},
        {1: OPEN, 8: SOON, 11: ("unverified", "agency", "确认 2026-09 是否真的没有数据")},
        [(8, "raised", "due_soon"), (11, "raised", "unverified")],
    ),
    Plan(
        "last month's file again",
        {5: lambda b: b.run("2026-08", rows=9)},
        {1: OPEN, 8: SOON, 11: LATE},
        [(8, "raised", "due_soon"), (11, "raised", "overdue")],
    ),
    Plan("by hand", {7: lambda b: b.run("2026-09", feed="manual")}, {1: OPEN, 7: ("on_time", None, "")}, []),
    Plan(
        "late",
        {15: lambda b: b.run("2026-09")},
        {1: OPEN, 8: SOON, 11: LATE, 15: ("made_up", None, "")},
        [(8, "raised", "due_soon"), (11, "raised", "overdue"), (15, "recovered", "overdue")],
    ),
    Plan(
        "refused at the door",
        {3: lambda b: b.fails("denied", "county", "核对密钥"), 20: lambda b: b.fails("ok", "", "").run("2026-09")},
        {
            1: OPEN,
            8: ("due_soon", "county", "核对密钥"),
            11: ("overdue", "county", "核对密钥"),
            20: ("made_up", None, ""),
        },
        [(8, "raised", "due_soon"), (11, "raised", "overdue"), (20, "recovered", "overdue")],
        [(3, "raised", "denied"), (20, "recovered", "denied")],
    ),
    Plan("zero that its source confirms", {5: lambda b: b.run(zero=True)}, EARLY, []),
    Plan(
        "half a delivery",
        {9: lambda b: b.run("2026-09", done=False), 13: lambda b: b.run()},
        {1: OPEN, 8: SOON, 11: LATE, 13: ("made_up", None, "")},
        [(8, "raised", "due_soon"), (11, "raised", "overdue"), (13, "recovered", "overdue")],
    ),
    Plan(
        "in time, and its batch on no chain",
        {5: lambda b: b.run("2026-09")},
        EARLY | {6: ("on_time", "chain", "链节点"), 8: ("on_time", None, "")},
        [],
    ),
]


class Prefecture:
    """Ten counties that owe subsidies, one sink, one person on duty."""

    def __init__(self, store: Store) -> None:
        self.store, self.told = store, list[tuple[int, str, str]]()
        first: Books | None = None
        self.books: dict[str, Books] = {}
        for code, name in counties().items():
            if len(self.books) < len(PLANS):
                county = CountyModel(code=code, name=name, bureau=f"{name}数据局")
                calendar = WorkingCalendar(date(2026, 10, 25))
                made = Books(store, manual=True, calendar=calendar, county=county, beside=first)
                self.books[code], first = made, first or made
        assert first is not None
        self.clock, self.config, self.ledger = first.clock, first.config, first.ledger
        channel = {"kind": "webhook", "secrets": {"url": {"env": "X"}}}
        alerts = AlertsModel.model_validate({"channels": {"duty": channel}, "routes": [{"to": ["duty"]}]})
        self.config.gateway = GatewayFile(submitter="宜春市数据局", alerts=alerts)
        self.config.root = Path()
        self.alerts = AlertBook(store, self.clock, lambda: self.config)
        self.post = Post(store, self.clock, Leases(store), lambda: {"duty": self}, dict)
        for books in self.books.values():
            books.run("2026-08")

    def send(self, message: Message) -> None:
        day = (self.clock.now().date() - FIRST).days + 1
        self.told += [(day, message.occasion, f"{line.kind}:{line.target} {line.code}") for line in message.lines]

    def at(self, moment: datetime) -> None:
        """The worker's round at this moment."""
        self.clock.set_to(moment.isoformat())
        for books in self.books.values():
            books.keeper.keep_all()
        found = verdicts(self.store, self.clock, self.config, self.ledger.standings(EVERYTHING), EVERYTHING)
        self.alerts.observe(found)
        self.post.deliver()

    def seal(self) -> int:
        """A batch of the last county waits for its chain."""
        *_, last = self.books.values()
        with self.store.write() as tx:
            row = last.rows["system"]
            batch = tx.value("batch_reserve", stream_id=row.stream_id, first=1, last=3, sealed_at=self.clock.stamp())
            tx._cursor.execute(f"UPDATE batch SET batch_id = 'built' WHERE id = {int(batch)}")
        return int(batch)

    def confirm(self, batch: int) -> None:
        with self.store.write() as tx:
            tx.run("delivery_add", sink="local", batch=batch)
            tx.run(
                "delivery_state",
                sink="local",
                batch=batch,
                state="confirmed",
                tried=1,
                block="1",
                block_hash="x",
                confirmed_at=self.clock.stamp(),
                sentence=None,
            )


@pytest.fixture
def prefecture(store: Store) -> Prefecture:
    return Prefecture(store)


def planned(plan: Plan, day: int) -> Move:
    return plan.stands[max(d for d in plan.stands if d <= day)]


def test_thirty_days(prefecture: Prefecture) -> None:
    found: dict[tuple[int, str], Move] = {}
    cells: dict[tuple[int, str], Move] = {}
    batch = 0
    for day in range(1, DAYS + 1):
        noon = datetime.combine(FIRST + timedelta(days=day - 1), datetime.min.time()).replace(hour=12)
        prefecture.clock.set_to(noon.isoformat())
        for plan, books in zip(PLANS, prefecture.books.values(), strict=True):
            if day in plan.acts:
                plan.acts[day](books)
        if day == 5:
            batch = prefecture.seal()
        if day == 8:
            prefecture.confirm(batch)
        for minutes in (30, 45):
            prefecture.at(noon + timedelta(minutes=minutes))
        for standing in prefecture.ledger.standings(EVERYTHING):
            line = next(
                p for p in prefecture.ledger.explain(standing.county, "subsidy").periods if p.period == "2026-09"
            )
            found[day, standing.county] = (line.code, standing.owner, standing.action or "")
        for plan, code in zip(PLANS, prefecture.books, strict=True):
            cells[day, code] = planned(plan, day)
    differences = {
        (day, PLANS[list(prefecture.books).index(code)].what): (found[day, code], move)
        for (day, code), move in cells.items()
        if found[day, code][:2] != move[:2] or move[2] not in found[day, code][2]
    }
    assert differences == {}
    expected = [
        *(
            (day, occasion, f"duty:{code}/subsidy {verdict}")
            for plan, code in zip(PLANS, prefecture.books, strict=True)
            for day, occasion, verdict in plan.alerts
        ),
        *(
            (day, occasion, f"feed:{code}/system {verdict}")
            for plan, code in zip(PLANS, prefecture.books, strict=True)
            for day, occasion, verdict in plan.feed_alerts
        ),
        (1, "raised", "calendar:calendar.yaml expiring"),
        (26, "raised", "calendar:calendar.yaml expired"),
        (5, "raised", "sink:local unconfirmed"),
        (8, "recovered", "sink:local unconfirmed"),
    ]
    assert sorted(prefecture.told) == sorted(expected)
