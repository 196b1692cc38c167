"""A front-end table is recorded without its people and held to the contract suite; no test is written for an adapter over one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.kit import Answer, Cursor, JsonRows, Page, Ports, SourceError, SourceMalformed, TableStream
from adapters.kit.contract import Broken, checks
from adapters.kit.recording import Recording, record, replay, run
from tests.adapters.awards import Awards
from tests.adapters.conftest import NOW
from tests.adapters.drops import id_number
from tests.adapters.test_table import House, columns, row

STREAM = Awards.streams["payment"]
PEOPLE = ["欧阳锋", "李莫愁(户主)"]


@pytest.fixture(autouse=True)
def _same_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 450 numbers of one birthday a random one would now and then be another person's of this test."""
    monkeypatch.setattr("adapters.kit.scrub.secrets.token_bytes", bytes)


def people(count: int) -> list[dict[str, Any]]:
    return [
        row(n, f"2026-03-01 10:00:{n:02d}" if n % 3 else "", XM=PEOPLE[n % 2], JHPT_DELETE="1" if n == 4 else "0")
        for n in range(1, count + 1)
    ]


def typed() -> list[sa.Column[Any]]:
    kinds = {"MXID": sa.Integer(), "JHPT_UPDATE_TIME": sa.DateTime(), "GXSJ": sa.DateTime(), "SFJE": sa.Float()}
    return [sa.Column(c.name, kinds.get(c.name, c.type), primary_key=c.primary_key) for c in columns()]


def typed_rows() -> list[dict[str, Any]]:
    times = {"JHPT_UPDATE_TIME": datetime(2026, 3, 1, 9), "GXSJ": datetime(2026, 2, 1)}
    return [{**r, "MXID": n, "SFJE": n + 0.5, **times} for n, r in enumerate(people(5), 1)]


def keyed() -> list[sa.Column[Any]]:
    rest = [sa.Column(c.name, c.type) for c in columns()]
    return [sa.Column("ROW_ID", sa.String(40), primary_key=True), *rest, sa.Column("QXDM", sa.String(6))]


Case = tuple[list[sa.Column[Any]], list[dict[str, Any]], TableStream, dict[str, Any]]
CASES: dict[str, Callable[[], Case]] = {
    "texts": lambda: (
        [*columns(), sa.Column("DZ", sa.String(80))],
        [{**r, "DZ": "丰城市秀市镇12号 13912345678"} for r in people(7)],
        STREAM,
        {"page_size": 3},
    ),
    "whole": lambda: (
        columns(),
        people(7),
        replace(STREAM, time=None, time_format=None, snapshot=True),
        {"page_size": 3},
    ),
    "typed": lambda: (typed(), typed_rows(), replace(STREAM, time_format=None), {}),
    "other key": lambda: (
        keyed(),
        [{**r, "ROW_ID": f"{r['SFZH']}-{n}", "QXDM": "360981"} for n, r in enumerate(people(5))],
        replace(STREAM, where={"QXDM": "{county}"}),
        {"page_size": 2},
    ),
    "renamed": lambda: (
        [
            sa.Column({"XM": "姓名"}.get(c.name, c.name), c.type, primary_key=c.primary_key)
            for c in columns()
            if c.name != "ND"
        ],
        [{{"XM": "姓名"}.get(k, k): v for k, v in r.items() if k != "ND"} for r in people(4)],
        STREAM,
        {"renamed": {"XM": "姓名"}, "absent": ["ND"]},
    ),
}


def kind_of(stream: TableStream, base: type[Awards] = Awards) -> type[Awards]:
    made: type[Awards] = type(
        "Awards", (base,), {"streams": {"payment": stream}, "__module__": "tests.adapters.awards"}
    )
    return made


def recorded(folder: Path, ports: Ports, case: str, **more: Any) -> tuple[type[Awards], Recording]:
    own, rows, stream, said = CASES[case]()
    url = f"sqlite:///{folder / 'front.db'}"
    house = House(url, sa.create_engine(url))
    house.table(*own, rows=rows)
    house.admin.dispose()
    kind = kind_of(stream)
    settings = kind.Settings.model_validate({"url": url, **said})
    return kind, record(kind, replace(ports, now=lambda: NOW), settings, "360981", **more)


@pytest.mark.parametrize("case", CASES)
def test_every_kind_of_table_is_recorded_and_keeps_the_contract(tmp_path: Path, ports: Ports, case: str) -> None:
    kind, recording = recorded(tmp_path, ports, case)
    recording.save(tmp_path / "recording.json")
    loaded = Recording.load(tmp_path / "recording.json")
    assert loaded.complete == {"payment": True}
    for check in checks(kind, loaded):
        check.run()


@pytest.mark.parametrize("case", CASES)
def test_a_recording_holds_nobody(tmp_path: Path, ports: Ports, case: str) -> None:
    _, recording = recorded(tmp_path, ports, case, secrets={"password": "the-password"})
    recording.save(tmp_path / "recording.json")
    said = (tmp_path / "recording.json").read_text("utf-8")
    private = [
        *(id_number(n) for n in range(1, 8)),
        "欧阳锋",
        "李莫愁",
        "秀市镇",
        "13912345678",
        "the-password",
        str(tmp_path),
    ]
    assert [value for value in private if value in said] == []
    assert recording.settings["url"] == "sqlite://"


@pytest.mark.parametrize("case", CASES)
def test_a_replay_gives_the_same_rows_but_for_their_people(tmp_path: Path, ports: Ports, case: str) -> None:
    kind, recording = recorded(tmp_path, ports, case)
    own, rows, _, _ = CASES[case]()
    pages, _ = run(replay(recording, kind), "payment", None, 99)
    items = [item for page in pages for item in page.rows.decode()]
    assert len(items) == len(rows)
    assert sorted(str(item["SFJE"]) for item in items) == sorted(str(r["SFJE"]) for r in rows)
    assert sorted(str(item["JHPT_DELETE"]) for item in items) == sorted(r["JHPT_DELETE"] for r in rows)
    assert own[0].name in {column.name for column in recording.rows[0].columns}


def test_a_long_table_is_recorded_in_part(tmp_path: Path, ports: Ports) -> None:
    _, recording = recorded(tmp_path, ports, "texts", pages=2)
    assert recording.complete == {"payment": False}
    assert len(recording.rows[0].rows) == 6


def test_keys_that_become_one_when_they_are_scrubbed_stay_apart(tmp_path: Path, ports: Ports) -> None:
    """Of two rows under one stand-in the second goes: the recording still makes a table."""
    url = f"sqlite:///{tmp_path / 'front.db'}"
    house = House(url, sa.create_engine(url))
    own = [sa.Column(c.name, c.type, primary_key=c.name == "SFZH") for c in columns()]
    house.table(*own, rows=[row(n, SFZH=str(n)) for n in range(100, 400)])
    house.admin.dispose()
    recording = record(Awards, ports, Awards.Settings.model_validate({"url": url}), "360981")
    kept = len(recording.rows[0].rows)
    assert 200 < kept < 300
    (page,), _ = run(replay(recording, Awards), "payment", None, 9)
    assert len(page.rows.raw) == kept


class Whole(Awards):
    """Each twin below breaks one thing."""


class KeyErrorOnAStrangeTable(Whole):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed as error:
            raise KeyError("table") from error


class SwallowsFailures(Whole):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceError:
            return Page(JsonRows(()), Answer("TABLE", 0, "", b"", NOW), lambda _newest: {"rest": True}, last=True)


class Pages(Whole):
    """By number of rows, as one would with an offset that is not kept."""

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        page = super().fetch(dataset, cursor)
        after = {k: v for k, v in page.after(None).items() if k != "at"} | ({} if page.last else {"at": None})
        return replace(page, after=lambda _newest: after)


class NamesARow(Whole):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed as error:
            said = str(replay(RECORDED[0], Awards).fetch(dataset, None).rows.decode()[0])
            raise SourceMalformed(error.code, said.replace("{", "").replace("}", "")) from error


RECORDED: list[Recording] = []
TWINS: list[tuple[str, type[Whole], str]] = [
    ("failures_are_named", KeyErrorOnAStrangeTable, "became KeyError"),
    ("failures_are_named", SwallowsFailures, "went unnoticed"),
    ("a_run_ends_and_rests", Pages, "no last page"),
    ("nothing_private_is_said", NamesARow, "says"),
]


@pytest.mark.parametrize(("check", "twin", "sentence"), TWINS, ids=[twin.__name__ for _, twin, _ in TWINS])
def test_a_check_can_fail_for_a_table(
    tmp_path: Path, ports: Ports, check: str, twin: type[Whole], sentence: str
) -> None:
    _, recording = recorded(tmp_path, ports, "texts")
    RECORDED[:] = [recording]
    twin.__module__ = "tests.adapters.awards"
    found = next(c for c in checks(twin, recording) if c.name == check)
    with pytest.raises(Broken, match=sentence):
        found.run()
