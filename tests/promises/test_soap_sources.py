"""A vendor's SOAP service declared in a county's file, all the way: collected, cut, killed, its description pinned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.app import Gateway
from gateway.audit import Action
from gateway.clock import SHANGHAI, Clock
from gateway.dispatch.execute import Outcome, queue_run
from gateway.proof import MemberKey
from gateway.settings import Settings
from gateway.status import reconcile
from gateway.store.pages import living
from mock_agencies import soap_desk
from tests.support.suite import SUITE
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets

ROOT = Path(__file__).parents[2]
ACCOUNT = """
  soap-desk:
    title: 柜台
    secrets: {username: {env: DESK_USERNAME}, password: {env: DESK_PASSWORD}}
"""
COUNTY = """county: {code: "360981", name: 丰城市, bureau: 丰城市数据局}
sources:
  desk:
    adapter: soap
    account: soap-desk
    wsdl: %s
    endpoint: %s
    session:
      operation: Login
      params: {user: "{secret.username}", password: "{secret.password}"}
      token: LoginResponse/token
    headers:
      "{urn:soap-desk:1}Session": {token: "{session}"}
    datasets:
      homestead:
        operation: Query
        params: {region: {"@level": "3", qxdm: "{county}"}}
        row: Message/QLF_QL_JSYDSYQ
        code: Message/@code
        total: Message/@total
        snapshot: true
        mapping:
          unit_no: BDCDYH
          cert_no: BDCQZH
          right_type: QLLX
          right_status: QSZT
          reg_date: DJSJ
          holders.name: {each: ZTT_GY_QLR, from: QLRMC}
          holders.id_no: {each: ZTT_GY_QLR, from: ZJH}
feeds:
  homestead: {source: desk, dataset: homestead, poll: 1h}
"""


class Killed(BaseException):
    """What no handler of ours expects."""


@dataclass
class Town:
    """A county whose registry is the desk."""

    desk: Any
    url: str
    settings: Settings
    gateway: Gateway

    def queue(self) -> int:
        with self.gateway.store.read() as tx:
            feed = tx.one("feed_by_name", name="360981/homestead")
        slot = Clock.real().isoformat(timespec="microseconds")
        return queue_run(self.gateway.store, feed.id, due_at=slot, reason="test", actor="test")[0]

    def sync(self) -> Outcome:
        return self.gateway.executor.execute(self.queue())

    def held(self) -> int:
        with self.gateway.store.read() as tx:
            return len(living(tx, tx.one("feed_by_name", name="360981/homestead").id))

    def restart(self) -> None:
        self.gateway.close()
        self.gateway = Gateway(self.settings)
        self.gateway.clock.set(datetime(2026, 3, 2, 12, tzinfo=SHANGHAI))


@pytest.fixture(params=["address", "file"])
def town(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    monkeypatch.setenv("DESK_USERNAME", soap_desk.SECRETS["username"])
    monkeypatch.setenv("DESK_PASSWORD", soap_desk.SECRETS["password"])
    with soap_desk.start() as (desk, url):
        config = tmp_path / "config"
        shutil.copytree(ROOT / "config", config)
        with (config / "accounts.yaml").open("a", encoding="utf-8") as accounts:
            accounts.write(ACCOUNT)
        for file in (config / "counties").iterdir():
            file.unlink()
        wsdl = f"{url}/attributes?wsdl"
        if request.param == "file":
            (config / "wsdl").mkdir()
            (config / "wsdl" / "desk.wsdl").write_text(desk.described("registry.invalid/x"), "utf-8")
            wsdl = "{file: wsdl/desk.wsdl}"
        (config / "counties" / "360981-fengcheng.yaml").write_text(COUNTY % (wsdl, f"{url}/attributes"), "utf-8")
        settings = Settings(config=config, data=tmp_path / "data")
        (settings.data / "members").mkdir(parents=True)
        (settings.data / "members" / "demo-bank.pub").write_text(MemberKey.new(SUITE).public.text, "ascii")
        made = Town(desk, url, settings, Gateway(settings))
        made.restart()
        _ = made.gateway.config
        yield made
        made.gateway.close()


def described_anew(town: Town, old: str, new: str) -> None:
    assert old in town.desk.wsdl
    town.desk.wsdl = town.desk.wsdl.replace(old, new)
    file = town.settings.config / "wsdl" / "desk.wsdl"
    if file.exists():
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def test_a_declared_service_is_collected_into_versions(town: Town) -> None:
    outcome = town.sync()
    assert (outcome.state, town.held()) == ("done", 3)
    assert reconcile(town.gateway.store, []) == []
    shown = shuqiao(town.settings, "check", "360981/homestead")
    assert shown.exit_code == 0, shown.output
    preview = shuqiao(town.settings, "preview", "360981/homestead")
    assert "ZTT_GY_QLR" in preview.output


def test_a_large_answer_is_committed_in_pages_and_a_killed_run_goes_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.kit.walk.SLICE_ROWS", 40)
    monkeypatch.setattr("gateway.pagegroup.ROWS", 40)
    town.desk.rows = 100
    real, asked = town.desk._attributes, []

    def answers(*request: Any) -> Any:
        asked.append(request)
        return real(*request)

    town.desk._attributes = answers
    adapter = type(town.gateway.adapter(town.gateway.feed("360981/homestead")))
    fetch, calls = adapter.fetch, []

    def killed(self: Any, *told: Any) -> Any:
        calls.append(told)
        if len(calls) == 3:
            raise Killed
        return fetch(self, *told)

    monkeypatch.setattr(adapter, "fetch", killed)
    run = town.queue()
    with pytest.raises(Killed):
        town.gateway.executor.execute(run)
    assert (town.held(), len(asked)) == (80, 1)
    monkeypatch.setattr(adapter, "fetch", fetch)
    town.restart()
    outcome = town.gateway.executor.execute(run)
    assert (outcome.state, outcome.counts["fetched"]) == ("done", 100)
    assert (town.held(), len(asked)) == (100, 2)
    assert reconcile(town.gateway.store, []) == []


def test_runs_follow_the_description_they_know_and_need_no_other(town: Town) -> None:
    town.sync()
    described_anew(town, 'name="qxdm"', 'name="district"')
    town.restart()
    assert town.sync().state == "done"
    town.desk.described = lambda *_: 1 / 0
    shutil.rmtree(town.settings.config / "wsdl", ignore_errors=True)
    town.restart()
    assert town.sync().state == "done"


def test_white_space_and_hosts_are_no_change(town: Town) -> None:
    town.sync()
    described_anew(town, "<xsd:sequence>", "\n <!-- v2 -->  <xsd:sequence>\n")
    described_anew(town, 'soap:address location="@BASE@"', 'soap:address location="http://10.0.0.1/attributes"')
    assert shuqiao(town.settings, "check", "360981/homestead").exit_code == 0
    assert "没有变化" not in shuqiao(town.settings, "wsdl", "show", "360981/homestead").output


def test_a_changed_description_is_told_and_taken_over_by_a_person(town: Town) -> None:
    town.sync()
    described_anew(town, 'name="town"', 'name="village"')
    checked = shuqiao(town.settings, "check", "360981/homestead")
    assert checked.exit_code == 1
    assert "删除字段 Region.town" in checked.output
    assert "新增字段 Region.village（string 0 unbounded）" in checked.output
    assert "试读" in checked.output  # what follows is checked all the same: runs go on
    assert shuqiao(town.settings, "wsdl", "show", "360981/homestead").exit_code == 1
    accepted = shuqiao(town.settings, "wsdl", "accept", "360981/homestead")
    assert accepted.exit_code == 0, accepted.output
    assert "2 处不同" in accepted.output
    with town.gateway.store.read() as tx:
        entries = [row for row in tx.all("audit_all") if row.action == Action.WSDL_ACCEPT]
    assert [(row.target, json.loads(row.detail)["changes"]) for row in entries] == [("360981/homestead", 2)]
    assert "没有变化" in shuqiao(town.settings, "wsdl", "accept", "360981/homestead").output
    assert shuqiao(town.settings, "check", "360981/homestead").exit_code == 0


def test_a_description_that_cannot_be_read_is_not_taken_over(town: Town) -> None:
    town.sync()
    described_anew(town, "</wsdl:types>", "</wsdl:types><broken>")
    assert shuqiao(town.settings, "wsdl", "accept", "360981/homestead").exit_code == 1
    assert town.sync().state == "done"
