"""A run that was cut off goes on in the next one, and both together are one reading of the source (DESIGN §4, §5.2, §5.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adapters.kit import Adapter, SourceUnavailable
from gateway.dispatch.execute import Outcome
from gateway.status import reconcile
from tests.support.house import FEEDS, House, house

pytestmark = pytest.mark.sockets
NEVER = 10_000


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("gateway.retry._wait", lambda _state: 0.0)
    with house(tmp_path, monkeypatch, households=60, dirt=0) as running:
        yield running


def read(
    made: House, monkeypatch: pytest.MonkeyPatch, dataset: str, pages: int = NEVER, *, full: bool = False, lost: int = 0
) -> Outcome:
    """Reads a feed in a dozen pages or so; behind so many its source fails for good. The page `lost` lacks its first row."""
    build, size = made.gateway.adapter, max(1, len(made.truth(dataset)) // 12)

    def failing(*asked: Any) -> Adapter:
        whole = build(*asked)
        adapter = type(whole)(whole.ports, whole.settings.model_copy(update={"page_size": size}), whole.county)
        fetch, numbers = adapter.fetch, iter(range(1, pages + 1))

        def fetched(name: str, cursor: Any) -> Any:
            number = next(numbers, None)
            if number is None:
                raise SourceUnavailable("HTTP_5XX", "对方出错")
            page = fetch(name, cursor)
            if number != lost:
                return page
            rows, _ = page.rows.part(1, len(page.rows.raw))
            return replace(page, rows=rows, declared=None)

        adapter.fetch = fetched  # type: ignore[method-assign] # this source fails
        return adapter

    with monkeypatch.context() as patch:
        patch.setattr(made.gateway, "adapter", failing)
        return made.sync(dataset, full=full)[0]


def was_whole(made: House, dataset: str) -> bool:
    query = "SELECT MAX(whole_at) FROM contact JOIN feed ON feed.id = contact.feed_id WHERE feed.name = :feed"
    with made.gateway.store.engine.connect() as connection:
        return connection.execute(text(query), {"feed": FEEDS[dataset]}).scalar() is not None


@pytest.mark.parametrize("dataset", ["household_member", "homestead", "assistance"])
@pytest.mark.parametrize("cuts", [[10], [2], [3, 1, 4]])
def test_its_parts_are_one_reading(made: House, monkeypatch: pytest.MonkeyPatch, dataset: str, cuts: list[int]) -> None:
    made.sync(dataset)
    for n, pages in enumerate(cuts):
        assert read(made, monkeypatch, dataset, pages, full=n == 0).verdict.code == "HTTP_5XX"
    rest = read(made, monkeypatch, dataset)
    assert (rest.verdict.state, rest.counts["gone"], rest.counts["emptiness"]) == ("ok", 0, None)
    assert rest.counts["fetched"] < len(made.truth(dataset))
    assert reconcile(made.gateway.store, []) == []


def test_what_is_gone_is_seen_by_the_parts_together(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made.sync("assistance")
    read(made, monkeypatch, "assistance", 4, full=True, lost=2)
    assert read(made, monkeypatch, "assistance").counts["gone"] == 1


def test_a_new_reading_owes_nothing_to_one_that_was_given_up(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the given-up part saw is gone all the same."""
    made.sync("assistance")
    read(made, monkeypatch, "assistance", 4, full=True)
    assert read(made, monkeypatch, "assistance", full=True, lost=2).counts["gone"] == 1


def test_a_reading_of_several_runs_is_a_whole_one(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    read(made, monkeypatch, "household_member", 4)
    assert not was_whole(made, "household_member")
    read(made, monkeypatch, "household_member")
    assert was_whole(made, "household_member")


def test_a_reading_ends_with_its_last_page(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        read(made, monkeypatch, "assistance")
    with made.gateway.store.read() as tx:
        assert [run.reading for run in tx.all("runs_recent", count=2)] == [2, 1]
