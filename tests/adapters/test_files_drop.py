"""What counts as delivered, where a run goes on, and what is said when file and flag do not agree (china-facts §1.5)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.kit import FilesSettings, Ports, SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.files.names import Entry, Names, newest
from adapters.kit.recording import run
from tests.adapters.drops import HEADER, NAME, NOW, PATTERN, Folder, as_csv, changed, ids, items, row, rows

TABLE = as_csv([HEADER, *rows(25)])
IDS = [cells[0] for cells in rows(25)]


@pytest.fixture
def drop(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def calm(build_ports: Callable[..., Ports]) -> Ports:
    return build_ports(now=lambda: NOW)


def later(ports: Callable[..., Ports], minutes: float) -> Ports:
    from datetime import timedelta

    return ports(now=lambda: NOW + timedelta(minutes=minutes))


def refused(adapter: Any, cursor: Any = None, kind: type[SourceError] = SourceMalformed) -> SourceError:
    with pytest.raises(kind) as caught:
        run(adapter, "payment", cursor, 99)
    adapter.close()
    return caught.value


@pytest.mark.parametrize("flag", ["ok", "md5", "sha256", "sm3"])
def test_a_file_with_its_flag_is_read_in_slices(drop: Folder, calm: Ports, flag: str) -> None:
    drop.put(TABLE, flag=flag)
    pages, cursor = run(drop.adapter(calm, changed(flag=flag), page_size=10), "payment", None, 99)
    assert [len(page.rows.raw) for page in pages] == [10, 10, 5]
    assert ids(pages) == IDS
    assert pages[0].places[0] == f"{NAME} › 2"
    assert pages[2].places[4] == f"{NAME} › 26"
    assert cursor is not None
    assert cursor["rest"] is True
    assert list(cursor["done"]) == [NAME]


@pytest.mark.parametrize("shape", ["{digest}", "{digest} *{name}\n", "MD5 ({name}) = {upper}\r\n"])
@pytest.mark.parametrize("named", [NAME, NAME.removesuffix(".csv")])
def test_digests_are_written_in_many_ways(drop: Folder, calm: Ports, shape: str, named: str) -> None:
    import hashlib

    drop.put(TABLE, flag=None)
    digest = hashlib.md5(TABLE.encode("gb18030")).hexdigest()
    (drop.path / f"{named}.MD5").write_text(shape.format(digest=digest, upper=digest.upper(), name=NAME), "ascii")
    assert ids(run(drop.adapter(calm), "payment", None, 99)[0]) == IDS


def test_files_come_in_name_order_and_others_are_none_of_ours(drop: Folder, calm: Ports) -> None:
    for seq in (10, 9, 2):
        drop.put(as_csv([HEADER, row(seq)]), f"360981_CZJ_YKT_20260301_{seq}.csv")
    for name in ("360982_CZJ_YKT_20260301_1.csv", "360981_CZJ_YKT_20260301_3.csv.part", "readme.txt"):
        drop.put(as_csv([HEADER, row(99)]), name)
    (drop.path / "360981_CZJ_YKT_20260301_4.csv").mkdir()
    pages, _ = run(drop.adapter(calm), "payment", None, 99)
    assert ids(pages) == ["YKT000002", "YKT000009", "YKT000010"]
    assert [page.last for page in pages] == [False, False, True]


def test_a_drop_without_news_says_nothing_about_any_record(drop: Folder, calm: Ports) -> None:
    """No file is no empty answer: only a delivered table without rows confirms that there is nothing."""
    (page,), cursor = run(drop.adapter(calm), "payment", None, 99)
    assert (page.unchanged, page.empty_confirmed, page.last, list(page.rows.raw)) == (True, False, True, [])
    drop.put(as_csv([HEADER]))
    (page,), cursor = run(drop.adapter(calm), "payment", cursor, 99)
    assert (page.unchanged, page.empty_confirmed, page.last) == (False, True, True)
    (page,), again = run(drop.adapter(calm), "payment", cursor, 99)
    assert (page.unchanged, again) == (True, cursor)


@pytest.mark.parametrize("at", [1, 2])
def test_a_crash_in_the_middle_of_a_file_goes_on_behind_what_was_served(drop: Folder, calm: Ports, at: int) -> None:
    drop.put(TABLE)
    drop.put(as_csv([HEADER, *rows(5, first=100)]), NAME.replace("001", "002"))
    pages, cursor = run(drop.adapter(calm, page_size=10), "payment", None, at)
    kept = json.loads(json.dumps(cursor))
    assert kept["at"]["row"] == at * 10
    rest, resting = run(drop.adapter(calm, page_size=7), "payment", kept, 99)
    assert ids(pages) + ids(rest) == [*IDS, *(cells[0] for cells in rows(5, first=100))]
    assert rest[0].places[0] == f"{NAME} › {at * 10 + 2}"
    assert resting is not None
    assert len(resting["done"]) == 2


def test_a_crash_between_two_files_repeats_neither(drop: Folder, calm: Ports) -> None:
    for seq in (1, 2):
        drop.put(as_csv([HEADER, row(seq)]), f"360981_CZJ_YKT_20260301_{seq}.csv")
    _, cursor = run(drop.adapter(calm), "payment", None, 1)
    assert cursor is not None
    assert cursor["at"] is None
    assert ids(run(drop.adapter(calm), "payment", cursor, 99)[0]) == ["YKT000002"]


def test_the_same_file_dropped_again_is_recognised(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    _, cursor = run(drop.adapter(calm), "payment", None, 99)
    drop.put(TABLE, age=5)
    (page,), after = run(drop.adapter(calm), "payment", cursor, 99)
    assert page.unchanged
    assert after != cursor
    (page,), last = run(drop.adapter(calm), "payment", after, 99)
    assert (page.unchanged, last) == (True, after)


def test_another_content_under_an_old_name_is_read_again(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    drop.put(as_csv([HEADER, row(900)]), NAME.replace("0301", "0302"))
    _, cursor = run(drop.adapter(calm), "payment", None, 99)
    drop.put(as_csv([HEADER, *rows(3)]), age=5)
    assert ids(run(drop.adapter(calm), "payment", cursor, 99)[0]) == IDS[:3]


def test_a_late_file_is_found_though_its_name_is_an_old_one(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    _, cursor = run(drop.adapter(calm), "payment", None, 99)
    drop.put(as_csv([HEADER, row(77)]), NAME.replace("0301", "0215"), age=9000)
    assert ids(run(drop.adapter(calm), "payment", cursor, 99)[0]) == ["YKT000077"]


def test_a_file_that_is_dropped_anew_while_it_is_read_is_begun_again(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    _, cursor = run(drop.adapter(calm, page_size=10), "payment", None, 1)
    (drop.path / NAME).unlink()
    drop.put(as_csv([HEADER, *rows(12, first=50)]), age=5)
    pages, _ = run(drop.adapter(calm, page_size=10), "payment", cursor, 99)
    assert ids(pages) == [cells[0] for cells in rows(12, first=50)]


def test_full_reads_everything_that_is_still_there(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    adapter = drop.adapter(calm)
    _, cursor = run(adapter, "payment", None, 99)
    assert ids(run(adapter, "payment", adapter.restart(cursor), 99)[0]) == IDS


def test_what_left_the_drop_is_forgotten_and_its_flag_may_stay(drop: Folder, calm: Ports, build_ports: Any) -> None:
    drop.put(TABLE)
    _, cursor = run(drop.adapter(calm), "payment", None, 99)
    (drop.path / NAME).unlink()
    (page,), after = run(drop.adapter(later(build_ports, 600)), "payment", cursor, 99)
    assert page.unchanged
    (drop.path / f"{NAME}.md5").unlink()
    _, after = run(drop.adapter(calm), "payment", after, 99)
    assert after is not None
    assert after["done"] == {}


# What is wrong with a delivery: the run ends as not complete, nothing is deleted, and the sentence says whose move it is.


def test_a_digest_that_does_not_match(drop: Folder, calm: Ports) -> None:
    path = drop.put(TABLE)
    path.write_bytes(path.read_bytes().replace(b"25.50", b"25.51"))
    error = refused(drop.adapter(calm))
    assert error.code == "DIGEST_MISMATCH"
    assert NAME in str(error)
    assert "请部门重新投放" in str(error)


def test_a_flag_that_holds_no_digest(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    (drop.path / f"{NAME}.md5").write_text("ok\n", "ascii")
    assert refused(drop.adapter(calm)).code == "FLAG_UNREADABLE"


def test_the_good_files_before_a_bad_one_are_not_lost(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    drop.put(TABLE, NAME.replace("001", "002"), flag=None)
    (drop.path / NAME.replace("001.csv", "002.csv.md5")).write_text("0" * 32, "ascii")
    adapter = drop.adapter(calm)
    page = adapter.fetch("payment", None)
    assert (len(page.rows.raw), page.last) == (25, False)
    assert refused(adapter, page.after(None)).code == "DIGEST_MISMATCH"


def test_what_is_wrong_with_the_next_file_does_not_cost_the_page_before_it(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    drop.put(TABLE, NAME.replace("001", "002"), flag=None, age=9000)
    adapter = drop.adapter(calm)
    page = adapter.fetch("payment", None)
    assert (len(page.rows.raw), page.last) == (25, False)
    assert refused(adapter, page.after(None)).code == "FILE_WITHOUT_FLAG"


@pytest.mark.parametrize("flag", ["ok", "md5"])
def test_a_file_without_its_flag_is_waited_for_then_reported(
    drop: Folder, calm: Ports, build_ports: Any, flag: str
) -> None:
    drop.put(TABLE, flag=None)
    stream = changed(flag=flag)
    assert run(drop.adapter(calm, stream), "payment", None, 99)[0][0].unchanged
    error = refused(drop.adapter(later(build_ports, 31), stream))
    assert error.code == "FILE_WITHOUT_FLAG"
    assert "请部门补投标志文件" in str(error)


def test_a_flag_without_its_file_is_waited_for_then_reported(drop: Folder, calm: Ports, build_ports: Any) -> None:
    drop.put(TABLE).unlink()
    assert run(drop.adapter(calm), "payment", None, 99)[0][0].unchanged
    assert refused(drop.adapter(later(build_ports, 31))).code == "FLAG_WITHOUT_FILE"


def test_a_file_written_after_its_ok(drop: Folder, calm: Ports, build_ports: Any) -> None:
    path = drop.put(TABLE, flag="ok")
    drop.age(path, 10)
    assert run(drop.adapter(calm, changed(flag="ok")), "payment", None, 99)[0][0].unchanged
    assert refused(drop.adapter(later(build_ports, 31), changed(flag="ok"))).code == "FILE_CHANGED"


def test_without_flags_a_file_must_have_been_left_alone(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE, flag=None, age=60)
    assert run(drop.adapter(calm, changed(flag="none")), "payment", None, 99)[0][0].unchanged
    drop.put(TABLE, flag=None, age=1860)
    assert ids(run(drop.adapter(calm, changed(flag="none")), "payment", None, 99)[0]) == IDS


def test_a_file_altered_while_it_is_read(drop: Folder, calm: Ports) -> None:
    path = drop.put(TABLE)
    adapter = drop.adapter(calm, page_size=10)
    page = adapter.fetch("payment", None)
    with path.open("r+b") as file:
        file.write(b"x")
    error = refused(adapter, page.after(None))
    assert error.code == "FILE_CHANGED"
    assert refused(drop.adapter(calm, page_size=10), page.after(None)).code == "DIGEST_MISMATCH"


def test_a_half_read_file_that_is_gone(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE).with_name("keep.txt").touch()
    _, cursor = run(drop.adapter(calm, page_size=10), "payment", None, 1)
    (drop.path / NAME).unlink()
    (drop.path / f"{NAME}.md5").unlink()
    error = refused(drop.adapter(calm), cursor)
    assert error.code == "FILE_WITHDRAWN"
    assert "--full" in str(error)


def test_a_file_larger_than_agreed(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE + "x" * (1 << 20))
    assert refused(drop.adapter(calm, max_mb=1)).code == "TOO_LARGE"


def test_a_folder_that_is_not_there(drop: Folder, calm: Ports) -> None:
    error = refused(Folder(drop.path / "absent").adapter(calm), kind=SourceUnavailable)
    assert error.code == "FOLDER_MISSING"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_we_may_not_read(drop: Folder, calm: Ports) -> None:
    drop.path.chmod(0)
    try:
        assert refused(drop.adapter(calm), kind=SourceDenied).code == "AUTH_CONFIG"
    finally:
        drop.path.chmod(0o700)


def test_a_refused_permission_is_a_persons_matter(drop: Folder, calm: Ports, monkeypatch: Any) -> None:
    def deny(*_: Any) -> Any:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", deny)
    assert refused(drop.adapter(calm), kind=SourceDenied).code == "AUTH_CONFIG"


def test_a_link_out_of_the_drop_is_not_followed(drop: Folder, calm: Ports, tmp_path_factory: Any) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.csv"
    secret.write_text(TABLE, "gb18030")
    (drop.path / NAME).symlink_to(secret)
    os.utime(drop.path / NAME, (NOW.timestamp() - 9000,) * 2, follow_symlinks=False)
    assert run(drop.adapter(calm, changed(flag="none")), "payment", None, 99)[0][0].unchanged


def test_what_a_star_stands_for_is_not_told(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE, "360981_王小明_20260301.csv")
    (drop.path / "360981_王小明_20260301.csv.md5").write_text("0" * 32, "ascii")
    error = refused(drop.adapter(calm, changed(pattern="{county}_*_{date}.csv")))
    assert "360981_*_20260301.csv" in str(error)
    assert "王小明" not in f"{error} {error.facts}"


# Snapshots: the newest day or month is the whole.

MONTHLY = changed(pattern="{county}_NYNC_{month}_{seq}.csv", snapshot=True, parts=2)


def monthly(drop: Folder, month: int, seq: int, *numbers: int) -> None:
    drop.put(as_csv([HEADER, *(row(n) for n in numbers)]), f"360981_NYNC_2026{month:02d}_{seq}.csv")


def test_the_newest_whole_month_is_the_snapshot(drop: Folder, calm: Ports) -> None:
    monthly(drop, 1, 1, 1)
    monthly(drop, 1, 2, 2)
    monthly(drop, 2, 1, 3)
    pages, cursor = run(drop.adapter(calm, MONTHLY), "payment", None, 99)
    assert ids(pages) == ["YKT000001", "YKT000002"]
    (page,), cursor = run(drop.adapter(calm, MONTHLY), "payment", cursor, 99)
    assert page.unchanged
    monthly(drop, 2, 2, 4)
    pages, cursor = run(drop.adapter(calm, MONTHLY), "payment", cursor, 99)
    assert ids(pages) == ["YKT000003", "YKT000004"]
    (page,), _ = run(drop.adapter(calm, MONTHLY), "payment", cursor, 99)
    assert page.unchanged


def test_one_part_delivered_anew_makes_the_whole_be_read_again(drop: Folder, calm: Ports) -> None:
    monthly(drop, 2, 1, 3)
    monthly(drop, 2, 2, 4)
    _, cursor = run(drop.adapter(calm, MONTHLY), "payment", None, 99)
    monthly(drop, 2, 2, 4, 5)
    assert ids(run(drop.adapter(calm, MONTHLY), "payment", cursor, 99)[0]) == ["YKT000003", "YKT000004", "YKT000005"]


def test_a_month_that_was_put_away_does_not_bring_back_the_one_before(drop: Folder, calm: Ports) -> None:
    for month in (1, 2):
        monthly(drop, month, 1, month)
        monthly(drop, month, 2, month + 10)
    _, cursor = run(drop.adapter(calm, MONTHLY), "payment", None, 99)
    for path in drop.path.glob("*_202602_*"):
        path.unlink()
    (page,), _ = run(drop.adapter(calm, MONTHLY), "payment", cursor, 99)
    assert page.unchanged


def test_a_part_that_goes_away_during_the_run_ends_it(drop: Folder, calm: Ports) -> None:
    """Else what stood in it would seem to have vanished."""
    monthly(drop, 2, 1, 3)
    monthly(drop, 2, 2, 4)
    _, cursor = run(drop.adapter(calm, MONTHLY), "payment", None, 1)
    for path in drop.path.glob("*_202602_2*"):
        path.unlink()
    assert refused(drop.adapter(calm, MONTHLY), cursor).code == "FILE_WITHDRAWN"


def test_a_newer_month_that_is_wrong_is_reported_and_an_older_one_is_past(drop: Folder, calm: Ports) -> None:
    monthly(drop, 2, 1, 3)
    monthly(drop, 2, 2, 4)
    old = drop.put(TABLE, "360981_NYNC_202601_1.csv", flag=None, age=9000)
    assert ids(run(drop.adapter(calm, MONTHLY), "payment", None, 99)[0]) == ["YKT000003", "YKT000004"]
    old.rename(drop.path / "360981_NYNC_202603_1.csv")
    assert refused(drop.adapter(calm, MONTHLY)).code == "FILE_WITHOUT_FLAG"


def test_a_newer_month_that_comes_during_the_run_takes_over(drop: Folder, calm: Ports) -> None:
    monthly(drop, 1, 1, 1)
    monthly(drop, 1, 2, 2)
    _, cursor = run(drop.adapter(calm, MONTHLY), "payment", None, 1)
    monthly(drop, 2, 1, 3)
    monthly(drop, 2, 2, 4)
    assert ids(run(drop.adapter(calm, MONTHLY), "payment", cursor, 99)[0]) == ["YKT000003", "YKT000004"]


# Names, settings, and what it costs.


def test_the_newest_of_counted_generations() -> None:
    entries = [Entry(f"360981_NYNC_2026{m:02d}_{n}.csv", 1, 1.0) for m, n in ((1, 1), (1, 2), (2, 1))]
    met = Names("{county}_NYNC_{month}_{seq}.csv", "none", "360981").met(entries)
    assert (newest(met, 2), newest(met, None), newest(met, 3)) == ("202601", "202602", "")


def test_a_pattern_with_an_unknown_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"没有 day 这个占位.*\{date\}"):
        Names("{county}_{day}.csv", "ok", "360981")


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ({"directory": "drop"}, "directory"),
        ({"directory": "sftp://host/drop"}, "directory"),
        ({"directory": "sftp://user:password@host/drop"}, "directory"),
        ({"directory": "/drop", "encoding": "gbk2"}, "没有文字编码 gbk2"),
        ({"directory": "/drop", "flag": "sha1"}, "sm3"),
        ({"directory": "/drop", "colour": 1}, "colour"),
    ],
)
def test_settings_say_what_is_allowed(said: dict[str, Any], allowed: str) -> None:
    with pytest.raises(ValueError, match=allowed):
        FilesSettings.model_validate(said)


def test_check_counts_what_is_not_named_as_agreed(drop: Folder, calm: Ports) -> None:
    drop.put(TABLE)
    drop.put(TABLE, "补贴名单(最终版).csv", flag=None)
    (probe,) = drop.adapter(calm).probe()
    assert (probe.ok, probe.sentence) == (True, "投放目录里有 3 个文件，其中 1 个的名称不合约定")
    (probe,) = Folder(drop.path / "absent").adapter(calm).probe()
    assert not probe.ok


def big(count: int) -> Iterator[bytes]:
    yield as_csv([HEADER]).encode("gb18030")
    for n in range(count):
        yield as_csv([row(n)]).encode("gb18030")


def test_memory_stays_flat_however_long_the_file(drop: Folder, calm: Ports) -> None:
    def peak(count: int) -> int:
        drop.put(b"".join(big(count)))
        adapter, cursor, served = drop.adapter(calm, page_size=500), None, 0
        tracemalloc.start()
        while True:
            page = adapter.fetch("payment", cursor)
            served, cursor = served + len(page.rows.raw), page.after(None)
            if page.last:
                break
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert served == count
        return found

    small, large = peak(2_000), peak(30_000)
    assert large < small * 1.5 + (4 << 20)


def test_a_killed_process_resumes_in_the_middle(drop: Folder, calm: Ports, tmp_path_factory: Any) -> None:
    """The cursor alone crosses to the next process."""
    drop.put(TABLE)
    kept = tmp_path_factory.mktemp("kept") / "cursor.json"
    script = (
        "import json, os, signal, sys, pathlib\n"
        "from tests.adapters.conftest import make_ports\n"
        "from tests.adapters.drops import *\n"
        "page = Folder(pathlib.Path(sys.argv[1])).adapter(make_ports(now=lambda: NOW), page_size=10).fetch('payment', None)\n"
        "pathlib.Path(sys.argv[2]).write_text(json.dumps(page.after(None)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script, str(drop.path), str(kept)], cwd=root, check=False)
    assert done.returncode == -9
    pages, _ = run(drop.adapter(calm), "payment", json.loads(kept.read_text("utf-8")), 99)
    assert ids(pages) == IDS[10:]


def test_names_of_a_pattern_are_columns_where_they_are_asked_for(drop: Folder, calm: Ports) -> None:
    drop.put(as_csv([HEADER, row(1)]))
    (item,) = items(run(drop.adapter(calm, changed(source_time="@date")), "payment", None, 99)[0])
    assert item["@date"] == "20260301"
    (item,) = items(run(drop.adapter(calm), "payment", None, 99)[0])
    assert not [name for name in item if name.startswith("@")]
    assert PATTERN.count("{") == 4
