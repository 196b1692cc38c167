"""Tables beside the one that is walked, on SQLite and PostgreSQL: no change of theirs is lost, and none moves an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from adapters.kit import ChildTable, DeletedRule, FieldRule, Page, SourceMalformed, TableStream, Translator
from adapters.kit.contract import checks
from adapters.kit.recording import record
from adapters.table import Table
from schemas import DATASETS
from tests.adapters.conftest import NOW, TODAY, make_ports
from tests.adapters.drops import id_number
from tests.adapters.test_table import House, house, read

__all__ = ["house"]
pytestmark = pytest.mark.sockets

CODE = "360981101200010001J"
T1, T2, T3 = "2026-03-01 10:00:00", "2026-03-01 10:30:00", "2026-03-01 11:00:00"
PLOTS = ChildTable(
    table="CBDKXX",
    on={"GJ_ID": "HT_ID"},
    time="JHPT_UPDATE_TIME",
    deleted=DeletedRule(from_="JHPT_DELETE", equals=("1",)),
)
HOLDER = ChildTable(table="CBF", on={"GJ_ID": "HT_ID"}, one=True, time="JHPT_UPDATE_TIME")
STREAM = TableStream(
    table="CBHT",
    time="JHPT_UPDATE_TIME",
    time_format="%Y-%m-%d %H:%M:%S",
    source_time="GXSJ",
    children={"CBDKXX": PLOTS, "CBF": HOLDER},
    mapping={
        "contract_code": "CBHTBM",
        "contractor_type": "CBF.CBFLX",
        "contractor_name": "CBF.CBFMC",
        "contractor_id_no": "CBF.CBFZJHM",
        "plots.code": FieldRule(from_="DKBM", each="CBDKXX"),
        "plots.area_m2": FieldRule(from_="HTMJ", each="CBDKXX"),
        "members.name": FieldRule(const="王某"),
    },
)
WHOLE = replace(
    STREAM,
    time=None,
    time_format=None,
    children={"CBDKXX": replace(PLOTS, time=None), "CBF": replace(HOLDER, time=None)},
)


def texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(80), primary_key=name == "GJ_ID") for name in names]


class Register:
    """A county's contracts in three tables."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.contracts = house.table(*texts("GJ_ID", "CBHTBM", "GXSJ", "JHPT_UPDATE_TIME"), name="CBHT")
        self.plots = house.table(
            *texts("GJ_ID", "HT_ID", "DKBM", "HTMJ", "JHPT_UPDATE_TIME", "JHPT_DELETE"), name="CBDKXX"
        )
        self.holders = house.table(
            *texts("GJ_ID", "HT_ID", "CBFLX", "CBFMC", "CBFZJHM", "JHPT_UPDATE_TIME"), name="CBF"
        )

    def contract(self, n: int, plots: int = 2, at: str = T1) -> None:
        key = f"H{n:03d}"
        self.house.add(
            self.contracts,
            {"GJ_ID": key, "CBHTBM": f"{CODE[:14]}{n:04d}J", "GXSJ": "2026-02-01 00:00:00", "JHPT_UPDATE_TIME": at},
        )
        self.holder(n, f"F{n:03d}", at)
        for k in range(plots, 0, -1):
            self.plot(n, k, at)

    def holder(self, n: int, key: str, at: str = T1, name: str = "王某") -> None:
        person = {"CBFLX": "1", "CBFMC": name, "CBFZJHM": id_number(n)}
        self.house.add(self.holders, {"GJ_ID": key, "HT_ID": f"H{n:03d}", "JHPT_UPDATE_TIME": at, **person})

    def plot(self, n: int, k: int, at: str = T1, **more: str) -> None:
        row = {"GJ_ID": f"D{n:03d}{k}", "HT_ID": f"H{n:03d}", "DKBM": f"{CODE[:14]}{n:03d}{k:02d}", "HTMJ": f"{k}.50"}
        self.house.add(self.plots, {**row, "JHPT_UPDATE_TIME": at, "JHPT_DELETE": "0", **more})

    def change(self, table: sa.Table, key: str, **values: str) -> None:
        with self.house.admin.begin() as connection:
            connection.execute(sa.update(table).where(key == table.c.GJ_ID).values(**values))


@pytest.fixture
def register(house: House) -> Register:
    return Register(house)


def contracts(pages: Sequence[Page]) -> list[str]:
    return [item["CBHTBM"][-5:] for page in pages for item in page.rows.decode()]


def test_what_belongs_to_a_row_is_in_its_item(register: Register) -> None:
    register.contract(1)
    register.contract(2, plots=0)
    ((page,), cursor) = read(register.house.adapter(STREAM))
    first, second = page.rows.decode()
    assert [plot["DKBM"][-4:] for plot in first["CBDKXX"]] == ["0101", "0102"]
    assert set(first["CBDKXX"][0]) == {"DKBM", "HTMJ", "JHPT_DELETE"}
    assert (first["CBF.CBFMC"], second["CBDKXX"]) == ("王某", [])
    assert cursor == {"rest": True, "since": T1.replace(" ", "T")}
    translator = Translator(DATASETS["contracted_land"], STREAM.mapping, source_time="GXSJ", today=TODAY)
    (record, bare) = translator.translate([first, second]).records
    plots: Any = record["plots"]
    assert [plot["area_m2"] for plot in plots] == ["1.50", "2.50"]
    assert (record["contractor_name"], record["contractor_id_no"], bare["plots"]) == ("王某", id_number(1), [])


@pytest.mark.parametrize("stream", [STREAM, WHOLE])
def test_pages_and_chunks_part_no_family(
    register: Register, stream: TableStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.kit.children.CHUNK", 2)
    for n in range(1, 12):
        register.contract(n, plots=n % 4)
    pages, _ = read(register.house.adapter(stream, page_size=5))
    assert contracts(pages) == [f"{n:04d}J" for n in range(1, 12)]
    assert [len(item["CBDKXX"]) for page in pages for item in page.rows.decode()] == [n % 4 for n in range(1, 12)]


def test_a_change_beside_a_row_is_a_change_of_its_item(register: Register) -> None:
    for n in (1, 2, 3):
        register.contract(n)
    (before,), cursor = read(register.house.adapter(STREAM, overlap_minutes=0))
    register.change(register.plots, "D0021", HTMJ="9.00", JHPT_UPDATE_TIME=T2)
    register.change(register.holders, "F003", CBFMC="李某", JHPT_UPDATE_TIME=T3)
    (after,), cursor = read(register.house.adapter(STREAM, overlap_minutes=0), cursor)
    new = dict(zip(contracts([after]), after.rows.raw, strict=True))
    old = dict(zip(contracts([before]), before.rows.raw, strict=True))
    # What was newest in the pass before is read again: rows of its moment may have come since.
    assert {key for key in new if new[key] != old[key]} == {"0002J", "0003J"}
    assert cursor["since"] == T3.replace(" ", "T")
    (rest,), _ = read(register.house.adapter(STREAM, overlap_minutes=0), cursor)
    assert contracts([rest]) == ["0003J"]


def test_a_row_beside_that_is_withdrawn_or_says_no_time(register: Register) -> None:
    register.contract(1)
    register.contract(2)
    _, cursor = read(register.house.adapter(STREAM, overlap_minutes=0))
    register.change(register.plots, "D0011", JHPT_DELETE="1", JHPT_UPDATE_TIME=T2)
    register.plot(2, 3, "")
    (page,), cursor = read(register.house.adapter(STREAM, overlap_minutes=0), cursor)
    assert [[plot["DKBM"][-2:] for plot in item["CBDKXX"]] for item in page.rows.decode()] == [
        ["02"],
        ["01", "02", "03"],
    ]
    register.contract(3, at=T3)
    _, cursor = read(register.house.adapter(STREAM, overlap_minutes=0), cursor)
    assert contracts(read(register.house.adapter(STREAM, overlap_minutes=0), cursor)[0]) == ["0002J", "0003J"]


def test_what_changes_behind_a_walk_is_read_by_the_next(register: Register) -> None:
    """A walk by key does not come back; so the next begins before what was newest when this one began."""
    for n in range(1, 7):
        register.contract(n)
    adapter = register.house.adapter(STREAM, page_size=2, overlap_minutes=0)
    page = adapter.fetch("payment", None)
    register.change(register.plots, "D0011", HTMJ="9.00", JHPT_UPDATE_TIME=T2)
    register.change(register.plots, "D0061", HTMJ="9.00", JHPT_UPDATE_TIME=T3)
    _, cursor = read(adapter, page.after(None))
    assert cursor["since"] == T1.replace(" ", "T")
    pages, _ = read(register.house.adapter(STREAM, overlap_minutes=0), cursor)
    assert "0001J" in contracts(pages)


def test_a_row_committed_late_is_within_the_overlap(register: Register) -> None:
    register.contract(1, at=T3)
    _, cursor = read(register.house.adapter(STREAM))
    register.plot(1, 3, "2026-03-01 10:52:00")
    (page,), _ = read(register.house.adapter(STREAM), cursor)
    assert len(page.rows.decode()[0]["CBDKXX"]) == 3


def test_two_columns_may_tie(house: House) -> None:
    register = Register(house)
    register.contract(1)
    with house.admin.begin() as connection:
        connection.execute(sa.update(register.plots).values(JHPT_DELETE="H001"))
    tied = replace(PLOTS, on={"GJ_ID": "HT_ID", "gj_id": "jhpt_delete"}, deleted=None)
    stream = replace(STREAM, children={"CBDKXX": tied, "CBF": HOLDER})
    ((page,), cursor) = read(house.adapter(stream))
    assert len(page.rows.decode()[0]["CBDKXX"]) == 2
    register.change(register.plots, "D0011", HT_ID="H002")
    assert len(read(house.adapter(stream), cursor)[0][0].rows.decode()[0]["CBDKXX"]) == 1


def test_a_side_table_that_says_two_things_holds_back_one_row(register: Register) -> None:
    register.contract(1)
    register.contract(2)
    register.holder(1, "F900", name="李某")
    register.holder(2, "F901")
    ((page,), _) = read(register.house.adapter(STREAM))
    translator = Translator(DATASETS["contracted_land"], STREAM.mapping, source_time="GXSJ", today=TODAY)
    read_ = translator.translate(page.rows.decode())
    assert [(r.position, r.reason) for r in read_.rejected] == [(0, "SIDE_ROWS")]
    assert len(read_.records) == 1


def test_a_missing_column_or_table_beside_is_named(register: Register) -> None:
    register.contract(1)
    for child, named in (
        (replace(PLOTS, table="CBDK"), "CBDK："),
        (replace(PLOTS, on={"GJ_ID": "HTID"}), "没有列 HTID"),
        (replace(PLOTS, on={"HTID": "HT_ID"}), "没有列 HTID"),
    ):
        with pytest.raises(SourceMalformed, match=named):
            read(register.house.adapter(replace(STREAM, children={"CBDKXX": child, "CBF": HOLDER})))


def test_a_watermark_that_would_miss_a_child_is_no_configuration() -> None:
    with pytest.raises(ValueError, match=r"子表 CBF 没有写 time：.*每次整表读"):
        replace(STREAM, children={"CBDKXX": PLOTS, "CBF": replace(HOLDER, time=None)})
    with pytest.raises(ValueError, match=r"没有一条规则读子表 LZHT，请用 each: LZHT"):
        replace(STREAM, children={**STREAM.children, "LZHT": PLOTS})
    with pytest.raises(ValueError, match="子表 CBF 没有写 on"):
        replace(STREAM, children={"CBDKXX": PLOTS, "CBF": replace(HOLDER, on={})})


DECLARED: dict[str, Any] = {
    "table": "CBHT",
    "source_time": "GXSJ",
    "mapping": {
        "contract_code": "CBHTBM",
        "contractor_type": "CBF.CBFLX",
        "contractor_name": "CBF.CBFMC",
        "plots.code": {"from": "DKBM", "each": "CBDKXX"},
    },
    "children": {
        "CBDKXX": {"table": "CBDKXX", "on": {"GJ_ID": "HT_ID"}},
        "CBF": {"table": "CBF", "on": {"GJ_ID": "HT_ID"}, "one": True},
    },
}


def test_a_county_file_may_say_all_of_it(register: Register) -> None:
    register.contract(1)
    settings = Table.Settings.model_validate({"url": register.house.url, "datasets": {"contracted_land": DECLARED}})
    adapter = Table(make_ports(secrets={"password": "x"}), settings, "360981")
    (item,) = adapter.fetch("contracted_land", None).rows.decode()
    adapter.close()
    assert (item["CBF.CBFMC"], len(item["CBDKXX"])) == ("王某", 2)
    wrong = {**DECLARED, "children": {**DECLARED["children"], "CBF": {"table": "CBF", "onn": {}}}}
    with pytest.raises(ValidationError, match="onn"):
        TypeAdapter(TableStream).validate_python(wrong)


def test_a_family_is_recorded_without_its_people(register: Register) -> None:
    if register.house.url.startswith("postgres"):
        pytest.skip("one database is enough")
    for n in range(1, 6):
        register.contract(n, plots=n % 3)
    register.change(register.holders, "F002", CBFMC="欧阳锋")
    register.change(register.plots, "D0021", JHPT_DELETE="1")
    kind = type(
        "Awards",
        (type(register.house.adapter(STREAM)),),
        {"streams": {"contracted_land": STREAM}, "__module__": "tests.adapters.awards"},
    )
    settings = kind.Settings.model_validate({"url": register.house.url, "page_size": 2})
    recording = record(kind, make_ports(now=lambda: NOW), settings, "360981")
    assert [(t.table, len(t.rows)) for t in recording.rows] == [("CBHT", 5), ("CBDKXX", 6), ("CBF", 5)]
    said = repr(recording)
    assert "欧阳锋" not in said
    assert not any(id_number(n) in said for n in range(1, 6))
    for check in checks(kind, recording):
        check.run()
