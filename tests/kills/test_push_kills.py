"""`kill -9` of web process and worker while a platform pushes: what was acknowledged is there, once (china-facts §1.6).

Notifications come several at a time, some twice, some far too late. At the end the state equals a pull of the history's
end, every version is confirmed once, and no two versions in a row say the same.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gateway.scope import EVERYTHING
from gateway.status import recent_runs, reconcile
from mock_agencies import World
from mock_agencies.pusher import Pusher, disordered, history
from tests.gateway.test_serve import until, workers
from tests.support.pushed import PATH, PULLED, PUSHED, County, county

pytestmark = pytest.mark.sockets
KILLS = 3


class Served:
    """`serve` on a port of its own, killed and started again."""

    def __init__(self, made: County) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.made, self.child = made, self._start(made)

    def _start(self, made: County) -> subprocess.Popen[bytes]:
        s = made.gateway.settings
        command = [sys.executable, "-m", "gateway", "--config", str(s.config), "--data", str(s.data), "serve"]
        return subprocess.Popen([*command, "--port", str(self.port)], env={**os.environ, "SHUQIAO_LOG": "error"})

    def kill(self) -> None:
        for pid in workers(self.made):
            os.kill(pid, signal.SIGKILL)
        self.child.kill()
        self.child.wait()
        until(lambda: not workers(self.made))

    def restart(self) -> None:
        self.child = self._start(self.made)

    def stop(self) -> None:
        self.child.terminate()
        self.child.wait(30)


def suffer(home: Path, monkeypatch: pytest.MonkeyPatch, count: int, households: int) -> None:
    changes, final = history(World(households, dirt=0.1), count)
    with county(home, monkeypatch) as made:
        served = Served(made)
        pusher = Pusher(f"http://127.0.0.1:{served.port}{PATH}", timeout=5)
        bodies = [pusher.notice(op, [row]) for op, row in changes]
        over = threading.Event()
        pushing = threading.Thread(target=pusher.push_all, args=(disordered(bodies),), kwargs={"stop": over})
        try:
            pushing.start()
            chance, killed_at = random.Random(7), []
            for n in range(1, KILLS + 1):
                floor = count * n // (KILLS + 2)
                until(lambda floor=floor: made.figures().get("accepted", 0) >= floor, 600)
                time.sleep(chance.uniform(0, 0.2))
                served.kill()
                killed_at.append(made.figures()["accepted"])
                served.restart()
            pushing.join(900)
            assert not pushing.is_alive(), "not everything was acknowledged"
            until(lambda: made.figures()["waiting"] == 0, 120)
            until(lambda: reconcile(made.gateway.store, ["local"]) == [], 120)
        finally:
            over.set()
            pushing.join()
            served.stop()
        print("killed at", killed_at, "of", count, made.figures())
        assert max(killed_at) < count, "the last kill came after the last notification"
        must_hold(made, final, count)


def must_hold(made: County, final: list[dict[str, object]], count: int) -> None:
    made.fill(final)
    assert made.sync(PULLED).verdict.state == "ok"
    assert made.state() == made.state(PULLED)
    assert made.held() == made.held(PULLED)
    figures = made.figures()
    assert (figures["accepted"], figures["refused"]) == (count, {})
    assert sum(run["fetched"] for run in recent_runs(made.gateway.store, EVERYTHING, PUSHED, 1_000_000)) == count
    last: dict[bytes, tuple[int, str, bytes | None]] = {}
    for handle, number, op, content in made.versions():
        before = last.get(handle, (0, "gone", None))
        assert number == before[0] + 1, "a version is missing or there twice"
        assert (op, content) != before[1:], "two versions in a row say the same"
        last[handle] = (number, op, content)
    made.gateway.forwarder.forward()
    assert reconcile(made.gateway.store, ["local"]) == []
    with made.gateway.store.read() as tx:
        confirmed = tx.all("deliveries_confirmed", sink="local")
    assert made.gateway.verify_chains() == {"local": len({row.batch_id for row in confirmed})}


def test_three_kills_among_some_notifications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffer(tmp_path, monkeypatch, 400, households=60)


@pytest.mark.kills
def test_three_kills_among_ten_thousand_notifications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffer(tmp_path, monkeypatch, 10_000, households=800)


def test_a_notification_is_a_version_within_two_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ((_, row), *_), _ = history(World(20, dirt=0), 1)
    with county(tmp_path, monkeypatch) as made:
        served = Served(made)
        try:
            pusher = Pusher(f"http://127.0.0.1:{served.port}{PATH}")
            until(lambda: workers(made) and pusher.push(pusher.notice("I", [{**row, "BDCQZH": "x"}])) == "0")
            until(lambda: made.figures()["waiting"] == 0)
            began = time.monotonic()
            assert pusher.push(pusher.notice("I", [row])) == "0"
            until(made.state)
            assert time.monotonic() - began < 2
        finally:
            served.stop()
