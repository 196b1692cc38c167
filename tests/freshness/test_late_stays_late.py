"""DESIGN §5.5 under any order of arrivals, back-fills, failures, zeros and ticks: what was missed never becomes on time."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store import Store, upgrade
from tests.freshness.books import Books, days

MONTHS = ("2026-08", "2026-09", "2026-10", "2026-11")
MOMENTS = days("2026-09-01", 110)
EVENTS = st.one_of(
    st.tuples(st.just("rows"), st.sampled_from(MONTHS), st.sampled_from(["system", "manual"])),
    st.tuples(st.just("half"), st.sampled_from(MONTHS), st.sampled_from(["system", "manual"])),
    st.tuples(st.sampled_from(["zero", "doubt", "tick", "nothing"]), st.just(""), st.just("system")),
)


def happen(books: Books, moment: str, event: tuple[str, str, str], *, awake: bool) -> None:
    kind, month, feed = event
    if kind == "tick" or awake:
        books.at(moment)
    books.clock.set_to(moment)
    if kind in ("rows", "half"):
        books.run(month, feed=feed, done=kind == "rows", keep=awake)
    elif kind != "tick":
        books.run(zero=kind == "zero", doubt="unverified" if kind == "doubt" else None, keep=awake)


def story(
    directory: str, name: str, events: list[tuple[int, tuple[str, str, str]]], *, awake: bool
) -> tuple[set[str], dict[str, str]]:
    """Which periods were seen to be missed on the way, and what each is in the end."""
    store = Store.at(Path(directory) / name)
    upgrade(store)
    try:
        books = Books(store, manual=True)
        missed: set[str] = set()
        for day, event in sorted(events, key=lambda e: e[0]):
            happen(books, f"{MOMENTS[day]}T09:00:00", event, awake=awake)
            lines = books.ledger.explain("360981", books.dataset).periods
            missed |= {line.period for line in lines if line.code in ("overdue", "missing", "made_up")}
            assert not {line.period for line in lines if line.code == "on_time"} & missed
        books.at("2026-12-31T00:00:00")
        return missed, {line.period: line.code for line in books.ledger.explain("360981", books.dataset).periods}
    finally:
        store.close()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(MOMENTS) - 1), EVENTS), max_size=12))
def test_a_missed_period_is_never_on_time_again(events: list[tuple[int, tuple[str, str, str]]]) -> None:
    """And a gateway that slept in between comes to the same ledger as one that was awake all along."""
    with TemporaryDirectory() as directory:
        missed, awake = story(directory, "awake.db", events, awake=True)
        _, asleep = story(directory, "asleep.db", events, awake=False)
    assert {awake[period] for period in missed} <= {"overdue", "missing", "made_up", "unverified"}
    good = {period for period, code in awake.items() if code == "on_time"}
    assert good == {period for period, code in asleep.items() if code == "on_time"}
