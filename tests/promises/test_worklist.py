"""A source that answers only about a named person is asked about everybody it should be, once a period, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from gateway.clock import Clock
from gateway.scope import EVERYTHING
from gateway.store.tables import metadata
from gateway.worklist import FEEDING, PURPOSE, name_path
from schemas import DATASETS
from tests.support.house import FEEDS, POLICE, ROOT, House, house
from tests.support.oracle import Interview
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets

ACCOUNT = "fengcheng-public-security"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with house(tmp_path, monkeypatch, households=40) as running:
        running.sync(*FEEDING)
        yield running


def asked(made: House) -> list[str]:
    return [number for _, number, _ in made.agencies.public_security.asked]


def entries(made: House) -> list[Any]:
    with made.gateway.store.read() as tx:
        return [row for row in tx.all("audit_all") if row.action == "ask"]


@pytest.mark.parametrize(("seed", "dirt"), [(1, 0.03), (2, 0.3)])
def test_everybody_is_asked_about_once_a_period(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, dirt: float
) -> None:
    with house(tmp_path, monkeypatch, households=100, seed=seed, dirt=dirt) as made:
        interview = Interview(made)
        for days in (0, 1, 1, 28, 1):
            made.advance(days)
            made.sync(*FEEDING)
            assert made.run(POLICE).state == "done"
            assert interview.differences() == []
            assert made.run(POLICE).counts["fetched"] == 0
        assert interview.not_found
        assert len(asked(made)) > len(set(asked(made))) > 200


def test_who_becomes_known_behind_a_run_is_asked_about_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(tmp_path, monkeypatch, households=60) as made:
        made.sync("homestead")
        made.agencies.public_security.quota = 2
        assert made.run(POLICE).verdict.state == "deferred"
        assert len(asked(made)) == 40
        made.sync(*FEEDING)
        made.agencies.public_security.quota = 5000
        assert made.run(POLICE).state == "done"
        behind = made.gateway.worklists(EVERYTHING)[POLICE].due
        assert behind > 5
        before = len(asked(made))
        assert made.run(POLICE).state == "done"
        assert len(asked(made)) - before == behind
        assert len(set(asked(made))) == len(asked(made))
        assert made.gateway.worklists(EVERYTHING)[POLICE].due == 0


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_a_spent_allowance_waits_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    with house(tmp_path, monkeypatch, households=40) as made:
        made.sync(*FEEDING)
        interview = Interview(made)
        if whose == "ours":
            accounts = made.gateway.config.accounts
            budget = accounts[ACCOUNT].budget.model_copy(update={"per_day": 3})
            accounts[ACCOUNT] = accounts[ACCOUNT].model_copy(update={"budget": budget})
        else:
            made.agencies.public_security.quota = 2
        days = 0
        while (done := made.run(POLICE)).state != "done":
            days += 1
            assert (done.state, done.verdict.state, done.verdict.code) == ("deferred", "deferred", "THROTTLED")
            assert done.verdict.owner == "gateway"
            real = Clock.real
            monkeypatch.setattr(Clock, "real", staticmethod(lambda real=real: real() + timedelta(days=1)))
            made.agencies.public_security._spent.clear()
        assert days >= 2
        assert interview.differences() == []


def test_every_page_is_in_the_audit_log_and_nobody_in_it(made: House) -> None:
    done = made.run(POLICE)
    pages = [msgspec.json.decode(row.detail) for row in entries(made)]
    assert len(pages) == done.counts["pages"]
    assert sum(page["persons"] for page in pages) == len(asked(made))
    assert {page["purpose"] for page in pages} == {PURPOSE}
    assert {page["run"] for page in pages} == {done.run_id}
    assert len({page["subjects"] for page in pages}) == len(pages)
    assert {row.target for row in entries(made)} == {POLICE}
    assert not any(number in str(entries(made)) for number in asked(made))
    assert made.gateway.audit.broken_at() is None


def test_whoever_runs_it_by_hand_is_named(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHUQIAO_ACTOR", "clerk")
    assert shuqiao(made.gateway.settings, "sync", POLICE).exit_code == 0
    assert {row.actor for row in entries(made)} == {"person:clerk"}


def test_a_look_asks_about_one_person_and_marks_nobody(made: House) -> None:
    due = made.gateway.worklists(EVERYTHING)[POLICE].due
    for verb in ("check", "preview"):
        assert shuqiao(made.gateway.settings, verb, POLICE).exit_code == 0
    assert len(asked(made)) == 2
    assert [msgspec.json.decode(row.detail)["persons"] for row in entries(made)] == [1, 1]
    assert made.gateway.worklists(EVERYTHING)[POLICE].due == due


def test_nobody_due_is_no_contact(made: House) -> None:
    made.run(POLICE)
    with made.gateway.store.read() as tx:
        before = tx.one("feed_by_name", name=POLICE).contact_at
    made.advance(1)
    assert made.run(POLICE).verdict.state == "ok"
    with made.gateway.store.read() as tx:
        assert tx.one("feed_by_name", name=POLICE).contact_at == before


def test_answers_about_some_are_no_delivery_of_the_register(made: House) -> None:
    """The duty to report the register is not fulfilled by whoever was asked about (DESIGN §5.5)."""
    made.run(POLICE)
    with made.gateway.store.engine.connect() as connection:
        for name in ("contact", "arrival"):
            table = metadata.tables[name]
            feeds = set(connection.execute(select(table.c.feed_id)).scalars())
            with made.gateway.store.read() as tx:
                assert tx.one("feed_by_name", name=POLICE).id not in feeds
                assert name == "arrival" or tx.one("feed_by_name", name=FEEDS["homestead"]).id in feeds


def test_status_says_how_far_it_is(made: House) -> None:
    made.run(POLICE)
    progress = made.gateway.worklists(EVERYTHING)[POLICE]
    told = shuqiao(made.gateway.settings, "status").stdout
    assert f"{POLICE}：已问 {progress.asked} 人，其中查无此人 {progress.not_found} 人；待问 0 人" in told


@pytest.mark.parametrize("dataset", FEEDING)
def test_every_subject_has_a_name_beside_its_number(dataset: str) -> None:
    assert {name_path(path) for path in DATASETS[dataset].subjects.values()} <= DATASETS[dataset].fields.keys()


def test_the_officer_is_written_in_no_configuration() -> None:
    secrets = {path.read_text("utf-8").strip() for path in (ROOT / "config/secrets").glob("public-security-*")}
    assert len(secrets) == 4
    for path in (ROOT / "config").rglob("*.yaml"):
        assert not any(secret in path.read_text("utf-8") for secret in secrets), path
