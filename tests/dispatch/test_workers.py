"""Two worker processes on one PostgreSQL: every due slot runs once, and killing the leader loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from gateway.clock import Clock
from gateway.dispatch.execute import queue_run
from gateway.election import KEY
from tests.support.house import FEEDS, House, differences, house
from tests.support.postgres import EMPTIED

pytestmark = pytest.mark.sockets
WAIT = 90
RESUMED = 30


def started(made: House, url: str, name: str) -> subprocess.Popen[bytes]:
    settings = made.gateway.settings
    env = {**os.environ, "SHUQIAO_STORE": f"{url}?application_name={name}"}
    where = ["--config", str(settings.config), "--data", str(settings.data)]
    return subprocess.Popen([sys.executable, "-m", "gateway", *where, "worker"], env=env, stderr=subprocess.DEVNULL)


def leader(made: House) -> str | None:
    """The name of the worker that holds the lock, as it gave it to the database."""
    sql = "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND objid = :k"
    with made.gateway.store.engine.connect() as connection:
        return connection.execute(text(sql), {"k": KEY}).scalar()


def until(holds: Callable[[], object], seconds: float = WAIT) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds
        time.sleep(0.1)
    return time.monotonic() - began


def states(made: House) -> dict[str, list[str]]:
    """Feed -> the states of its runs."""
    out: dict[str, list[str]] = {}
    with made.gateway.store.read() as tx:
        for run in tx.all("runs_recent", count=1000):
            out.setdefault(run.feed, []).append(run.state)
    return out


def test_the_leader_is_killed_and_nothing_is_lost_or_done_twice(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(EMPTIED))
    engine.dispose()
    with house(tmp_path, monkeypatch, households=60, dirt=0.1, store=postgres_url) as made:
        workers = {name: started(made, postgres_url, name) for name in ("one", "two")}
        try:
            until(lambda: len(states(made)) == len(made.gateway.config.feeds))
            until(lambda: {s for runs in states(made).values() for s in runs} <= {"done", "deferred"})
            assert all(len(runs) == 1 for feed, runs in states(made).items() if feed in FEEDS.values())
            for dataset in FEEDS:
                assert differences(made, dataset) == []

            first = leader(made)
            assert first is not None
            workers[first].send_signal(signal.SIGKILL)
            workers[first].wait()
            assert until(lambda: leader(made) not in (None, first)) < 5
            changed = made.advance(1)
            feed = made.feeds["household_member"]
            with made.gateway.store.read() as tx:
                row = tx.one("feed_by_name", name=feed)
            run, _ = queue_run(
                made.gateway.store, row.id, due_at=Clock.real().isoformat(), reason="manual", actor="test"
            )

            def ended() -> bool:
                with made.gateway.store.read() as tx:
                    return tx.one("run_get", id=run).state == "done"

            assert until(ended) < RESUMED
            with made.gateway.store.read() as tx:
                done = tx.one("run_get", id=run)
            assert done.puts + done.gone == changed["household_member"]
        finally:
            for worker in workers.values():
                worker.terminate()
                worker.wait(WAIT)
