"""`serve`: the API answers, a dead worker is replaced, and no worker outlives its server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.house import FEEDS, POLICE, House, house
from tests.support.web import key

pytestmark = pytest.mark.sockets


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with house(tmp_path, monkeypatch, households=20) as found:
        yield found


@pytest.fixture
def served(made: House) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    s = made.gateway.settings
    command = [sys.executable, "-m", "gateway", "--config", str(s.config), "--data", str(s.data)]
    with subprocess.Popen(
        [*command, "serve", "--port", str(port)], env={**os.environ, "SHUQIAO_LOG": "error"}
    ) as child:
        url = f"http://127.0.0.1:{port}"
        try:
            until(lambda: answers(f"{url}/readyz") == 200)
            yield child, url
        finally:
            child.terminate()


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def answers(url: str) -> int:
    try:
        return httpx.get(url, trust_env=False).status_code
    except httpx.TransportError:
        return 0


def workers(made: House) -> list[int]:
    """Worker processes of this house."""
    marker = str(made.gateway.settings.data).encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if marker in words and b"worker" in words:
            found.append(int(entry.name))
    return found


def test_it_collects_forwards_and_tells(made: House, served: tuple[subprocess.Popen[bytes], str]) -> None:
    _, url = served
    brought = {"Authorization": f"Bearer {key(made.gateway, 'operator')}"}
    assert httpx.get(f"{url}/healthz", trust_env=False).json() == {"status": "ok"}

    def all_confirmed() -> bool:
        rows = httpx.get(f"{url}/api/v1/status", trust_env=False, headers=brought).json()
        collected = [r for r in rows if r["feed"] in FEEDS.values()]
        return len(collected) == len(FEEDS) and all(
            r["state"] == "ok" and r["confirmed"] == {"local": r["versions"]} for r in collected
        )

    until(all_confirmed)
    runs = httpx.get(f"{url}/api/v1/runs", params={"count": 100}, trust_env=False, headers=brought).json()
    assert {r["feed"] for r in runs} == {*FEEDS.values(), POLICE}
    assert httpx.get(f"{url}/api/v1/runs", params={"count": 0}, trust_env=False, headers=brought).status_code == 422
    assert httpx.get(f"{url}/api/v1/runs", trust_env=False).status_code == 401


def test_a_killed_worker_is_replaced_and_a_killed_server_takes_its_worker_along(
    made: House, served: tuple[subprocess.Popen[bytes], str]
) -> None:
    server, url = served
    until(lambda: workers(made))
    (first,) = workers(made)
    os.kill(first, signal.SIGKILL)
    until(lambda: workers(made) and workers(made) != [first])
    until(lambda: answers(f"{url}/readyz") == 200)
    server.kill()
    until(lambda: not workers(made))
