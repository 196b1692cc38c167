"""Which alerts stand: opened when a verdict has stood for a while, told once a code, closed when it has been gone for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec

from gateway.alerts.message import Line
from gateway.alerts.rules import Told, county_of, covered, escalations, morning, tellable, tellings
from gateway.clock import Clock
from gateway.config import AlertsModel, Config
from gateway.errors import Usage
from gateway.freshness import Finding, lies
from gateway.scope import WHOLE, Place, Scope
from gateway.store import Store, Tx, row_dict


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in which nobody is told about what its pattern covers: `360981/*`, `account:*`, `*`."""

    pattern: str
    starts: datetime
    ends: datetime
    reason: str


class AlertBook:
    """The alerts of one store. Every step is one transaction; whoever repeats it changes nothing."""

    def __init__(self, store: Store, clock: Clock, config: Callable[[], Config]) -> None:
        self._store, self._clock, self._config = store, clock, config

    def observe(self, found: Iterable[Finding]) -> None:
        """Holds today's verdicts against the alerts that stand, and writes down who is to be told what."""
        now, model = self._clock.now(), self._config().alerts
        needing = {(f.kind, f.target): f for f in found if tellable(f)}
        with self._store.write() as tx:
            open_ = {(row.kind, row.target): row for row in tx.all("alerts_open")}
            for key, finding in needing.items():
                self._stands(tx, open_.get(key), finding, now)
            for key, row in open_.items():
                if key not in needing:
                    self._gone(tx, row, now, model)
            windows = tx.all("alert_windows", after=_stamp(now))
            for row in tx.all("alerts_open"):
                if row.gone_at is None and not _held(windows, row, now):
                    self._tell(tx, row, now, model)

    def _stands(self, tx: Tx, row: Any, f: Finding, now: datetime) -> None:
        at = _stamp(now)
        told = {
            "code": f.code,
            "owner": f.owner,
            "sentence": f.sentence,
            "action": f.action or "",
            "since": f.since or at,
        }
        if row is None:
            tx.run("alert_add", kind=f.kind, target=f.target, at=at, **told)
        elif (row.code, row.owner, row.sentence, row.action) != (
            f.code,
            f.owner,
            f.sentence,
            f.action or "",
        ) or row.gone_at:
            tx.run("alert_seen", id=row.id, stood_at=row.stood_at if row.code == f.code else at, **told)

    def _gone(self, tx: Tx, row: Any, now: datetime, model: AlertsModel) -> None:
        if row.gone_at is None:
            tx.run("alert_gone", id=row.id, at=_stamp(now))
            if model.settle:
                return
        elif now - datetime.fromisoformat(row.gone_at) < model.settle:
            return
        tx.run("alert_closed", id=row.id, at=_stamp(now))
        heard = []
        for notice in tx.all("alert_notices_of", alert_id=row.id):
            if notice.state == "pending":
                tx.many("alert_notice_dropped", [("recovered", notice.id)])
            elif notice.state == "sent":
                heard.append(notice.channel)
        due = morning(model, now)
        _note(tx, row, "recovered", [Told(channel, due) for channel in dict.fromkeys(heard)], row.told_code or row.code)

    def _tell(self, tx: Tx, row: Any, now: datetime, model: AlertsModel) -> None:
        about = (model, row.kind, row.target, row.owner)
        settled = now - datetime.fromisoformat(row.stood_at) >= model.settle
        if settled and row.told_code != row.code:
            _note(tx, row, "raised", tellings(*about, now), row.code)
            tx.run("alert_told", id=row.id, code=row.code, at=_stamp(now))
        elif row.told_at is not None and row.taken_by is None:
            _note(tx, row, "escalated", escalations(*about, datetime.fromisoformat(row.told_at), now), "")

    def take(self, number: int, actor: str) -> None:
        """Somebody takes an alert up: it is escalated no further.

        Raises:
            Usage: there is none of this number, it is over, or somebody has it.
        """
        with self._store.write() as tx:
            row = tx.one("alert_get", id=number)
            if row is None or row.closed_at is not None:
                raise Usage("没有未恢复的告警 {number}", number=number)
            if not tx.run("alert_taken", id=number, actor=actor, at=self._clock.stamp()):
                raise Usage("告警 {number} 已由 {actor} 认领", number=number, actor=row.taken_by)

    def place(self, number: int) -> Place:
        """What an alert touches; the whole gateway, where it is of no one county's, or there is none of this number."""
        with self._store.read() as tx:
            row = tx.one("alert_get", id=number)
        if row is None or row.kind not in ("duty", "feed", "run"):
            return WHOLE
        county, _slash, dataset = row.target.partition("/")
        feed = self._config().feeds.get(row.target) if row.kind != "duty" else None
        return Place(county, feed.dataset if feed else dataset)

    def alerts(self, within: Scope, *, everything: bool = False, count: int = 200) -> list[dict[str, Any]]:
        """Alerts as they stand, the newest first, open ones before those that are over."""
        config = self._config()
        with self._store.read() as tx:
            rows = tx.all("alerts_recent", everything=int(everything), count=count)
        return [
            row_dict(row) | {"county": county_of(row.target)}
            for row in rows
            if lies(row.kind, row.target, config, within)
        ]

    def add_window(self, window: Window, actor: str) -> int:
        """Raises Usage: it ends before it begins, or has no reason."""
        if window.ends <= window.starts or window.ends <= self._clock.now():
            raise Usage("维护窗口的结束时间要晚于开始时间和现在")
        if not window.reason.strip():
            raise Usage("请写明维护的原因")
        with self._store.write() as tx:
            number = tx.value(
                "alert_window_add",
                pattern=window.pattern,
                starts=_stamp(window.starts),
                ends=_stamp(window.ends),
                reason=window.reason,
                actor=actor,
                at=self._clock.stamp(),
            )
        return int(number)

    def windows(self) -> list[dict[str, Any]]:
        """Those that are not over."""
        with self._store.read() as tx:
            return [row_dict(row) for row in tx.all("alert_windows", after=self._clock.stamp())]

    def end_window(self, number: int) -> None:
        """Raises Usage: there is none of this number that is not over."""
        with self._store.write() as tx:
            if not tx.run("alert_window_end", id=number, at=self._clock.stamp()):
                raise Usage("没有未结束的维护窗口 {number}", number=number)


def _held(windows: Sequence[Any], row: Any, now: datetime) -> bool:
    at = _stamp(now)
    return any(w.starts <= at < w.ends and covered(w.pattern, row.kind, row.target) for w in windows)


def _note(tx: Tx, row: Any, occasion: str, told: Iterable[Told], code: str) -> None:
    line = Line(row.id, row.kind, row.target, code or row.code, row.owner, row.sentence, row.action, row.since)
    text = msgspec.json.encode(asdict(line)).decode()
    for each in told:
        tx.run(
            "alert_notice_add",
            alert_id=row.id,
            channel=each.channel,
            occasion=occasion,
            code=code,
            line=text,
            due_at=_stamp(each.due_at),
        )


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
