"""A house with a past: what agencies did over a year, told to the ledger as it would stand; and a present with its troubles.

What came today came over sockets. The year before is written: periods, contacts and runs by a fixed pattern, so that the pages
have something to show. Nothing here names a person: rows are counts.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

from gateway.freshness.keeper import compile_period, promises
from gateway.promise import CONTINUOUS, period_of
from gateway.store import Tx
from tests.support.house import House

DAYS: Final = 330
TROUBLES: Final = {
    "360981/marriage": (
        "denied",
        "county",
        "对方拒绝了本账号，请核对账号、密钥与授权范围",
        "核对账号密钥与授权后运行 shuqiao check {feed}",
    ),
    "360902/subsidy": ("unavailable", "gateway", "连不上对方系统", "网关会按轮询间隔自动重试"),
    "360983/homestead": (
        "malformed",
        "agency",
        "对方给出的翻页位置又回到了前面，尚有数据没有给出",
        "请部门确认接口；原始应答已留存，运行 shuqiao check {feed}",
    ),
}
SILENT: Final = {("360981", "subsidy"), ("360982", "payment"), ("360924", "marriage"), ("360922", "household_member")}
"""Duties whose last periods did not come."""


def furnish(made: House) -> None:
    """Gives a house that has collected once its year, and its troubles of today."""
    gateway = made.gateway
    with gateway.store.read() as tx:
        feeds = {row.name: row for row in tx.all("feeds")}
    owed = promises(gateway.config)
    with gateway.store.write() as tx:
        for duty in tx.all("duties"):
            mine = [row for row in feeds.values() if (row.county, row.dataset) == (duty.county, duty.dataset)]
            promise = owed[duty.county, duty.dataset]
            if mine and promise.dated:
                _past(tx, gateway, duty, promise, mine[0])
        for row in feeds.values():
            _runs(tx, row, gateway.clock.today())
        for name, (state, owner, sentence, action) in TROUBLES.items():
            if name in feeds:
                told = {"sentence": sentence, "owner": owner, "action": action.format(feed=name)}
                tx.run("feed_state", id=feeds[name].id, state=state, code="X", at=gateway.clock.stamp(), **told)
    gateway.keeper.keep_all(anew=True)


def _past(tx: Tx, gateway: Any, duty: Any, promise: Any, feed: Any) -> None:
    """Periods of a year up to the one the ledger began with."""
    pattern = Random(f"{duty.county}/{duty.dataset}")
    newest = tx.all("obligations_recent", duty_id=duty.id, count=99)
    until = date.fromisoformat(min(row.starts for row in newest))
    period = period_of(promise.frequency, until - timedelta(days=DAYS))
    silent = (duty.county, duty.dataset) in SILENT
    while period.starts < until:
        made = compile_period(promise, period, gateway.config.calendar)
        due = made.due.moment
        last = period.ends >= until
        late = pattern.random() < 0.06
        missed = pattern.random() < 0.02 or (silent and last)
        came = due + timedelta(days=pattern.randint(1, 6)) if late else due - timedelta(hours=pattern.randint(3, 60))
        state = "missed" if missed else "late" if late else "on_time"
        at = None if missed else came.isoformat(timespec="seconds")
        tx.run(
            "obligation_add",
            duty_id=duty.id,
            period=period.name,
            starts=period.starts.isoformat(),
            ends=period.ends.isoformat(),
            due_at=due.isoformat(timespec="seconds"),
            promise=_stated(made),
            unverified=0,
        )
        row = tx.one("obligation_get", duty_id=duty.id, period=period.name)
        assert row is not None
        lag = pattern.randint(600, 9000) if promise.frequency in CONTINUOUS else None
        tx.run(
            "obligation_judged",
            id=row.id,
            state=state,
            closed=int(not (missed and last)),
            first_at=at,
            complete_at=at,
            channel="SYSTEM",
            feed_id=feed.id,
            rows=0 if missed else pattern.randint(20, 90),
            zero=0,
            gap_s=lag,
            lag_s=lag,
            odd=0,
        )
        period = period_of(promise.frequency, period.ends)


def _stated(made: Any) -> str:
    import msgspec

    return msgspec.json.encode(made.stated).decode()


def _runs(tx: Tx, feed: Any, today: date) -> None:
    """A run a day for two months, some of them slow, some failed; and what each day brought."""
    pattern = Random(feed.name)
    for back in range(60, 0, -1):
        day = datetime.fromisoformat(f"{today - timedelta(days=back)}T02:00:00+08:00")
        weekend = day.weekday() > 4
        news = 0 if weekend and pattern.random() < 0.7 else max(0, int(pattern.gauss(34, 9)))
        failed = pattern.random() < 0.03
        seconds = int(pattern.gauss(48, 8)) + (160 if pattern.random() < 0.03 else 0)
        at, end = day.isoformat(), (day + timedelta(seconds=seconds)).isoformat()
        tx.run("run_add", feed_id=feed.id, due_at=at, reason="scheduled", actor="scheduler", options="{}")
        run = int(tx.value("run_slot", feed_id=feed.id, due_at=at, reason="scheduled"))
        tx.run("run_start", id=run, at=at, token=0, config_id=None)
        rows = {"recognised": 900 + news, "mapped": news, "changed": news, "unchanged": 0, "puts": news}
        none = {"duplicate": 0, "quarantined": 0, "ignored": 0}
        tx.run("run_count", id=run, fetched=900 + 2 * news, declared=900 + 2 * news, **rows, **none)
        state = "failed" if failed else "done"
        told = {"code": "TIMEOUT", "sentence": "对方超时没有应答"} if failed else {"code": None, "sentence": None}
        tx.run("run_finish", id=run, state=state, at=end, emptiness=None, **told)
        contact = {"last_at": at, "done_at": None if failed else at, "whole_at": None, "zero_at": None, "doubt": None}
        tx.run(
            "contact_add",
            feed_id=feed.id,
            day=at[:10],
            answers=int(not failed) * 24,
            failures=int(failed),
            news=0 if failed else news,
            gap_s=3600,
            **contact,
        )
