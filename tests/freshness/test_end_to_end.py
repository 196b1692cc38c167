"""The engine over a whole installation: what the pipeline commits is what the ledger counts, and verbs and API tell it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.scope import EVERYTHING
from gateway.store import Store
from gateway.web import build
from tests.support.house import COUNTY, House, house
from tests.support.verbs import shuqiao
from tests.support.web import ask

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three days of Fengcheng, collected and forwarded."""
    with pytest.MonkeyPatch.context() as patch, house(tmp_path_factory.mktemp("duties"), patch, households=40) as home:
        home.sync()
        for _ in range(2):
            home.advance(1)
            home.sync("homestead")  # first, and again below: a day and this machine's slowness is more than a day
            home.sync()
        home.gateway.forwarder.forward()
        yield home


def arrived(store: Store, feed: str) -> Counter[str]:
    with store.read() as tx:
        tx._cursor.execute(f"SELECT period, rows FROM arrival JOIN feed ON feed.id = feed_id WHERE name = '{feed}'")
        return Counter(dict(tx._cursor.fetchall()))


def test_what_is_counted_is_what_was_committed(made: House) -> None:
    """Each version of a subsidy counts for the month it names, and none is lost or doubled."""
    rows = arrived(made.gateway.store, f"{COUNTY}/subsidy")
    named = Counter(record["period"] for record in made.records("subsidy"))
    assert named <= rows
    with made.gateway.store.read() as tx:
        versions = {row.feed: row.versions for row in tx.all("totals_by_feed")}
        gone = sum(r.gone for r in tx.all("runs_of_feed", feed=f"{COUNTY}/household_member", count=99))
    assert rows.total() == versions[f"{COUNTY}/subsidy"]
    assert (
        arrived(made.gateway.store, f"{COUNTY}/household_member").total()
        == versions[f"{COUNTY}/household_member"] - gone
    )


def test_every_duty_stands_on_time_while_everybody_delivers(made: House) -> None:
    codes = {row.dataset: row.code for row in made.gateway.ledger.standings(EVERYTHING)}
    assert codes == dict.fromkeys(codes, "on_time")
    assert len(codes) == 9


def test_freshness_tells_and_explains(made: House) -> None:
    settings = made.gateway.settings
    told = shuqiao(settings, "freshness", "--county", COUNTY)
    assert told.exit_code == 0, told.output
    assert "农业补贴" in told.output
    rows = json.loads(shuqiao(settings, "freshness", "--dataset", "subsidy", "--json").stdout)
    assert [(row["dataset"], row["code"], row["channel"]) for row in rows] == [("subsidy", "on_time", "SYSTEM")]
    why = shuqiao(settings, "freshness", "--explain", f"{COUNTY}/subsidy").output
    assert "期限这样算：按“每月10日前，遇节假日顺延”是" in why
    assert "宽限 3 天" in why
    assert "系统直连" in why
    for wrong in ("subsidy", "360999/subsidy", f"{COUNTY}/x"):
        assert shuqiao(settings, "freshness", "--explain", wrong).exit_code == 1
    english = shuqiao(settings, "--lang", "en", "freshness", "--explain", f"{COUNTY}/subsidy").output
    assert "3 days of grace, until" in english


def test_a_waiver_is_audited_and_revocable(made: House) -> None:
    settings, duty = made.gateway.settings, f"{COUNTY}/agri_entity"
    period = made.gateway.ledger.explain(COUNTY, "agri_entity").periods[0].period
    assert shuqiao(settings, "freshness", "waive", duty, period, "--reason", "系统割接").exit_code == 0
    line = made.gateway.ledger.explain(COUNTY, "agri_entity").periods[0]
    assert (line.code, line.sentence) == ("waived", f"{period} 已豁免：系统割接")
    assert shuqiao(settings, "freshness", "revoke", duty, period).exit_code == 0
    with made.gateway.store.read() as tx:
        done = [(row.action, row.target) for row in tx.all("audit_all")][-2:]
    assert done == [("waive", f"{duty}/{period}"), ("revoke_waiver", f"{duty}/{period}")]
    assert made.gateway.audit.broken_at() is None


def test_the_api_answers_the_same(made: House) -> None:
    application = build(made.gateway, lambda: True)
    rows = ask(application, f"/api/v1/freshness?county={COUNTY}").json()
    assert rows == json.loads(json.dumps([row.as_dict() for row in made.gateway.ledger.standings(EVERYTHING, COUNTY)]))
    explained = ask(application, f"/api/v1/freshness/{COUNTY}/subsidy").json()
    assert explained["sentences"][0].startswith("丰城市农业农村局承诺每月报送")
    unknown = ask(application, "/api/v1/freshness?county=360999")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, f"没有县 360999。可用的有：{COUNTY}")
    assert ask(application, "/api/v1/verdicts").json() == []
    every = ask(application, "/api/v1/verdicts?everything=true").json()
    assert Counter(v["kind"] for v in every) == {"duty": 9, "county": 1, "sink": 1}


def test_a_silent_agency_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its system goes away; when the day is due, freshness, status and the API name it and say whose move it is."""
    with house(tmp_path, monkeypatch, households=20) as made:
        made.sync("marriage")
        made.agencies.fault("civil", "503", times=0)
        made.gateway.clock.set(made.gateway.clock.now() + timedelta(days=2))
        (outcome,) = made.sync("marriage")
        assert outcome.state == "failed"
        told = shuqiao(made.gateway.settings, "freshness", "--dataset", "marriage")
        assert told.exit_code == 1
        assert "（部门）请丰城市民政局恢复系统，或先人工报送" in told.output
        assert "请丰城市民政局恢复系统" in shuqiao(made.gateway.settings, "status").output
        found = ask(build(made.gateway, lambda: True), "/api/v1/verdicts").json()
        assert {(v["kind"], v["code"]) for v in found} >= {
            ("duty", "overdue"),
            ("feed", "unavailable"),
            ("county", "overdue"),
        }
