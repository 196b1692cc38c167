"""A draft's effect is said before it is published, every version can be gone back to, and a feed keeps its identity (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.scheduler import Scheduler
from gateway.web import build
from tests.support.front import COUNTY, FEED, County, row
from tests.support.verbs import shuqiao
from tests.support.web import ask, visit


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    """Forty-two rows collected."""
    made = County(tmp_path)
    made.fill([row(n) for n in range(42)])
    made.sync()
    yield made
    made.close()


def draft(made: County, *changes: tuple[str, str]) -> None:
    """The county's file with other words."""
    text = COUNTY % (made.front, "false", "")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    made.file.write_text(text, "utf-8")


def catalogue(made: County, old: str, new: str) -> None:
    path = made.settings.config / "catalogue.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


EFFECTS = {
    "mapping": (
        ("since: QSNY", "since: SSNY"),
        "360981/assistance：映射变了（since）：42 行将重新映射；要立即生效，发布后运行 shuqiao replay 360981/assistance",
    ),
    "poll": (("poll: 1h", "poll: 30m"), "360981/assistance：采集间隔由“每 1 小时”改为“每 30 分钟”"),
    "cron": (("poll: 1h", 'cron: "0 2 * * *"'), "360981/assistance：采集间隔由“每 1 小时”改为“定时 0 2 * * *”"),
    "paused": (("poll: 1h", "poll: 1h, paused: true"), "360981/assistance：暂停采集"),
    "added": (
        ("feeds:\n", "feeds:\n  more: {source: civil_front, dataset: assistance, poll: 1d}\n"),
        "360981/more：新增采集任务，每 1 天",
    ),
    "removed": (
        ("  assistance: {source", "  another: {source"),
        "360981/assistance：不再采集；已有的 42 条记录保留，不再更新",
    ),
    "renamed": (
        ("  assistance: {source", "  dibao: {renamed_from: assistance, source"),
        "360981/dibao：由 360981/assistance 改名，位置与历史都保留",
    ),
    "source": (("table: T_MZ", "table: T_SHJZ"), "360981/assistance：来源的设置变了，下一次采集起按新的设置"),
    "channel": (("poll: 1h", "poll: 1h, channel: MANUAL"), "360981/assistance：报送渠道由 SYSTEM 改为 MANUAL"),
}


@pytest.mark.parametrize("case", EFFECTS)
def test_the_effect_of_a_draft_is_a_sentence(county: County, case: str) -> None:
    change, sentence = EFFECTS[case]
    draft(county, change)
    shown = shuqiao(county.settings, "config", "diff")
    assert shown.exit_code == 0, shown.output
    assert sentence in shown.stdout.splitlines()
    others = [line for line in shown.stdout.splitlines() if line != sentence]
    assert len(others) == (1 if case == "removed" else 0), others


def test_what_is_owed_and_shared_is_a_sentence_too(county: County) -> None:
    catalogue(
        county,
        'title: 社会救助\n    agency: "{county}民政局"\n    update_frequency: 每月',
        'title: 社会救助\n    agency: "{county}民政局"\n    update_frequency: 每日',
    )
    catalogue(
        county,
        "recipients: [], fields: all, expires: 2027-12-31}\n  subsidy",
        "recipients: [], fields: all, expires: 2028-12-31}\n  subsidy",
    )
    told = {
        effect["kind"]: effect["sentence"]
        for effect in ask(build(county.gateway, lambda: True), "/api/v1/config/diff").json()["effects"]
    }
    assert told.keys() == {"duty", "sharing"}
    assert told["duty"].startswith("报送义务由“丰城市民政局，每月")
    assert "改为“丰城市民政局，每日" in told["duty"]
    assert told["sharing"] == "共享条件变了：expires，从下一批起"


def test_publishing_says_it_keeps_it_and_can_go_back(county: County) -> None:
    draft(county, ("since: QSNY", "since: SSNY"))
    done = shuqiao(county.settings, "config", "publish")
    assert "42 行将重新映射" in done.stdout
    again = shuqiao(county.settings, "config", "publish")
    assert "与生效版本相同" in again.stdout
    back = shuqiao(county.settings, "config", "rollback", "1")
    assert "42 行将重新映射" in back.stdout
    assert "已回退到第 1 版；草稿文件没有动" in back.stdout
    listed = shuqiao(county.settings, "config", "history").stdout
    assert listed.index("回退到第 1 版") < listed.index("system")
    assert len(ask(build(county.gateway, lambda: True), "/api/v1/config/versions").json()) == 3
    assert "42 行将重新映射" in shuqiao(county.settings, "config", "diff").stdout, "the draft still says it"
    application = build(county.gateway, lambda: True)
    assert "42 行将重新映射" in ask(application, "/configuration").text
    assert visit(application, "/configuration/2/rollback", "POST", grant="system").status_code == 303
    assert ask(application, "/api/v1/config/versions").json()[0]["note"] == "回退到第 2 版"
    with county.gateway.store.read() as tx:
        assert [r.action for r in tx.all("audit_all")].count("publish_config") == 4


def test_a_renamed_feed_loses_nothing_there_and_back(county: County) -> None:
    before = county.versions()
    with county.gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name=FEED)
    draft(county, ("  assistance: {source", "  dibao: {renamed_from: assistance, source"))
    shuqiao(county.settings, "config", "publish")
    assert county.versions("360981/dibao") == before
    county.gateway.refresh()
    assert county.sync("360981/dibao").counts["changed"] == 0, "its cursor and its rows are known"
    shuqiao(county.settings, "config", "rollback", "1")
    with county.gateway.store.read() as tx:
        assert [row.uid for row in tx.all("feeds")] == [feed.uid]
        assert tx.one("feed_by_name", name=FEED).uid == feed.uid
    assert county.versions() == before


def test_drafts_are_texts_with_faults_and_places(county: County) -> None:
    application = build(county.gateway, lambda: True)
    name = "counties/360981.yaml"
    held = ask(application, "/api/v1/config/drafts").json()[name]
    wrong = {"name": name, "text": held["text"].replace("poll: 1h", "pol: 1h"), "mark": held["mark"]}
    told = visit(application, "/api/v1/config/drafts", "PUT", grant="system", json=wrong)
    assert told.status_code == 200, told.text
    (line,) = [n for n, text in enumerate(wrong["text"].splitlines(), 1) if "pol: 1h" in text]
    assert {(p["line"], p["where"]) for p in told.json()} == {(line, "feeds.assistance.pol")}
    assert told.json()[0]["column"] > 1
    late = visit(application, "/api/v1/config/drafts", "PUT", grant="system", json=wrong)
    assert (late.status_code, "被别人改过" in late.text) == (422, True)
    away = visit(application, "/api/v1/config/drafts", "PUT", grant="system", json={"name": "../x.yaml", "text": ""})
    assert away.status_code == 422
    shown = ask(application, "/api/v1/config/diff").json()
    assert shown["problems"][0]["line"] == line
    overview = ask(application, "/api/v1/config").json()
    assert [(f["county"], f["problems"]) for f in overview["files"] if f["differs"]] == [("360981", 1)]
    read = ask(application, "/api/v1/config/counties/360981").json()["lines"]
    assert [said["mark"] for said in read if "pol: 1h" in said["text"]] == ["+"]
    assert [e for e in shown["effects"] if e["kind"] == "feed_removed"] == [], "a broken county stays as it runs"
    assert any(text.startswith("+") and "pol: 1h" in text for text in shown["lines"])
    broken = ask(application, "/api/v1/config/drafts").json()["catalogue.yaml"]
    wrong = {"name": "catalogue.yaml", "text": "datasets: 1", "mark": broken["mark"]}
    assert visit(application, "/api/v1/config/drafts", "PUT", grant="system", json=wrong).json()
    refused = visit(application, "/api/v1/config/publish", "POST", grant="system")
    assert refused.status_code == 422
    assert "catalogue.yaml" in {p["file"].rpartition("/")[2] for p in refused.json()["problems"]}
    assert visit(application, "/api/v1/config/versions/99/rollback", "POST", grant="system").status_code == 422
    assert ask(application, "/api/v1/config/versions/1").json()["diff"]["effects"] == []


def test_another_process_takes_over_what_was_published(county: County) -> None:
    worker = Gateway(county.settings)
    assert (worker.config.feeds.keys(), worker.refresh()) == ({FEED}, False)
    scheduler = Scheduler(
        *(worker.store, worker.clock, None, lambda: worker.config.feeds, *[lambda: None] * 4),
        worker.refresh,
    )  # type: ignore[arg-type] # nothing is handed out
    scheduler._plan()
    draft(
        county,
        ("poll: 1h", "poll: 5m"),
        ("feeds:\n", "feeds:\n  more: {source: civil_front, dataset: assistance, poll: 1d}\n"),
    )
    shuqiao(county.settings, "config", "publish")
    scheduler._pass()
    assert {name: str(when[0]) for name, when in scheduler._planned.items()} == {
        FEED: "0:05:00",
        "360981/more": "1 day, 0:00:00",
    }
    draft(county, ("poll: 1h", "poll: 5m, paused: true"))
    shuqiao(county.settings, "config", "publish")
    scheduler._pass()
    assert scheduler._planned == {}
    worker.close()
