"""What a person does to a feed: run now, fill back, pause, begin again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from gateway.dispatch import Queued
from gateway.dispatch.execute import RunOptions
from gateway.errors import Busy, Usage
from gateway.freshness import verdicts
from gateway.leases import Leases
from gateway.scheduler import Scheduler
from gateway.scope import EVERYTHING
from gateway.steering import Steering
from gateway.store import Store
from tests.freshness.books import Books

FEED = "360981/system"


class Nobody:
    """Carries out nothing; remembers what was handed to it."""

    def __init__(self) -> None:
        self.runs: list[Queued] = []

    def submit(self, runs: Sequence[Queued]) -> None:
        self.runs = list(runs)

    def close(self) -> None: ...


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


@pytest.fixture
def steering(books: Books) -> Steering:
    return Steering(books.store, books.clock, Leases(books.store))


def rows(books: Books, query: str, **values: Any) -> list[Any]:
    with books.store.read() as tx:
        return tx.all(query, **values)


def feed(books: Books) -> Any:
    return next(row for row in rows(books, "feeds") if row.name == FEED)


def test_a_run_is_queued_once_with_what_was_asked(books: Books, steering: Steering) -> None:
    run = steering.run(FEED, "person:li", RunOptions(since="2026-08-01"))
    (queued,) = [row for row in rows(books, "runs_of_feed", feed=FEED, count=9) if row.id == run]
    assert (queued.reason, queued.actor, queued.state) == ("manual", "person:li", "queued")
    assert msgspec.json.decode(queued.options, type=RunOptions).since == "2026-08-01"
    with pytest.raises(Usage, match=f"批次 {run} 已在排队"):
        steering.run(FEED, "person:li")


@pytest.mark.parametrize("since", ["2026-09-02", "1889-01-01", "yesterday", "2026-02-30"])
def test_a_back_fill_begins_on_a_day_that_was(steering: Steering, since: str) -> None:
    with pytest.raises(Usage, match="日期"):
        steering.run(FEED, "person:li", RunOptions(since=since))


def scheduler(books: Books) -> tuple[Scheduler, Nobody]:
    worker, nothing = Nobody(), lambda: None
    return Scheduler(
        books.store, books.clock, worker, lambda: books.config.feeds, nothing, nothing, nothing, nothing
    ), worker


def test_the_schedule_leaves_a_paused_feed_alone(books: Books, steering: Steering) -> None:
    plan, worker = scheduler(books)
    steering.pause(FEED, "部门割接", "person:li")
    plan._due(FEED)
    plan._hand_out()
    assert "scheduled" not in {run.reason for run in worker.runs}
    (told,) = [v for v in verdicts(books.store, books.clock, books.config, [], EVERYTHING) if v.code == "paused"]
    assert (told.target, told.sentence, told.owner) == (FEED, "person:li 暂停了采集：部门割接", "gateway")
    steering.resume(FEED)
    plan._due(FEED)
    plan._hand_out()
    assert [run.county for run in worker.runs if run.reason == "scheduled"] == ["360981"]


def test_a_pause_has_a_reason_that_names_nobody(books: Books, steering: Steering) -> None:
    for reason, why in (("  ", "原因"), ("等 13900000000 回话", "个人信息")):
        with pytest.raises(Usage, match=why):
            steering.pause(FEED, reason, "person:li")
    steering.pause(FEED, "部门割接", "person:li")
    with pytest.raises(Usage, match="已经暂停"):
        steering.pause(FEED, "部门割接", "person:li")
    steering.resume(FEED)
    with pytest.raises(Usage, match="没有暂停"):
        steering.resume(FEED)


def test_a_position_is_forgotten_on_purpose_and_never_under_a_run(books: Books, steering: Steering) -> None:
    with books.store.write() as tx:
        tx.run("feed_cursor", id=feed(books).id, cursor=b"sealed")
    with pytest.raises(Usage, match="照写"):
        steering.reset(FEED, "360981/other")
    with Leases(books.store).take(f"feed:{feed(books).uid}"), pytest.raises(Busy):
        steering.reset(FEED, FEED)
    assert bytes(feed(books).cursor) == b"sealed"
    steering.reset(FEED, FEED)
    assert feed(books).cursor is None


def test_a_feed_that_is_none_is_not_steered(steering: Steering) -> None:
    with pytest.raises(Usage, match="没有采集任务"):
        steering.run("360981/other", "person:li")
