"""china-facts §1.7: every style of paging walked over a table that behaves, and over sources that do not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kit import (
    AfterKey,
    Answer,
    Cursor,
    DaySlice,
    JsonRows,
    NextToken,
    Offset,
    Opened,
    PageNumber,
    Paging,
    Since,
    Single,
    SourceMalformed,
    Walk,
)
from adapters.kit.walk import restart, rewind

TODAY = date(2026, 3, 2)
ANSWER = Answer("GET /x", 200, "", b"", datetime(2026, 3, 2, tzinfo=UTC))
TIME = "2026-02-01T00:00:00"


@dataclass
class Table:
    """A source of numbered rows that pages by number or offset, with a silent cap."""

    size: int
    cap: int = 10_000
    total: bool = True
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, params: dict[str, Any]) -> Opened:
        self.asked.append(params)
        limit = min(params.get("pageSize", params.get("limit", self.size)), self.cap)
        start = params["offset"] if "offset" in params else (params.get("pageNum", 1) - 1) * limit
        rows = [b"%d" % n for n in range(start, min(start + limit, self.size))]
        return Opened(JsonRows(rows), self.size if self.total else None)


def read(source: Any, paging: Paging, since: Since | None = None, cursor: Cursor | None = None, **more: Any) -> Any:
    """One run: the rows it read, the notes it made, and the cursor it rests on. Cursors travel as JSON."""
    rows: list[int] = []
    notes: set[str] = set()
    for _ in range(500):
        walk = Walk(paging, since, cursor, today=more.get("today", TODAY), limit=more.get("limit"))
        page = walk.page(source(dict(walk.params)), ANSWER)
        rows += [int(row) for row in page.rows.raw]
        notes.update(page.notes)
        cursor = json.loads(json.dumps(page.after(more.get("newest"))))
        if page.last:
            assert (page.incomplete.code if page.incomplete else None) == more.get("told")
            return rows, notes, cursor
        assert page.incomplete is None
    raise AssertionError("the walk never ends")


COUNTED = [PageNumber(limit=500), Offset(limit=200)]


@pytest.mark.parametrize("paging", COUNTED)
@pytest.mark.parametrize("total", [True, False])
@given(size=st.integers(0, 1500), cap=st.sampled_from([50, 100, 200, 1000]))
def test_every_row_is_read_whatever_the_cap(paging: Paging, total: bool, size: int, cap: int) -> None:
    rows, notes, cursor = read(Table(size, cap, total), paging)
    assert sorted(set(rows)) == list(range(size))
    assert cursor == {"rest": True}
    if total:
        assert ("CAPPED" in notes) == (size > cap and cap < (500 if isinstance(paging, PageNumber) else 200))


@pytest.mark.parametrize("paging", COUNTED)
def test_an_honest_table_costs_one_call_more_than_its_pages(paging: Paging) -> None:
    table = Table(1000)
    rows, notes, _ = read(table, paging)
    assert (rows, notes) == (list(range(1000)), set())
    assert len(table.asked) == (3 if isinstance(paging, PageNumber) else 6)
    assert table.asked[-1] == table.asked[0], "the first page is asked again: nothing moved"


@pytest.mark.parametrize("paging", COUNTED)
def test_a_cap_that_comes_in_the_middle_loses_nothing(paging: Paging) -> None:
    class Moody(Table):
        def __call__(self, params: dict[str, Any]) -> Opened:
            self.cap = 70 if len(self.asked) == 1 else 10_000
            return super().__call__(params)

    rows, notes, _ = read(Moody(1203), paging, limit=200)
    assert sorted(set(rows)) == list(range(1203))
    assert notes == {"CAPPED"}


@pytest.mark.parametrize("paging", COUNTED)
def test_a_source_that_gives_more_than_asked_is_followed(paging: Paging) -> None:
    class Generous(Table):
        def __call__(self, params: dict[str, Any]) -> Opened:
            return super().__call__({**params, "pageSize": 100, "limit": 100})

    assert read(Generous(350), paging, limit=30)[0] == list(range(350))


@pytest.mark.parametrize("paging", COUNTED)
def test_a_dropped_row_moves_no_other(paging: Paging) -> None:
    class Dropping(Table):
        def __call__(self, params: dict[str, Any]) -> Opened:
            opened = super().__call__(params)
            return Opened(JsonRows(opened.rows.raw[1:]), opened.total, dropped=1, notes=("PARTIAL",))

    rows, notes, _ = read(Dropping(450), paging, limit=150)
    assert rows == [n for n in range(450) if n % 150]
    assert notes == {"PARTIAL"}


@pytest.mark.parametrize("paging", COUNTED)
def test_the_same_page_again_though_more_was_promised(paging: Paging) -> None:
    def stuck(params: dict[str, Any]) -> Opened:
        return Opened(JsonRows([b"%d" % n for n in range(100)]), 1000)

    with pytest.raises(SourceMalformed) as caught:
        read(stuck, paging, limit=100)
    assert caught.value.code == "REPEATED_PAGE"


@pytest.mark.parametrize("paging", COUNTED)
def test_the_same_page_again_is_the_end_where_nothing_was_promised(paging: Paging) -> None:
    def unpaged(params: dict[str, Any]) -> Opened:
        return Opened(JsonRows([b"%d" % n for n in range(100)]), None)

    rows, _, cursor = read(unpaged, paging, limit=100)
    assert (len(rows), cursor) == (200, {"rest": True})


@pytest.mark.parametrize("paging", COUNTED)
def test_a_shifting_total_is_followed_and_an_empty_page_ends_it(paging: Paging) -> None:
    class Shifting(Table):
        def __call__(self, params: dict[str, Any]) -> Opened:
            opened = super().__call__(params)
            return Opened(opened.rows, self.size + 100 * len(self.asked))

    rows, _, _ = read(Shifting(300), paging, limit=100, told="TOTAL_MISMATCH")
    assert sorted(set(rows)) == list(range(300))


@pytest.mark.parametrize("paging", COUNTED)
def test_a_total_that_is_too_high_is_told_after_three_passes(paging: Paging) -> None:
    class Boasting(Table):
        def __call__(self, params: dict[str, Any]) -> Opened:
            return Opened(super().__call__(params).rows, self.size + 1)

    table = Boasting(250)
    rows, _, cursor = read(table, paging, since=SINCE, limit=100, newest=TIME, told="TOTAL_MISMATCH")
    assert sorted(set(rows)) == list(range(250))
    assert len(table.asked) == 12
    assert cursor == {"rest": True, "since": None}, "the watermark stays where it was"


class Moving(Table):
    """Loses its first row after the second call, `times` times: what was row 200 is row 199 now, and nobody read it."""

    times = 1

    def __call__(self, params: dict[str, Any]) -> Opened:
        opened = super().__call__(params)
        lost = min(self.times, max(0, (len(self.asked) + 1) // 4 if self.times > 1 else len(self.asked) - 2))
        rows = [b"%d" % (int(row) + lost) for row in opened.rows.raw if int(row) + lost < self.size]
        return Opened(JsonRows(rows), self.size - lost if self.total else None)


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("paging", COUNTED)
def test_a_row_that_goes_while_pages_are_read_costs_a_second_pass_and_no_row(paging: Paging, total: bool) -> None:
    rows, _, cursor = read(Moving(700, total=total), paging, limit=200)
    assert set(rows) == set(range(700))
    assert cursor == {"rest": True}


def test_a_source_that_never_holds_still_is_told() -> None:
    class Restless(Table):
        def __call__(self, params: dict[str, Any]) -> Opened:
            opened = super().__call__(params)
            return Opened(JsonRows([row + b"%03d" % len(self.asked) for row in opened.rows.raw]), opened.total)

    _, _, cursor = read(Restless(450), PageNumber(limit=200), SINCE, newest=TIME, told="UNSTABLE")
    assert cursor == {"rest": True, "since": None}


@pytest.mark.parametrize("paging", [Single(), DaySlice("d", 0)])
def test_one_answer_that_holds_fewer_than_it_says_is_told(paging: Paging) -> None:
    def short(_params: dict[str, Any]) -> Opened:
        return Opened(JsonRows([b"1", b"2"]), 3)

    rows, _, _ = read(short, paging, told="TOTAL_MISMATCH")
    assert rows == [1, 2], "what came is kept"


def test_a_first_page_number_of_zero() -> None:
    assert Walk(PageNumber(first=0), None, None, today=TODAY).params == {"pageNum": 0, "pageSize": 500}


def test_a_single_answer_is_one_page() -> None:
    table = Table(7)
    assert read(table, Single())[0] == list(range(7))
    assert table.asked == [{}]


class Feed:
    """A source of numbered rows, each with a moment that it shares with `same - 1` others, read by key or by token."""

    def __init__(self, size: int, same: int = 1, cap: int = 10_000, total: str = "") -> None:
        self.size, self.same, self.cap, self.total = size, same, cap, total
        self.asked: list[dict[str, Any]] = []

    def __call__(self, params: dict[str, Any]) -> Opened:
        self.asked.append(params)
        last, time = int(params.get("lastId", -1)), int(params.get("lastUpdateTime", -1))
        after = {
            (): lambda n: True,
            ("lastId",): lambda n: n > last,
            ("lastUpdateTime",): lambda n: n // self.same >= time,
            ("lastId", "lastUpdateTime"): lambda n: (n // self.same, n) > (time, last),
        }[tuple(sorted(params.keys() & {"lastId", "lastUpdateTime"}))]
        left = [n for n in range(self.size) if after(n)]
        page = left[: min(params["pageSize"], self.cap)]
        total = {"": None, "all": self.size, "left": len(left)}[self.total]
        return Opened(JsonRows([b'{"ID":%d,"GXSJ":"%d"}' % (n, n // self.same) for n in page]), total)


def by_key(source: Any, paging: Paging, cursor: Cursor | None = None, **more: Any) -> tuple[list[int], set[str], Any]:
    ids: list[int] = []

    def keep(params: dict[str, Any]) -> Opened:
        opened: Opened = source(params)
        ids.extend(row["ID"] for row in opened.rows.decode())
        return opened

    notes: set[str] = set()
    for _ in range(500):
        walk = Walk(paging, None, cursor, today=TODAY, limit=more.get("limit"))
        page = walk.page(keep(dict(walk.params)), ANSWER)
        notes.update(page.notes)
        cursor = json.loads(json.dumps(page.after(None)))
        if page.last:
            return ids, notes, cursor
    raise AssertionError("the walk never ends")


LAST_ID = AfterKey({"lastId": "ID"}, limit=200)
LAST_BOTH = AfterKey({"lastUpdateTime": "GXSJ", "lastId": "ID"}, limit=200)
LAST_TIME = AfterKey({"lastUpdateTime": "GXSJ"}, limit=200, inclusive=True)


@pytest.mark.parametrize("paging", [LAST_ID, LAST_BOTH, LAST_TIME], ids=["id", "both", "time"])
@pytest.mark.parametrize("total", ["", "all", "left"])
@given(size=st.integers(0, 900), same=st.integers(1, 40), cap=st.sampled_from([50, 100, 1000]))
def test_rows_after_a_key_are_all_read_whatever_the_cap(
    paging: Paging, total: str, size: int, same: int, cap: int
) -> None:
    ids, _, cursor = by_key(Feed(size, same, cap, total), paging)
    assert sorted(set(ids)) == list(range(size))
    assert cursor == {"rest": True}
    if paging is not LAST_TIME:
        assert ids == list(range(size))


def test_a_key_is_the_last_rows_own_value() -> None:
    feed = Feed(5, same=2)
    by_key(feed, LAST_BOTH, limit=2)
    assert feed.asked == [
        {"pageSize": 2},
        {"lastUpdateTime": "0", "lastId": 1, "pageSize": 2},
        {"lastUpdateTime": "1", "lastId": 3, "pageSize": 2},
    ]


def test_a_first_call_may_have_to_name_a_beginning() -> None:
    feed, tokens = Feed(3), Tokens("a", "")
    by_key(feed, replace(LAST_ID, start={"lastId": "-1"}), limit=2)
    assert [params["lastId"] for params in feed.asked] == ["-1", 1]
    read(tokens, NextToken(start="0"))
    assert tokens.asked == ["0", "a"]


def test_an_honest_feed_costs_no_call_too_many() -> None:
    for size, calls in ((0, 1), (7, 1), (207, 2)):
        feed = Feed(size)
        by_key(feed, LAST_ID)
        assert len(feed.asked) == calls


@pytest.mark.parametrize("paging", [LAST_ID, LAST_TIME])
@pytest.mark.parametrize("total", ["", "all", "left"])
def test_a_source_that_does_not_move_is_a_repeated_page(paging: Paging, total: str) -> None:
    """It ignores the key, or holds more rows of one moment than a page does."""
    feed = Feed(5000, same=5000, total=total)
    stuck = feed if paging is LAST_TIME else lambda params: feed({"pageSize": 200})
    with pytest.raises(SourceMalformed) as caught:
        by_key(stuck, paging)
    assert caught.value.code == "REPEATED_PAGE"


def test_more_rows_of_one_moment_than_a_capped_page_holds_are_noticed() -> None:
    with pytest.raises(SourceMalformed) as caught:
        by_key(Feed(5000, same=150, cap=100), LAST_TIME)
    assert caught.value.code == "REPEATED_PAGE"


def test_rows_without_the_key_are_a_drift() -> None:
    with pytest.raises(SourceMalformed) as caught:
        by_key(Feed(500), AfterKey({"lastId": "BH", "lastTime": "GXSJ"}))
    assert (caught.value.code, caught.value.facts) == ("SCHEMA_DRIFT", {"columns": "BH"})


def test_a_page_of_dropped_rows_only_does_not_pass_for_the_end() -> None:
    feed = Feed(200)

    def dropping(params: dict[str, Any]) -> Opened:
        opened = feed(params)
        return opened if len(feed.asked) == 1 else Opened(JsonRows([]), None, dropped=50, notes=("PARTIAL",))

    with pytest.raises(SourceMalformed) as caught:
        by_key(dropping, LAST_ID)
    assert (caught.value.code, len(feed.asked)) == ("REPEATED_PAGE", 2)


@pytest.mark.parametrize("kept", [LAST_ID, LAST_TIME])
def test_a_kept_key_goes_on_with_what_was_added(kept: AfterKey) -> None:
    paging = replace(kept, keep=True)
    _, _, cursor = by_key(Feed(450), paging)
    again, _, drifted = by_key(Feed(450), paging, cursor)
    assert drifted == cursor
    assert len(again) < 200
    more, _, moved = by_key(Feed(700), paging, cursor)
    assert set(range(450, 700)) <= set(more)
    assert len(more) < 500
    assert moved != cursor
    assert restart(cursor) is None


class Tokens:
    """Pages by opaque tokens, in this order."""

    def __init__(self, *order: str, empty: str = "") -> None:
        self.order, self.empty = order, empty
        self.asked: list[str | None] = []

    def __call__(self, params: dict[str, Any]) -> Opened:
        token = params.get("nextToken")
        self.asked.append(token)
        at = len(self.asked) - 1
        rows = [] if token == self.empty != "" else [b"%d" % at]
        return Opened(JsonRows(rows), None, next_token=self.order[at] if at < len(self.order) else "")


def test_tokens_are_followed_to_the_blank_one() -> None:
    tokens = Tokens("a", "b", "c", "")
    rows, _, cursor = read(tokens, NextToken())
    assert (rows, cursor, tokens.asked) == ([0, 1, 2, 3], {"rest": True}, [None, "a", "b", "c"])
    assert Walk(NextToken(limit=7), None, None, today=TODAY).params == {"pageSize": 7}
    assert read(Tokens("a", "-1", "c"), NextToken(ends=("-1",)))[0] == [0, 1]


@pytest.mark.parametrize(
    ("order", "asked"),
    [("aa", 2), ("abcdee", 6), ("aba", 5), ("abcdefgh" + "cdefgh" * 9, 14), ("x" + "abcdefghijk" * 9, 27)],
)
def test_tokens_that_go_round_in_a_circle_are_a_repeated_page(order: str, asked: int) -> None:
    tokens = Tokens(*order, *["never"] * 9)
    with pytest.raises(SourceMalformed) as caught:
        read(tokens, NextToken())
    assert caught.value.code == "REPEATED_PAGE"
    assert len(tokens.asked) == asked


def test_many_tokens_are_no_circle() -> None:
    tokens = Tokens(*(f"t{n}" for n in range(300)))
    assert read(tokens, NextToken())[0] == list(range(301))


def test_a_feed_of_changes_rests_on_its_last_token() -> None:
    """It always gives a token; an empty page is its end for today."""
    paging = NextToken(keep=True)
    _, _, cursor = read(Tokens("a", "b", "b", empty="b"), paging)
    assert cursor == {"rest": True, "key": "b"}
    later = Tokens("c", "c", empty="c")
    _, _, moved = read(later, paging, cursor=cursor)
    assert (later.asked, moved) == (["b", "c"], {"rest": True, "key": "c"})


def test_a_first_row_of_one() -> None:
    walk = Walk(Offset("STARTNUM", "PAGENUM", limit=100, first=1), None, None, today=TODAY)
    assert walk.params == {"STARTNUM": 1, "PAGENUM": 100}
    cursor = walk.page(Opened(JsonRows([b"1"] * 100), 150), ANSWER).after(None)
    assert Walk(Offset("STARTNUM", "PAGENUM", first=1), None, cursor, today=TODAY).params["STARTNUM"] == 101


SINCE = Since("from", overlap=timedelta(minutes=10))


def test_the_next_run_reads_from_the_newest_time_seen() -> None:
    table = Table(450)
    _, _, cursor = read(table, PageNumber(limit=200), SINCE, newest=TIME)
    assert cursor == {"rest": True, "since": TIME}
    assert all("from" not in params for params in table.asked)
    read(table, PageNumber(limit=200), SINCE, cursor)
    assert [params["from"] for params in table.asked[4:]] == ["2026-01-31 23:50:00"] * 4


def test_a_run_keeps_reading_from_where_it_began() -> None:
    walk = Walk(Offset(limit=1), SINCE, {"rest": True, "since": TIME}, today=TODAY)
    cursor = walk.page(Opened(JsonRows([b"1"]), 2), ANSWER).after("2026-02-20T00:00:00")
    assert cursor["since"] == TIME
    assert cursor["high"] == "2026-02-20T00:00:00"
    cursor = (
        Walk(Offset(limit=1), SINCE, cursor, today=TODAY).page(Opened(JsonRows([b"2"]), 2), ANSWER).after("2026-02-10")
    )
    page = Walk(Offset(limit=1), SINCE, cursor, today=TODAY).page(Opened(JsonRows([b"1"]), 2), ANSWER)
    assert page.rows.raw == []
    assert page.after(None) == {"rest": True, "since": "2026-02-20T00:00:00"}


def test_a_row_dated_in_the_future_does_not_end_all_reading() -> None:
    _, _, cursor = read(Table(1), PageNumber(), SINCE, newest="2099-01-01T00:00:00")
    assert cursor["since"] == "2026-03-02T23:59:59"


def test_a_run_without_rows_keeps_its_watermark() -> None:
    assert read(Table(0), PageNumber(), SINCE, {"rest": True, "since": TIME})[2]["since"] == TIME


def test_everything_again_keeps_the_watermark_reached() -> None:
    table = Table(3)
    for cursor in ({"rest": True, "since": TIME}, {"at": {"n": 1, "k": 2}, "since": None, "high": TIME, "prev": ""}):
        again = restart(cursor)
        _, _, finished = read(table, PageNumber(), SINCE, again, newest="2026-01-01T00:00:00")
        assert "from" not in table.asked[-1]
        assert finished["since"] == TIME
    assert restart(None) is None
    assert restart({"rest": True}) is None


def test_a_back_fill_asks_from_a_day_on_and_keeps_the_watermark_reached() -> None:
    table, day = Table(3), date(2026, 1, 10)
    for cursor in ({"rest": True, "since": TIME}, {"at": {"n": 1, "k": 2}, "since": None, "high": TIME, "prev": ""}):
        _, _, finished = read(table, PageNumber(), SINCE, rewind(cursor, day), newest="2026-01-11T00:00:00")
        assert table.asked[-1]["from"] == "2026-01-09 23:50:00"
        assert finished["since"] == TIME
    assert rewind(None, day) is None, "who was never read is read whole"
    _, _, finished = read(table, PageNumber(), SINCE, rewind({"rest": True, "since": TIME}, date(2026, 2, 20)))
    assert finished["since"] == TIME, "a day ahead of the watermark skips nothing"


def test_a_back_fill_walks_the_days_from_its_own() -> None:
    rows, _, _ = read(a_day, DAYS, None, rewind({"rest": True, "day": "2026-03-02"}, date(2026, 2, 26)))
    assert rows == [26, 27, 28, 1, 2]


DAYS = DaySlice("day", start=3)


def a_day(params: dict[str, Any]) -> Opened:
    return Opened(JsonRows([params["day"][-2:].encode()]), None)


def test_days_are_walked_up_to_today_and_the_last_one_is_read_again() -> None:
    rows, _, cursor = read(a_day, DAYS)
    assert (rows, cursor) == ([27, 28, 1, 2], {"rest": True, "day": "2026-03-02"})
    assert read(a_day, DAYS, cursor=cursor)[0] == [2]
    assert read(a_day, DAYS, cursor=cursor, today=date(2026, 3, 4))[0] == [2, 3, 4]


def test_days_begin_on_a_given_date_and_never_after_today() -> None:
    assert read(a_day, DaySlice("day", start=date(2026, 3, 1)))[0] == [1, 2]
    assert read(a_day, DaySlice("day", start=date(2026, 4, 1)))[0] == [2]
    assert read(a_day, DAYS, cursor={"rest": True, "day": "2027-01-01"})[0] == [2]


def test_two_days_alike_are_no_repeated_page() -> None:
    same = Opened(JsonRows([b"1"]), None)
    assert read(lambda params: same, DAYS)[0] == [1, 1, 1, 1]


@pytest.mark.parametrize("paging", [*COUNTED, DAYS])
@pytest.mark.parametrize(
    "cursor",
    [
        {"x": 1},
        {"at": 5},
        {"at": {"n": "a", "k": None, "o": [], "day": 7}},
        {"at": {"day": "yesterday", "n": 0.5, "k": "1", "o": "0"}},
        {"at": {"day": "", "n": 2, "k": 1, "o": None, "gap": [1, 0]}},
        {"at": {"n": 0, "k": 1, "o": 0, "day": "2026-03-01"}, "since": 5},
        {"at": {"n": 0, "k": 1, "o": 0, "day": "2026-03-01"}, "high": "soon"},
        {"rest": True, "since": "soon", "day": "soon"},
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused(paging: Paging, cursor: Cursor) -> None:
    with pytest.raises(SourceMalformed) as caught:
        Walk(paging, SINCE, cursor, today=TODAY).page(Opened(JsonRows([b"1"]), 99), ANSWER)
    assert caught.value.code == "CURSOR_UNKNOWN"


@pytest.mark.parametrize("paging", [replace(LAST_ID, keep=True), NextToken(keep=True)])
@pytest.mark.parametrize(
    "cursor",
    [
        {"at": {}},
        {"at": {"k": "many"}},
        {"at": {"k": None, "key": ["1"]}},
        {"at": {"k": 1, "key": ["1"], "step": "one"}},
        {"at": {"key": ["1", "2"]}},
    ],
)
def test_a_key_that_is_none_of_ours_is_refused(paging: Paging, cursor: Cursor) -> None:
    with pytest.raises(SourceMalformed) as caught:
        Walk(paging, None, cursor, today=TODAY).page(
            Opened(JsonRows([b'{"ID":"2"}'] * 50), None, next_token="t"), ANSWER
        )
    assert caught.value.code == "CURSOR_UNKNOWN"


@pytest.mark.parametrize("key", [5, None, ["1", "2"], []])
def test_a_kept_key_of_another_declaration_is_refused(key: Any) -> None:
    with pytest.raises(SourceMalformed) as caught:
        Walk(replace(LAST_ID, keep=True), None, {"rest": True, "key": key}, today=TODAY)
    assert caught.value.code == "CURSOR_UNKNOWN"
