"""百福·丰收贷 lends on a report, and a year later it proves still what it said, though the farmer's data have changed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from gateway.audit import Actor
from gateway.people import Grant
from gateway.web import build
from tests.support.house import ROOT, House, house

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with (
        pytest.MonkeyPatch.context() as patch,
        house(tmp_path_factory.mktemp("lending"), patch, households=40, dirt=0) as running,
    ):
        collect(running)
        yield running


def collect(made: House) -> None:
    made.sync("household_member", "marriage", "homestead", "payment")
    made.gateway.forwarder.forward()


@pytest.fixture(scope="module")
def address(made: House) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(build(made.gateway, lambda: True), port=port, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


class Branch:
    """The bank as a process of its own: the API, its key, the pinned signer and the chain's headers are all it has."""

    def __init__(self, made: House, address: str) -> None:
        self._made, self.home = made, made.home / "branch"
        self._key = made.gateway.api_keys.add("branch", [Grant.parse("bank:demo-bank")], Actor.system())
        self._address = address

    def say(self, *words: str, typed: str = "") -> dict[str, Any]:
        gateway, headers = self._made.gateway, self._made.home / "headers.jsonl"
        gateway.chains["local"].export_headers(headers)
        command = [sys.executable, "-m", "mock_agencies.bank", *words, "--home", str(self.home), "--api", self._address]
        command += [
            "--institution",
            "demo-bank",
            "--signer",
            str(gateway.paths.signer_public),
            "--headers",
            str(headers),
        ]
        command += ["--today", gateway.clock.today().isoformat()]
        env = {"SHUQIAO_BANK_KEY": self._key, "PATH": os.environ["PATH"]}
        done = subprocess.run(command, input=typed, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def test_a_loan_and_its_report_a_year_later(made: House, address: str) -> None:
    branch, gateway = Branch(made, address), made.gateway
    person = next(r for r in made.records("household_member") if r["relation_to_head"] == "02" and _paid(made, r))
    typed = f"{person['id_no']}\n{person['name']}"
    loan = branch.say("apply", typed=typed)
    assert (loan["granted"] > 20_000, loan["why"]) == (True, "按补贴与经营主体特征核定")
    archived = Path(loan["pdf"]).read_bytes()
    assert branch.say("review", loan["number"])["changed"] == []

    made.agencies.world._members._write(_home(made, person), _person(made, person), "2026-03-02 17:00:00", clean=True)
    made.agencies.world._publish()
    collect(made)
    changed = branch.say("review", loan["number"])
    assert (changed["proven"], changed["changed"]) == (True, ["户籍成员：changed"])

    gateway.clock.set(gateway.clock.now() + timedelta(days=365))
    later = branch.say("review", loan["number"])
    assert (later["proven"], later["changed"]) == (True, ["授权已过期"])
    assert Path(loan["pdf"]).read_bytes() == archived
    Path(loan["pdf"]).write_bytes(archived.replace(b"/EmbeddedFile", b"/EmbeddedFilm"))
    assert branch.say("review", loan["number"])["proven"] is False


def _paid(made: House, person: dict[str, Any]) -> bool:
    return any(p["payee_id_no"] == person["id_no"] for p in made.records("payment"))


def _home(made: House, person: dict[str, Any]) -> Any:
    return next(h for h in made.agencies.world.population.households if h.no == person["household_no"])


def _person(made: House, person: dict[str, Any]) -> Any:
    """The same one, who moved to another door."""
    home = _home(made, person)
    home.door += 1
    return home.head
