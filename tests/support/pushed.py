"""A gateway of one county to which homesteads are pushed, beside the same ones in a table that is read."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

import adapters
from adapters.kit import FieldRule
from adapters.real_estate import LIST
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.dispatch.execute import Outcome, queue_run
from gateway.proof import MemberKey
from gateway.scope import EVERYTHING
from gateway.settings import Settings
from gateway.store.pages import living
from gateway.store.segments import versions_at, versions_between
from mock_agencies.items import Raw
from mock_agencies.pusher import RESOURCE, SECRET
from tests.support.house import ROOT
from tests.support.suite import SUITE

PUSHED, PULLED = "360981/homestead", "360983/homestead"
PATH = "/push/v1/360981/homestead"
COUNTY = """county: {code: "360981", name: 丰城市, bureau: 丰城市数据局}
sources:
  push:
    adapter: push
    account: provincial-push
    resources: {homestead: %s}
    inbox_rows: 100000
    datasets: {homestead: %s}
feeds:
  homestead: {source: push, dataset: homestead, poll: 1h}
"""
FRONT = """county: {code: "360983", name: 高安市, bureau: 高安市数据局}
sources:
  front: {adapter: homestead_table, account: provincial-push, url: "sqlite:///%s"}
feeds:
  homestead: {source: front, dataset: homestead, cron: "0 0 1 1 *", paused: true}
"""
"""In a file of its own: another process does not know its adapter, and a broken file stops no other county."""
TABLE = """
from typing import ClassVar
from collections.abc import Mapping

from adapters.kit import TableAdapter, TableStream
from adapters.real_estate import LIST


class HomesteadTable(TableAdapter):
    name = "homestead_table"
    title = "宅基地前置库"
    streams: ClassVar[Mapping[str, TableStream]] = {
        "homestead": TableStream(
            table="T_BDC", key=("BDCDYH", "BDCQZH"), mapping=LIST.mapping, ignore=LIST.ignore, source_time="GXSJ"
        ),
    }
"""


@dataclass
class County:
    """The gateway and its front-end table."""

    gateway: Gateway
    front: Path

    def fill(self, rows: Sequence[Raw]) -> None:
        """What the table holds from now on."""
        names = list(rows[0])
        engine = sa.create_engine(f"sqlite:///{self.front}")
        table = sa.Table("T_BDC", sa.MetaData(), sa.Column("N", sa.Integer), *(sa.Column(n, sa.Text) for n in names))
        with engine.begin() as connection:
            table.drop(connection, checkfirst=True)
            table.create(connection)
            connection.execute(sa.insert(table), [{"N": n, **row} for n, row in enumerate(rows)])
        engine.dispose()

    def row(self, feed: str = PUSHED) -> Any:
        with self.gateway.store.read() as tx:
            return tx.one("feed_by_name", name=feed)

    def sync(self, feed: str = PUSHED) -> Outcome:
        slot = Clock.real().isoformat(timespec="microseconds")
        run, _ = queue_run(self.gateway.store, self.row(feed).id, due_at=slot, reason="test", actor="test")
        return self.gateway.executor.execute(run)

    def drain(self) -> list[Outcome]:
        """Every queued run, here and now."""
        with self.gateway.store.read() as tx:
            queued = [row.id for row in tx.all("runs_queued")]
        return [self.gateway.executor.execute(run) for run in queued]

    def state(self, feed: str = PUSHED) -> Counter[bytes]:
        """The living records, as canonical text."""
        vault, found = self.gateway.vault, self.row(feed)
        with self.gateway.store.read() as tx:
            heads = tx.among("observations_state", living(tx, found.id))
            rows = versions_at(tx, found.stream_id, [head.seq for head in heads]).values()
        return Counter(
            vault.open_version(vault.unwrap(r.wrapped_key), r.number, r.handle, r.sealed, r.suite)
            for r in rows
            if r.sealed
        )

    def held(self, feed: str = PUSHED) -> Counter[tuple[str, str | None]]:
        with self.gateway.store.read() as tx:
            rows = tx.all("quarantine_list", feed=feed, state="open", count=1_000_000)
        return Counter((row.reason, row.field) for row in rows)

    def versions(self, feed: str = PUSHED) -> list[tuple[bytes, int, str, bytes | None]]:
        """(handle, number, operation, content) of every version, in order."""
        vault, found = self.gateway.vault, self.row(feed)
        with self.gateway.store.read() as tx:
            rows = versions_between(tx, found.stream_id, 1, 10_000_000)
        return [
            (
                r.handle,
                r.number,
                r.op,
                r.sealed and vault.open_version(vault.unwrap(r.wrapped_key), r.number, r.handle, r.sealed, r.suite),
            )
            for r in rows
        ]

    def figures(self) -> dict[str, Any]:
        return next((row for row in self.gateway.inboxes.figures(EVERYTHING) if row["feed"] == PUSHED), {})


def json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def declared() -> dict[str, Any]:
    """The stanza of homesteads that are pushed: the columns of real-estate registration."""
    rules = {path: FieldRule(from_=rule) if isinstance(rule, str) else rule for path, rule in LIST.mapping.items()}
    ignore = {name: rule.model_dump(by_alias=True, exclude_defaults=True) for name, rule in LIST.ignore.items()}
    mapping = {path: rule.model_dump(by_alias=True, exclude_defaults=True) for path, rule in rules.items()}
    return {"mapping": mapping, "ignore": ignore}


@contextmanager
def county(home: Path, monkeypatch: pytest.MonkeyPatch, *, store: str | None = None) -> Iterator[County]:
    """Nothing pushed yet."""
    kinds = home / "adapters"
    kinds.mkdir()
    (kinds / "homestead_table.py").write_text(dedent(TABLE), "utf-8")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(kinds)])
    shutil.copytree(ROOT / "config", home / "config")
    (home / "config" / "secrets" / "push-secret").write_text(SECRET, "ascii")
    accounts = home / "config" / "accounts.yaml"
    secret = "  provincial-push:\n    secrets:\n      push_secret: {file: secrets/push-secret}\n"
    accounts.write_text(accounts.read_text("utf-8") + secret, "utf-8")
    for file in (home / "config" / "counties").iterdir():
        file.unlink()
    counties = home / "config" / "counties"
    (counties / "360981.yaml").write_text(COUNTY % (json(RESOURCE), json(declared())), "utf-8")
    (counties / "360983.yaml").write_text(FRONT % (home / "front.db"), "utf-8")
    (home / "data" / "members").mkdir(parents=True)
    (home / "data" / "members" / "demo-bank.pub").write_text(MemberKey.new(SUITE).public.text, "ascii")
    settings = Settings(config=home / "config", data=home / "data")
    gateway = Gateway(settings.model_copy(update={"store": store}) if store else settings)
    _ = gateway.config
    try:
        yield County(gateway, home / "front.db")
    finally:
        gateway.close()
