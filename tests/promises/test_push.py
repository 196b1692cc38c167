"""What is pushed is durable before it is acknowledged, there once, and the newest state whatever comes when (china-facts §1.6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from gateway.clock import Clock
from gateway.scope import EVERYTHING
from gateway.status import recent_runs, reconcile
from gateway.store import Store
from gateway.web import build
from mock_agencies import World
from mock_agencies.pusher import Pusher, disordered, history
from tests.support.postgres import EMPTIED
from tests.support.pushed import PATH, PULLED, PUSHED, County, county
from tests.support.web import ask

pytestmark = pytest.mark.sockets
FORMER, LATER, LATEST = "2026-03-01 10:00:00", "2026-03-01 11:00:00", "2026-03-01 12:00:00"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[County]:
    with county(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def pusher() -> Pusher:
    return Pusher(f"http://127.0.0.1{PATH}")


@pytest.fixture(scope="module")
def row() -> dict[str, Any]:
    return next(item.raw for item in World(20, dirt=0).items("homestead") if item.verdict == "accept")


def push(made: County, body: bytes, path: str = PATH) -> tuple[int, str]:
    answer = ask(build(made.gateway, lambda: True), path, "POST", body)
    return answer.status_code, answer.json()["code"]


def areas(made: County) -> list[str]:
    return sorted(msgspec.json.decode(text)["land_area_m2"] for text in made.state())


def at(row: dict[str, Any], time: str | None, area: str = "100.00") -> dict[str, Any]:
    return {**row, "GXSJ": time, "SYQMJ": area}


def test_an_acknowledged_notification_is_on_disk_and_asks_for_a_run(made: County, pusher: Pusher, row: Any) -> None:
    body = pusher.notice("I", [row])
    assert push(made, body) == (200, "0")
    assert made.figures() | {"oldest": ""} == {
        "feed": PUSHED,
        "accepted": 1,
        "waiting": 1,
        "waiting_rows": 1,
        "waiting_bytes": len(body),
        "oldest": "",
        "repeated": 0,
        "refused": {},
    }
    (done,) = made.drain()
    assert (done.verdict.state, done.counts["fetched"], done.counts["puts"]) == ("ok", 1, 1)
    assert (made.figures()["waiting"], made.figures()["waiting_bytes"]) == (0, 0)
    with made.gateway.store.read() as tx:
        assert tx.all("inbox_after", feed_id=made.row().id, position=0, count=9) == []


def test_the_body_is_sealed_while_it_waits_and_is_the_evidence_afterwards(
    made: County, pusher: Pusher, row: Any, tmp_path: Path
) -> None:
    body = pusher.notice("I", [row])
    push(made, body)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").glob("store.db*"))
    assert row["ZJH"].encode() not in stored
    assert row["QLRMC"].encode() not in stored
    made.drain()
    with made.gateway.store.engine.connect() as connection:
        (kept,) = connection.exec_driver_sql("SELECT body FROM evidence WHERE body IS NOT NULL").all()
    assert made.gateway.vault.open("evidence", kept[0]) == body


def test_a_repetition_is_acknowledged_and_not_doubled(made: County, pusher: Pusher, row: Any) -> None:
    body = pusher.notice("I", [row], batch="B1")
    assert [push(made, body), push(made, body)] == [(200, "0")] * 2
    made.drain()
    assert push(made, pusher.notice("I", [row], batch="B1")) == (200, "0"), "pushed again, at another time"
    assert (made.figures()["accepted"], made.figures()["repeated"]) == (1, 2)
    other = {**row, "BDCQZH": "赣(2020)丰城市不动产权第9999999号"}
    assert push(made, pusher.notice("I", [other], batch="B1")) == (200, "0"), "another part of the same batch"
    made.drain()
    assert sum(made.state().values()) == 2


def test_runs_are_not_queued_beside_one_that_has_not_begun(made: County, pusher: Pusher, row: Any) -> None:
    for n in range(3):
        push(made, pusher.notice("U", [at(row, f"2026-03-01 10:00:0{n}", f"{n}.50")]))
    (done,) = made.drain()
    assert (done.counts["pages"], done.counts["fetched"]) == (3, 3)
    push(made, pusher.notice("U", [at(row, LATER)]))
    assert len(made.drain()) == 1


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda b: b.replace(b'"sign": "', b'"sign": "0'), (401, "SIGNATURE_INVALID")),
        (lambda b: b.replace(b'"opType": "I"', b'"opType": "D"'), (401, "SIGNATURE_INVALID")),
        (lambda b: b.replace(b"\xe4\xb8\xb0", b"\xe4\xb8\xb1"), (401, "SIGNATURE_INVALID")),
        (lambda b: b.replace(b'"opType": "I"', b'"opType": "X"'), (400, "PUSH_MALFORMED")),
        (lambda b: b[:50], (400, "PUSH_MALFORMED")),
        (lambda _: b"", (400, "PUSH_MALFORMED")),
        (lambda _: b"[" * 100_000, (400, "PUSH_MALFORMED")),
        (lambda b: b + b" " * (9 << 20), (413, "TOO_LARGE")),
    ],
)
def test_what_was_not_agreed_is_refused_and_counted(
    made: County, pusher: Pusher, row: Any, change: Any, answer: tuple[int, str]
) -> None:
    assert push(made, change(pusher.notice("I", [row]))) == answer
    assert (made.figures()["accepted"], made.figures()["refused"]) == (0, {answer[1]: 1})
    assert made.drain() == []


@pytest.mark.parametrize("pushed", ["2020-01-01 00:00:00", "2999-01-01 00:00:00"])
def test_a_notification_out_of_its_time_is_refused(made: County, pusher: Pusher, row: Any, pushed: str) -> None:
    assert push(made, pusher.notice("I", [row], pushed=pushed)) == (401, "PUSH_STALE")


def test_another_resource_another_secret_and_another_address_are_refused(
    made: County, pusher: Pusher, row: Any
) -> None:
    stranger = Pusher(f"http://127.0.0.1{PATH}", "another secret")
    assert push(made, stranger.notice("I", [row])) == (401, "SIGNATURE_INVALID")
    body = pusher.notice("I", [row])
    assert push(made, body, "/push/v1/360983/homestead") == (404, "FEED_UNKNOWN")
    assert push(made, body, "/push/v1/360982/homestead") == (404, "FEED_UNKNOWN")


def test_a_full_inbox_sends_the_sender_away_until_there_is_room(
    made: County, pusher: Pusher, row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(made.gateway.config.feeds[PUSHED].source.model_extra or {}, "inbox_rows", 2)
    for n in range(2):
        assert push(made, pusher.notice("U", [at(row, LATER, f"{n}.50")])) == (200, "0")
    answer = ask(build(made.gateway, lambda: True), PATH, "POST", pusher.notice("U", [at(row, LATEST)]))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "-1", "30")
    assert (made.figures()["waiting"], made.figures()["refused"]) == (2, {"INBOX_FULL": 1})
    made.drain()
    assert push(made, pusher.notice("U", [at(row, LATEST)] * 3)) == (200, "0"), (
        "alone it may be as large as the door lets in"
    )


def test_a_store_that_does_not_answer_sends_the_sender_away(
    made: County, pusher: Pusher, row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise made.gateway.store.failures[0]

    monkeypatch.setattr(made.gateway.inboxes, "put", away)
    assert push(made, pusher.notice("I", [row])) == (503, "-1")


def test_an_older_state_that_comes_later_is_ignored_by_its_name(made: County, pusher: Pusher, row: Any) -> None:
    for time, area in ((LATEST, "3.00"), (FORMER, "1.00"), (LATER, "2.00")):
        push(made, pusher.notice("U", [at(row, time, area)]))
        made.drain()
    assert areas(made) == ["3.00"]
    assert [run["ignored_by"] for run in recent_runs(made.gateway.store, EVERYTHING, PUSHED, 3)] == [
        {"SUPERSEDED": 1},
        {"SUPERSEDED": 1},
        {},
    ]
    assert reconcile(made.gateway.store, []) == []


def test_the_same_content_of_an_earlier_time_does_not_make_an_observation_older(
    made: County, pusher: Pusher, row: Any
) -> None:
    for time, area in ((LATEST, "3.00"), (FORMER, "3.00"), (LATER, "2.00")):
        push(made, pusher.notice("U", [at(row, time, area)]))
        made.drain()
    assert areas(made) == ["3.00"]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "order",
    [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)],
    ids=lambda order: "".join(map(str, order)),
)
def test_a_withdrawal_holds_against_what_was_said_before_it(
    made: County, pusher: Pusher, row: Any, order: tuple[int, ...], together: bool
) -> None:
    """Entered, changed, withdrawn with its old update time: gone in whatever order it comes, also before it was known."""
    told = [("I", at(row, FORMER, "1.00")), ("U", at(row, LATER, "2.00")), ("D", at(row, LATER, "2.00"))]
    for n in order:
        push(made, pusher.notice(told[n][0], [told[n][1]]))
        if not together:
            made.drain()
    made.drain()
    assert made.state() == {}
    push(made, pusher.notice("I", [at(row, LATEST, "4.00")]))
    made.drain()
    assert areas(made) == ["4.00"], "entered again"
    assert reconcile(made.gateway.store, []) == []


def test_of_two_withdrawals_the_later_one_counts(made: County, pusher: Pusher, row: Any) -> None:
    for op, time in (("I", FORMER), ("D", FORMER), ("D", LATEST), ("U", LATER)):
        push(made, pusher.notice(op, [at(row, time)]))
        made.drain()
    assert made.state() == {}


def test_within_one_batch_the_newest_stands(made: County, pusher: Pusher, row: Any) -> None:
    rows = [at(row, LATER, "2.00"), at(row, LATEST, "3.00"), at(row, FORMER, "1.00"), at(row, LATEST, "3.00")]
    push(made, pusher.notice("U", rows))
    (done,) = made.drain()
    counts = done.counts
    assert areas(made) == ["3.00"]
    assert (counts["fetched"], counts["puts"], counts["ignored"], counts["duplicate"]) == (4, 1, 2, 1)
    push(made, pusher.notice("U", [at(row, LATEST, "5.00"), at(row, LATEST, "6.00")]))
    (done,) = made.drain()
    assert done.counts["quarantined"] == 1, "two contents of one time contradict each other"


def test_a_newer_state_beside_the_known_one_stands(made: County, pusher: Pusher, row: Any) -> None:
    known = [at({**row, "BDCQZH": f"赣(2020)丰城市不动产权第{n:07d}号"}, FORMER) for n in range(400)]
    push(made, pusher.notice("I", known))
    made.drain()
    push(made, pusher.notice("I", [*known, *({**k, "GXSJ": LATER, "SYQMJ": "7.00"} for k in known)]))
    (done,) = made.drain()
    assert (done.counts["recognised"], done.counts["puts"], done.counts["quarantined"]) == (400, 400, 0)
    assert set(areas(made)) == {"7.00"}


def test_a_row_without_a_time_or_with_one_far_ahead_is_dated_by_its_push(
    made: County, pusher: Pusher, row: Any
) -> None:
    now = Clock.real()
    for minutes, time in ((5, "2998-01-01 00:00:00"), (3, None), (4, "2999-01-01 00:00:00")):
        pushed = (now - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
        push(made, pusher.notice("U", [at(row, time, f"{minutes}.00")], pushed=pushed))
        made.drain()
    assert areas(made) == ["3.00"]
    assert (made.row().as_of or "") < "2998"


def test_an_empty_inbox_moves_no_clock_and_deletes_nothing(made: County, pusher: Pusher, row: Any) -> None:
    assert made.sync().verdict.state == "ok"
    assert made.row().contact_at is None
    push(made, pusher.notice("I", [row]))
    made.drain()
    assert made.row().contact_at is not None
    done = made.sync()
    assert (done.counts["fetched"], done.counts["emptiness"], done.counts["gone"]) == (0, None, 0)
    assert sum(made.state().values()) == 1


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_history_in_disorder_ends_where_a_pull_of_its_end_does(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pusher: Pusher
) -> None:
    url = None
    if database == "postgres":
        blank = Store.open(request.getfixturevalue("postgres_url"))
        with blank.engine.begin() as connection:
            connection.execute(text(EMPTIED))
        url = blank.engine.url.render_as_string(hide_password=False)
        blank.close()
    changes, final = history(World(80, dirt=0.1), 400)
    bodies = [pusher.notice(op, [row]) for op, row in changes]
    with county(tmp_path, monkeypatch, store=url) as made:
        for n, body in enumerate(disordered(bodies)):
            assert push(made, body) == (200, "0")
            if n % 60 == 0:
                made.drain()
        made.drain()
        made.fill(final)
        assert made.sync(PULLED).verdict.state == "ok"
        assert made.state() == made.state(PULLED)
        assert made.held() == made.held(PULLED)
        runs = recent_runs(made.gateway.store, EVERYTHING, PUSHED, 1000)
        assert sum(run["fetched"] for run in runs) == len(bodies)
        assert sum(run["ignored_by"].get("SUPERSEDED", 0) for run in runs) > 0
        assert reconcile(made.gateway.store, []) == []
