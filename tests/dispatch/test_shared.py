"""Several workers on one PostgreSQL: each run is taken once, one worker leads, and both outlive their connections."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from gateway.dispatch import Queued, SharedDispatcher
from gateway.election import Election
from gateway.store import Store
from tests.support.postgres import EMPTIED

pytestmark = pytest.mark.sockets
WAIT = 30


@pytest.fixture
def shared(postgres_url: str) -> Iterator[Store]:
    """An empty database."""
    store = Store.open(postgres_url)
    with store.engine.begin() as connection:
        connection.execute(text(EMPTIED))
    yield store
    store.close()


def cut(store: Store) -> None:
    """Ends every other connection, as a restart of the server does."""
    with store.engine.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))


def eventually(holds: Callable[[], bool], seconds: float = WAIT) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        time.sleep(0.05)
    return time.monotonic() - began


def handed(dispatcher: SharedDispatcher, runs: list[Queued], done: Callable[[], bool]) -> None:
    """As the leader does: all that waits, again and again."""

    def pass_() -> bool:
        if not done():
            dispatcher.submit(runs)
        return done()

    eventually(pass_)


def test_each_run_is_carried_out_somewhere_and_connections_may_break(shared: Store, postgres_url: str) -> None:
    took: dict[str, list[int]] = {"one": [], "two": []}

    def taker(name: str) -> Callable[[int], None]:
        def execute(run: int) -> None:
            time.sleep(0.02)
            took[name].append(run)

        return execute

    def done() -> Counter[int]:
        return Counter(took["one"] + took["two"])

    leader = SharedDispatcher(postgres_url, lambda _run: pytest.fail("it only hands out"), 0)
    workers = [SharedDispatcher(postgres_url, taker(name), 4) for name in took]
    try:
        runs = [Queued(n, "360981", "scheduled") for n in range(40)]
        eventually(lambda: leader._queries is not None)
        leader.submit(runs)
        leader.submit(runs)
        eventually(lambda: len(done()) == 40)
        assert set(done().values()) == {1}
        assert all(took.values()), "both took some"
        cut(shared)
        later = [Queued(n, "360981", "pushed") for n in range(100, 110)]
        handed(leader, later, lambda: len(done()) == 50)
    finally:
        for each in (leader, *workers):
            each.close()


def test_one_leads_and_another_takes_over_within_five_seconds(shared: Store, postgres_url: str) -> None:
    leading, most, lock = Counter[str](), [0], threading.Lock()

    def office(name: str) -> Callable[[], Callable[[], object]]:
        def lead() -> Callable[[], object]:
            with lock:
                leading[name] += 1
                most.append(leading.total())
            return leave

        def leave() -> None:
            with lock:
                leading[name] -= 1

        return lead

    stores = {name: Store.open(postgres_url) for name in ("one", "two")}
    elections = {name: Election(store, office(name)) for name, store in stores.items()}
    elections["one"].start()
    eventually(lambda: elections["one"].leading)
    elections["two"].start()
    time.sleep(1.5)
    assert not elections["two"].leading
    elections["one"].close()
    assert eventually(lambda: elections["two"].leading) < 5
    cut(shared)
    eventually(lambda: leading["two"] == 0, 5)
    assert eventually(lambda: elections["two"].leading) < 5
    elections["two"].close()
    assert leading.total() == 0
    assert max(most) == 1
    for store in stores.values():
        store.close()


def test_a_transaction_begins_on_a_connection_that_died_unnoticed(shared: Store) -> None:
    with shared.engine.begin() as connection:
        connection.execute(text("CREATE TABLE clock_offset (x int)"))
    other = Store.open(shared.engine.url.render_as_string(hide_password=False))
    cut(other)
    with shared.read() as tx:
        assert tx.postgres
    other.close()
