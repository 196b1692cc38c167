"""A county whose assistances stand in a table of its own columns, and a gateway that reads it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from gateway.app import Gateway
from gateway.audit import Actor
from gateway.clock import Clock
from gateway.dispatch.execute import Outcome, RunOptions, queue_run
from gateway.settings import Settings
from gateway.store.pages import living
from gateway.store.segments import versions_at
from schemas.identifiers import id_checksum_holds
from tests.support.house import ROOT

FEED = "360981/assistance"
COLUMNS = ("GJ_ID", "JZZH", "JZLX", "QSNY", "SSNY", "XM", "SFZH", "BZJE", "BZ", "GXSJ")
COUNTY = """county: {code: "360981", name: 丰城市, bureau: 丰城市数据局}
sources:
  civil_front:
    adapter: table
    account: fengcheng-civil-affairs
    url: "sqlite:///%s"
    datasets:
      assistance:
        table: T_MZ
        key: [GJ_ID]
        snapshot: %s
        source_time: GXSJ
        technical: [GJ_ID]
        mapping: {cert_no: JZZH, kind: JZLX, since: QSNY, period: SSNY, name: XM, id_no: SFZH, monthly_amount: BZJE}
feeds:
  assistance: {source: civil_front, dataset: assistance, poll: 1h%s}
"""


def id_number(serial: int) -> str:
    """A synthetic number (area 360999), another for every serial below 200,000."""
    year, rest = divmod(serial, 3000)
    month, rest = divmod(rest, 250)
    day, place = divmod(rest, 10)
    body = f"360999{1935 + year}{month + 1:02d}{day + 1:02d}{place * 7 + 11:03d}"
    return next(body + check for check in "0123456789X" if id_checksum_holds(body + check))


def row(serial: int, **other: str) -> dict[str, str]:
    """One good row, but for what is said otherwise."""
    return {
        "GJ_ID": f"{serial:08d}",
        "JZZH": f"DB{serial:08d}",
        "JZLX": "2",
        "QSNY": "202301",
        "SSNY": "202603",
        "XM": f"{'赵钱孙李周吴郑王'[serial % 8]}{'明芳伟秀娜强磊洋'[serial // 8 % 8]}{'光华'[serial // 64 % 2]}",
        "SFZH": id_number(serial),
        "BZJE": f"{400 + serial % 50}.00",
        "BZ": f"说明{serial}",
        "GXSJ": "2026-03-02 09:00:00",
        **other,
    }


class County:
    """One county, one table, one feed."""

    def __init__(self, home: Path, *, snapshot: bool = False, said: str = "", store: str | None = None) -> None:
        self.home, self.front = home, home / "front.db"
        shutil.copytree(ROOT / "config", home / "config")
        for file in (home / "config" / "counties").iterdir():
            file.unlink()
        self.file = home / "config" / "counties" / "360981.yaml"
        self.file.write_text(COUNTY % (self.front, str(snapshot).lower(), said), "utf-8")
        self.settings = Settings(config=home / "config", data=home / "data", store=store)
        self.gateway = Gateway(self.settings)
        _ = self.gateway.config

    def fill(self, rows: Sequence[dict[str, str]]) -> None:
        """What the table holds from now on."""
        engine = sa.create_engine(f"sqlite:///{self.front}")
        names = list(rows[0])
        table = sa.Table("T_MZ", sa.MetaData(), *(sa.Column(name, sa.Text) for name in names))
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE IF EXISTS T_MZ"))
            table.create(connection)
            connection.execute(sa.insert(table), list(rows))
        engine.dispose()

    def sync(self, feed: str = FEED, **options: bool) -> Outcome:
        with self.gateway.store.read() as tx:
            found = tx.one("feed_by_name", name=feed)
        slot = Clock.real().isoformat(timespec="microseconds")
        asked = {"due_at": slot, "reason": "test", "actor": "test", "options": RunOptions(**options)}
        run, _ = queue_run(self.gateway.store, found.id, **asked)
        return self.gateway.executor.execute(run)

    def versions(self, feed: str = FEED) -> dict[str, Any]:
        """Certificate -> (record, flags, number of the version) of every living observation."""
        vault, out = self.gateway.vault, {}
        with self.gateway.store.read() as tx:
            found = tx.one("feed_by_name", name=feed)
            heads = tx.among("observations_state", living(tx, found.id))
            for v in versions_at(tx, found.stream_id, [head.seq for head in heads]).values():
                text = vault.open_version(vault.unwrap(v.wrapped_key), v.number, v.handle, v.sealed, v.suite)
                record = msgspec.json.decode(text)
                out[record["cert_no"]] = (record, v.flags, v.number)
        return out

    def publish(self, text: str) -> None:
        """Another text of the county's file, in force."""
        self.file.write_text(text, "utf-8")
        self.gateway.close()
        self.gateway = Gateway(self.settings)
        self.gateway.publish(Actor.system())

    def close(self) -> None:
        self.gateway.close()
