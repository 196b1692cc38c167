"""`kill -9` at every named step and at random: nothing lost, nothing twice (DESIGN §5.1).

Each day the worker is killed at its step, started again and left to finish. At the end the versions equal those of an
undisturbed run over the same days, each confirmed once, every proof valid, no cursor ahead of its data.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from gateway.checkpoints import STEPS
from gateway.clock import Clock
from gateway.dispatch.execute import queue_run
from gateway.member import verify as member_verify
from gateway.status import reconcile
from gateway.store.segments import versions_between
from tests.support.house import FEEDS, POLICE, House, canonical_key, differences, house
from tests.support.oracle import Interview

pytestmark = pytest.mark.sockets
PATIENCE = 60.0
PAGE = 20
"""Persons of the worklist a page."""


SMALL_GROUPS = "import gateway.pagegroup as g; g.ROWS = 1; from gateway.cli import main; main()"


def worker(made: House, die_at: str = "", *, page_by_page: bool = False) -> subprocess.Popen[bytes]:
    """`page_by_page`: each page in a transaction of its own, so that a run dies between two pages of one file or table."""
    settings = made.gateway.settings
    command = [
        sys.executable,
        *(("-c", SMALL_GROUPS) if page_by_page else ("-m", "gateway")),
        "--config",
        str(settings.config),
        "--data",
        str(settings.data),
        "worker",
    ]
    env = {**os.environ, "SHUQIAO_DIE_AT": die_at, "SHUQIAO_LOG": "error"}
    return subprocess.Popen(command, env=env)


def queue_all(made: House, *datasets: str) -> None:
    """A due slot for every feed, or those of these datasets, as the scheduler would insert it."""
    slot = Clock.real().isoformat(timespec="microseconds")
    for name in (made.feeds[d] for d in datasets or made.feeds):
        with made.gateway.store.read() as tx:
            feed = tx.one("feed_by_name", name=name)
        queue_run(made.gateway.store, feed.id, due_at=slot, reason="test", actor="test")


def quiet(made: House, *sinks: str) -> bool:
    """Nothing queued, running, unsealed or undelivered."""
    names = sinks or ("local",)
    with made.gateway.store.read() as tx:
        busy = tx.all("runs_queued") or [r for r in tx.all("runs_recent", count=1000) if r.state == "running"]
        waiting = tx.value("unsealed_count") or tx.all("batches_unbuilt")
        owed = [tx.all(query, sink=name) for name in names for query in ("deliveries_missing", "deliveries_open")]
        return not (busy or waiting or any(owed))


def finish(made: House, *sinks: str) -> None:
    """A healthy worker until all is quiet."""
    child = worker(made)
    deadline = time.monotonic() + PATIENCE
    while not quiet(made, *sinks):
        assert time.monotonic() < deadline, "the worker did not finish"
        assert child.poll() is None, "the healthy worker died"
        time.sleep(0.1)
    child.terminate()
    child.wait(20)


def versions(made: House, *datasets: str) -> Counter[tuple[str, str, int, str, str]]:
    """(dataset, key, number, operation, content) of every version there is."""
    vault, out = made.gateway.vault, Counter()
    with made.gateway.store.read() as tx:
        for dataset in datasets or made.feeds:
            feed = tx.one("feed_by_name", name=made.feeds[dataset])
            last = tx.one("stream_by_name", name=f"feed:{feed.uid}").next_seq
            keys: dict[bytes, str] = {}
            for row in versions_between(tx, feed.stream_id, 1, last):
                text = ""
                if row.sealed is not None:
                    text = vault.open_version(
                        vault.unwrap(row.wrapped_key), row.number, row.handle, row.sealed, row.suite
                    ).decode()
                    keys[row.handle] = canonical_key(dataset, msgspec.json.decode(text))
                out[dataset, keys[row.handle], row.number, row.op, text] += 1
    return out


def must_hold(made: House, *datasets: str) -> None:
    """Everything §5.1 and §5.2 promise. Whom the police are asked about depends on what was there when they were."""
    assert reconcile(made.gateway.store, ["local"]) == []
    with made.gateway.store.read() as tx:
        confirmed = tx.all("deliveries_confirmed", sink="local")
        streams = tx.all("sealed_versus_versions")
        police = tx.one("feed_by_name", name=POLICE)
    assert len({row.batch_id for row in confirmed}) == len(confirmed)
    asked = f"feed:{police.uid}" if police else ""
    collected = sum(s.sealed for s in streams if s.stream.startswith("feed:") and s.stream != asked)
    assert collected == sum(versions(made, *datasets).values())
    assert made.gateway.verify_chains() == {"local": len(confirmed)}
    headers = made.home / "headers.jsonl"
    made.gateway.chains["local"].export_headers(headers)
    report = member_verify(made.gateway.payloads.path, made.member_key, made.gateway.signer.public, headers=headers)
    assert report.problems == []
    assert report.versions == sum(s.sealed for s in streams if s.stream.startswith("feed:"))
    assert made.gateway.audit.broken_at() is None


def undisturbed(
    home: Path, monkeypatch: pytest.MonkeyPatch, days: int, households: int
) -> Counter[tuple[str, str, int, str, str]]:
    with house(home, monkeypatch, households=households) as made:
        made.sync()
        for _ in range(days):
            made.advance(1)
            made.sync()
        return versions(made)


def kill_at(made: House, step: str, nth: int, *, page_by_page: bool = False) -> bool:
    """Whether the worker died there; a step that never came before all was done counts as not hit."""
    child = worker(made, f"{step}:{nth}", page_by_page=page_by_page)
    deadline = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        if quiet(made):
            child.terminate()
            child.wait(20)
            return False
        time.sleep(0.05)
    return child.returncode == -signal.SIGKILL


def suffer(home: Path, monkeypatch: pytest.MonkeyPatch, kills: list[tuple[str, int]], households: int) -> None:
    hits: Counter[str] = Counter()
    with house(home / "killed", monkeypatch, households=households) as made:
        for day, (step, nth) in enumerate(kills):
            if day:
                made.advance(1)
            queue_all(made)
            hits[step] += kill_at(made, step, nth)
            finish(made)
        must_hold(made)
        for dataset in FEEDS:
            assert differences(made, dataset) == []
        got = versions(made)
    print("kills that hit:", dict(hits))
    assert hits == Counter(step for step, _ in kills)
    assert got == undisturbed(home / "calm", monkeypatch, len(kills) - 1, households)


def test_once_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffer(tmp_path, monkeypatch, [(step, 1) for step in STEPS], households=40)


@pytest.mark.parametrize(("step", "nth"), [("fetched", 2), ("committing", 2)])
def test_a_worklist_asks_about_nobody_twice_but_one_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, nth: int
) -> None:
    with house(tmp_path, monkeypatch, households=40) as made:
        made.sync()
        interview = Interview(made)
        with made.gateway.store.read() as tx:
            feed = tx.one("feed_by_name", name=POLICE)
        queue_run(made.gateway.store, feed.id, due_at=Clock.real().isoformat(), reason="test", actor="test")
        assert kill_at(made, step, nth)
        before = len(made.agencies.public_security.asked)
        with made.gateway.store.read() as tx:
            marked = tx.one("asked_count", feed_id=feed.id).asked
        assert 0 < before - marked <= PAGE
        finish(made)
        assert interview.differences(twice=PAGE) == []
        assert reconcile(made.gateway.store, ["local"]) == []


@pytest.mark.kills
def test_three_times_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once_a_pass = {"reserved"}
    kills = [(step, 1 if step in once_a_pass else nth) for nth in (1, 2, 3) for step in STEPS]
    suffer(tmp_path, monkeypatch, kills, households=150)


@pytest.mark.kills
def test_thirty_times_at_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    where: Counter[str] = Counter()
    with house(tmp_path / "killed", monkeypatch, households=150) as made:
        for day in range(30):
            if day:
                made.advance(1)
            queue_all(made)
            child = worker(made)
            time.sleep(chance.uniform(0.6, 3.0))
            with made.gateway.store.read() as tx:
                states = Counter(r.state for r in tx.all("runs_recent", count=5))
                where["idle" if quiet(made) else "running" if states["running"] else "forwarding or starting"] += 1
            child.kill()
            child.wait()
            finish(made)
        must_hold(made)
        got = versions(made)
    print("where the kills hit:", dict(where))
    assert got == undisturbed(tmp_path / "calm", monkeypatch, 29, 150)
