"""Feeds do not disturb each other, nobody reads one twice at once, nothing is done again, and nobody passes unasked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from gateway.audit import Action, Actor, NotAllowed
from gateway.auditlog import AuditLog
from gateway.clock import Clock
from gateway.dispatch.execute import queue_run
from gateway.errors import Busy
from gateway.scope import Place, Scope
from gateway.settings import Settings
from gateway.store.tables import metadata
from gateway.web import build
from gateway.worklist import Errand
from mock_agencies.faults import Faults
from tests.support.house import FEEDS, ROOT, House, house
from tests.support.verbs import shuqiao, verbs
from tests.support.web import ask

pytestmark = pytest.mark.sockets

AGENCY = {
    "household_member": "provincial",
    "payment": "provincial",
    "homestead": "real_estate",
    "marriage": "civil",
    "assistance": "civil",
}
PATIENCE = 60.0


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("gateway.retry._wait", lambda _state: 0.0)
    with house(tmp_path, monkeypatch, households=100) as running:
        yield running


def rows(made: House, query: str, **values: Any) -> list[Any]:
    with made.gateway.store.read() as tx:
        return tx.all(query, **values)


@pytest.mark.parametrize(("agency", "fault"), [("provincial", "500"), ("real_estate", "login"), ("civil", "auth500")])
def test_a_failing_agency_stops_no_other(made: House, agency: str, fault: str) -> None:
    made.agencies.fault(agency, fault, times=0)
    quick = ("homestead", "marriage", "assistance", "household_member")
    states = {dataset: o.state for dataset, o in zip(quick, made.sync(*quick), strict=True)}
    assert states == {dataset: "failed" if AGENCY[dataset] == agency else "done" for dataset in quick}


def test_a_feed_whose_rules_fail_stops_no_other_of_its_agency(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = made.gateway.prepare

    def failing(name: str, errand: Errand) -> Any:
        if name == FEEDS["marriage"]:
            raise RuntimeError("a fault of ours")
        return prepare(name, errand)

    monkeypatch.setattr(made.gateway.executor, "_prepare", failing)
    assert [o.state for o in made.sync("marriage", "assistance")] == ["failed", "done"]


class Gate:
    """Holds an agency's answers until it is opened, and counts how many are under way at once."""

    def __init__(self, agency: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.most, self._now, self._guard = 0, 0, threading.Lock()
        intercept = Faults.intercept

        def held(faults: Faults, asked: Any, request: Any, closing: Any) -> Any:
            if asked.name != agency:
                return intercept(faults, asked, request, closing)
            with self._guard:
                self._now += 1
                self.most = max(self.most, self._now)
            self.reached.set()
            self.open.wait(PATIENCE)
            try:
                return intercept(faults, asked, request, closing)
            finally:
                with self._guard:
                    self._now -= 1

        monkeypatch.setattr(Faults, "intercept", held)


def test_a_feed_is_read_by_one_at_a_time_whoever_asks(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two command lines and what the scheduler calls, all at once: one reads, the others do nothing and say so."""
    gate = Gate("real_estate", monkeypatch)
    settings = made.gateway.settings
    command = [sys.executable, "-m", "gateway", "--config", str(settings.config), "--data", str(settings.data)]
    command += ["sync", FEEDS["homestead"], "--json"]
    lines = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert gate.reached.wait(PATIENCE)
        (feed,) = [row for row in rows(made, "feeds") if row.name == FEEDS["homestead"]]
        run, _ = queue_run(
            made.gateway.store, feed.id, due_at=Clock.real().isoformat(), reason="scheduled", actor="scheduler"
        )
        with pytest.raises(Busy):
            made.gateway.executor.execute(run)
        deadline = time.monotonic() + PATIENCE
        while all(line.poll() is None for line in lines) and time.monotonic() < deadline:
            time.sleep(0.05)
        (refused,) = [line for line in lines if line.poll() is not None]
        assert refused.returncode == 1
        gate.open.set()
        said = {line is refused: line.communicate(timeout=PATIENCE) for line in lines}
    finally:
        gate.open.set()
        for line in lines:
            line.kill()
            line.communicate()
    assert "正由另一个进程处理，本次未动" in said[True][1].decode()
    assert '"state": "done"' in said[False][0].decode()
    assert gate.most == 1
    found = rows(made, "runs_of_feed", feed=FEEDS["homestead"], count=100)
    assert Counter(r.state for r in found) == {"done": 1, "queued": 2}
    assert {r.started_at is None for r in found if r.state == "queued"} == {True}
    queued = [r.id for r in found if r.state == "queued"]
    assert [made.gateway.executor.execute(n).counts["changed"] for n in queued] == [0, 0], "they run when it is free"
    spans = sorted((r.started_at, r.finished_at) for r in rows(made, "runs_of_feed", feed=FEEDS["homestead"], count=9))
    assert len(spans) == 3
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(spans))


def test_a_busy_feed_stops_no_other_on_the_command_line(made: House) -> None:
    made.sync("homestead", "marriage")
    (feed,) = [row for row in rows(made, "feeds") if row.name == FEEDS["homestead"]]
    with made.gateway.leases.take(f"feed:{feed.uid}"):
        done = shuqiao(made.gateway.settings, "sync", FEEDS["homestead"], FEEDS["marriage"], "--json")
    assert done.exit_code == 1
    assert [o["feed"] for o in json.loads(done.stdout)] == [FEEDS["marriage"]]
    assert "正由另一个进程处理，本次未动" in done.stderr


def test_reading_again_asks_little_and_changes_nothing(made: House) -> None:
    """At most two requests for data a feed, beside log-ins and the service's own description."""
    made.sync()
    before = {name: made.records(name) for name in FEEDS}
    for dataset, agency in AGENCY.items():
        calls = getattr(made.agencies, agency, None).calls if agency != "real_estate" else _real_estate(made).calls
        calls.clear()
        (outcome,) = made.sync(dataset)
        data = [c for c in calls if ("auth" not in c["path"] and c["service"] != c["path"]) or "/api/" in c["path"]]
        assert 1 <= len(data) <= 2, dataset
        assert (outcome.state, outcome.counts["changed"], outcome.counts["gone"]) == ("done", 0, 0)
    assert {name: made.records(name) for name in FEEDS} == before


def _real_estate(made: House) -> Any:
    return made.agencies.control._agencies["real_estate"]


def test_a_day_brings_exactly_its_changes(made: House) -> None:
    made.sync()
    for days in (1, 1, 5):
        changed = made.advance(days)
        moved = {d: o.counts["puts"] + o.counts["gone"] for d, o in zip(FEEDS, made.sync(), strict=True)}
        assert sum(changed.values()) > 0
        assert moved == {d: changed[d] for d in FEEDS}


@pytest.mark.parametrize("left", [0, 1, 8])
def test_a_list_that_lost_too_much_deletes_nothing_until_a_person_says_so(
    made: House, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    made.sync("assistance")
    before = made.records("assistance")
    world = made.agencies.world
    kept = [i for i in world.items("assistance") if i.verdict == "accept"][:left]
    monkeypatch.setattr(world, "assisted", lambda _month: kept)

    (outcome,) = made.sync("assistance")
    assert (outcome.state, outcome.verdict.state, outcome.verdict.owner) == ("failed", "needs_person", "agency")
    assert "--allow-vanish" in (outcome.verdict.action or "")
    assert outcome.counts["gone"] == 0
    assert made.records("assistance") == before

    done = shuqiao(made.gateway.settings, "sync", FEEDS["assistance"], "--allow-vanish", "--json")
    assert done.exit_code == 0, done.stdout
    assert f'"gone": {len(before) - len(kept)}' in done.stdout
    assert len(made.records("assistance")) == len(kept)


def test_the_usual_loss_of_a_list_asks_nobody(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard above would be worthless if it always fired."""
    made.sync("assistance")
    before = made.records("assistance")
    lost = next(i for i in made.agencies.world.items("assistance") if i.verdict == "accept" and not i.dirt)
    kept = [i for i in made.agencies.world.items("assistance") if i.key != lost.key]
    monkeypatch.setattr(made.agencies.world, "assisted", lambda _month: kept)
    (outcome,) = made.sync("assistance")
    assert (outcome.state, outcome.counts["gone"]) == ("done", 1)
    assert len(made.records("assistance")) == len(before) - 1


class Refuser:
    """Nobody may do anything; remembers what was asked."""

    asked: list[tuple[Actor, Action, str]]

    def __init__(self, *_: object) -> None:
        Refuser.asked = []

    def authorize(self, actor: Actor, action: Action, target: str, place: Place | None = None) -> Scope:
        self.asked.append((actor, action, target))
        raise NotAllowed(actor, action, target)

    def allows(self, *_: object) -> bool:
        return False


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway in which nothing ever happens: every test that takes it proves so."""
    with pytest.MonkeyPatch.context() as patch, house(tmp_path_factory.mktemp("idle"), patch, households=10) as running:
        yield running


HANDLE = "a" * 32
BANK = ["--institution", "demo-bank", "--purpose", "loan_application"]
FREE = {"config check", "demo", "member keygen", "member fetch", "member verify", "member report"}
"""Reads drafts only; makes a world of its own; the member's side, which is not ours."""
ASKED = {
    "serve": ["--port", "0"],
    "worker": [],
    "alerts": [],
    "alerts take": ["1"],
    "invite": ["360981", "丰城市民政局"],
    "alerts test": ["duty"],
    "alerts window": [],
    "alerts window add": ["*", "--from", "2026-12-01T22:00", "--to", "2026-12-02T06:00", "--reason", "演练"],
    "alerts window end": ["1"],
    "discover": [__file__],
    "check": [FEEDS["homestead"]],
    "preview": [FEEDS["homestead"]],
    "sync": [FEEDS["homestead"]],
    "upload": [FEEDS["homestead"], __file__],
    "forward": [],
    "status": [],
    "inbox": [],
    "runs": [],
    "trace": [HANDLE],
    "verify": [],
    "quarantine list": [],
    "quarantine show": [HANDLE],
    "replay": [FEEDS["homestead"]],
    "drift show": [FEEDS["homestead"]],
    "drift accept": [FEEDS["homestead"]],
    "cutover list": [],
    "cutover compare": ["360921/assistance"],
    "cutover retire": ["360921/assistance", "--reason", "核对一致"],
    "cutover reopen": ["360921/assistance"],
    "quarantine agencies": [],
    "quarantine export": ["out.xlsx"],
    "quarantine import": [__file__],
    "quarantine repair": [HANDLE, "--column", "XM"],
    "quarantine return": [FEEDS["homestead"], "--note", "请更正"],
    "quarantine returned": [],
    "quarantine replay": [FEEDS["homestead"]],
    "quarantine discard": [HANDLE, "--reason", "部门已更正"],
    "config show": [],
    "config publish": [],
    "config diff": [],
    "config history": [],
    "config rollback": ["1"],
    "adapter record": [FEEDS["homestead"], "--to", "recording.json"],
    "freshness": [],
    "bulletin": [],
    "freshness waive": ["360981/subsidy", "2026-02", "--reason", "系统割接"],
    "freshness revoke": ["360981/subsidy", "2026-02"],
    "user add": ["somebody", "--role", "operator"],
    "user list": [],
    "user role": ["somebody", "--role", "operator"],
    "user lock": ["somebody"],
    "user unlock": ["somebody"],
    "user reset": ["somebody"],
    "user totp": ["somebody"],
    "api-key add": ["some-program", "--role", "operator"],
    "api-key list": [],
    "api-key revoke": ["some-program"],
    "wsdl show": [FEEDS["homestead"]],
    "wsdl accept": [FEEDS["homestead"]],
    "erase": ["--yes"],
    "keys show": [],
    "keys rotate": [],
    "keys rewrap": [],
    "keys prune": [],
    "keys issue": ["demo-bank"],
    "chain check": [],
    "chain deploy": [],
    "chain status": [],
    "chain reconcile": [],
    "chain export-headers": ["--to", "headers.jsonl"],
    "consent add": [*BANK, "--file", __file__, "--to", "2026-12-31"],
    "consent list": [],
    "consent revoke": [HANDLE],
    "report make": [*BANK, "--out", "report.json"],
    "report again": ["SQ20260301-000001", "--out", "report.json"],
    "report log": [],
    "report changes": ["SQ20260301-000001"],
    "report dispute": ["SQ20260301-000001", "f1", "op_date"],
    "subject access": ["--out", "held.json"],
    "spot-check draw": ["360981"],
    "spot-check sheet": ["1", "check.xlsx"],
    "spot-check enter": ["1", __file__],
    "spot-check accuracy": [],
    "correction list": [],
    "correction answer": [HANDLE, "--outcome", "upheld", "--note", "已核实"],
}


def test_every_verb_is_known_here() -> None:
    assert verbs().keys() == ASKED.keys() | FREE


@pytest.mark.parametrize("verb", ASKED)
def test_no_verb_passes_unasked(idle: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str) -> None:
    monkeypatch.setattr("gateway.app.foundation.ByRole", Refuser)
    serving = sys.modules["gateway.cli.serve"]
    monkeypatch.setattr(serving, "until_signalled", threading.Event)
    for name in ("work", "Supervisor", "build"):
        monkeypatch.setattr(serving, name, lambda *_: pytest.fail("it runs"))
    monkeypatch.chdir(tmp_path)
    kept = contents(idle)
    done = shuqiao(idle.gateway.settings, *verb.split(), *ASKED[verb])
    assert isinstance(done.exception, NotAllowed), (done.exception, done.output)
    assert done.stdout == ""
    assert len(Refuser.asked) == 1
    assert Refuser.asked[0][0].kind == "person"
    assert contents(idle) == kept
    assert not any(idle.agencies.calls().values())
    assert not list(tmp_path.glob("recording.json")) + list(tmp_path.glob("headers.jsonl"))


def contents(made: House) -> dict[str, int]:
    """How many rows each table holds."""
    with made.gateway.store.engine.connect() as connection:
        return {t.name: len(list(connection.execute(t.select()))) for t in metadata.sorted_tables}


def test_a_refusal_is_one_sentence(idle: House) -> None:
    """As it leaves the process: exit 1, no traceback."""
    code = "import gateway.app.foundation, sys; from gateway.audit import NotAllowed\n"
    code += (
        "class No:\n    def __init__(self, *_): pass\n    def authorize(self, *asked): raise NotAllowed(*asked[:3])\n"
    )
    code += "gateway.app.foundation.ByRole = No\nfrom gateway.cli import main\nsys.argv[0] = 'shuqiao'\nmain()"
    settings: Settings = idle.gateway.settings
    where = ["--config", str(settings.config), "--data", str(settings.data)]
    done = subprocess.run(
        [sys.executable, "-c", code, *where, "status"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "无权执行 read_status" in done.stderr
    assert "Traceback" not in done.stderr


def served(router: Any) -> Iterator[Any]:
    """Every route, those of included routers too."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from served(included)


def test_no_route_passes_unasked(made: House) -> None:
    made.gateway.audit = AuditLog(made.gateway.store, made.gateway.clock, Refuser())
    application = build(made.gateway, lambda: True)
    routes = [(r, method) for r in served(application) for method in getattr(r, "methods", None) or {"GET"}]
    assert {r.path for r, _ in routes} >= {"/healthz", "/readyz", "/api/v1/status", "/api/v1/runs"}
    for route, method in routes:
        assert isinstance(route, APIRoute), f"{route.path} has no dependency to ask"
        Refuser.asked.clear()
        answer = ask(application, route.path, method)
        assert answer.status_code == 403, route.path
        assert answer.headers["content-type"] == "application/problem+json"
        assert [target for _, _, target in Refuser.asked] == [route.path]
