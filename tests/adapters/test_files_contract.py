"""A drop is recorded without its people and held to the contract suite; no test is written for an adapter over one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters.kit import Adapter, Answer, Cursor, FilesStream, JsonRows, Page, Ports, SourceMalformed, SourceSettings
from adapters.kit.contract import CHECKS, Broken, checks
from adapters.kit.files.recorded import written
from adapters.kit.recording import Recording, record, replay, run
from tests.adapters.drops import HEADER, NAME, NOW, STREAM, Folder, as_csv, changed, id_number, items, row, rows
from tests.adapters.payments import Payments
from tests.adapters.uglies import UGLIES

NAMES = [check.__name__ for check in CHECKS]
CASES = {case.name: case for case in UGLIES}


def person(n: int) -> tuple[str, ...]:
    cells = list(row(n))
    cells[4], cells[5] = "欧阳锋" if n % 2 else "李莫愁(户主)", id_number(n)
    return tuple(cells)


PEOPLE = [person(n) for n in range(1, 8)]
TABLE = as_csv(
    [
        ["丰城市秀市镇欧阳锋等人清册"],
        HEADER,
        *PEOPLE,
        ["合计", "", "", "", "", "", "31.50"],
        ["填表人：李莫愁 13912345678"],
    ]
)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("欧阳锋.csv", TABLE.encode("gb18030"))
        packed.writestr("b.xlsx", CASES["totals and notes at the end"].content())
    return out.getvalue()


DROPS: dict[str, tuple[str, bytes, dict[str, Any], dict[str, Any]]] = {
    "csv": (NAME, TABLE.encode("gb18030"), {}, {"page_size": 3}),
    "bars": (NAME, as_csv([HEADER, *PEOPLE], "|!|").encode(), {"separator": "|!|", "quoted": False}, {}),
    "headless": (NAME, as_csv(PEOPLE).encode("gb18030"), {"columns": HEADER, "flag": "ok"}, {}),
    "no-flags": (NAME, TABLE.encode("gb18030"), {"flag": "none"}, {}),
    "workbook": (
        NAME.replace("csv", "xlsx"),
        CASES["a header of three rows under a title"].content(),
        {"header_rows": 3, "flag": "sm3"},
        {},
    ),
    "hidden": (NAME.replace("csv", "xlsx"), CASES["hidden sheets with lists and old data"].content(), {}, {}),
    "villages": (
        NAME.replace("csv", "xlsx"),
        CASES["one village a sheet, the sheet's name a column"].content(),
        {"mapping": {**STREAM.mapping, "authority": "@sheet"}},
        {},
    ),
    "zip": (NAME.replace("csv", "zip"), zipped(), {}, {"page_size": 4}),
    "snapshot": (NAME, TABLE.encode("gb18030"), {"snapshot": True, "source_time": "@date"}, {"page_size": 3}),
    "starred": ("360981_郭靖_20260301.csv", TABLE.encode("gb18030"), {"pattern": "{county}_*_{date}.csv"}, {}),
    "absent": (
        NAME,
        as_csv([[c for i, c in enumerate(cells) if i != 1] for cells in (HEADER, *PEOPLE)]).encode(),
        {},
        {"absent": ["年度"]},
    ),
}


def kind_of(stream: FilesStream, base: type[Payments] = Payments) -> type[Payments]:
    made: type[Payments] = type(
        "Payments", (base,), {"streams": {"payment": stream}, "__module__": "tests.adapters.payments"}
    )
    return made


def recorded(folder: Path, ports: Ports, case: str, **more: Any) -> tuple[type[Payments], Recording]:
    name, body, changes, settings = DROPS[case]
    stream = changed(**changes)
    Folder(folder).put(body, name, flag=None if stream.flag == "none" else stream.flag, age=7200)
    kind = kind_of(stream)
    made: SourceSettings = kind.Settings.model_validate({"directory": str(folder), **settings})
    return kind, record(kind, ports, made, "360981", **more)


@pytest.fixture
def calm(build_ports: Callable[..., Ports]) -> Ports:
    return build_ports(now=lambda: NOW)


@pytest.fixture(autouse=True)
def _same_stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 450 numbers of one birthday a random one would now and then be another person's of this test."""
    monkeypatch.setattr("adapters.kit.scrub.secrets.token_bytes", bytes)


@pytest.mark.parametrize("case", DROPS)
def test_every_kind_of_drop_is_recorded_and_keeps_the_contract(tmp_path: Path, calm: Ports, case: str) -> None:
    kind, recording = recorded(tmp_path, calm, case)
    recording.save(tmp_path / "recording.json")
    loaded = Recording.load(tmp_path / "recording.json")
    assert loaded.complete == {"payment": True}
    for check in checks(kind, loaded):
        check.run()


@pytest.mark.parametrize("case", DROPS)
def test_a_recording_holds_nobody(tmp_path: Path, calm: Ports, case: str) -> None:
    _, recording = recorded(tmp_path, calm, case, secrets={"password": "the-password"})
    recording.save(tmp_path / "recording.json")
    said = (tmp_path / "recording.json").read_text("utf-8")
    numbers = [id_number(n) for n in range(1, 8)]
    private = [*numbers, "欧阳锋", "李莫愁", "郭靖", "13912345678", "the-password", str(tmp_path)]
    if case != "villages":  # there the sheet's name is an authority, which may be told
        private.append("秀市镇")
    assert [value for value in private if value in said] == []
    assert recording.settings["directory"] == "/recorded"


@pytest.mark.parametrize("case", [case for case in DROPS if case != "hidden"])
def test_a_replay_gives_as_many_rows_of_the_same_shape(tmp_path: Path, calm: Ports, case: str) -> None:
    kind, recording = recorded(tmp_path, calm, case)
    name, _, _, settings = DROPS[case]
    real = kind(calm, kind.Settings.model_validate({"directory": str(tmp_path), **settings}), "360981")
    before, _ = run(real, "payment", None, 99)
    after, _ = run(replay(recording, kind), "payment", None, 99)
    assert [list(item) for item in items(after)] == [list(item) for item in items(before)]
    amounts = [item["金额"] for item in items(before) if item["状态"] == "发放成功"]
    assert [item["金额"] for item in items(after) if item["状态"] == "发放成功"] == amounts
    if case == "csv":
        notes = [item["明细编号"] for item in items(after)][-2:]
        assert notes == ["合计", "填表"]
        assert after[-1].places[-1] == f"{name} › 11"


def test_a_recorded_archive_is_one_file_however_often_it_is_written(tmp_path: Path, calm: Ports) -> None:
    """It holds the time at which it was made; with another one its digest, and a cursor's, would be another."""
    kind, recording = recorded(tmp_path, calm, "zip")
    (file,), stream = recording.files, kind.streams["payment"]
    assert written(file, stream) is written(Recording.load(saved(recording, tmp_path)).files[0], stream)


def saved(recording: Recording, folder: Path) -> Path:
    recording.save(folder / "recording.json")
    return folder / "recording.json"


def test_a_long_file_is_recorded_in_part(tmp_path: Path, calm: Ports) -> None:
    stream = changed()
    Folder(tmp_path).put(as_csv([HEADER, *rows(50)]))
    kind = kind_of(stream)
    settings = kind.Settings.model_validate({"directory": str(tmp_path), "page_size": 10})
    recording = record(kind, calm, settings, "360981", pages=2)
    assert recording.complete == {"payment": False}
    assert len(recording.files[0].tables[0].sheets[0].rows) == 21


class Whole(Payments):
    """Each twin below breaks one thing."""


class KeyErrorOnAStrangeFile(Whole):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed as error:
            raise KeyError("table") from error


class SwallowsFailures(Whole):
    """Whatever is wrong with a file becomes a run that found nothing."""

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed:
            return Page(JsonRows(()), Answer("FILE", 0, "", b"", NOW), lambda _newest: {"rest": True}, last=True)


class NamesTheRow(Whole):
    """The sheet's cells in a message."""

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed as error:
            said = f"{error} {replay(RECORDED[0], Payments).fetch(dataset, None).rows.decode()[0]}"
            raise SourceMalformed(error.code, said.replace("{", "").replace("}", "")) from error


class ConfirmsNothing(Whole):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        return replace(super().fetch(dataset, cursor), empty_confirmed=False)


class ForgetsTheRow(Whole):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        page = super().fetch(dataset, cursor)
        after = page.after(None)
        if after.get("at"):
            after = {**after, "at": {**after["at"], "row": 0}}
        return replace(page, after=lambda _newest: after)


RECORDED: list[Recording] = []
TWINS: list[tuple[str, type[Whole], str]] = [
    ("failures_are_named", KeyErrorOnAStrangeFile, "became KeyError"),
    ("failures_are_named", SwallowsFailures, "went unnoticed"),
    ("nothing_is_confirmed", ConfirmsNothing, "a confirmed nothing"),
    ("nothing_private_is_said", NamesTheRow, "says"),
    ("a_run_ends_and_rests", ForgetsTheRow, "no last page"),
]


@pytest.mark.parametrize(("check", "twin", "sentence"), TWINS, ids=[twin.__name__ for _, twin, _ in TWINS])
def test_a_check_can_fail_for_a_drop(tmp_path: Path, calm: Ports, check: str, twin: type[Whole], sentence: str) -> None:
    _, recording = recorded(tmp_path, calm, "csv")
    RECORDED[:] = [recording]
    twin.__module__ = "tests.adapters.payments"
    found = next(c for c in checks(twin, recording) if c.name == check)
    with pytest.raises(Broken, match=sentence):
        found.run()


def test_two_datasets_share_one_drop(tmp_path: Path, calm: Ports) -> None:
    class Both(Payments):
        streams: ClassVar[Mapping[str, FilesStream]] = {
            **Payments.streams,
            "assistance": FilesStream(
                pattern="{county}_MZJ_{month}.csv",
                flag="ok",
                snapshot=True,
                mapping={
                    "cert_no": "证号",
                    "kind": "类型",
                    "since": "起",
                    "period": "@month",
                    "name": "姓名",
                    "id_no": "身份证号",
                },
            ),
        }

    Both.__module__ = "tests.adapters.payments"
    folder = Folder(tmp_path)
    folder.put(TABLE)
    people = [[f"低保{n:06d}", "城市低保", "2025年1月", "欧阳锋", id_number(n)] for n in range(1, 5)]
    folder.put(as_csv([["证号", "类型", "起", "姓名", "身份证号"], *people]), "360981_MZJ_202602.csv", flag="ok")
    settings = Both.Settings.model_validate({"directory": str(tmp_path)})
    recording = record(Both, calm, settings, "360981")
    assert [file.name for file in recording.files] == ["360981_CZJ_YKT_20260301_001.csv", "360981_MZJ_202602.csv"]
    for check in checks(Both, recording):
        check.run()
    assert isinstance(replay(recording, Both), Adapter)
