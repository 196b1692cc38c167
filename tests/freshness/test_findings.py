"""Every verdict that is not a duty's, seen once: what makes it, whose move it is; and that nothing is said of what is well."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.calendar import WorkingCalendar
from gateway.clock import SHANGHAI
from gateway.config.duties import impossible
from gateway.config.models import AccountModel, CatalogueEntry, FeedModel, GatewayFile, SharingModel
from gateway.freshness import Finding, note_certificate, tellable, verdicts
from gateway.i18n import WORDS
from gateway.scope import EVERYTHING
from gateway.store import Store
from tests.freshness.books import Books


@pytest.fixture
def books(store: Store) -> Books:
    """Everything well."""
    made = Books(store).run("2026-08")
    made.config.gateway = GatewayFile(submitter="x")
    return made


def told(books: Books) -> list[Finding]:
    return tellable(verdicts(books.store, books.clock, books.config, books.ledger.standings(EVERYTHING), EVERYTHING))


def only(books: Books) -> tuple[str, str, str, str | None]:
    """The one finding there is, beside duties and counties."""
    (found,) = [f for f in told(books) if f.kind not in ("duty", "county")]
    assert found.code in WORDS
    assert found.sentence
    assert found.action
    return found.kind, found.target, found.code, found.owner


def test_nothing_is_said_of_what_is_well(books: Books) -> None:
    assert told(books) == []


def test_a_county_stands_as_its_worst_duty(books: Books) -> None:
    books.at("2026-10-11T00:00:00")
    found = next(f for f in told(books) if f.kind == "county")
    assert (found.target, found.code, found.owner) == ("360981", "overdue", "agency")
    assert found.sentence == "丰城市：1 项报送义务，1 项欠报"


def test_a_failing_feed(books: Books) -> None:
    books.fails("denied", "county", "核对账号")
    assert only(books) == ("feed", "360981/system", "denied", "county")


@pytest.mark.parametrize(("minutes", "code"), [(9, None), (30, "long_running"), (600, "stuck")])
def test_a_run_far_longer_than_usual(books: Books, minutes: int, code: str | None) -> None:
    """Usually it takes three minutes."""
    feed = books.rows["system"]
    with books.store.write() as tx:
        for slot in ("a", "b", "c", "now"):
            tx.run("run_add", feed_id=feed.id, due_at=slot, reason="t", actor="t", options="{}")
            run = tx.value("run_slot", feed_id=feed.id, due_at=slot, reason="t")
            tx.run("run_start", id=run, at="2026-09-01T07:00:00+08:00", token=1, config_id=None)
            if slot != "now":
                tx.run(
                    "run_finish",
                    id=run,
                    state="done",
                    at="2026-09-01T07:03:00+08:00",
                    emptiness=None,
                    code=None,
                    sentence=None,
                )
    books.clock.set_to((datetime.fromisoformat("2026-09-01T07:00:00") + timedelta(minutes=minutes)).isoformat())
    found = [f for f in told(books) if f.kind == "run"]
    assert [f.code for f in found] == ([code] if code else [])
    assert all((f.target, f.owner) == ("360981/system", "gateway") for f in found)


@pytest.mark.parametrize(
    ("state", "expected"),
    [({"stopped": "AUTH_CONFIG"}, ("account", "a", "stopped", "county")), ({"open_until": 4e9}, ("account", "a", "cooling", "agency"))],
)  # fmt: skip
def test_an_account_that_cannot_be_used(
    books: Books, state: dict[str, Any], expected: tuple[str, str, str, str]
) -> None:
    with books.store.write() as tx:
        tx.run("account_add", name="a", state=msgspec.json.encode({"state": state, "holders": []}).decode())
    assert only(books) == expected


@pytest.mark.parametrize("taken", [True, False])
def test_a_chain_that_confirms_nothing(books: Books, taken: bool) -> None:
    """Whether or not the sink ever took the batch up."""
    with books.store.write() as tx:
        stream = books.rows["system"].stream_id
        batch = tx.value("batch_reserve", stream_id=stream, first=1, last=3, sealed_at=books.clock.stamp())
        tx.run("batch_built", id=batch, batch_id="b", payload_digest="d", manifest=b"", signature=b"")
        if taken:
            tx.run("delivery_add", sink="local", batch=batch)
    assert told(books) == []
    books.clock.set_to("2026-09-01T08:30:00")
    assert only(books) == ("sink", "local", "unconfirmed", "chain")


@pytest.mark.parametrize(("days", "code"), [(31, None), (30, "expiring"), (-1, "expired")])
def test_a_certificate_as_check_saw_it(books: Books, days: int, code: str | None) -> None:
    noon = datetime.now(SHANGHAI).replace(hour=12)
    note_certificate(books.store, "sjj.example", (noon + timedelta(days=days)).astimezone(UTC))
    found = [(f.kind, f.target, f.code, f.owner) for f in told(books)]
    assert found == ([("certificate", "sjj.example", code, "agency")] if code else [])


def test_a_rotating_secret_nobody_renewed(books: Books) -> None:
    books.config.accounts["a"] = AccountModel()
    with books.store.write() as tx:
        fresh, old = datetime.now(UTC) - timedelta(hours=2), datetime.now(UTC) - timedelta(days=2)
        tx.run("secret_put", account="a", name="token", expires_at=fresh.isoformat(), sealed=b"x")
    assert told(books) == []
    with books.store.write() as tx:
        tx.run("secret_put", account="a", name="token", expires_at=old.isoformat(), sealed=b"x")
    assert only(books) == ("secret", "a", "expired", "gateway")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"type": "无条件共享", "expires": date(2026, 10, 1)}, "expiring"),
        ({"type": "无条件共享", "expires": date(2026, 8, 31)}, "expired"),
        ({"type": "有条件共享"}, "unapproved"),
        ({"type": "无条件共享", "expires": date(2027, 10, 1)}, None),
    ],
)
def test_terms_of_sharing(books: Books, terms: dict[str, Any], code: str | None) -> None:
    entry = books.config.catalogue["subsidy"]
    books.config.catalogue["subsidy"] = entry.model_copy(update={"sharing": SharingModel(**terms)})
    found = [(f.kind, f.target, f.code, f.owner) for f in told(books)]
    assert found == ([("sharing", "subsidy", code, "county")] if code else [])


def test_the_calendar_near_its_horizon(books: Books) -> None:
    books.config.calendar = WorkingCalendar(date(2026, 10, 10))
    assert only(books) == ("calendar", "calendar.yaml", "expiring", "gateway")


class TestImpossible:
    """What `config check` notes of the way we ask (DESIGN §6)."""

    @staticmethod
    def notes(frequency: str, deadline: str | None, window: str | None = None, **feed: Any) -> list[str]:
        said: dict[str, Any] = {"update_frequency": frequency, "deadline": deadline}
        entry = CatalogueEntry(title="x", agency="x", sharing=SharingModel(type="无条件共享"), **said)
        model = FeedModel(source="s", dataset="homestead", **feed)
        return list(impossible(entry.promise("homestead", "360981"), model, window, WorkingCalendar()))

    @pytest.mark.parametrize(
        ("frequency", "deadline", "feed"),
        [
            ("实时更新", "30分钟内", {"poll": "5m"}),
            ("实时更新", None, {"poll": "1h", "window": "20:00-06:00"}),
            ("每日", "次日8:00前", {"cron": "0 2 * * *"}),
            ("每月", None, {"cron": "0 6 * * *"}),
            ("不定期", None, {"poll": "30d"}),
        ],
    )
    def test_nothing_is_noted_of_what_can_be_kept(self, frequency: str, deadline: str | None, feed: Any) -> None:
        assert self.notes(frequency, deadline, **feed) == []

    @pytest.mark.parametrize(
        ("frequency", "deadline", "feed", "sentence"),
        [
            ("实时更新", "30分钟内", {"poll": "2h"}, "最长要等2 小时才采集一次，而“实时更新”的期限是“30分钟内”：按时也看不到"),
            ("实时更新", "4小时内", {"poll": "1h", "window": "20:00-06:00"},
             "账号只在 20:00-06:00 可以调用，要等 14 小时，而“实时更新”的期限是“4小时内”：按时也看不到"),
            ("每月", "次月3日前", {"cron": "0 6 15 * *"}, "最长要等342 小时才采集一次，而“每月”的期限是“次月3日前”：按时也看不到"),
            ("每日", "次日8:00前", {"poll": "1h", "window": "09:00-18:00"},
             "账号只在 09:00-18:00 可以调用，要等 9 小时，而“每日”的期限是“次日8:00前”：按时也看不到"),
            ("每月", None, {"poll": "1h", "paused": True}, "任务已暂停，而“每月”的数据到期仍会记为逾期"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_kept_is_noted(self, frequency: str, deadline: str, feed: Any, sentence: str) -> None:
        assert self.notes(frequency, deadline, **feed) == [sentence]
