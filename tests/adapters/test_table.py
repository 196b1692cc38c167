"""Front-end tables on SQLite and PostgreSQL: no row is lost between two pages or two runs, and whose move it is."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import oracle, postgresql

from adapters.kit import (
    Page,
    Ports,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnavailable,
    TableSettings,
    TableStream,
    Translator,
)
from adapters.kit.database import connect, reading
from adapters.kit.recording import run
from adapters.kit.relation import Relation, cell
from schemas import DATASETS
from tests.adapters.awards import Awards
from tests.adapters.conftest import TODAY, make_ports
from tests.adapters.drops import id_number

pytestmark = pytest.mark.sockets

STREAM = Awards.streams["payment"]
NAME = STREAM.table
WHOLE = replace(STREAM, time=None, time_format=None, snapshot=True)
STAMP = "%Y-%m-%d %H:%M:%S"


@dataclass
class House:
    """One database, an account that may read it, and what builds tables in it."""

    url: str
    admin: sa.Engine
    made: list[sa.Table] = field(default_factory=list)

    def table(self, *columns: sa.Column[Any], name: str = NAME, rows: Sequence[dict[str, Any]] = ()) -> sa.Table:
        table = sa.Table(name, sa.MetaData(), *columns)
        table.create(self.admin)
        self.made.append(table)
        self.add(table, *rows)
        return table

    def add(self, table: sa.Table, *rows: dict[str, Any]) -> None:
        if rows:
            with self.admin.begin() as connection:
                connection.execute(sa.insert(table), list(rows))

    def run(self, *statements: str) -> None:
        with self.admin.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def adapter(self, stream: TableStream = STREAM, ports: Ports | None = None, **said: Any) -> Awards:
        kind = type("Awards", (Awards,), {"streams": {"payment": stream}, "__module__": Awards.__module__})
        made: Awards = kind(
            ports or make_ports(secrets={"password": "pw-7f"}),
            kind.Settings.model_validate({"url": self.url, **said}),
            "360981",
        )
        return made


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    own = f"sqlite:///{tmp_path / 'front.db'}"
    url = own if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = House(url, sa.create_engine(url))
    yield made
    with made.admin.begin() as connection:
        for table in reversed(made.made):
            connection.execute(sa.schema.DropTable(table, if_exists=True))
    made.admin.dispose()


def columns() -> list[sa.Column[Any]]:
    """Everything a text, as the exchange makes it (§1.4)."""
    names = ("ND", "BTXMMC", "FFZT", "XM", "SFZH", "SFJE", "GXSJ", "JHPT_UPDATE_TIME", "JHPT_DELETE", "TASKID")
    return [sa.Column("MXID", sa.String(40), primary_key=True), *(sa.Column(name, sa.String(200)) for name in names)]


def row(n: int, at: str = "2026-03-01 10:00:00", **more: Any) -> dict[str, Any]:
    return {
        "MXID": f"M{n:05d}",
        "ND": "2026",
        "BTXMMC": "耕地地力保护补贴",
        "FFZT": "发放成功",
        "XM": "王某",
        "SFZH": id_number(n),
        "SFJE": f"{n}.50",
        "GXSJ": "2026-02-01 00:00:00",
        "JHPT_UPDATE_TIME": at,
        "JHPT_DELETE": "0",
        "TASKID": f"T{n}",
        **more,
    }


def read(adapter: Any, cursor: Any = None, pages: int = 500) -> tuple[list[Page], Any]:
    """One run; cursors travel as JSON."""
    try:
        got, after = run(adapter, "payment", cursor, pages)
    finally:
        adapter.close()
    return got, json.loads(json.dumps(after))


def ids(pages: Sequence[Page]) -> list[str]:
    return [item["MXID"] for page in pages for item in page.rows.decode()]


def refused(adapter: Any, kind: type[SourceError], cursor: Any = None) -> SourceError:
    with pytest.raises(kind) as caught:
        read(adapter, cursor)
    assert "pw-7f" not in f"{caught.value} {caught.value.facts}"
    return caught.value


def names(first: int, last: int) -> list[str]:
    return [f"M{n:05d}" for n in range(first, last + 1)]


# Reading.


def test_a_table_is_read_in_pages_without_the_exchanges_own_columns(house: House) -> None:
    house.table(*columns(), rows=[row(n) for n in range(1, 26)])
    pages, cursor = read(house.adapter(page_size=10))
    assert [len(page.rows.raw) for page in pages] == [10, 10, 5]
    assert ids(pages) == names(1, 25)
    assert set(pages[0].rows.decode()[0]) == {*row(1)} - {"JHPT_UPDATE_TIME", "TASKID"}
    assert pages[0].places[0] == f"{NAME} › M00001"
    assert cursor == {"rest": True, "since": "2026-03-01T10:00:00"}
    assert pages[0].answer.request == f"TABLE {NAME}"


def test_a_row_sent_again_by_the_exchange_is_the_same_item(house: House) -> None:
    table = house.table(*columns(), rows=[row(1)])
    (before,), cursor = read(house.adapter())
    with house.admin.begin() as connection:
        connection.execute(sa.update(table).values(JHPT_UPDATE_TIME="2026-03-02 09:00:00", TASKID="T9"))
    (again,), _ = read(house.adapter(), cursor)
    assert list(again.rows.raw) == list(before.rows.raw)


def test_the_next_run_reads_what_is_new_and_a_little_before(house: House) -> None:
    """Rows are committed later than they are stamped: the overlap finds them, and the store recognises the rest."""
    table = house.table(*columns(), rows=[row(1, "2026-03-01 09:00:00"), row(2, "2026-03-01 10:00:00")])
    _, cursor = read(house.adapter())
    house.add(table, row(3, "2026-03-01 09:50:00"), row(4, "2026-03-01 09:49:59"), row(5, "2026-03-01 11:00:00"))
    pages, after = read(house.adapter(), cursor)
    assert ids(pages) == ["M00003", "M00002", "M00005"]
    assert after == {"rest": True, "since": "2026-03-01T11:00:00"}
    assert ids(read(house.adapter(overlap_minutes=0), cursor)[0]) == ["M00002", "M00005"]


def test_the_business_time_moves_no_watermark(house: House) -> None:
    table = house.table(*columns(), rows=[row(1, GXSJ="2026-03-01 23:00:00")])
    _, cursor = read(house.adapter())
    house.add(table, row(2, "2026-03-01 10:30:00", GXSJ="2019-01-01 00:00:00"))
    assert ids(read(house.adapter(overlap_minutes=0), cursor)[0]) == ["M00001", "M00002"]


def test_rows_of_one_moment_are_parted_between_pages(house: House) -> None:
    house.table(*columns(), rows=[row(n) for n in range(1, 8)])
    assert ids(read(house.adapter(page_size=1))[0]) == names(1, 7)


def test_a_late_page_costs_what_an_early_one_does(house: House, tmp_path: Path) -> None:
    """Else each page reads again all that lies before it, and a walk over n rows costs n²."""
    if not house.url.startswith("sqlite"):
        pytest.skip("SQLite tells how much it did")
    house.table(*columns(), rows=[row(n) for n in range(1, 2001)])
    house.run(f"CREATE INDEX BY_TIME ON {NAME} (JHPT_UPDATE_TIME, MXID)")
    asked: list[tuple[str, Any]] = []
    adapter = house.adapter(page_size=100)
    sa.event.listen(adapter.engine, "before_cursor_execute", lambda _c, _k, sql, said, *_: asked.append((sql, said)))
    read(adapter)
    steps = []
    with sqlite3.connect(tmp_path / "front.db") as opened:
        for query in [query for query in asked if "ORDER BY" in query[0]][2:]:
            steps.append(0)

            def step(counts: list[int] = steps) -> None:
                counts[-1] += 1

            opened.set_progress_handler(step, 10)
            opened.execute(*query).fetchall()
    opened.close()
    assert len(steps) > 15
    assert max(steps[:-1]) < 2 * steps[0]


def test_rows_that_come_and_go_meanwhile_move_no_other(house: House) -> None:
    table = house.table(*columns(), rows=[row(n) for n in range(1, 10)])
    adapter = house.adapter(page_size=3)
    page = adapter.fetch("payment", None)
    with house.admin.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.MXID.in_(["M00001", "M00003", "M00005"])))
    house.add(table, row(0, "2026-02-01 00:00:00"))
    pages, _ = read(adapter, page.after(None))
    assert ids(pages) == ["M00004", *names(6, 9)]


def test_rows_without_an_exchange_time_are_read_in_every_run(house: House) -> None:
    table = house.table(*columns(), rows=[row(1), row(2, JHPT_UPDATE_TIME=None), row(3, "")])
    pages, cursor = read(house.adapter(page_size=1))
    assert sorted(ids(pages)) == names(1, 3)
    house.add(table, row(4, JHPT_UPDATE_TIME=None))
    assert sorted(ids(read(house.adapter(overlap_minutes=0), cursor)[0])) == names(1, 4)


def test_a_time_that_is_none_stops_nothing(house: House) -> None:
    table = house.table(*columns(), rows=[row(1), row(2, "待定"), row(3, "2099-01-01 00:00:00")])
    _, cursor = read(house.adapter())
    assert cursor["since"] == "2026-03-01T10:00:00"
    house.add(table, row(4, "2026-03-01 10:00:01"))
    assert "M00004" in ids(read(house.adapter(), cursor)[0])


def test_a_back_fill_reads_from_its_day_on_and_rests_where_it_was(house: House) -> None:
    house.table(*columns(), rows=[row(1, "2026-01-05 10:00:00"), row(2, "2026-02-20 10:00:00"), row(3)])
    adapter = house.adapter(overlap_minutes=0)
    _, cursor = read(adapter)
    assert adapter.rewind(cursor, date(2026, 2, 10)) == {"rest": True, "since": "2026-02-10T00:00:00"}
    assert adapter.rewind(cursor, date(2026, 4, 1)) == cursor
    assert adapter.rewind(None, date(2026, 2, 10)) == {"rest": True, "since": None}
    pages, after = read(adapter, adapter.rewind(cursor, date(2026, 2, 10)))
    assert (ids(pages), after) == (["M00002", "M00003"], cursor)


def test_an_idle_run_ends_where_it_began(house: House) -> None:
    house.table(*columns(), rows=[row(n) for n in range(1, 4)])
    _, cursor = read(house.adapter())
    pages, after = read(house.adapter(), cursor)
    assert (len(pages), after) == (1, cursor)


def test_an_empty_table_is_a_confirmed_nothing(house: House) -> None:
    house.table(*columns())
    (page,), cursor = read(house.adapter())
    assert (page.empty_confirmed, page.last, cursor) == (True, True, {"rest": True, "since": None})
    (page,), _ = read(house.adapter(WHOLE))
    assert (page.empty_confirmed, page.declared) == (True, 0)


@pytest.mark.parametrize(
    ("kind", "times", "format_"),
    [
        (sa.DateTime(), [datetime(2026, 3, 1, 9), datetime(2026, 3, 1, 10, 0, 0, 123456), None], None),
        (sa.Date(), [date(2026, 2, 28), date(2026, 3, 1), None], None),
        (sa.BigInteger(), [20260301090000, 20260301100000, None], "%Y%m%d%H%M%S"),
        (sa.String(14), ["20260301090000", "20260301100000", ""], "%Y%m%d%H%M%S"),
    ],
)
def test_times_of_every_kind(house: House, kind: Any, times: list[Any], format_: str | None) -> None:
    own = [c if c.name != "JHPT_UPDATE_TIME" else sa.Column("JHPT_UPDATE_TIME", kind) for c in columns()]
    table = house.table(*own, rows=[row(n, JHPT_UPDATE_TIME=t) for n, t in enumerate(times, 1)])
    stream = replace(STREAM, time_format=format_)
    pages, cursor = read(house.adapter(stream, page_size=1))
    assert sorted(ids(pages)) == names(1, 3)
    newer = (
        times[1] + 1
        if isinstance(times[1], int)
        else str(int(times[1]) + 1)
        if isinstance(times[1], str)
        else times[1] + timedelta(days=1)
    )
    house.add(table, row(4, JHPT_UPDATE_TIME=newer))
    got = ids(read(house.adapter(stream, overlap_minutes=0), cursor)[0])
    assert sorted(got) == ["M00002", "M00003", "M00004"]


def test_times_with_a_zone(house: House) -> None:
    if house.admin.dialect.name == "sqlite":
        pytest.skip("SQLite has no zones")
    own = [
        c if c.name != "JHPT_UPDATE_TIME" else sa.Column("JHPT_UPDATE_TIME", sa.DateTime(timezone=True))
        for c in columns()
    ]
    table = house.table(*own, rows=[row(1, JHPT_UPDATE_TIME=datetime(2026, 3, 1, 2, tzinfo=UTC))])
    stream = replace(STREAM, time_format=None, source_time="JHPT_UPDATE_TIME")
    (page,), cursor = read(house.adapter(stream))
    assert cursor["since"] == "2026-03-01T10:00:00"
    assert page.rows.decode()[0]["JHPT_UPDATE_TIME"] == "2026-03-01 10:00:00"
    house.add(table, row(2, JHPT_UPDATE_TIME=datetime(2026, 3, 1, 1, 55, tzinfo=UTC)))
    assert ids(read(house.adapter(stream), cursor)[0]) == ["M00002", "M00001"]


KEYS: list[tuple[list[Any], list[Any]]] = [
    ([sa.Integer()], [3, 1, 2, 10]),
    ([sa.String(10)], ["b", "a", "B", "10", "9"]),
    ([sa.Numeric(20, 2)], [Decimal("1.50"), Decimal("12345678901234567.25"), Decimal("-3.00")]),
    ([sa.DateTime()], [datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1), datetime(2025, 1, 1)]),
    ([sa.Date()], [date(2026, 1, 2), date(2026, 1, 1)]),
    ([sa.Uuid()], [UUID(int=3), UUID(int=1), UUID(int=2)]),
    ([sa.Integer(), sa.String(5)], [(1, "b"), (1, "a"), (2, "a"), (0, "z")]),
]


@pytest.mark.parametrize(("kinds", "keys"), KEYS, ids=[str(kinds) for kinds, _ in KEYS])
@pytest.mark.filterwarnings("ignore:.*support Decimal objects natively")
def test_keys_of_every_kind(house: House, kinds: list[Any], keys: list[Any]) -> None:
    own = [sa.Column(f"K{i}", kind, primary_key=True) for i, kind in enumerate(kinds)]
    rest = [c if not c.primary_key else sa.Column("MXID", sa.String(40)) for c in columns()]
    made = [
        row(n, **{f"K{i}": part for i, part in enumerate(key if isinstance(key, tuple) else (key,))})
        for n, key in enumerate(keys)
    ]
    if (
        house.admin.dialect.name == "sqlite"
        and isinstance(kinds[0], sa.Numeric)
        and not isinstance(kinds[0], sa.Integer)
    ):
        pytest.skip("SQLite keeps decimals as floats")
    house.table(*own, *rest, rows=made)
    for stream in (STREAM, WHOLE):
        pages, _ = read(house.adapter(stream, page_size=1))
        assert sorted(ids(pages)) == sorted(r["MXID"] for r in made)
        assert len({place for page in pages for place in page.places}) == len(made)


@given(
    times=st.lists(
        st.sampled_from(["2026-03-01 10:00:00", "2026-03-01 10:00:01", "2026-02-01 00:00:00", "", None, "乱"]),
        max_size=25,
    ),
    size=st.integers(1, 6),
    cut=st.integers(0, 8),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_a_run_is_cut_every_row_is_read_once(
    tmp_path_factory: pytest.TempPathFactory, times: list[str | None], size: int, cut: int
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('front') / 'front.db'}"
    house = House(url, sa.create_engine(url))
    house.table(*columns(), rows=[row(n, JHPT_UPDATE_TIME=t) for n, t in enumerate(times)])
    first, cursor = read(house.adapter(page_size=size), pages=cut) if cut else ([], None)
    rest = [] if first and first[-1].last else read(house.adapter(page_size=size), cursor)[0]
    house.admin.dispose()
    assert sorted(ids([*first, *rest])) == sorted(f"M{n:05d}" for n in range(len(times)))


# Whole tables, deletions, what a county may say.


def test_a_whole_table_is_counted_after_it_was_read(house: House) -> None:
    house.table(*columns(), rows=[row(n) for n in range(1, 8)])
    pages, cursor = read(house.adapter(WHOLE, page_size=3))
    assert (ids(pages), pages[-1].declared, cursor) == (names(1, 7), 7, {"rest": True, "since": None})


@pytest.mark.parametrize("change", ["M00001", "M00009"])
def test_a_table_that_is_filled_anew_meanwhile_is_no_snapshot(house: House, change: str) -> None:
    """What is missing may only not be there yet: nothing may be taken for deleted."""
    table = house.table(*columns(), rows=[row(n) for n in range(1, 8)])
    adapter = house.adapter(WHOLE, page_size=3)
    page = adapter.fetch("payment", None)
    with house.admin.begin() as connection:
        if change == "M00001":
            connection.execute(sa.delete(table).where(change == table.c.MXID))
        else:
            connection.execute(sa.insert(table), [row(0)])
    error = refused(adapter, SourceUnavailable, page.after(None))
    assert error.code == "TABLE_CHANGED"


def test_a_logical_deletion_withdraws_its_record(house: House) -> None:
    house.table(*columns(), rows=[row(1), row(2, JHPT_DELETE="1", XM=None, SFZH="")])
    (page,), _ = read(house.adapter())
    t = Translator(
        DATASETS["payment"], STREAM.mapping, source_time="GXSJ", deleted=STREAM.deleted, today=TODAY
    ).translate(page.rows.decode())
    assert [r["detail_id"] for r in t.records] == ["M00001"]
    assert [(d.key, d.time) for d in t.deleted] == [({"detail_id": "M00002"}, "2026-02-01T00:00:00")]


def test_only_the_countys_rows_where_the_table_holds_a_province(house: House) -> None:
    own = [*columns(), sa.Column("QXDM", sa.String(6))]
    house.table(*own, rows=[row(1, QXDM="360981"), row(2, QXDM="360982"), row(3, QXDM="360981")])
    stream = replace(STREAM, where={"QXDM": "{county}"})
    assert ids(read(house.adapter(stream, page_size=1))[0]) == ["M00001", "M00003"]
    assert read(house.adapter(replace(WHOLE, where={"QXDM": "{county}"})))[0][-1].declared == 2


def test_a_view_with_a_declared_key(house: House) -> None:
    house.table(*columns(), rows=[row(n) for n in range(1, 4)])
    house.run(f'CREATE VIEW "V_BTFF" AS SELECT * FROM "{NAME}"')
    try:
        assert refused(house.adapter(tables={"payment": "V_BTFF"}), SourceMalformed).code == "KEY_UNKNOWN"
        assert ids(read(house.adapter(replace(STREAM, key=("MXID",)), tables={"payment": "V_BTFF"}))[0]) == names(1, 3)
    finally:
        house.run('DROP VIEW "V_BTFF"')


def test_names_are_quoted_never_pasted(house: House) -> None:
    name, column = 'T"; DROP TABLE "x', "select from"
    own = [c if c.name != "XM" else sa.Column(column, sa.String(20)) for c in columns()]
    house.table(*own, name=name, rows=[{**{k: v for k, v in row(1).items() if k != "XM"}, column: "王某"}])
    stream = replace(STREAM, table=name)
    (page,), _ = read(house.adapter(stream, renamed={"XM": column}))
    assert page.rows.decode()[0]["XM"] == "王某"


def test_names_are_met_whatever_their_case(house: House) -> None:
    own = [sa.Column(c.name.lower(), c.type, primary_key=c.primary_key) for c in columns()]
    house.table(*own, name=NAME.lower(), rows=[{k.lower(): v for k, v in row(1).items()}])
    (page,), _ = read(house.adapter())
    assert page.rows.decode()[0]["MXID"] == "M00001"


def test_a_column_this_source_does_not_have(house: House) -> None:
    house.table(
        *(c for c in columns() if c.name != "BTXMMC"), rows=[{k: v for k, v in row(1).items() if k != "BTXMMC"}]
    )
    assert ids(read(house.adapter(absent=["BTXMMC"]))[0]) == ["M00001"]


def test_values_of_every_kind_become_text() -> None:
    values = [
        None,
        " a ",
        True,
        12,
        Decimal("1.50"),
        0.1,
        1e22,
        datetime(2026, 3, 1, 9),
        date(2026, 3, 1),
        UUID(int=1),
        {"a": 1},
    ]
    assert [cell(value) for value in values] == [
        None, " a ", "1", "12", "1.50", "0.1", "10000000000000000000000", "2026-03-01 09:00:00", "2026-03-01",
        "00000000-0000-0000-0000-000000000001", '{"a":1}',
    ]  # fmt: skip


def test_pictures_are_left_where_they_are(house: House) -> None:
    house.table(*columns(), sa.Column("ZP", sa.LargeBinary()), rows=[row(1, ZP=b"\x89PNG")])
    (page,), _ = read(house.adapter())
    assert "ZP" not in page.rows.decode()[0]


# What goes wrong, and whose move it is.


def test_a_table_that_is_not_there_names_those_that_are(house: House) -> None:
    house.table(*columns(), name="T_OTHER")
    error = refused(house.adapter(), SourceMalformed)
    assert (error.code, "T_OTHER" in str(error)) == ("TABLE_MISSING", True)


def test_a_column_that_is_not_there_names_those_that_are(house: House) -> None:
    house.table(*(c for c in columns() if c.name != "SFZH"))
    error = refused(house.adapter(), SourceMalformed)
    assert (error.code, error.facts["column"], "BTXMMC" in str(error)) == ("SCHEMA_DRIFT", "SFZH", True)


def test_a_declared_key_that_names_several_rows(house: House) -> None:
    house.table(*columns(), rows=[row(1), row(2), row(3)])
    assert refused(house.adapter(replace(WHOLE, key=("ND",))), SourceMalformed).code == "KEY_NOT_UNIQUE"
    assert refused(house.adapter(replace(WHOLE, key=("ND",)), page_size=1), SourceMalformed).code == "KEY_NOT_UNIQUE"


def test_a_declared_key_that_is_blank_somewhere(house: House) -> None:
    house.table(*columns(), rows=[row(1), row(2, XM=None)])
    assert refused(house.adapter(replace(WHOLE, key=("XM",))), SourceMalformed).code == "KEY_NULL"


def test_a_query_that_takes_too_long_is_ended(house: House) -> None:
    endless = {
        "sqlite": f'CREATE VIEW "V" AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT t.* FROM "{NAME}" t WHERE (SELECT count(*) FROM n) > 0',
        "postgresql": f'CREATE VIEW "V" AS SELECT t.* FROM "{NAME}" t WHERE pg_sleep(20) IS NOT NULL',
    }
    house.table(*columns(), rows=[row(1)])
    house.run(endless[house.admin.dialect.name])
    try:
        adapter = house.adapter(replace(STREAM, key=("MXID",)), tables={"payment": "V"}, deadline=0.3)
        assert refused(adapter, SourceUnavailable).code == "TIMEOUT"
    finally:
        house.run('DROP VIEW "V"')


def test_nothing_can_be_written(house: House) -> None:
    house.table(*columns(), rows=[row(1)])
    engine = connect(house.url, None, 5)
    with pytest.raises(SourceError), reading(engine, 5, "TABLE x") as connection:
        connection.exec_driver_sql(f'DELETE FROM "{NAME}"')
    engine.dispose()
    assert ids(read(house.adapter())[0]) == ["M00001"]


def test_the_password_is_a_secret_of_the_account(house: House) -> None:
    if house.admin.dialect.name == "sqlite":
        pytest.skip("SQLite knows no accounts")
    error = refused(house.adapter(ports=make_ports()), SourceDenied)
    assert error.code == "AUTH_CONFIG"


@pytest.mark.parametrize("account", ["nobody_here", "poor"])
def test_an_account_without_the_right_is_denied(house: House, account: str) -> None:
    if house.admin.dialect.name == "sqlite":
        pytest.skip("SQLite knows no accounts")
    house.table(*columns(), rows=[row(1)])
    house.run("DROP ROLE IF EXISTS poor", "CREATE ROLE poor LOGIN")
    adapter = house.adapter(url=sa.make_url(house.url).set(username=account).render_as_string(hide_password=False))
    assert refused(adapter, SourceDenied).code == "AUTH_CONFIG"
    house.run("DROP ROLE poor")


def test_nobody_listens(house: House, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    urls = {"sqlite": f"sqlite:///{tmp_path / 'absent.db'}", "postgresql": f"postgresql+psycopg://u@127.0.0.1:{port}/x"}
    error = refused(house.adapter(url=urls[house.admin.dialect.name]), SourceUnavailable)
    assert error.code == "NETWORK"
    assert not (tmp_path / "absent.db").exists()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("dm+dmPython://u@h:5236", "dm+dmPython"),
        ("mysql+pymysql://u@h/x", "mysql+pymysql"),
        ("oracle+oracledb://u@h/x", "oracle+oracledb"),
    ],
)
def test_a_driver_that_is_not_installed_is_named(build_ports: Callable[..., Ports], url: str, driver: str) -> None:
    adapter = Awards(build_ports(secrets={"password": "pw-7f"}), Awards.Settings.model_validate({"url": url}), "360981")
    error = refused(adapter, SourceDenied)
    assert (error.code, error.facts["driver"]) == ("DRIVER_MISSING", driver)


def test_no_value_of_a_row_is_in_an_error(house: House) -> None:
    """Not even in what caused it: parameters are hidden."""
    house.table(*columns(), rows=[row(n, MXID=f"王小明{n}") for n in range(1, 4)])
    adapter = house.adapter(page_size=1)
    page = adapter.fetch("payment", None)
    house.run(f'DROP TABLE "{NAME}"')
    error = refused(adapter, SourceMalformed, page.after(None))
    chain: BaseException | None = error
    while chain is not None:
        assert "王小明" not in str(chain)
        chain = chain.__cause__
    assert "王小明" not in str(error.facts)


@pytest.mark.parametrize(
    "cursor",
    [
        {"phase": "timed", "at": [1], "since": None, "high": None, "count": 0},
        {"phase": "timed", "at": ["x", {"a": 1}], "since": None, "high": None, "count": 0},
        {"phase": "later", "at": None, "since": None, "high": None, "count": 0},
        {"rest": True, "since": "gestern"},
        {},
    ],
)
def test_a_cursor_that_is_none_of_ours(house: House, cursor: Any) -> None:
    house.table(*columns(), rows=[row(1)])
    assert refused(house.adapter(), SourceMalformed, cursor).code == "CURSOR_UNKNOWN"


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ({"url": "postgresql+psycopg://u:secret@h/x"}, "secrets.password"),
        ({"url": "not an address"}, "postgresql"),
        ({"url": "sqlite:///x", "colour": 1}, "colour"),
    ],
)
def test_settings_say_what_is_allowed(said: dict[str, Any], allowed: str) -> None:
    with pytest.raises(ValueError, match=allowed) as caught:
        TableSettings.model_validate(said)
    assert "secret@" not in str(caught.value)


@pytest.mark.parametrize("format_", ["%d/%m/%Y %H:%M:%S", "%Y-%m-%d %I:%M:%S", "%m%d%Y"])
def test_a_format_that_does_not_sort_as_time_does_is_refused(format_: str) -> None:
    with pytest.raises(ValueError, match="不能按文本排序"):
        replace(STREAM, time_format=format_)
    with pytest.raises(ValueError, match="不能都写"):
        replace(STREAM, snapshot=True)


def test_check_says_what_is_there(house: House) -> None:
    house.table(*columns())
    for said, ok in (({}, True), ({"tables": {"payment": "T_NONE"}}, False)):
        adapter = house.adapter(**said)
        (probe,) = adapter.probe()
        adapter.close()
        assert probe.ok == ok
        assert not ok or probe.sentence == f"表 {NAME} 有 11 列，约定的列都在"


class _Fake:
    """A connection of a database that is not here."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect


@pytest.mark.parametrize(("dialect", "blank"), [(oracle.dialect(), False), (postgresql.dialect(), True)])
def test_where_a_blank_is_null_nothing_is_compared_with_it(
    monkeypatch: pytest.MonkeyPatch, dialect: Any, blank: bool
) -> None:
    """In Oracle `<> ''` is true of no row: every row would be passed over."""
    monkeypatch.setattr("adapters.kit.relation._reflected", lambda *_: sa.Table(NAME, sa.MetaData(), *columns()))
    relation = Relation(STREAM, _Fake(dialect), "360981")  # type: ignore[arg-type] # only its dialect matters
    for yes in (True, False):
        said = str(relation.timed(yes=yes).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        assert ("''" in said) == blank


def test_every_known_database_begins_read_only() -> None:
    from adapters.kit.database import _BEGIN

    assert all(any("READ ONLY" in s or "query_only" in s for s in statements) for statements in _BEGIN.values())
    assert {"postgresql", "oracle", "mysql", "dm", "kingbase", "sqlite"} <= _BEGIN.keys()
