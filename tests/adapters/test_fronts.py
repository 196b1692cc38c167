"""The county's own front-end tables on SQLite and PostgreSQL, day after day: every contract with its plots and members."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from adapters.kit import Page, Translator
from adapters.table import Table
from mock_agencies.fronts import CONTRACT, Front
from mock_agencies.world import World
from schemas import DATASETS
from tests.adapters.conftest import make_ports
from tests.support.handed import stanzas

pytestmark = pytest.mark.sockets


@pytest.fixture(params=["sqlite", "postgres"])
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Front, str]]:
    world = World(120, seed=5, dirt=0.2)
    if request.param == "sqlite":
        yield Front.at(world, "contracted_land", tmp_path / "front.db"), f"sqlite:///{tmp_path / 'front.db'}"
        return
    url = request.getfixturevalue("postgres_url")
    plain = url.replace("postgresql+psycopg", "postgresql")
    yield Front(world, "contracted_land", lambda: psycopg.connect(plain), mark="%s"), url
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for table in CONTRACT:
            connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()


def test_contracts_are_as_they_are_true_and_only_what_changed_is_new(front: tuple[Front, str]) -> None:
    filled, url = front
    said = stanzas("360923")["land_front"]
    settings = Table.Settings.model_validate(
        {"url": url, "page_size": 37, "datasets": {"contracted_land": said["datasets"]["contracted_land"]}}
    )
    stream = settings.datasets["contracted_land"]
    filled.publish()
    cursor: Any = None
    known: set[bytes] = set()
    for _ in range(4):
        ports = make_ports(secrets={"password": "x"}, today=lambda: filled.world.today)
        adapter = Table(ports, settings, "360981")
        pages, cursor = walk(adapter, cursor)
        adapter.close()
        fresh = {
            bytes(raw): item for page in pages for raw, item in zip(page.rows.raw, page.rows.decode(), strict=True)
        }
        new = [item for raw, item in fresh.items() if raw not in known]
        translator = Translator(
            DATASETS["contracted_land"], stream.mapping, source_time=stream.source_time, deleted=stream.deleted,
            today=filled.world.today,
        )  # fmt: skip
        got = {record["contract_code"]: record for record in translator.translate(new).records}
        true = {item.key: item for item in filled.world.items("contracted_land") if item.verdict == "accept"}
        day = filled.world.today.isoformat()
        assert got.keys() == {key for key, item in true.items() if not known or item.updated[:10] == day}
        # Of a pair that contradicts itself the page decides, not the mapping.
        plain = [key for key in got if "DUPLICATE_KEY" not in true[key].dirt]
        assert {key: got[key] for key in plain} == {key: true[key].canonical for key in plain}
        assert got
        known |= set(fresh)
        filled.world.advance(1)
        filled.publish()


def walk(adapter: Table, cursor: Any) -> tuple[list[Page], Any]:
    pages: list[Page] = []
    while not pages or not pages[-1].last:
        pages.append(adapter.fetch("contracted_land", cursor))
        cursor = pages[-1].after(None)
    return pages, cursor


def test_what_is_late_and_what_is_withdrawn_are_written_as_an_exchange_writes_them(tmp_path: Path) -> None:
    world = World(150, seed=1, dirt=0.0)
    front = Front.at(world, "assistance", tmp_path / "front.db")
    count = front.publish(late=2)
    connection = sqlite3.connect(tmp_path / "front.db")

    def rows(where: str) -> int:
        found: int = connection.execute(f"SELECT count(*) FROM T_MZ_SHJZ WHERE {where}").fetchone()[0]
        return found

    newest = connection.execute("SELECT max(JHPT_UPDATE_TIME) FROM T_MZ_SHJZ").fetchone()[0]
    assert rows("CZLX='I'") == count
    assert front.publish() == 2
    assert rows("CZLX='I'") == count + 2
    assert connection.execute("SELECT min(JHPT_UPDATE_TIME) FROM T_MZ_SHJZ").fetchone()[0] < newest
    gone = 0
    for _ in range(10):
        world.advance(1)
        front.publish()
        gone = rows("CZLX='D' AND JHPT_DELETE='1'")
    assert gone == 2
    assert rows("JHPT_DELETE='0'") == len(world.items("assistance"))
    connection.close()
