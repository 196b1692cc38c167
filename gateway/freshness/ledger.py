"""Reading the ledger: every duty's standing, its history, and why a verdict stands; waiving a period, and revoking that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from gateway.audit import stated
from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import Usage
from gateway.freshness.keeper import Stated, promises
from gateway.freshness.verdicts import (
    OWED,
    RANK,
    Finding,
    code_of,
    horizon_note,
    late_days,
    minute,
    move_of,
    sentence_of,
)
from gateway.promise import CONTINUOUS, Promise
from gateway.scope import EVERYTHING, Scope
from gateway.store import Store, Tx

CHAIN_PATIENCE: Final = timedelta(hours=1)
"""How long what was received may wait for its confirmation before the chain is named."""
SHOWN: Final = 12
BESIDE: Final = "；"
"""Between a sentence and the notes on it."""
UNCONFIRMED: Final = "已收到，尚未确认上链"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one duty stands: the verdict on the period that needs most, and the counts of all. Times ISO, Asia/Shanghai."""

    county: str
    dataset: str
    agency: str
    frequency: str
    rule: str | None
    code: str
    sentence: str
    owner: str | None
    action: str | None
    period: str | None = None
    due_at: str | None = None
    first_at: str | None = None
    complete_at: str | None = None
    late_days: int = 0
    channel: str | None = None
    rows: int = 0
    odd: int = 0
    """1 far more rows than in like periods, -1 far fewer, 0 neither or not known."""
    on_time: int = 0
    made_up: int = 0
    missed: int = 0
    waived: int = 0
    cadence_days: float | None = None
    """The measured cadence beside the promised one: usual days from news to news."""
    contact_at: str | None = None
    as_of: str | None = None
    late_clock: str | None = None
    """`contact`, `as_of` or `confirmed`: which of the three clocks is late; the last names the chain."""
    calendar_verified: bool = True

    @property
    def target(self) -> str:
        return f"{self.county}/{self.dataset}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def finding(self) -> Finding:
        return Finding("duty", self.target, self.code, self.sentence, self.owner, self.action, self.due_at)


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """One period of a duty, as the ledger holds it."""

    period: str
    starts: str
    ends: str
    """The day after its last."""
    code: str
    sentence: str
    due_at: str
    first_at: str | None
    complete_at: str | None
    late_days: int
    channel: str | None
    rows: int
    odd: int
    waived_by: str | None


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a verdict stands, in sentences, and the last periods."""

    standing: Standing
    sentences: tuple[str, ...]
    periods: tuple[PeriodLine, ...]


class Ledger:
    """The ledger as people and the API read it."""

    def __init__(self, store: Store, clock: Clock, config: Callable[[], Config]) -> None:
        self._store, self._clock, self._config = store, clock, config
        self._compiled: tuple[Config, dict[tuple[str, str], Promise]] | None = None

    def standings(self, within: Scope, county: str = "", dataset: str = "") -> list[Standing]:
        """Every duty in reach, by county and in the order of the catalogue; or of one county, of one dataset.

        Raises:
            Usage: there is no such county or dataset.
        """
        config = self._config()
        _known(county, "没有县 {name}。可用的有：{known}", config.counties)
        _known(dataset, "没有数据资源 {name}。可用的有：{known}", config.catalogue)
        asked = {
            key: promise
            for key, promise in self._promises(config).items()
            if county in ("", key[0]) and dataset in ("", key[1]) and within.sees(*key)
        }
        with self._store.read() as tx:
            view = _View(tx, config, self._now())
        return [view.standing(promise) for promise in asked.values()]

    def explain(self, county: str, dataset: str) -> Explained:
        """Why the verdict on this duty stands. Raises Usage as `standings`."""
        (standing,) = self.standings(EVERYTHING, county, dataset)
        config = self._config()
        promise = self._promises(config)[county, dataset]
        with self._store.read() as tx:
            view = _View(tx, config, self._now())
            duty = tx.one("duty_get", county=county, dataset=dataset)
            rows = tx.all("obligations_recent", duty_id=duty.id, count=SHOWN) if duty else []
            lines = tuple(view.line(row) for row in rows)
            row = next((r for r in rows if r.period == standing.period), None)
            confirmed = {
                feed.name: [c.confirmed_at for c in tx.all("streams_confirmed", stream_id=feed.stream_id)]
                for feed in view.feeds_of(promise)
            }
        return Explained(standing, tuple(_sentences(standing, promise, row, view, confirmed)), lines)

    def periods(self, county: str, dataset: str, low: str, high: str) -> list[PeriodLine]:
        """The periods of a duty that begin on `low` (ISO day) or after, and before `high`."""
        with self._store.read() as tx:
            view = _View(tx, self._config(), self._now())
            duty = tx.one("duty_get", county=county, dataset=dataset)
            rows = tx.all("obligations_between", duty_id=duty.id, low=low, high=high) if duty else []
        return [view.line(row) for row in rows]

    def since(self, county: str, dataset: str) -> str | None:
        """The first day for which anything of this duty is in the ledger."""
        with self._store.read() as tx:
            duty = tx.one("duty_get", county=county, dataset=dataset)
            row = tx.one("obligation_oldest", duty_id=duty.id) if duty else None
        return row.starts if row is not None else None

    def waive(self, county: str, dataset: str, period: str, reason: str, actor: str) -> None:
        """Excuses one period, with a reason; its history stays.

        Raises:
            Usage: no such period is in the ledger, it is waived already, or the reason says nothing or names a person.
        """
        reason = stated(reason, 400)
        with self._store.write() as tx:
            row = self._period(tx, county, dataset, period)
            if any(w.revoked_at is None for w in tx.all("waivers_of", obligation_id=row.id)):
                raise Usage("{period} 已经豁免", period=period)
            tx.run("waiver_add", obligation_id=row.id, reason=reason, actor=actor, at=self._clock.stamp())

    def revoke(self, county: str, dataset: str, period: str, actor: str) -> None:
        """Takes a waiver back. Raises Usage: there is none."""
        with self._store.write() as tx:
            row = self._period(tx, county, dataset, period)
            if not tx.run("waiver_revoke", obligation_id=row.id, at=self._clock.stamp(), actor=actor):
                raise Usage("{period} 没有豁免", period=period)

    def _period(self, tx: Tx, county: str, dataset: str, period: str) -> Any:
        duty = tx.one("duty_get", county=county, dataset=dataset)
        row = tx.one("obligation_get", duty_id=duty.id, period=period) if duty else None
        if row is None:
            recent = [r.period for r in tx.all("obligations_recent", duty_id=duty.id, count=SHOWN)] if duty else []
            raise Usage("台账里没有 {period}。最近的有：{known}", period=period, known="、".join(recent) or "（没有）")
        return row

    def _promises(self, config: Config) -> dict[tuple[str, str], Promise]:
        """Put together once for each configuration that is in force: it is replaced, never changed."""
        if self._compiled is None or self._compiled[0] is not config:
            self._compiled = config, promises(config)
        return self._compiled[1]

    def _now(self) -> str:
        return self._clock.stamp()


def _known(name: str, sentence: str, there_are: Mapping[str, object]) -> None:
    if name and name not in there_are:
        raise Usage(sentence, name=name, known="、".join(there_are))


class _View:
    """One consistent look at the ledger: a handful of queries, whatever the number of duties."""

    def __init__(self, tx: Tx, config: Config, now: str) -> None:
        self._config, self._now = config, now
        self._duties = {(d.county, d.dataset): d for d in tx.all("duties")}
        self._rows: dict[int, list[Any]] = {}
        for row in [*tx.all("obligations_last_closed"), *tx.all("obligations_open")]:
            self._rows.setdefault(row.duty_id, []).append(row)
        self._feeds: dict[tuple[str, str], list[Any]] = {}
        for feed in tx.all("feeds_of_duties"):
            if feed.name in config.feeds:
                self._feeds.setdefault((feed.county, feed.dataset), []).append(feed)
        waivers = tx.all("waivers_in_force")
        self._waived = {w.obligation_id: w for w in waivers}
        self._waivers = Counter(w.duty_id for w in waivers)
        self._excused = Counter(w.duty_id for w in waivers if w.state == "missed" and w.closed)
        self._unconfirmed = {row.stream_id: row.since for row in tx.all("streams_unconfirmed")}
        self._codes: dict[int, str] = {}

    def feeds_of(self, promise: Promise) -> Sequence[Any]:
        return self._feeds.get((promise.county, promise.dataset), [])

    def code(self, row: Any) -> str:
        code = self._codes.get(row.id)
        if code is None:
            code = self._codes[row.id] = code_of(row, waived=row.id in self._waived, now=self._now)
        return code

    def sentence(self, row: Any) -> str:
        waiver = self._waived.get(row.id)
        continuous = f'"{CONTINUOUS[0]}"' in row.promise or f'"{CONTINUOUS[1]}"' in row.promise
        told = sentence_of(self.code(row), row, waiver.reason if waiver else None, continuous=continuous)
        note = horizon_note(row, self._config.calendar)
        return BESIDE.join(filter(None, (told, note)))

    def line(self, row: Any) -> PeriodLine:
        waiver = self._waived.get(row.id)
        return PeriodLine(
            period=row.period,
            starts=row.starts,
            ends=row.ends,
            code=self.code(row),
            sentence=self.sentence(row),
            due_at=row.due_at,
            first_at=row.first_at,
            complete_at=row.complete_at,
            late_days=late_days(row),
            channel=row.channel if row.rows or row.complete_at else None,
            rows=int(row.rows),
            odd=int(row.odd),
            waived_by=waiver.actor if waiver else None,
        )

    def standing(self, promise: Promise) -> Standing:
        feeds = self.feeds_of(promise)
        duty = self._duties.get((promise.county, promise.dataset))
        rows = self._rows.get(duty.id, []) if duty else []
        row = self._telling(rows)
        contact = max((f.contact_at for f in feeds if f.contact_at), default=None)
        as_of = max((f.as_of for f in feeds if f.as_of), default=None)
        if not feeds:
            code, sentence = "not_connected", "没有采集任务，数据报不上来"
        elif row is None:
            code, frequency = "as_needed", promise.frequency
            newest = minute(as_of) or "—"
            sentence = f"{frequency}更新，没有期限，最近的数据是 {newest}"
        else:
            code, sentence = self.code(row), self.sentence(row)
        owner, action = move_of(code, promise, row, [f for f in feeds if f.retired_at is None])
        if duty is not None and (older := self._older(duty, rows)):
            sentence += BESIDE + f"以前还有 {older} 期没有报"
            owner, action = owner or "agency", action or f"请{promise.agency}补报，或说明原因予以豁免"
        clock = self._late_clock(code, row, feeds, contact)
        if clock == "confirmed":
            sentence += BESIDE + UNCONFIRMED
            owner, action = owner or "chain", action or "请查看链节点；恢复后网关自动续送"
        return Standing(
            county=promise.county,
            dataset=promise.dataset,
            agency=promise.agency,
            frequency=promise.frequency,
            rule=promise.rule.text if promise.rule else None,
            code=code,
            sentence=sentence,
            owner=owner,
            action=action,
            period=row.period if row else None,
            due_at=row.due_at if row else None,
            first_at=row.first_at if row else None,
            complete_at=row.complete_at if row else None,
            late_days=late_days(row) if row else 0,
            channel=row.channel if row and (row.rows or row.complete_at) else None,
            rows=int(row.rows) if row else 0,
            odd=int(row.odd) if row else 0,
            on_time=int(duty.on_time) if duty else 0,
            made_up=int(duty.late) if duty else 0,
            missed=int(duty.missed) if duty else 0,
            waived=self._waivers[duty.id] if duty else 0,
            cadence_days=duty.cadence_d if duty else None,
            contact_at=contact,
            as_of=as_of,
            late_clock=clock,
            calendar_verified=row is None or not horizon_note(row, self._config.calendar),
        )

    def _older(self, duty: Any, rows: Sequence[Any]) -> int:
        """Periods given up as missing that nobody excused: what comes today does not make them good."""
        told = sum(1 for row in rows if row.state == "missed" and not (row.closed and row.id in self._waived))
        return int(duty.missed) - told - self._excused[duty.id]

    def _telling(self, rows: Sequence[Any]) -> Any:
        """The period that needs most; among those that need nothing, the newest that was judged."""
        if not rows:
            return None
        coded = [(RANK[self.code(row)], row.starts, row) for row in rows]
        judged = [found for found in coded if found[0] != RANK["open"]] or coded
        owed = [found for found in judged if found[0] < RANK["made_up"]]
        return min(owed, key=_first_two)[2] if owed else max(judged, key=lambda found: found[1])[2]

    def _late_clock(self, code: str, row: Any, feeds: Sequence[Any], contact: str | None) -> str | None:
        """Which clock is late: nobody answered, what was answered is old, or what was received is on no chain."""
        if code in OWED:
            return "contact" if contact is None or contact < row.ends else "as_of"
        if not self._unconfirmed:
            return None
        since = min((self._unconfirmed[f.stream_id] for f in feeds if f.stream_id in self._unconfirmed), default=None)
        return "confirmed" if since is not None and since < self._before(CHAIN_PATIENCE) else None

    def _before(self, patience: timedelta) -> str:
        return (datetime.fromisoformat(self._now) - patience).isoformat(timespec="seconds")


def _first_two(found: tuple[int, str, Any]) -> tuple[int, str]:
    return found[:2]


def _sentences(
    standing: Standing, promise: Promise, row: Any, view: _View, confirmed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Which period, due when and why then, what came by which channel, what is missing, whose move it is."""
    agency, frequency, rule = promise.agency, promise.frequency, promise.rule.text if promise.rule else "—"
    out = [f"{agency}承诺{frequency}报送，期限“{rule}”", standing.sentence]
    if row is not None:
        stated = msgspec.json.decode(row.promise, type=Stated)
        out += [f"期限这样算：{step}" for step in stated.steps]
        if row.first_at:
            first, complete = minute(row.first_at), minute(row.complete_at) or "—"
            rows, channel = row.rows, {"SYSTEM": "系统直连", "MANUAL": "人工报送"}.get(row.channel, "—")
            out.append(f"收到 {rows} 条（{channel}）：最早 {first}，收齐 {complete}")
        else:
            period, name = row.period, promise.period_by
            out.append(f"没有一条数据的 {name} 落在 {period}")
        if row.odd:
            out.append("数量比往期多得多，请核对" if row.odd > 0 else "数量比往期少得多，请核对")
    for feed in view.feeds_of(promise):
        contact, as_of = minute(feed.contact_at) or "—", minute(feed.as_of) or "—"
        sealed = minute(max((c for c in confirmed[feed.name] if c), default=None)) or "—"
        name = feed.name
        out.append(f"{name}：联系于 {contact}，数据截至 {as_of}，上链于 {sealed}")
        if feed.sentence:
            fault = feed.sentence
            out.append(f"{name} 现在的问题：{fault}")
    if standing.cadence_days is not None:
        days = f"{standing.cadence_days:g}"
        out.append(f"实测大约每 {days} 天有新数据，承诺是{frequency}")
    on_time, made_up, missed, waived = standing.on_time, standing.made_up, standing.missed, standing.waived
    out.append(f"台账：按时 {on_time} 期，补报 {made_up} 期，未报 {missed} 期，豁免 {waived} 期")
    if standing.action:
        action, owner = standing.action, standing.owner
        out.append(f"下一步（{owner}）：{action}")
    return out
