"""What a clerk hands in is answered on the spot, collected once, and held back by sheet, row and heading (channel MANUAL)."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.kit import SourceMalformed
from gateway.app import Gateway
from gateway.errors import Usage
from gateway.inbox import MARKS
from gateway.quarantine import Quarantine
from gateway.scope import EVERYTHING
from gateway.settings import Settings
from gateway.status import reconcile
from gateway.store.pages import living
from gateway.store.segments import versions_at
from gateway.uploads import SETTLED
from gateway.web import build
from gateway.worker import _take_in
from schemas import DATASETS
from tests.support.house import ROOT
from tests.support.sheets import filled, records, typed, workbook
from tests.support.verbs import shuqiao
from tests.support.web import ask

FEED = "360981/assistance"
COUNTY = """county: {code: "360981", name: 丰城市, bureau: 丰城市数据局}
sources:
  manual: {adapter: county_upload, account: provincial-exchange}
feeds:
"""


canonical = msgspec.json.Encoder(order="deterministic").encode


class Office:
    def __init__(self, home: Path) -> None:
        shutil.copytree(ROOT / "config", home / "config")
        for file in (home / "config" / "counties").iterdir():
            file.unlink()
        feeds = "".join(f"  {name}: {{source: manual, dataset: {name}, poll: 1h}}\n" for name in DATASETS)
        (home / "config" / "counties" / "360981.yaml").write_text(COUNTY + feeds, "utf-8")
        self.settings = Settings(config=home / "config", data=home / "data")
        self.gateway = Gateway(self.settings)
        _ = self.gateway.config

    def hand_in(self, body: bytes, feed: str = FEED) -> Any:
        return self.gateway.uploads.hand_in(self.gateway.prepare(feed), body)

    def drain(self) -> list[Any]:
        with self.gateway.store.read() as tx:
            queued = [row.id for row in tx.all("runs_queued")]
        return [self.gateway.executor.execute(run) for run in queued]

    def row(self, feed: str = FEED) -> Any:
        with self.gateway.store.read() as tx:
            return tx.one("feed_by_name", name=feed)

    def records(self, feed: str = FEED) -> list[dict[str, Any]]:
        vault, found = self.gateway.vault, self.row(feed)
        with self.gateway.store.read() as tx:
            heads = tx.among("observations_state", living(tx, found.id))
            rows = versions_at(tx, found.stream_id, [head.seq for head in heads]).values()
        texts = [vault.open_version(vault.unwrap(r.wrapped_key), r.number, r.handle, r.sealed, r.suite) for r in rows]
        return [msgspec.json.decode(text) for text in texts]

    def held(self) -> list[tuple[str, str | None, str | None]]:
        kept = Quarantine(self.gateway.store, self.gateway.vault, self.gateway.clock)
        return [(item.reason, item.field, kept.show(item.handle, {}).place) for item in kept.items(EVERYTHING, FEED)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.gateway.close()


def spoilt() -> bytes:
    """A good row, one with an ID number kept as a number, one of another kind, one without its key, and a total."""
    rows = [typed("assistance", record) for record in records("assistance", 4)]
    rows[1]["身份证号"] = 360999196001010016  # type: ignore[assignment] # as Excel holds it
    rows[2]["救助类型"] = "其他"
    rows[3]["救助证号"] = ""
    table = [["低保清册"], list(rows[0]), *(list(r.values()) for r in rows), ["合计", "", "4"]]
    return workbook(("一村", table), ("填写说明", [["请如实填写"]]))


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_dataset_comes_in_by_hand_and_says_so(office: Office, dataset: str) -> None:
    true = records(dataset, 10)
    handed = office.hand_in(filled(dataset, true), f"360981/{dataset}")
    assert (handed.accepted, handed.quarantined, handed.faults) == (len(true), 0, [])
    office.drain()
    assert sorted(map(canonical, office.records(f"360981/{dataset}"))) == sorted(map(canonical, true))
    assert office.row(f"360981/{dataset}").channel == "MANUAL"
    assert reconcile(office.gateway.store, []) == []


def test_wrong_rows_are_told_with_sheet_row_and_heading_and_held_there(office: Office) -> None:
    handed = office.hand_in(spoilt())
    told = [(fault.place, fault.column, fault.code) for fault in handed.faults]
    assert told == [
        ("一村 › 4", "身份证号", "ID_PRECISION_LOST"),
        ("一村 › 5", "救助类型", "CODE_UNKNOWN"),
        ("一村 › 6", "救助证号", "KEY_MISSING"),
    ]
    assert handed.faults[0].sentence == "身份证号被当作数字存储，末几位已丢失，请以文本格式重报。"
    assert (handed.rows, handed.accepted, handed.quarantined, handed.ignored) == (5, 1, 3, {"TOTAL_ROW": 1})
    (done,) = office.drain()
    counts = done.counts
    assert (counts["fetched"], counts["puts"], counts["quarantined"], counts["ignored"]) == (5, 1, 3, 1)
    assert office.held() == [
        ("ID_PRECISION_LOST", "id_no", "上传文件 › 一村 › 4"),
        ("CODE_UNKNOWN", "kind", "上传文件 › 一村 › 5"),
        ("KEY_MISSING", "cert_no", "上传文件 › 一村 › 6"),
    ]


def test_the_same_file_is_known_and_other_files_add_and_delete_nothing(office: Office) -> None:
    true = records("assistance", 6)
    body = filled("assistance", true[:4])
    assert [office.hand_in(body).known, office.hand_in(body).known] == [False, True]
    office.drain()
    assert office.hand_in(body).known
    assert office.drain() == []
    office.hand_in(filled("assistance", true[2:]))
    (done,) = office.drain()
    assert (done.counts["puts"], done.counts["gone"]) == (2, 0)
    assert len(office.records()) == 6


def test_rows_that_repeat_or_contradict_each_other_are_told(office: Office) -> None:
    row = typed("assistance", records("assistance", 1)[0])
    other = {**row, "月保障金额": "1.00"}
    body = workbook(("一村", [list(row), list(row.values()), [*list(row.values()), " "], list(other.values())]))
    handed = office.hand_in(body)
    assert (handed.accepted, handed.repeated, [f.code for f in handed.faults]) == (1, 1, ["DUPLICATE_KEY"])
    (done,) = office.drain()
    assert (done.counts["puts"], done.counts["duplicate"], done.counts["quarantined"]) == (1, 1, 1)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("清册.csv", b"0" * (300 << 20))
    return out.getvalue()


def traversal() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("../../清册.exe", b"MZ")
    return out.getvalue()


@pytest.mark.parametrize(
    "body", [b"", b"\x00\x01", b"<!doctype html>", "姓名,年龄\n张某,3".encode(), bomb(), traversal()], ids=range(6)
)
def test_what_is_no_table_of_this_dataset_is_refused_and_not_kept(office: Office, body: bytes) -> None:
    with pytest.raises(SourceMalformed):
        office.hand_in(body)
    assert office.gateway.inboxes.figures(EVERYTHING) == []
    assert office.drain() == []


def test_a_feed_that_is_not_by_hand_takes_nothing(office: Office) -> None:
    work = office.gateway.prepare(FEED)
    work.adapter = object()  # type: ignore[assignment] # any other
    with pytest.raises(Usage, match=FEED):
        office.gateway.uploads.hand_in(work, b"x")


def test_the_file_is_sealed_and_is_the_evidence(office: Office, tmp_path: Path) -> None:
    row = typed("assistance", records("assistance", 1)[0])
    body = "\n".join((",".join(row), ",".join(row.values()))).encode()
    office.hand_in(body)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert row["身份证号"].encode() not in stored
    office.drain()
    with office.gateway.store.engine.connect() as connection:
        (kept,) = connection.exec_driver_sql("SELECT body FROM evidence WHERE body IS NOT NULL").all()
    assert office.gateway.vault.open("evidence", kept[0]) == body


def test_a_watched_folder_is_taken_in_and_what_is_no_table_is_set_aside(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "uploads" / "360981" / "assistance"
    folder.mkdir(parents=True)
    for name, body in (
        ("张某 360999.xlsx", spoilt()),
        ("坏.xlsx", b"\x00"),
        ("~$锁.xlsx", b"lock"),
        ("新.xlsx", spoilt()),
    ):
        (folder / name).write_bytes(body)
        if name != "新.xlsx":
            past = (folder / name).stat().st_mtime - SETTLED - 1
            os.utime(folder / name, (past, past))
    _take_in(office.gateway)
    assert sorted(path.name for path in folder.iterdir()) == ["~$锁.xlsx", "坏.xlsx.refused", "新.xlsx"]
    (done,) = office.drain()
    assert (done.counts["puts"], done.counts["quarantined"]) == (1, 3)


def test_the_api_answers_the_clerk(office: Office) -> None:
    application = build(office.gateway, lambda: True)
    url = "/api/v1/feeds/360981/assistance/uploads"
    body = spoilt()  # a workbook knows the second it was written in
    answer = ask(application, url, "POST", file=body)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["accepted"], told["quarantined"], told["known"]) == (1, 3, False)
    assert told["faults"][0] == {
        "place": "一村 › 4",
        "column": "身份证号",
        "code": "ID_PRECISION_LOST",
        "sentence": "身份证号被当作数字存储，末几位已丢失，请以文本格式重报。",
    }
    assert ask(application, url, "POST", file=body).json()["known"] is True
    refused = ask(application, url, "POST", file=b"\0")
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert ask(application, "/api/v1/feeds/360981/none/uploads", "POST", file=b"x").status_code == 422
    assert len(office.drain()) == 1


def test_what_is_too_large_is_refused_while_it_comes(office: Office) -> None:
    application, sent = build(office.gateway, lambda: True), 0
    place = f"/api/v1/feeds/{FEED}/uploads"

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.xlsx"\r\n\r\n'
        while sent < 1000:
            sent += 1
            yield bytes(1 << 20)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = ask(application, place, "POST", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (413, "文件超过 32 MB 上限，请拆分后分几次上传")
    assert sent == 33
    announced = ask(application, place, "POST", content=b"", headers={**headers, "content-length": f"{99 << 20}"})
    assert announced.status_code == 413
    assert ask(application, "/api/v1/quarantine/corrections", "POST", file=bytes(65 << 20)).status_code == 413
    assert office.gateway.inboxes.figures(EVERYTHING) == []


def test_marks_of_what_was_collected_are_forgotten_in_time(office: Office) -> None:
    old, waiting = (filled("assistance", records("assistance", n)) for n in (2, 3))
    office.hand_in(old)
    office.drain()
    office.hand_in(waiting)
    now, inboxes = office.gateway.clock.real(), office.gateway.inboxes
    assert inboxes.forget(now) == 0
    assert office.hand_in(old).known
    assert (inboxes.forget(now + MARKS - timedelta(days=1)), inboxes.forget(now + MARKS)) == (0, 1)
    assert not office.hand_in(old).known
    (done, *_) = office.drain()
    assert (done.counts["fetched"], done.counts["puts"]) == (5, 1)


def test_the_command_answers_the_clerk(office: Office, tmp_path: Path) -> None:
    (tmp_path / "清册.xlsx").write_bytes(spoilt())
    done = shuqiao(office.settings, "upload", FEED, str(tmp_path / "清册.xlsx"))
    assert done.exit_code == 1
    assert "采纳 1（其中修复 0），隔离 3" in done.output
    assert "一村 › 4 › 身份证号: 身份证号被当作数字存储" in done.output
    assert len(office.records()) == 1
    shown = shuqiao(office.settings, "upload", FEED, str(tmp_path / "清册.xlsx")).output + done.output
    people = [person for record in records("assistance", 4) for person in (record["name"], record["id_no"])]
    assert [person for person in people if person in shown] == []
    again = shuqiao(office.settings, "upload", FEED, str(tmp_path / "清册.xlsx"), "--json")
    assert msgspec.json.decode(again.stdout)[0]["known"] is True
    empty = shuqiao(office.settings, "upload", "--template", "assistance")
    assert empty.stdout_bytes[:2] == b"PK"
