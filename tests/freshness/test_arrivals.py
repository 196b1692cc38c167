"""What arrived is counted once, whoever counts and wherever a process stops; on both databases."""

from __future__ import annotations

from gateway.freshness import Ending, close_run, count_arrivals
from gateway.freshness.arrivals import p95
from gateway.store import Store
from tests.freshness.books import Books


def arrivals(books: Books) -> dict[str, int]:
    with books.store.read() as tx:
        names = ("2024-03", "2026-09", "2026-10", "2026-09-30", "2026-10-01")
        rows = {name: tx.one("arrival_get", feed_id=books.rows["system"].id, period=name) for name in names}
    return {name: row.rows for name, row in rows.items() if row}


def test_counting_twice_adds_once(store: Store) -> None:
    """Two processes read the same segments; the second finds the cursor moved, and adds nothing."""
    books = Books(store)
    row = books.rows["system"]
    books._commit(row, books.clock.stamp(), 5, {"2026-09": 5}, ())
    first = count_arrivals(store, row.stream_id, dated_by_field=True)
    second = count_arrivals(store, row.stream_id, dated_by_field=True)
    at = books.clock.stamp()
    for counted in (first, second):
        with store.write() as tx:
            close_run(tx, row, counted, Ending(at, at, answered=True, done=True))
    assert arrivals(books) == {"2026-09": 5}


def test_what_a_dead_run_committed_is_counted_by_the_next(store: Store) -> None:
    books = Books(store)
    books._commit(books.rows["system"], books.clock.stamp(), 5, {"2026-09": 2, "2026-10": 3}, ())
    books.run("2026-10")
    assert arrivals(books) == {"2026-09": 2, "2026-10": 6}


def test_an_ending_that_fails_leaves_the_cursor_where_it_was(store: Store) -> None:
    books = Books(store)
    row = books.rows["system"]
    books._commit(row, books.clock.stamp(), 5, {"2026-09": 5}, ())
    counted = count_arrivals(store, row.stream_id, dated_by_field=True)
    try:
        with store.write() as tx:
            close_run(tx, row, counted, Ending(books.clock.stamp(), books.clock.stamp(), answered=True, done=True))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert arrivals(books) == {}
    assert count_arrivals(store, row.stream_id, dated_by_field=True) == counted


def test_source_times_name_days_and_old_ones_their_month(store: Store) -> None:
    books = Books(store, "2026-10-01T08:00:00", "household_member", "每日", None)
    books.run(times=("2024-03-02T00:00:00", "2024-03-09T00:00:00", "2026-09-30T23:00:00", "2026-10-01T07:59:30"))
    assert arrivals(books) == {"2024-03": 2, "2026-09-30": 1, "2026-10-01": 1}
    with store.read() as tx:
        row = tx.one("arrival_get", feed_id=books.rows["system"].id, period="2026-10-01")
    assert p95(row.lags) == 60


def test_a_row_without_a_time_is_as_of_its_commit(store: Store) -> None:
    books = Books(store, "2026-10-01T08:00:00", "household_member", "每日", None)
    row = books.rows["system"]
    books._commit(row, books.clock.stamp(), 4, {}, ("2026-09-30T23:00:00",))
    books.run()
    assert arrivals(books) == {"2026-09-30": 1, "2026-10-01": 3}
