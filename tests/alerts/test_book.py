"""Who is told what, when: once a code, not before it has stood, not at night, and once more when it is over."""

from __future__ import annotations

import time

import pytest

from gateway.alerts import Window
from gateway.alerts.rules import morning
from gateway.config import AlertsModel
from gateway.errors import Usage
from gateway.freshness.health import _channels
from gateway.scope import EVERYTHING
from gateway.store import Store
from tests.alerts.conftest import Desk, finding, noon

OVERDUE = ("raised", "360981/subsidy overdue")
RECOVERED = ("recovered", "360981/subsidy overdue")


def test_a_verdict_that_stands_is_told_once_and_its_end_once(desk: Desk) -> None:
    assert desk.at("2026-10-12T09:00:00", finding()) == []
    assert desk.at("2026-10-12T09:09:00", finding()) == []
    assert desk.at("2026-10-12T09:10:00", finding()) == [OVERDUE]
    assert desk.at("2026-10-13T09:10:00", finding()) == []
    assert desk.at("2026-10-14T09:00:00") == []
    assert desk.at("2026-10-14T09:09:00") == []
    assert desk.at("2026-10-14T09:10:00") == [RECOVERED]
    assert desk.at("2026-10-20T09:10:00") == []
    assert desk.book.alerts(EVERYTHING) == []
    (over,) = desk.book.alerts(EVERYTHING, everything=True)
    assert (over["county"], over["closed_at"][:16]) == ("360981", "2026-10-14T09:10")


def test_what_is_over_before_anybody_was_told_is_told_to_nobody(desk: Desk) -> None:
    desk.at("2026-10-12T09:00:00", finding())
    desk.at("2026-10-12T09:05:00")
    assert desk.at("2026-10-12T12:00:00") == []
    assert desk.book.alerts(EVERYTHING) == []


def test_what_comes_and_goes_is_one_alert(desk: Desk) -> None:
    desk.at("2026-10-12T09:00:00", finding())
    desk.at("2026-10-12T09:10:00", finding())
    for minute in range(11, 40, 3):
        assert desk.at(f"2026-10-12T09:{minute}:00", *([finding()] if minute % 2 else [])) == []
    assert len(desk.book.alerts(EVERYTHING, everything=True)) == 1


def test_a_worse_code_is_told_and_recovery_names_what_was_told(desk: Desk) -> None:
    desk.at("2026-10-09T09:00:00", finding(code="due_soon"))
    assert desk.at("2026-10-09T10:00:00", finding(code="due_soon")) == [("raised", "360981/subsidy due_soon")]
    assert desk.at("2026-10-11T00:00:00", finding()) == []
    assert desk.at("2026-10-11T00:10:00", finding()) == [OVERDUE]
    desk.at("2026-10-12T00:00:00")
    assert desk.at("2026-10-12T00:10:00") == [RECOVERED]


def test_the_same_again_is_another_alert(desk: Desk) -> None:
    for day in (12, 15):
        desk.at(f"2026-10-{day}T09:00:00", finding())
        assert desk.at(f"2026-10-{day}T09:10:00", finding()) == [OVERDUE]
        desk.at(f"2026-10-{day + 1}T09:00:00")
        assert desk.at(f"2026-10-{day + 1}T09:10:00") == [RECOVERED]


def test_what_only_adds_up_and_what_nobody_owes_is_not_told(desk: Desk) -> None:
    found = (finding("360981", kind="county"), finding(owner=None))
    desk.at("2026-10-12T09:00:00", *found)
    assert desk.at("2026-10-12T10:00:00", *found) == []


def test_routes_choose_by_owner_county_and_kind(store: Store) -> None:
    desk = Desk(
        store,
        routes=[{"owners": ["chain"], "to": ["chief"]}, {"counties": ["360983"], "kinds": ["feed"], "to": ["duty"]}],
    )
    found = [
        finding("local", "unconfirmed", "chain", "sink"),
        finding("360983/homestead", "unavailable", "gateway", "feed"),
        finding("360983/homestead", "overdue", "agency", "duty"),
        finding("360981/homestead", "unavailable", "gateway", "feed"),
    ]
    desk.at("2026-10-12T09:00:00", *found)
    assert desk.at("2026-10-12T09:10:00", *found) == [("raised", "360983/homestead unavailable")]
    assert desk.ears["chief"].heard == [("raised", "local unconfirmed")]


def test_many_at_once_are_one_message(desk: Desk) -> None:
    found = [finding(f"3609{n}/subsidy") for n in range(20, 45)]
    desk.at("2026-10-12T09:00:00", *found)
    assert len(desk.at("2026-10-12T09:10:00", *found)) == 25
    assert desk.ears["duty"].titles == ["【数桥】25 项需要部门处理"]


class TestQuietHours:
    def test_the_night_is_waited_for(self, store: Store) -> None:
        desk = Desk(store, quiet="22:00-07:00")
        desk.at("2026-10-12T21:55:00", finding())
        assert desk.at("2026-10-12T22:05:00", finding()) == []
        assert desk.at("2026-10-13T06:59:00", finding()) == []
        assert desk.at("2026-10-13T07:00:00", finding()) == [OVERDUE]

    def test_what_was_over_by_the_morning_is_told_to_nobody(self, store: Store) -> None:
        desk = Desk(store, quiet="22:00-07:00")
        desk.at("2026-10-12T21:55:00", finding())
        desk.at("2026-10-12T22:05:00", finding())
        desk.at("2026-10-13T03:00:00")
        desk.at("2026-10-13T03:10:00")
        assert desk.at("2026-10-13T09:00:00") == []

    def test_some_are_woken(self, store: Store) -> None:
        desk = Desk(store, quiet="22:00-07:00", routes=[{"to": ["duty"], "at_night": True}])
        desk.at("2026-10-12T23:00:00", finding())
        assert desk.at("2026-10-12T23:10:00", finding()) == [OVERDUE]

    @pytest.mark.parametrize(
        ("now", "due"),
        [
            ("2026-10-12T21:59:59", "2026-10-12T21:59:59"),
            ("2026-10-12T22:00:00", "2026-10-13T07:00:00"),
            ("2026-10-13T06:59:59", "2026-10-13T07:00:00"),
            ("2026-10-13T07:00:00", "2026-10-13T07:00:00"),
        ],
    )
    def test_edges(self, now: str, due: str) -> None:
        assert morning(AlertsModel(quiet="22:00-07:00"), noon(now)) == noon(due)
        assert morning(AlertsModel(quiet="12:00-14:00"), noon("2026-10-12T13:00:00")) == noon("2026-10-12T14:00:00")


ESCALATED = [{"to": ["duty"], "escalate": {"after": "4h", "to": ["chief"]}}]


class TestEscalation:
    def test_what_nobody_takes_up_goes_on_once(self, store: Store) -> None:
        desk = Desk(store, routes=ESCALATED)
        for moment in ("09:00", "09:10", "13:09", "13:10", "18:00"):
            desk.at(f"2026-10-12T{moment}:00", finding())
            assert len(desk.ears["chief"].heard) == int(moment >= "13:10")
        desk.at("2026-10-13T09:00:00")
        desk.at("2026-10-13T09:10:00")
        assert desk.ears["chief"].heard == [("escalated", "360981/subsidy overdue"), RECOVERED]

    def test_what_somebody_took_up_does_not(self, store: Store) -> None:
        desk = Desk(store, routes=ESCALATED)
        desk.at("2026-10-12T09:00:00", finding())
        desk.at("2026-10-12T09:10:00", finding())
        (alert,) = desk.book.alerts(EVERYTHING)
        desk.book.take(alert["id"], "user:li")
        desk.at("2026-10-12T18:00:00", finding())
        assert desk.ears["chief"].heard == []
        with pytest.raises(Usage, match="已由 user:li 认领"):
            desk.book.take(alert["id"], "user:wang")
        with pytest.raises(Usage, match="没有未恢复的告警 99"):
            desk.book.take(99, "user:wang")


class TestWindows:
    def test_nobody_is_told_until_it_is_over(self, desk: Desk) -> None:
        desk.clock.set_to("2026-10-12T08:00:00")
        number = desk.book.add_window(
            Window("360981/*", noon("2026-10-12T09:00:00"), noon("2026-10-12T12:00:00"), "机房搬迁"), "user:li"
        )
        other = finding("360983/subsidy")
        desk.at("2026-10-12T09:00:00", finding(), other)
        assert desk.at("2026-10-12T10:00:00", finding(), other) == [("raised", "360983/subsidy overdue")]
        assert [w["id"] for w in desk.book.windows()] == [number]
        assert desk.at("2026-10-12T12:00:00", finding(), other) == [OVERDUE]
        assert desk.book.windows() == []

    def test_it_can_be_ended_early(self, desk: Desk) -> None:
        number = desk.book.add_window(
            Window("*", noon("2026-10-12T09:00:00"), noon("2026-10-12T18:00:00"), "演练"), "user:li"
        )
        desk.at("2026-10-12T09:00:00", finding())
        assert desk.at("2026-10-12T10:00:00", finding()) == []
        desk.book.end_window(number)
        assert desk.at("2026-10-12T10:01:00", finding()) == [OVERDUE]
        with pytest.raises(Usage):
            desk.book.end_window(number)

    @pytest.mark.parametrize(
        ("begins", "ends", "why"), [("10:00", "10:00", "演练"), ("07:00", "08:00", "演练"), ("10:00", "11:00", " ")]
    )
    def test_a_window_has_an_end_to_come_and_a_reason(self, desk: Desk, begins: str, ends: str, why: str) -> None:
        with pytest.raises(Usage):
            desk.book.add_window(
                Window("*", noon(f"2026-10-12T{begins}:00"), noon(f"2026-10-12T{ends}:00"), why), "user:li"
            )


class TestPost:
    def test_what_was_not_taken_comes_again_later_and_is_a_verdict_meanwhile(
        self, desk: Desk, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wall = time.time()
        monkeypatch.setattr("gateway.alerts.post.time.time", lambda: wall)
        desk.ears["duty"].deaf = True
        desk.at("2026-10-12T09:00:00", finding())
        desk.at("2026-10-12T09:10:00", finding())
        for wait in (60, 120):
            assert desk.post.deliver().failed == 0, "not before its time"
            with store.read() as tx:
                assert [v.code for v in _channels(tx)] == []
            wall += wait
            assert desk.post.deliver().failed == 1
        with store.read() as tx:
            (verdict,) = _channels(tx)
        assert (verdict.kind, verdict.target, verdict.owner) == ("channel", "duty", "gateway")
        assert verdict.sentence == "1 条告警送不出去：告警地址没有接收：HTTP 503"
        desk.ears["duty"].deaf, wall = False, wall + 3600
        assert desk.post.deliver().sent == 1
        assert desk.ears["duty"].heard == [OVERDUE]
        assert desk.post.deliver().sent == 0

    def test_a_channel_that_is_no_longer_there_keeps_nothing_waiting(self, desk: Desk, store: Store) -> None:
        desk.at("2026-10-12T09:00:00", finding())
        del desk.ears["duty"]
        desk.clock.set_to("2026-10-12T09:10:00")
        desk.book.observe([finding()])
        assert desk.post.deliver().sent == 0
        with store.read() as tx:
            assert tx.all("alert_notices_due", now="2027", clock=1e12) == []

    def test_a_test_goes_the_same_way(self, desk: Desk) -> None:
        desk.post.test("chief")
        assert desk.ears["chief"].heard == [("test", "chief test")]
        with pytest.raises(Usage, match="没有告警渠道 boss。可用的有：duty、chief"):
            desk.post.test("boss")
