"""Ugly spreadsheets come out right or wrong row by row; hostile ones are refused before they cost anything."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from adapters.kit import IgnoreRule, Page, Ports, SourceMalformed, Translator
from adapters.kit.files import workbook
from adapters.kit.files.archive import name_of
from adapters.kit.files.workbook_child import text
from adapters.kit.recording import run
from schemas import DATASETS
from tests.adapters.conftest import TODAY
from tests.adapters.drops import HEADER, NOW, STREAM, Folder, as_csv, changed, ids, row, rows
from tests.adapters.uglies import UGLIES, Ugly, put, typed

BOOK = "360981_CZJ_YKT_20260301_001.xlsx"
FIXTURES = Path(__file__).parent / "spreadsheets"


@pytest.fixture
def drop(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def calm(build_ports: Callable[..., Ports]) -> Ports:
    return build_ports(now=lambda: NOW)


def read(
    drop: Folder, calm: Ports, content: bytes, name: str = BOOK, settings: Any = None, **changes: Any
) -> list[Page]:
    drop.put(content, name)
    adapter = drop.adapter(calm, changed(**changes), **(settings or {}))
    try:
        return run(adapter, "payment", None, 99)[0]
    finally:
        adapter.close()


def refused(drop: Folder, calm: Ports, content: bytes, name: str = BOOK, **more: Any) -> SourceMalformed:
    with pytest.raises(SourceMalformed) as caught:
        read(drop, calm, content, name, **more)
    return caught.value


def book(build: Any) -> bytes:
    return Ugly("", build).content()


def test_there_are_thirty_and_more() -> None:
    assert len({case.name for case in UGLIES}) == len(UGLIES) >= 30


@pytest.mark.parametrize("case", UGLIES, ids=[case.name for case in UGLIES])
def test_ugly(drop: Folder, calm: Ports, case: Ugly) -> None:
    changes = dict(case.changes)
    if "ignore" in changes:
        changes["ignore"] = {k: IgnoreRule.model_validate(v) for k, v in changes["ignore"].items()}
    stream = changed(**changes)
    (page,) = read(drop, calm, case.content(), **changes)
    t = Translator(DATASETS["payment"], stream.mapping, ignore=stream.ignore, today=TODAY).translate(page.rows.decode())
    places = [place.removeprefix(f"{BOOK} › ") for place in page.places]
    assert [r["detail_id"] for r in t.records] == list(case.right)
    assert [(places[r.position], r.reason, r.field) for r in t.rejected] == list(case.wrong)
    assert {rule: len(positions) for rule, positions in t.ignored.items()} == dict(case.ignored)
    assert {name: t.records[0][name] for name in case.record} == dict(case.record)
    if case.places:
        assert [places[p].removeprefix("秀市镇") for p in t.positions] == list(case.places)
    assert ("HIDDEN" in page.notes) == ("hidden" in case.name and not case.changes)


def test_a_row_is_the_same_item_in_a_spreadsheet_and_in_a_text(drop: Folder, calm: Ports) -> None:
    pages = read(drop, calm, book(lambda _, sheet: put(sheet, HEADER, typed(1))))
    drop.put(as_csv([HEADER, [*row(1)[:6], "1.5"]]), BOOK.replace("xlsx", "csv"))
    (drop.path / BOOK).unlink()
    (drop.path / f"{BOOK}.md5").unlink()
    (again,), _ = run(drop.adapter(calm), "payment", None, 9)
    assert list(again.rows.raw) == list(pages[0].rows.raw)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (360981198001010012.0, "3.6098119800101E+17"),
        (1e15, "1E+15"),
        (-1e15, "-1E+15"),
        (999999999999999.0, "999999999999999"),
        (0.1 + 0.2, "0.3"),
        (12.0, "12"),
        (1e-7, "0.0000001"),
        (-2.50, "-2.5"),
        (True, "TRUE"),
        ("", ""),
    ],
)
def test_numbers_are_read_as_excel_shows_them(cell: Any, shown: str) -> None:
    assert text(cell) == shown


@pytest.mark.parametrize("name", ["plain.xls", "two-headers.xls", "villages.xls"])
def test_old_spreadsheets(drop: Folder, calm: Ports, name: str) -> None:
    """Made by tests/adapters/spreadsheets/make.py; see there what is in them."""
    changes = {"header_rows": 2} if name == "two-headers.xls" else {}
    (page,) = read(drop, calm, (FIXTURES / name).read_bytes(), BOOK.replace("xlsx", "xls"), **changes)
    t = Translator(DATASETS["payment"], STREAM.mapping, ignore=STREAM.ignore, today=TODAY).translate(page.rows.decode())
    lost = [page.places[r.position].partition(" › ")[2] for r in t.rejected if r.reason == "ID_PRECISION_LOST"]
    assert [r["detail_id"] for r in t.records] == ["YKT000001", "YKT000002"]
    assert {k: len(v) for k, v in t.ignored.items()} == ({} if name == "villages.xls" else {"TOTAL_ROW": 1})
    assert lost == {"plain.xls": ["清册 › 5"], "two-headers.xls": [], "villages.xls": []}[name]
    assert ("HIDDEN" in page.notes) == (name == "villages.xls")


def test_formulas_give_what_they_last_gave(drop: Folder, calm: Ports) -> None:
    """Results are put where Excel puts them: openpyxl writes none."""
    body = book(lambda _, sheet: put(sheet, HEADER, [*typed(1)[:6], "=1+0.5"]))
    pages = read(drop, calm, patched(body, b"<f>1+0.5</f><v></v>", b"<f>1+0.5</f><v>1.5</v>"))
    assert pages[0].rows.decode()[0]["金额"] == "1.5"


def patched(body: bytes, old: bytes, new: bytes, member: str = "xl/worksheets/sheet1.xml") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for info in before.infolist():
            content = before.read(info)
            if info.filename == member:
                assert old in content
                content = content.replace(old, new)
            after.writestr(info.filename, content)
    return out.getvalue()


# Hostile and broken files.


def test_a_cell_in_the_last_corner_costs_a_refusal_and_no_process(drop: Folder, calm: Ports) -> None:
    """The library lays out rows x columns: 5 kB ask for 500 GB."""

    def far(_: Workbook, sheet: Any) -> None:
        put(sheet, HEADER, typed(1))
        sheet["XFD1048576"] = "x"

    error = refused(drop, calm, book(far))
    assert error.code == "TOO_LARGE"
    assert "请部门清理后重新投放" in str(error)


def test_a_far_cell_in_an_old_spreadsheet_too(drop: Folder, calm: Ports) -> None:
    body = (FIXTURES / "far-corner.xls").read_bytes()
    assert refused(drop, calm, body, BOOK.replace("xlsx", "xls"), settings={"max_memory_mb": 512}).code == "TOO_LARGE"


@pytest.mark.parametrize("lie", [False, True])
def test_a_spreadsheet_that_inflates_too_far(drop: Folder, calm: Ports, lie: bool) -> None:
    """Whatever its directory declares: the bytes themselves are counted."""
    body = patched(book(lambda _, sheet: put(sheet, HEADER)), b"<sheetData>", b" " * (8 << 20) + b"<sheetData>")
    if lie:
        body = declared_small(body, "xl/worksheets/sheet1.xml")
    error = refused(drop, calm, body, settings={"max_inflated_mb": 4})
    assert (error.code, error.facts["limit_mb"]) == ("TOO_LARGE", 4)


def declared_small(body: bytes, member: str) -> bytes:
    """The archive, its directory and header saying that one member inflates to 100 bytes."""
    out = bytearray(body)
    with zipfile.ZipFile(io.BytesIO(body)) as packed:
        info = packed.getinfo(member)
    struct.pack_into("<L", out, info.header_offset + 22, 100)
    directory = body.index(b"PK\x01\x02")
    while body[directory + 46 : directory + 46 + len(member)] != member.encode():
        directory = body.index(b"PK\x01\x02", directory + 4)
    struct.pack_into("<L", out, directory + 24, 100)
    return bytes(out)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
def test_a_spreadsheet_cut_short(drop: Folder, calm: Ports, kept: float) -> None:
    body = book(lambda _, sheet: put(sheet, HEADER, *(typed(n) for n in range(1, 200))))
    assert refused(drop, calm, body[: int(len(body) * kept)]).code == "BROKEN_FILE"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "BROKEN_FILE"),
        (b"PK\x03\x04" + bytes(100), "BROKEN_FILE"),
        ("<html><table><tr><td>姓名</td></tr></table></html>".encode(), "SCHEMA_DRIFT"),
        (bytes(range(256)) * 4, "SCHEMA_DRIFT"),
    ],
)
def test_what_only_calls_itself_a_spreadsheet(drop: Folder, calm: Ports, body: bytes, code: str) -> None:
    assert refused(drop, calm, body).code == code


def test_a_file_without_any_text_is_no_empty_answer(drop: Folder, calm: Ports) -> None:
    """A table without rows says that there is nothing; a file without a table says nothing."""
    assert refused(drop, calm, book(lambda wb, _: wb.create_sheet("b"))).code == "NO_TABLE"
    assert refused(drop, calm, b"", BOOK.replace("xlsx", "csv")).code == "NO_TABLE"


def test_a_spreadsheet_without_the_agreed_header_says_what_is_missing(drop: Folder, calm: Ports) -> None:
    def second_is_other(wb: Workbook, sheet: Any) -> None:
        put(sheet, HEADER, typed(1))
        put(wb.create_sheet("王某"), HEADER[:5], typed(2)[:5])

    error = refused(drop, calm, book(second_is_other))
    assert (error.code, error.facts["sheet"], error.facts["columns"]) == ("SCHEMA_DRIFT", 2, "身份证号、金额")
    assert "王某" not in f"{error} {error.facts}"


def test_a_text_that_is_called_a_spreadsheet_is_read_as_text(drop: Folder, calm: Ports) -> None:
    pages = read(
        drop, calm, as_csv([HEADER, row(1)], "\t").encode("gb18030"), BOOK.replace("xlsx", "xls"), separator="\t"
    )
    assert ids(pages) == ["YKT000001"]


def test_a_crash_in_the_middle_of_a_workbook(drop: Folder, calm: Ports) -> None:
    def two(wb: Workbook, sheet: Any) -> None:
        put(sheet, HEADER, *(typed(n) for n in range(1, 8)))
        put(wb.create_sheet("乙"), HEADER, *(typed(n) for n in range(8, 13)))

    drop.put(book(two), BOOK)
    wanted = [cells[0] for cells in rows(12)]
    for at in (1, 2, 3):
        first, cursor = run(drop.adapter(calm, page_size=3), "payment", None, at)
        rest, _ = run(drop.adapter(calm, page_size=5), "payment", cursor, 99)
        assert ids(first) + ids(rest) == wanted
    assert rest[-1].places[-1] == f"{BOOK} › 乙 › 6"


def test_a_reading_that_is_dropped_leaves_no_process(drop: Folder, calm: Ports) -> None:
    drop.put(book(lambda _, sheet: put(sheet, HEADER, *(typed(n) for n in range(1, 9000)))), BOOK)
    adapter = drop.adapter(calm, page_size=5)
    adapter.fetch("payment", None)
    assert children()
    adapter.close()
    assert children() == []


def children() -> list[str]:
    told = subprocess.run(
        ["ps", "-ww", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    ).stdout
    return [line for line in told.splitlines() if "workbook_child" in line]


def test_a_child_that_is_stuck_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "stuck.py"
    said = '{"sheet": "a", "hidden": false, "merged": []}\\n["1"]\\n["2"]\\n'
    script.write_text(f"import time\nprint('{said}', end='', flush=True)\ntime.sleep(60)\n", "utf-8")
    monkeypatch.setattr(workbook, "CHILD", script)
    began = time.monotonic()
    with (tmp_path / "stuck.py").open("rb") as file:
        read = workbook.sheets(file, "f.xls", limit_mb=1)
        assert next(next(read).lines).cells == ["1"]
        read.close()  # type: ignore[attr-defined] # a generator
    assert time.monotonic() - began < 10


def test_the_child_keeps_no_memory_image_of_people() -> None:
    import resource

    script = "import sys; sys.path.insert(0, sys.argv[1]); import workbook_child, resource; workbook_child.limit(512); print(*resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_AS)[0])"
    folder = Path(__file__).parents[2] / "adapters/kit/files"
    told = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True
    ).stdout
    assert told.split() == ["0", "0", str(512 << 20)]
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 512 << 20


# ZIP.

ZIPPED = BOOK.replace("xlsx", "zip")


def packed(*members: tuple[str, bytes], utf8: bool = False) -> bytes:
    """A ZIP as Chinese Windows makes it: names in GBK, without the flag that says UTF-8."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, (name, content) in enumerate(members):
            plain = name if utf8 or name.isascii() else f"~{n}".ljust(len(name.encode("gb18030")), "x")
            archive.writestr(plain, content)
    body = out.getvalue()
    for n, (name, _) in enumerate(members):
        if not utf8 and not name.isascii():
            raw = name.encode("gb18030")
            body = body.replace(f"~{n}".ljust(len(raw), "x").encode(), raw)
    return body


def test_names_in_gbk_and_both_kinds_of_tables(drop: Folder, calm: Ports) -> None:
    body = packed(
        ("秀市镇/村一清册名单.csv", as_csv([HEADER, row(1)]).encode("gb18030")),
        ("秀市镇/村二清册名单.xlsx", book(lambda _, sheet: put(sheet, HEADER, typed(2)))),
        ("Thumbs.db", b"x"),
    )
    (page,) = read(drop, calm, body, ZIPPED)
    assert ids([page]) == ["YKT000001", "YKT000002"]
    assert list(page.places) == [
        f"{ZIPPED} › 秀市镇/村一清册名单.csv › 2",
        f"{ZIPPED} › 秀市镇/村二清册名单.xlsx › Sheet1 › 2",
    ]


def test_names_that_say_they_are_utf8(drop: Folder, calm: Ports) -> None:
    (page,) = read(drop, calm, packed(("村一.csv", as_csv([HEADER, row(1)]).encode()), utf8=True), ZIPPED)
    assert list(page.places) == [f"{ZIPPED} › 村一.csv › 2"]
    info = zipfile.ZipInfo("x")
    info.orig_filename = bytes([0xB4, 0xE5]).decode("cp437")
    assert name_of(info) == "村"


TABLE = as_csv([HEADER, row(1)]).encode("gb18030")


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "C:/a.csv", "x/../../a.csv", "..\\a.csv"])
def test_a_name_that_leads_out_of_the_archive(drop: Folder, calm: Ports, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("x" * len(name))
        archive.writestr(info, TABLE)
    body = out.getvalue().replace(b"x" * len(name), name.encode())
    assert refused(drop, calm, body, ZIPPED).code == "UNSAFE_NAME"


def test_what_is_no_table_is_refused_or_left_by_declaration(drop: Folder, calm: Ports) -> None:
    body = packed(("a.csv", TABLE), ("说明.docx", b"PK"), ("b.rar", b"Rar!"))
    error = refused(drop, calm, body, ZIPPED)
    assert (error.code, error.facts["kind"]) == ("NO_TABLE", ".docx")
    assert "说明" not in str(error)
    assert ids(read(drop, calm, body, ZIPPED, members=("*.csv",))) == ["YKT000001"]


@pytest.mark.parametrize("lie", [False, True])
def test_a_bomb(drop: Folder, calm: Ports, lie: bool) -> None:
    body = packed(("a.csv", TABLE), ("b.csv", bytes(40 << 20)))
    if lie:
        body = declared_small(body, "b.csv")
    assert len(body) < 100_000
    assert refused(drop, calm, body, ZIPPED, settings={"max_inflated_mb": 4}).code == "TOO_LARGE"


def test_many_members_are_counted_together(drop: Folder, calm: Ports) -> None:
    body = packed(*((f"{n}.csv", TABLE + bytes(1 << 20)) for n in range(6)))
    assert refused(drop, calm, body, ZIPPED, settings={"max_inflated_mb": 4}).code == "TOO_LARGE"


def test_an_archive_with_a_password(drop: Folder, calm: Ports) -> None:
    body = bytearray(packed(("a.csv", TABLE)))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    assert refused(drop, calm, bytes(body), ZIPPED).code == "ENCRYPTED"


def test_a_damaged_archive(drop: Folder, calm: Ports) -> None:
    body = bytearray(packed(("a.csv", TABLE * 50)))
    body[60] ^= 0xFF
    assert refused(drop, calm, bytes(body), ZIPPED).code == "BROKEN_FILE"
    assert refused(drop, calm, packed(("a.csv", TABLE))[:-30], ZIPPED).code == "BROKEN_FILE"
    assert zlib.crc32(bytes(body))
