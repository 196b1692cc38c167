"""Control server and command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import mock_agencies

ROOT = Path(__file__).parents[2]


@pytest.fixture
def control() -> Iterator[httpx.Client]:
    with (
        mock_agencies.start(households=40, seed=9, dirt=0.2) as mocks,
        httpx.Client(base_url=mocks.urls["control"]) as http,
    ):
        yield http


def test_world_and_advance(control):
    before = control.get("/world").json()
    assert before == {
        "seed": 9,
        "households": 40,
        "dirt": 0.2,
        "day": 0,
        "today": "2026-03-02",
        "now": "2026-03-02 18:00:00",
    }
    answer = control.post("/advance", json={"days": 3}).json()
    assert answer["today"] == "2026-03-05"
    assert set(answer["changed"]) == {
        *("household_member", "marriage", "homestead", "payment", "assistance"),
        *("homestead_approval", "contracted_land", "subsidy", "agri_entity"),
    }
    assert control.post("/advance").json()["today"] == "2026-03-06"
    assert control.get("/world").json()["day"] == 4


def test_truth(control):
    entries = control.get("/truth/marriage").json()["items"]
    assert {frozenset(entry) for entry in entries} == {
        frozenset({"key", "updated", "canonical", "verdict", "reason", "field", "dirt"})
    }
    assert control.get("/truth/unknown").status_code == 404


def test_faults_and_calls():
    with mock_agencies.start(households=20) as mocks, httpx.Client() as http:
        base = mocks.urls["control"]
        http.post(f"{base}/faults", json={"agency": "civil", "fault": "500", "times": 0, "match": "/api/"})
        url = mocks.urls["civil"] + "/api/marriage?limit=1"
        assert http.get(url).status_code == 500
        assert http.delete(f"{base}/faults").json() == {"ok": True}
        assert http.get(url).status_code == 200
        calls = http.get(f"{base}/calls").json()
        assert set(calls) == set(mock_agencies.PORTS) - {"control"}
        assert [(call["path"], call["service"]) for call in calls["civil"]] == [("/api/marriage", "/api/marriage")] * 2
        http.delete(f"{base}/calls")
        assert mocks.calls()["civil"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"agency": "nobody", "fault": "500"},
        {"agency": "civil", "fault": "unheard-of"},
        {"agency": "civil", "fault": "500", "times": -1},
        {"fault": "500"},
    ],
)
def test_a_wrong_order_is_refused(control, body):
    assert control.post("/faults", json=body).status_code == 400


def test_calls_are_kept_to_a_thousand():
    with mock_agencies.start(households=20) as mocks, httpx.Client() as http:
        for _ in range(1005):
            http.get(mocks.urls["civil"] + "/")
        assert len(mocks.calls()["civil"]) == 1000


@contextmanager
def running(*options: str, **pipes: int) -> Iterator[subprocess.Popen]:
    """The program in a process of its own, which never outlives the test."""
    command = [sys.executable, "-m", "mock_agencies", "--households", "20", "--base-port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def test_command_line_says_ready_and_ends_with_its_input():
    with running("--stdin-guard", stdin=subprocess.PIPE) as process:
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        assert tuple(ready["ports"]) == mock_agencies.PORTS
        world = httpx.get(f"http://127.0.0.1:{ready['ports']['control']}/world").json()
        assert world["households"] == 20
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_command_line_ends_on_sigterm():
    with running(stdin=subprocess.DEVNULL) as process:
        assert json.loads(process.stdout.readline())["ready"]
        process.terminate()
        assert process.wait(timeout=10) == 0
