"""Verdicts on everything that is not a duty: feeds, runs, accounts, sinks, certificates, secrets, sharing terms, the calendar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Final

from gateway.accounts import account_states
from gateway.clock import SHANGHAI, Clock
from gateway.config import Config
from gateway.freshness.arrivals import seconds_between
from gateway.freshness.ledger import Standing
from gateway.freshness.verdicts import OWED, RANK, Finding
from gateway.scope import Scope
from gateway.store import Store, Tx

LONG_RUN: Final = 5
STUCK_RUN: Final = 20
"""Times its feed's median run."""
LEAST_LONG: Final = 600
"""Seconds below which no run is long."""
RUNS_COMPARED: Final = 20
SINK_PATIENCE: Final = timedelta(minutes=15)
CERTIFICATE_DAYS: Final = 30
SHARING_DAYS: Final = 60
CALENDAR_DAYS: Final = 45
UNDELIVERED_TRIES: Final = 3


def verdicts(store: Store, clock: Clock, config: Config, standings: Sequence[Standing], within: Scope) -> list[Finding]:
    """Everything that stands otherwise than it should, and every county, duty and sink as it stands; what is not of one county
    or duty, such as a sink, is told to those only who may see everything.
    """
    with store.read() as tx:
        found = [
            *(standing.finding() for standing in standings),
            *_counties(config, standings),
            *_feeds(tx, config),
            *_fields(tx, config),
            *_runs(tx, clock),
            *_accounts(tx, clock),
            *_sinks(tx, clock, config),
            *_certificates(tx, clock),
            *_secrets(tx, config),
            *_sharing(config, clock.today()),
            *_channels(tx),
            *_calendar(config, clock.today()),
        ]
    return [finding for finding in found if lies(finding.kind, finding.target, config, within)]


def lies(kind: str, target: str, config: Config, within: Scope) -> bool:
    """Whether what a verdict is about lies within."""
    if within.everything:
        return True
    county, _slash, dataset = target.partition("/")
    if kind in ("duty", "county"):
        return within.sees(county, dataset)
    if kind in ("feed", "run"):
        feeds = [config.feeds[target]] if target in config.feeds else []
    elif kind in ("account", "secret"):
        feeds = [feed for feed in config.feeds.values() if feed.source.account == target]
    else:
        return False
    return any(within.sees(feed.county.code, feed.dataset) for feed in feeds)


def _counties(config: Config, standings: Sequence[Standing]) -> Iterator[Finding]:
    """A county stands as its worst duty does."""
    by_county: dict[str, list[Standing]] = {}
    for standing in standings:
        by_county.setdefault(standing.county, []).append(standing)
    for code, mine in by_county.items():
        county = config.counties[code]
        worst = min(mine, key=lambda s: RANK[s.code])
        owed = sum(s.code in OWED for s in mine)
        name, duties = county.name, len(mine)
        sentence = f"{name}：{duties} 项报送义务，{owed} 项欠报"
        yield Finding("county", code, worst.code, sentence, worst.owner, worst.action)


def _feeds(tx: Tx, config: Config) -> Iterator[Finding]:
    for feed in tx.all("feeds_ailing"):
        if feed.name in config.feeds and feed.paused_at is not None:
            by, reason = feed.paused_by, feed.paused_for
            action = "处理完请恢复采集；暂停期间，报送义务照算"
            yield Finding("feed", feed.name, "paused", f"{by} 暂停了采集：{reason}", "gateway", action, feed.paused_at)
        if feed.name in config.feeds and not feed.settled:
            yield Finding("feed", feed.name, feed.state, feed.sentence or "", feed.owner, feed.action, feed.since)


def _fields(tx: Tx, config: Config) -> Iterator[Finding]:
    """Sources that send other fields than they used to, until a person took that as it is."""
    for row in tx.all("source_fields_changed"):
        if row.name in config.feeds and row.retired_at is None:
            feed, count = row.name, row.changes
            sentence, action = f"来源的字段有 {count} 处变化", f"请运行 shuqiao drift show {feed}"
            yield Finding("feed", feed, "drift", sentence, "county", action, row.since)


def _runs(tx: Tx, clock: Clock) -> Iterator[Finding]:
    """Runs far longer than their feed's usual ones; what hangs for ever looks like this long before it fails."""
    now = clock.stamp()
    for run in tx.all("runs_under_way"):
        times = tx.all("run_times", feed_id=run.feed_id, count=RUNS_COMPARED)
        usual = median([seconds_between(t.started_at, t.finished_at) for t in times]) if times else 0
        taken = seconds_between(run.started_at, now)
        if taken <= max(LEAST_LONG, LONG_RUN * usual):
            continue
        minutes, feed, number = taken // 60, run.feed, run.id
        code = "stuck" if taken > max(LEAST_LONG, STUCK_RUN * usual) * 2 else "long_running"
        sentence = f"批次 {number} 已运行 {minutes} 分钟，远超平常"
        yield Finding(
            "run",
            feed,
            code,
            sentence,
            "gateway",
            f"请查看日志，必要时重启 worker，再运行 shuqiao check {feed}",
            run.started_at,
        )


def _accounts(tx: Tx, clock: Clock) -> Iterator[Finding]:
    now = clock.real().timestamp()
    for name, state in account_states(tx).items():
        if state.stopped is not None:
            reason = state.stopped
            action = f"核对账号 {name} 的密钥与授权，处理后恢复"
            yield Finding("account", name, "stopped", f"账号已停用（{reason}）", "county", action)
        elif state.open_until > now:
            until = datetime.fromtimestamp(state.open_until, SHANGHAI).strftime("%H:%M")
            yield Finding(
                "account", name, "cooling", f"连续失败，熔断到 {until}", "agency", "请部门恢复系统；到时自动再试"
            )


def _sinks(tx: Tx, clock: Clock, config: Config) -> Iterator[Finding]:
    limit = (clock.now() - SINK_PATIENCE).isoformat(timespec="seconds")
    for name in config.gateway.sinks if config.gateway else ():
        row = tx.one("unconfirmed_at", sink=name)
        assert row is not None
        batches, since, why = row.waiting, row.since, row.sentence or "—"
        if since is None or since >= limit:
            yield Finding("sink", name, "on_time", f"{batches} 批在途，没有积压")
            continue
        sentence = f"{batches} 批等着上链，最早的封存于 {since}，链的答复：{why}"
        yield Finding("sink", name, "unconfirmed", sentence, "chain", "请查看链节点；恢复后网关自动续送", since)


def _ending(
    kind: str, target: str, what: str, ends: date, today: date, days: int, owner: str, action: str
) -> Iterator[Finding]:
    left = (ends - today).days
    if left < 0:
        yield Finding(kind, target, "expired", f"{what}已于 {ends} 到期", owner, action, ends.isoformat())
    elif left <= days:
        yield Finding(kind, target, "expiring", f"{what}还有 {left} 天到期（{ends}）", owner, action, ends.isoformat())


def _certificates(tx: Tx, clock: Clock) -> Iterator[Finding]:
    """As `check` last saw them; they end in real time."""
    today = clock.real().astimezone(SHANGHAI).date()
    for row in tx.all("expiries"):
        ends = datetime.fromisoformat(row.expires_at).astimezone(SHANGHAI).date()
        action = f"请部门更换 {row.name} 的证书"
        yield from _ending(row.kind, row.name, "证书", ends, today, CERTIFICATE_DAYS, "agency", action)


def _secrets(tx: Tx, config: Config) -> Iterator[Finding]:
    """Rotating secrets renew themselves: one that has been over for a day says that nobody managed to."""
    for row in tx.all("secrets_expiring"):
        ends = datetime.fromisoformat(row.expires_at)
        if row.account in config.accounts and datetime.now(UTC) - ends > timedelta(days=1):
            account, secret = row.account, row.name
            sentence = f"{account} 的 {secret} 到期后一天没有更新"
            yield Finding(
                "secret", account, "expired", sentence, "gateway", "请运行 shuqiao check，看认证一层", row.expires_at
            )


def _sharing(config: Config, today: date) -> Iterator[Finding]:
    for name, entry in config.catalogue.items():
        sharing = entry.sharing
        if sharing.type == "有条件共享" and not sharing.approval:
            action = f"请补办批准，把文号写进 catalogue.yaml 的 {name}"
            yield Finding("sharing", name, "unapproved", "有条件共享，没有批准文号，不封存", "county", action)
        if sharing.expires is not None:
            action = f"请续办批准，改 catalogue.yaml 里 {name} 的 sharing"
            yield from _ending("sharing", name, "共享批准", sharing.expires, today, SHARING_DAYS, "county", action)


def _channels(tx: Tx) -> Iterator[Finding]:
    """Ways out of alerts that take nothing: whoever should have been told was not."""
    for row in tx.all("alert_notices_stuck", attempts=UNDELIVERED_TRIES):
        name, waiting, why = row.channel, row.waiting, row.sentence or "—"
        sentence = f"{waiting} 条告警送不出去：{why}"
        action = f"请核对 gateway.yaml 里的渠道 {name}，再用 shuqiao alerts test 试发"
        yield Finding("channel", name, "undelivered", sentence, "gateway", action, row.since)


def _calendar(config: Config, today: date) -> Iterator[Finding]:
    action = "请把国务院的节假日通知写进 config/calendar.yaml 并发布"
    through = config.calendar.valid_through
    yield from _ending("calendar", "calendar.yaml", "工作日历", through, today, CALENDAR_DAYS, "gateway", action)


def note_certificate(store: Store, name: str, ends: datetime) -> None:
    """Keeps what `check` saw of a server's certificate."""
    with store.write() as tx:
        noted = datetime.now(UTC).isoformat(timespec="seconds")
        tx.run(
            "expiry_put", kind="certificate", name=name, expires_at=ends.isoformat(timespec="seconds"), noted_at=noted
        )


def tellable(found: Sequence[Finding]) -> list[Finding]:
    """Those that need somebody."""
    return [v for v in found if v.owner is not None]
