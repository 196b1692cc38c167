"""A fault of a file is told with its place and what is allowed, and stops nobody else (DESIGN §5.8, §6)."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.kit import registry
from gateway.app import Gateway
from gateway.audit import Actor
from gateway.config import read
from gateway.settings import Settings
from tests.support.house import COUNTIES, FEEDS, POLICE, ROOT, House, house
from tests.support.verbs import shuqiao

FENGCHENG = "counties/360981-fengcheng.yaml"
JINGAN = "counties/360925-jingan.yaml"
PLACE = re.compile(r"(\S+\.yaml):(\d+):(\d+) (?:(\S+?)：)?(.+)")


@dataclass
class Drafts:
    """A configuration directory of its own."""

    settings: Settings

    @property
    def root(self) -> Path:
        return self.settings.config

    def edit(self, name: str, old: str, new: str) -> tuple[int, int]:
        """Replaces a text that stands once; the line and column where it stood."""
        path = self.root / name
        text = path.read_text("utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), "utf-8")
        before = text[: text.index(old)]
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    def problems(self) -> list[tuple[str, int, int, str]]:
        return [(p.file.rpartition("config/")[2], p.line, p.column, p.sentence) for p in read(self.root).problems]


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return Drafts(Settings(config=tmp_path / "config", data=tmp_path / "data"))


def test_the_configuration_as_it_comes_has_no_fault(drafts: Drafts) -> None:
    done = shuqiao(drafts.settings, "config", "check")
    assert (done.exit_code, done.stderr) == (0, "")


def test_four_faults_are_four_sentences(drafts: Drafts) -> None:
    code = drafts.edit(FENGCHENG, '"360981", name', "360981, name")
    adapter = drafts.edit(FENGCHENG, "adapter: real_estate", "adapter: real_estat")
    key = drafts.edit(FENGCHENG, "poll: 5m", "pol: 5m")
    (drafts.root / "secrets" / "real-estate-token").unlink()
    secret = drafts.edit("accounts.yaml", "{file: secrets/real-estate-token}", "{file: secrets/real-estate-token}")

    done = shuqiao(drafts.settings, "config", "check")

    assert done.exit_code == 2
    assert done.stdout == ""
    told = [PLACE.fullmatch(line) for line in done.stderr.splitlines()]
    assert all(told)
    found = {(m[1].rpartition("config/")[2], int(m[2]), int(m[3]), m[4]): m[5] for m in told if m}
    assert len(told) == len(found) == 4
    feeds = "source、dataset、poll、cron、channel、mapping、ignore、deleted、vanish_limit、ask_again、drift、renamed_from、paused"
    assert found == {
        (FENGCHENG, code[0], code[1], "county.code"): '360981 不合规：应为文本，请加引号，写成 "360981"',
        (FENGCHENG, adapter[0], adapter[1] + len("adapter: "), "sources.real_estate.adapter"): (
            f"没有名为 real_estat 的适配器。可用的有：{'、'.join(registry.names())}"
        ),
        (FENGCHENG, *key, "feeds.homestead.pol"): f"没有这个键。是不是 poll？可用的有：{feeds}",
        ("accounts.yaml", *secret, "accounts.fengcheng-real-estate.secrets.token"): (
            "缺少密钥：找不到文件 secrets/real-estate-token"
        ),
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        (FENGCHENG, "wsdl: {env: SHUQIAO_DEMO_REAL", "wsdll: {env: SHUQIAO_DEMO_REAL", "没有这个键。是不是 wsdl？"),
        (FENGCHENG, "poll: 5m", "poll: 5分钟", "请写时长，如 30s、5m、2h、1d"),
        (FENGCHENG, "{source: real_estate,", "{source: real_estates,", "没有数据源 real_estates。可用的有：exchange、"),
        (FENGCHENG, "dataset: homestead,", "dataset: homesteads,", "没有数据资源 homesteads。可用的有：household_member"),
        (FENGCHENG, "account: fengcheng-real-estate", "account: nobody", "没有账号 nobody。可用的有：provincial-exchange"),
        (FENGCHENG, 'cron: "0 6 * * *"', 'cron: "6点"', "“6点”不是五段式 cron，例：0 2 * * *（每天两点）"),
        (FENGCHENG, "bureau: 丰城市数据局", "buro: 丰城市数据局", "没有这个键。是不是 bureau？可用的有：code、name、bureau"),
        (FENGCHENG, ", bureau: 丰城市数据局", "", "缺少这个键"),
        (FENGCHENG, "poll: 5m", "poll: 5m, vanish_limit: 2", "2 不合规：应不大于 1.0"),
        (FENGCHENG, "poll: 5m", "poll: 5m, ask_again: 9d", "数据源 real_estate 不是按人查询的，不用写 ask_again"),
        (FENGCHENG, "poll: 5m", "poll: 5m, paused: perhaps", "perhaps 不合规：应为 true 或 false"),
        (FENGCHENG, "poll: 5m", "poll: 5m, mapping: {unit_nr: ZDDM}", "宅基地使用权没有这个字段。可用的有：unit_no、"),
        ("catalogue.yaml", "update_frequency: 实时更新", "update_frequency: 实时更", "“实时更”不是更新周期。是不是 实时更新？"),
        ("catalogue.yaml", 'agency: "{county}公安局"', 'agency: "{县}公安局"', "部门名称里只能写 {county}"),
        ("catalogue.yaml", "update_frequency: 实时更新", "update_frequency: 1", "数字代码各平台含义不同"),
        ("catalogue.yaml", "update_frequency: 实时更新", "update_frequency: {table: x, code: 1}", "代码表里查不到这个更新周期代码"),
        ("catalogue.yaml", "deadline: 每月10日前，遇节假日顺延\n    grace: 2d", "deadline: 下旬吧\n    grace: 2d", "看不懂期限“下旬吧”。可以写：次月10日前、"),
        ("catalogue.yaml", "deadline: 每月10日前，遇节假日顺延\n    grace: 2d", "deadline: 次月40日前\n    grace: 2d", "期限“次月40日前”里的数不对"),
        ("catalogue.yaml", "deadline: 每月10日前，遇节假日顺延\n    grace: 2d", "deadline: 次周三前\n    grace: 2d", "期限“次周三前”不适用于更新周期“每月”"),
        ("catalogue.yaml", "    grace: 2d\n", "    period_by: year\n", "year 分不出“每月”的各期"),
        ("catalogue.yaml", "    grace: 2d\n", "    period_by: item_name\n", "item_name 不能指明所属周期。可用的有：as_of、year、paid_on"),
        ("catalogue.yaml", "grace: 2d", "grace: 2天", "请写时长"),
        ("accounts.yaml", "per_minute: 6000, concurrency: 2, f", "per_minute: many, concurrency: 2, f", "many 不合规：应为整数"),
        ("accounts.yaml", "{file: secrets/provincial-app-key}", "app-key-itself", "这里应有下级的键，写成“键: 值”"),
        ("gateway.yaml", "  demo-bank:", "  示范:", "“示范”写法不对，应以小写字母开头"),
    ],
)  # fmt: skip
def test_one_fault_is_one_sentence_that_says_what_is_allowed(
    drafts: Drafts, name: str, old: str, new: str, sentence: str
) -> None:
    line, _ = drafts.edit(name, old, new)
    ((file, at, _column, told),) = drafts.problems()
    assert (file, at) == (name, line)
    assert told.startswith(sentence)
    assert "app-key-itself" not in told
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", told), "English from a library"


@pytest.mark.parametrize(
    ("new", "at", "sentence"),
    [
        ("poll: 5m: 6m", "poll: 5m", "YAML 语法不对：这里应为逗号或 }"),
        ("poll: 5m, poll: 6m", "poll: 5m", "YAML 语法不对：键 poll 写了两次，请删去一处"),
        ("poll: [5m", None, "YAML 语法不对：这里应为逗号或 ]；括号要合上"),
        ("poll: @5m", "poll: 5m", "YAML 语法不对：文本不能以 @ 开头，请加引号"),
        ("poll: *soon", "poll: 5m", "YAML 语法不对：文本不能以 * 开头，请加引号"),
        ("poll: 5m, cron: \x07", "poll: 5m", "这里有看不见的控制字符，请删去"),
        ("poll: 2027-02-30", "poll: 5m", "日历上没有这一天"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(drafts: Drafts, new: str, at: str | None, sentence: str) -> None:
    line, column = drafts.edit(FENGCHENG, "poll: 5m", new)
    ((file, found, where, told),) = drafts.problems()
    assert file == FENGCHENG
    assert told.startswith(sentence)
    if at is not None:
        assert found == line
        assert where >= column


def test_each_county_has_offices_of_its_own(drafts: Drafts) -> None:
    entry = read(drafts.root).catalogue["marriage"]
    assert [entry.promise("marriage", code).agency for code in ("360981", "360925")] == ["丰城市民政局", "靖安县民政局"]


def test_a_key_merged_in_is_read(drafts: Drafts) -> None:
    drafts.edit(
        FENGCHENG, "  homestead: {source: real_estate,", "  homestead: {<<: &all {paused: true}, source: real_estate,"
    )
    assert drafts.problems() == []
    assert read(drafts.root).feeds[FEEDS["homestead"]].model.paused


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_file_that_is_not_utf_8_is_told(drafts: Drafts, encoding: str) -> None:
    path = drafts.root / FENGCHENG
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    assert drafts.problems() == [
        (FENGCHENG, 1, 3 if encoding == "gb18030" else 1, "文件不是 UTF-8 编码，请另存为 UTF-8")
    ]


def test_a_byte_order_mark_of_notepad_is_no_fault(drafts: Drafts) -> None:
    path = drafts.root / FENGCHENG
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert drafts.problems() == []


def test_a_broken_county_stops_no_other(drafts: Drafts) -> None:
    drafts.edit(JINGAN, "poll: 5m", "pol: 5m")
    done = shuqiao(drafts.settings, "config", "publish")
    assert done.exit_code == 2
    assert "已发布" in done.stdout
    assert [line.rpartition("config/")[2].partition(":")[0] for line in done.stderr.splitlines()] == [JINGAN]
    gateway = Gateway(drafts.settings)
    try:
        others = {f for code, of in COUNTIES.items() if code != "360925" for f in of.values()}
        by_hand = {"360921/assistance_manual", "360983/subsidy_manual"}
        assert set(gateway.config.feeds) == {*others, POLICE, *by_hand}
    finally:
        gateway.close()


def test_a_county_that_breaks_runs_on_as_it_was_published(drafts: Drafts) -> None:
    assert shuqiao(drafts.settings, "config", "publish").exit_code == 0
    drafts.edit(JINGAN, "homestead: {source: land, dataset: homestead, poll: 5m}", "homestead: {source: nowhere}")
    drafts.edit(FENGCHENG, "poll: 5m", "poll: 7m")
    assert shuqiao(drafts.settings, "config", "publish").exit_code == 2
    gateway = Gateway(drafts.settings)
    try:
        minutes = {n: f.model.poll.total_seconds() / 60 for n, f in gateway.config.feeds.items() if f.model.poll}
        assert minutes["360925/homestead"] == 5
        assert minutes["360981/homestead"] == 7
        assert not gateway.publish(Actor.system()), "nothing more to publish"
    finally:
        gateway.close()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with house(tmp_path, monkeypatch, households=20) as running:
        yield running


@pytest.mark.sockets
def test_a_renamed_feed_keeps_its_identity_and_its_place(made: House) -> None:
    made.sync("homestead")
    with made.gateway.store.read() as tx:
        before = tx.one("feed_by_name", name=FEEDS["homestead"])
    assert before.cursor
    drafts = Drafts(made.gateway.settings)
    drafts.edit(FENGCHENG, "  homestead: {", "  zhaijidi: {renamed_from: homestead, ")
    assert shuqiao(drafts.settings, "config", "publish").exit_code == 0
    with made.gateway.store.read() as tx:
        after = tx.one("feed_by_name", name="360981/zhaijidi")
        assert tx.one("feed_by_name", name=FEEDS["homestead"]) is None
    assert (after.id, after.uid, after.cursor, after.stream_id) == (
        before.id,
        before.uid,
        before.cursor,
        before.stream_id,
    )
    done = shuqiao(drafts.settings, "sync", "360981/zhaijidi", "--json")
    assert done.exit_code == 0
    assert '"changed": 0' in done.stdout
