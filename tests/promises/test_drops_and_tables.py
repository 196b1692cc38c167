"""A file drop and a front-end table, all the way: collected, held with their place, withdrawn, on chain, proven.

The table's adapter is that of docs/files-and-tables.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import adapters
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.dispatch.execute import Outcome, queue_run
from gateway.proof import MemberKey
from gateway.quarantine import Quarantine
from gateway.scope import EVERYTHING
from gateway.settings import Settings
from gateway.status import reconcile
from gateway.store.pages import living
from gateway.store.segments import versions_between
from gateway.trace import trace
from gateway.vault import handle_text
from schemas.identifiers import id_checksum_holds
from tests.docs.test_files_and_tables import blocks
from tests.support.house import copy_config
from tests.support.suite import SUITE

COUNTY = """county: {code: "360981", name: 丰城市, bureau: 丰城市数据局}
sources:
  finance:
    adapter: finance
    account: fengcheng-civil-affairs
    directory: "%s"
    encoding: gbk
    renamed: {补贴项目名称: 项目名称, 发放状态: 状态, 实发金额: 金额}
    absent: [批次号, 补贴项目编码, 主管部门, 资金文号, 区划代码, 发放日期, 失败原因, 应发金额, 社保卡账号]
  table: {adapter: agriculture_table, account: fengcheng-civil-affairs, url: "sqlite:///%s"}
feeds:
  drop: {source: finance, dataset: payment, cron: "0 6 * * *"}
  table: {source: table, dataset: payment, poll: 30m}
"""
HEADER = "明细编号,年度,项目名称,状态,姓名,身份证号,金额"
NAMES = ("MXID", "ND", "BTXMMC", "FFZT", "XM", "SFZH", "SFJE", "GXSJ", "JHPT_UPDATE_TIME", "JHPT_DELETE")


def id_number(serial: int) -> str:
    body = f"36099919600101{serial:03d}"
    return next(body + check for check in "0123456789X" if id_checksum_holds(body + check))


class Office:
    """A county with one drop and one table, and the gateway that reads them."""

    def __init__(self, home: Path) -> None:
        self.drop = home / "drop"
        self.drop.mkdir()
        self.engine = sa.create_engine(f"sqlite:///{home / 'front.db'}")
        columns = [sa.Column(name, sa.Text, primary_key=name == "MXID") for name in NAMES]
        self.table = sa.Table("T_NYNC_BTFF", sa.MetaData(), *columns)
        with self.engine.begin() as connection:
            self.table.create(connection)
        (county,) = (copy_config(home) / "counties").iterdir()
        county.write_text(COUNTY % (self.drop, home / "front.db"), "utf-8")
        (home / "data" / "members").mkdir(parents=True)
        (home / "data" / "members" / "demo-bank.pub").write_text(MemberKey.new(SUITE).public.text, "ascii")
        self.gateway = Gateway(Settings(config=home / "config", data=home / "data"))
        _ = self.gateway.config

    def deliver(self, name: str, *lines: str) -> None:
        body = "\n".join((HEADER, *lines)).encode("gbk")
        (self.drop / name).write_bytes(body)
        (self.drop / f"{name}.md5").write_text(hashlib.md5(body).hexdigest(), "ascii")

    def write(self, *cells: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.delete(self.table).where(cells[0] == self.table.c.MXID))
            connection.execute(sa.insert(self.table), dict(zip(NAMES, cells, strict=True)))

    def row(self, feed: str) -> Any:
        with self.gateway.store.read() as tx:
            return tx.one("feed_by_name", name=feed)

    def sync(self, feed: str) -> Outcome:
        slot = Clock.real().isoformat(timespec="microseconds")
        run, _ = queue_run(self.gateway.store, self.row(feed).id, due_at=slot, reason="test", actor="test")
        return self.gateway.executor.execute(run)

    def versions(self, feed: str) -> list[tuple[int, str]]:
        with self.gateway.store.read() as tx:
            return [(v.number, v.op) for v in versions_between(tx, self.row(feed).stream_id, 1, 10_000)]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    kinds = tmp_path / "adapters"
    kinds.mkdir()
    (kinds / "agriculture_table.py").write_text(blocks("python")[1], "utf-8")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(kinds)])
    made = Office(tmp_path)
    yield made
    made.gateway.close()
    made.engine.dispose()


def test_a_drop_is_collected_and_a_bad_line_is_held_with_its_place(office: Office) -> None:
    good = f"Y1,2026,稻谷补贴,发放成功,王某,{id_number(1)},1.50"
    office.deliver("360981_CZJ_YKT_20260301_001.csv", good, "Y2,2026,稻谷补贴,发放成功,王某,123,1.50", "合计,,,,,,3.00")
    counts = office.sync("360981/drop").counts
    assert (counts["fetched"], counts["puts"], counts["quarantined"], counts["ignored"]) == (3, 1, 1, 1)
    held = Quarantine(office.gateway.store, office.gateway.vault, office.gateway.clock)
    (item,) = held.items(EVERYTHING, "360981/drop")
    assert held.show(item.handle, {}).place == "360981_CZJ_YKT_20260301_001.csv › 3"
    counts = office.sync("360981/drop").counts
    assert (counts["fetched"], counts["emptiness"]) == (0, None), "no new file is no empty answer"
    office.deliver("360981_CZJ_YKT_20260302_002.csv", good.replace("发放成功", "发放失败"), good.replace("Y1", "Y3"))
    assert office.sync("360981/drop").counts["puts"] == 2
    assert office.versions("360981/drop") == [(1, "put"), (1, "put"), (2, "put")]


def test_an_altered_file_ends_the_run_and_deletes_nothing(office: Office) -> None:
    good = f"Y1,2026,稻谷补贴,发放成功,王某,{id_number(1)},1.50"
    office.deliver("360981_CZJ_YKT_20260301_001.csv", good)
    assert office.sync("360981/drop").verdict.state == "ok"
    office.deliver("360981_CZJ_YKT_20260302_002.csv", good)
    (office.drop / "360981_CZJ_YKT_20260302_002.csv").write_bytes(b"altered")
    done = office.sync("360981/drop")
    assert (done.state, done.verdict.owner) == ("failed", "agency")
    assert office.versions("360981/drop") == [(1, "put")]


def test_what_a_table_withdraws_becomes_a_tombstone_on_the_chain(office: Office) -> None:
    base = ("2026", "稻谷补贴", "发放成功", "王某", id_number(1), "1.50", "2026-02-01")
    office.write("M1", *base, "2026-03-01 10:00:00", "0")
    office.write("M2", *base, "2026-03-01 10:00:00", "0")
    assert office.sync("360981/table").counts["puts"] == 2
    office.write("M1", *base, "2026-03-01 10:05:00", "1")
    done = office.sync("360981/table")
    assert done.verdict.state == "ok", done
    counts = done.counts
    assert (counts["puts"], counts["changed"], counts["quarantined"]) == (1, 1, 0), counts
    assert office.versions("360981/table") == [(1, "put"), (1, "put"), (2, "gone")]
    with office.gateway.store.read() as tx:
        ids = living(tx, office.row("360981/table").id)
        heads = {row.id: row for row in tx.among("observations_state", [ids[0] - 1, ids[0]])}
    assert len(ids) == 1
    assert office.sync("360981/table").counts["puts"] == 0
    office.gateway.forwarder.forward()
    assert reconcile(office.gateway.store, ["local"]) == []
    gone = trace(office.gateway, handle_text(heads[ids[0] - 1].handle))
    assert (gone.op, gone.version, gone.proven, gone.fields) == ("gone", 2, True, [])
    office.write("M1", *base, "2026-03-01 10:06:00", "0")
    assert office.sync("360981/table").counts["puts"] == 1
    assert office.versions("360981/table")[-1] == (3, "put")
