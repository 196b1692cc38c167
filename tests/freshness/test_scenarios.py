"""What agencies really do, on the business clock, and what the ledger makes of it (DESIGN §5.3, §5.5, §9)."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.calendar import WorkingCalendar
from gateway.errors import Usage
from gateway.store import Store
from tests.freshness.books import COUNTY, Books

DUE = "2026-10-10"
"""Of September 2026: the 10th of October is a Saturday, and worked."""


def test_a_month_in_time_is_on_time(store: Store) -> None:
    books = Books(store).at("2026-10-03T09:00:00").run("2026-09")
    line = books.at("2026-11-01T00:00:00").period("2026-09")
    assert (line.code, line.channel, line.rows, line.late_days) == ("on_time", "SYSTEM", 3, 0)
    assert line.due_at == f"{DUE}T23:59:59+08:00"
    assert line.sentence == "2026-09 按时报送（系统，2026-10-03 09:00）"


def test_a_silent_agency_is_due_soon_then_overdue_then_missing(store: Store) -> None:
    books = Books(store).run("2026-08")
    assert books.at("2026-09-20T00:00:00").code("2026-09") == "open"
    soon = books.at("2026-10-09T00:00:00").run().standing
    assert (soon.code, soon.period, soon.owner, soon.action) == ("due_soon", "2026-09", "agency", "请提醒某局按期报送")
    over = books.at("2026-10-11T00:00:00").standing
    assert (over.code, over.owner, over.action, over.late_clock) == ("overdue", "agency", "请某局补报 2026-09", "as_of")
    assert over.sentence == "2026-09 应在 2026-10-10 23:59 前报送，还没有收到"
    assert books.at("2026-11-11T00:00:00").code("2026-09") == "missing"
    assert books.code("2026-10") == "overdue"


def test_a_back_fill_never_repaints_the_past(store: Store) -> None:
    """Made up, with its days; and today's delivery turns no other month green."""
    books = Books(store).at("2026-11-12T10:00:00").run("2026-10")
    assert books.code("2026-09") == "missing"
    books.at("2026-11-15T10:00:00").run("2026-09")
    line = books.period("2026-09")
    assert (line.code, line.late_days) == ("made_up", 36)
    assert line.sentence == "2026-09 逾期 36 天后补报（系统，2026-11-15 10:00）"
    assert books.period("2026-10").late_days == 2
    standing = books.at("2026-11-16T00:00:00").standing
    assert (standing.on_time, standing.made_up, standing.missed) == (0, 3 - 1, 1)  # August was never sent


def test_last_month_sent_again_is_not_this_month(store: Store) -> None:
    books = Books(store).at("2026-09-05T00:00:00").run("2026-08").at("2026-10-05T00:00:00").run("2026-08", rows=9)
    assert books.at("2026-10-11T00:00:00").code("2026-09") == "overdue"
    assert books.period("2026-08").rows == 12


def test_by_hand_is_as_good_and_is_said(store: Store) -> None:
    books = Books(store, manual=True).at("2026-10-08T00:00:00").run(done=False).run("2026-09", feed="manual")
    line = books.at("2026-10-11T00:00:00").period("2026-09")
    assert (line.code, line.channel) == ("on_time", "MANUAL")


def test_half_a_delivery_is_none(store: Store) -> None:
    books = Books(store).at("2026-10-09T00:00:00").run("2026-09", done=False)
    assert books.at("2026-10-11T00:00:00").code("2026-09") == "overdue"
    line = books.at("2026-10-12T00:00:00").run().period("2026-09")
    assert (line.code, line.first_at[:10], line.complete_at[:10]) == ("made_up", "2026-10-09", "2026-10-12")


class TestZero:
    """Zero is explained: only a confirmed one satisfies."""

    def test_a_confirmed_one_does(self, store: Store) -> None:
        books = Books(store).run("2026-08").at("2026-10-05T00:00:00").run(zero=True)
        line = books.at("2026-10-11T00:00:00").period("2026-09")
        assert (line.code, line.sentence) == ("on_time", "2026-09 来源确认没有数据，按时")

    @pytest.mark.parametrize("doubt", ["unverified", "suspicious"])
    def test_an_unconfirmed_one_does_not(self, store: Store, doubt: str) -> None:
        books = Books(store).run("2026-08").at("2026-10-05T00:00:00").run(doubt=doubt, done=doubt == "unverified")
        standing = books.at("2026-10-11T00:00:00").standing
        assert (standing.code, standing.period, standing.owner) == ("unverified", "2026-09", "agency")
        assert standing.action == "请某局确认 2026-09 是否真的没有数据，或作零报告"

    def test_one_before_the_month_is_over_says_nothing_of_it(self, store: Store) -> None:
        books = Books(store).run("2026-08").at("2026-09-25T00:00:00").run(zero=True)
        assert books.at("2026-10-11T00:00:00").code("2026-09") == "overdue"

    def test_one_of_a_later_month_does_not_make_up_an_earlier(self, store: Store) -> None:
        books = Books(store).at("2026-12-05T00:00:00").run(zero=True)
        assert (books.code("2026-11"), books.code("2026-09")) == ("on_time", "missing")

    def test_rows_that_come_after_all_make_it_late(self, store: Store) -> None:
        books = Books(store).at("2026-10-05T00:00:00").run(zero=True)
        assert books.at("2026-10-11T00:00:00").code("2026-09") == "on_time"
        line = books.at("2026-10-20T00:00:00").run("2026-09").period("2026-09")
        assert (line.code, line.late_days) == ("made_up", 10)


def events(store: Store) -> Books:
    """Registrations of marriages, by their day, due the day after."""
    return Books(store, "2026-10-12T19:00:00", "marriage", "每日", "次日18点前")


def test_a_day_of_events_is_complete_only_when_it_is_over(store: Store) -> None:
    books = events(store).at("2026-10-13T10:00:00").run("2026-10-13")
    assert books.code("2026-10-13") == "open"
    books.at("2026-10-14T02:00:00").run()
    assert books.period("2026-10-13").complete_at == "2026-10-14T02:00:00+08:00"
    assert books.code("2026-10-13") == "on_time"


def test_a_whole_reading_after_a_day_without_events_confirms_it(store: Store) -> None:
    books = events(store).at("2026-10-14T02:00:00").run("2026-10-12", whole=True)
    assert books.period("2026-10-13").sentence == "2026-10-13 来源确认没有数据，按时"


def test_five_days_of_silence_are_made_up_one_by_one(store: Store) -> None:
    books = events(store).at("2026-10-13T02:00:00").run("2026-10-12")
    for day in range(14, 19):
        books.at(f"2026-10-{day}T02:00:00").run(done=False, answered=False)
    assert books.at("2026-10-18T20:00:00").standing.missed == 5
    books.at("2026-10-19T02:00:00").run("2026-10-13", "2026-10-16", whole=True)
    assert [books.code(f"2026-10-{day}") for day in range(12, 19)] == ["on_time", *["made_up"] * 5, "on_time"]
    assert [books.period(f"2026-10-{day}").late_days for day in (13, 17)] == [5, 1]


def test_as_of_counts_what_the_source_held_within_the_period(store: Store) -> None:
    books = Books(store, "2026-10-12T08:00:00", "household_member", "每日", None)
    books.at("2026-10-12T09:00:00").run(times=("2026-10-11T12:00:00",))
    assert books.code("2026-10-12") == "open"
    books.at("2026-10-12T10:00:00").run(whole=True)
    assert books.code("2026-10-12") == "on_time"
    books.at("2026-10-14T10:00:00").run(times=("2026-10-13T23:00:00",))
    assert books.code("2026-10-13") == "on_time"


class TestRealTime:
    """Each day is a period, judged by the longest silence, the lag of its rows, and a heartbeat where one is owed."""

    @staticmethod
    def homestead(store: Store, **terms: object) -> Books:
        return Books(store, "2026-10-12T00:00:00", "homestead", "实时更新", "4小时内", dict(terms))

    @staticmethod
    def asked(books: Books, day: str, hours: range, **run: object) -> Books:
        for hour in hours:
            books.at(f"{day}T{hour:02}:00:00").run(**run)  # type: ignore[arg-type]
        return books

    def test_asked_all_day_without_rows_is_on_time(self, store: Store) -> None:
        books = self.asked(self.homestead(store), "2026-10-12", range(0, 24, 3))
        line = books.at("2026-10-13T00:00:01").run().period("2026-10-12")
        assert (line.code, line.sentence) == (
            "on_time",
            "2026-10-12 联系正常：最长 3.0 h 无应答，95% 的数据延迟不超过 —",
        )

    def test_five_hours_of_silence_are_seen_at_once_and_stay(self, store: Store) -> None:
        books = self.asked(self.homestead(store), "2026-10-12", range(0, 10, 3))
        books.fails("unavailable", "gateway", "会自动重试")
        standing = books.at("2026-10-12T14:30:00").run(done=False, answered=False).standing
        assert (standing.code, standing.owner, standing.late_clock) == ("overdue", "agency", "contact")
        assert standing.action == "请某局恢复系统，或先人工报送"
        books = self.asked(books, "2026-10-12", range(15, 24, 3))
        assert books.at("2026-10-13T01:00:00").code("2026-10-12") == "made_up"

    def test_a_whole_day_away_is_made_up_when_it_answers(self, store: Store) -> None:
        books = self.asked(self.homestead(store), "2026-10-12", range(0, 24, 3))
        assert books.at("2026-10-15T00:00:01").code("2026-10-13") == "missing"
        books.at("2026-10-15T01:00:00").run()
        assert [books.code(f"2026-10-{d}") for d in (12, 13, 14)] == ["on_time", "made_up", "made_up"]

    def test_rows_that_come_late_are_a_breach_though_somebody_answers(self, store: Store) -> None:
        books = self.asked(self.homestead(store), "2026-10-12", range(0, 24, 3))
        books.at("2026-10-12T23:00:00").run(times=("2026-10-12T08:00:00", "2026-10-12T09:00:00"))
        line = books.at("2026-10-13T00:00:01").run().period("2026-10-12")
        assert line.code == "made_up"
        assert "95% 的数据延迟不超过 16.0 h" in line.sentence

    def test_a_heartbeat_that_is_owed_and_does_not_come(self, store: Store) -> None:
        books = self.asked(self.homestead(store, heartbeat=True), "2026-10-12", range(0, 24, 3))
        books.at("2026-10-13T00:00:01").run()
        assert books.code("2026-10-12") == "made_up"
        for hour in range(1, 24, 3):
            books.at(f"2026-10-13T{hour:02}:00:00").run(times=(f"2026-10-13T{hour:02}:00:00",))
        assert books.at("2026-10-14T00:00:01").run().code("2026-10-13") == "on_time"


class TestTheCalendarEnds:
    """Past its horizon nothing is guessed; when it is told, what was due then is judged then."""

    def test_a_date_that_needs_it_is_not_judged(self, store: Store) -> None:
        books = Books(store, "2026-12-01T08:00:00").at("2026-12-05T00:00:00").run("2026-11")
        standing = books.at("2027-01-20T00:00:00").standing
        assert (standing.code, standing.period, standing.owner) == ("unverified_calendar", "2026-12", "gateway")
        assert standing.sentence == "2026-12 的期限要看还没有公布的日历，不作判定；日历只核实到 2026-12-31"
        assert not standing.calendar_verified

    def test_it_is_judged_by_what_is_announced_later(self, store: Store) -> None:
        books = Books(store, "2026-12-01T08:00:00").at("2027-01-11T12:00:00").run("2026-12")
        assert books.at("2027-01-20T00:00:00").code("2026-12") == "unverified_calendar"
        books.config.calendar = WorkingCalendar(date(2027, 12, 31), frozenset({date(2027, 1, 1), date(2027, 1, 11)}))
        books.run()
        assert (books.code("2026-12"), books.period("2026-12").due_at[:10]) == ("on_time", "2027-01-12")

    def test_a_date_that_needs_none_is_judged_and_says_so(self, store: Store) -> None:
        books = Books(store, "2026-12-01T08:00:00", deadline="次月10日前").run("2026-11")
        standing = books.at("2027-01-20T00:00:00").standing
        assert (standing.code, standing.period) == ("overdue", "2026-12")
        assert standing.sentence.endswith("；日历只核实到 2026-12-31")


class TestTheMove:
    """Whose move it is."""

    @pytest.mark.parametrize(
        ("state", "owner", "expected"),
        [
            ("denied", "county", ("county", "照办")),
            ("malformed", "agency", ("agency", "照办")),
            ("failed", "gateway", ("gateway", "请查看日志并联系运维")),
            ("unavailable", "gateway", ("agency", "请某局恢复系统，或先人工报送")),
        ],
    )
    def test_a_failing_feed_says_it(self, store: Store, state: str, owner: str, expected: tuple[str, str]) -> None:
        books = Books(store).run("2026-08").fails(state, owner, "照办").at("2026-10-11T00:00:00")
        assert (books.standing.owner, books.standing.action) == expected

    def test_nobody_asked_yet(self, store: Store) -> None:
        standing = Books(store).at("2026-10-11T00:00:00").standing
        assert (standing.owner, standing.action) == ("gateway", "还没有采过：请运行 shuqiao sync 360981/system")

    def test_no_feed_at_all(self, store: Store) -> None:
        books = Books(store)
        books.config.feeds.clear()
        assert (books.standing.code, books.standing.owner) == ("not_connected", "county")

    def test_nothing_owed_by_a_date(self, store: Store) -> None:
        books = Books(store, frequency="不定期", deadline=None)
        assert (books.standing.code, books.standing.owner) == ("as_needed", None)

    def test_received_and_on_no_chain(self, store: Store) -> None:
        """The third clock: the obligation is kept, the chain is named."""
        books = Books(store).run("2026-08").at("2026-10-03T09:00:00").run("2026-09")
        with store.write() as tx:
            row = books.rows["system"]
            tx.value("batch_reserve", stream_id=row.stream_id, first=1, last=3, sealed_at=books.clock.stamp())
        assert books.at("2026-10-03T09:30:00").standing.late_clock is None
        standing = books.at("2026-10-03T11:00:00").standing
        assert (standing.code, standing.late_clock, standing.owner) == ("on_time", "confirmed", "chain")
        assert standing.sentence.endswith("；已收到，尚未确认上链")


class TestWaivers:
    def test_a_period_is_excused_and_taken_back(self, store: Store) -> None:
        books = Books(store).run("2026-08").at("2026-10-11T00:00:00")
        books.ledger.waive(COUNTY.code, books.dataset, "2026-09", "系统割接", "person:li")
        line = books.period("2026-09")
        assert (line.code, line.sentence, line.waived_by) == ("waived", "2026-09 已豁免：系统割接", "person:li")
        with pytest.raises(Usage, match="已经豁免"):
            books.ledger.waive(COUNTY.code, books.dataset, "2026-09", "再说一次", "person:li")
        books.ledger.revoke(COUNTY.code, books.dataset, "2026-09", "person:wang")
        assert books.code("2026-09") == "overdue"
        with pytest.raises(Usage, match="没有豁免"):
            books.ledger.revoke(COUNTY.code, books.dataset, "2026-09", "person:wang")

    @pytest.mark.parametrize(
        ("period", "reason", "told"),
        [("2026-13", "系统割接", "台账里没有 2026-13"), ("2026-09", " ", "写明原因"), ("2026-09", "王某 13912345678", "个人信息")],
    )  # fmt: skip
    def test_what_is_refused(self, store: Store, period: str, reason: str, told: str) -> None:
        books = Books(store).at("2026-10-11T00:00:00")
        with pytest.raises(Usage, match=told):
            books.ledger.waive(COUNTY.code, books.dataset, period, reason, "person:li")

    def test_the_catalogue_excuses_a_county_until_a_day(self, store: Store) -> None:
        own = {"360981": {"waived_until": date(2026, 9, 30), "reason": "系统割接"}}
        books = Books(store, terms={"counties": own}).at("2026-11-11T00:00:00")
        assert [books.code(p) for p in ("2026-09", "2026-10")] == ["waived", "overdue"]


class TestTheCatalogueChanges:
    def test_a_past_date_stays_and_a_coming_one_follows(self, store: Store) -> None:
        books = Books(store).at("2026-10-11T00:00:00")
        books.promise(deadline="次月20日前")
        books.at("2026-11-11T00:00:00").run("2026-10")
        assert [books.code(p) for p in ("2026-09", "2026-10")] == ["overdue", "on_time"]
        assert [books.period(p).due_at[:10] for p in ("2026-09", "2026-10")] == ["2026-10-10", "2026-11-20"]

    def test_another_frequency_begins_where_the_old_one_ends(self, store: Store) -> None:
        books = Books(store, deadline=None).at("2026-10-05T00:00:00").run("2026-09")
        books.promise(update_frequency="每季度")
        books.at("2026-10-06T00:00:00").run("2026-10")
        names = [p.period for p in books.ledger.explain(COUNTY.code, books.dataset).periods]
        assert names[:2] == ["2026-Q4", "2026-09"]


def test_volumes_far_from_the_usual_are_marked_and_little_data_is_not(store: Store) -> None:
    books = Books(store, "2025-01-01T08:00:00", deadline=None)
    volumes = [100, 104, 98, 101, 99, 103, 97, 100, 102, 12]
    for month, rows in enumerate(volumes, 1):
        books.at(f"2025-{month + 1:02}-03T00:00:00").run(f"2025-{month:02}", rows=rows)
    assert [books.period(f"2025-{m:02}").odd for m in (2, 9, 10)] == [0, 0, -1]
    assert books.standing.cadence_days == 31


def test_the_steps_to_a_verdict_are_told(store: Store) -> None:
    books = Books(store).at("2026-10-05T00:00:00").run("2026-08", feed="system")
    told = books.at("2026-10-12T00:00:00").ledger.explain(COUNTY.code, books.dataset)
    assert told.sentences == (
        "某局承诺每月报送，期限“次月10日前，遇节假日顺延”",
        "2026-09 应在 2026-10-10 23:59 前报送，还没有收到",
        "期限这样算：2026-09 止于 2026-09-30",
        "期限这样算：按“次月10日前，遇节假日顺延”是 2026-10-10（上班）",
        "没有一条数据的 period 落在 2026-09",
        "360981/system：联系于 2026-10-05 00:00，数据截至 —，上链于 —",
        "台账：按时 0 期，补报 1 期，未报 1 期，豁免 0 期",
        "下一步（agency）：请某局补报 2026-09",
    )


def test_what_comes_today_does_not_hide_what_never_came(store: Store) -> None:
    books = Books(store).at("2026-11-05T00:00:00").run("2026-09", "2026-10")
    standing = books.at("2026-12-01T00:00:00").standing
    assert (standing.code, standing.period, standing.owner) == ("on_time", "2026-10", "agency")
    assert standing.sentence.endswith("；以前还有 1 期没有报")
    books.ledger.waive(COUNTY.code, books.dataset, "2026-08", "系统割接", "person:li")
    assert (books.standing.owner, books.standing.missed, books.standing.waived) == (None, 1, 1)


def test_a_clock_set_back_repaints_nothing(store: Store) -> None:
    """Evidence that seems to be in time comes too late for a period that was seen to be missed."""
    books = Books(store).run("2026-08").at("2026-10-11T00:00:00")
    assert books.code("2026-09") == "overdue"
    books.clock.set_to("2026-10-05T00:00:00")
    books.run("2026-09")
    assert books.code("2026-09") == "made_up"


def test_a_zero_that_another_channel_contradicts_was_none(store: Store) -> None:
    books = Books(store, manual=True).run("2026-08").at("2026-10-05T00:00:00").run(zero=True)
    assert books.at("2026-10-11T00:00:00").code("2026-09") == "on_time"
    line = books.at("2026-10-20T00:00:00").run("2026-09", feed="manual").period("2026-09")
    assert (line.code, line.channel, line.late_days) == ("made_up", "MANUAL", 10)
