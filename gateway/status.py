"""How things stand: per feed the counters, the three clocks, and whose move it is (DESIGN §9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from gateway.scope import Scope
from gateway.store import Store, row_dict


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One feed, as people and the API read it. Times are ISO, Asia/Shanghai; counts are totals over all runs."""

    feed: str
    dataset: str
    county: str
    channel: str
    state: str
    owner: str | None
    action: str | None
    sentence: str | None
    declared: int | None
    fetched: int
    accepted: int
    repaired: int
    quarantined: int
    versions: int
    confirmed: dict[str, int]
    contact_at: str | None
    as_of: str | None
    confirmed_at: str | None
    retired_at: str | None
    """When it was decided that nothing comes by this way any more."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def recent_runs(store: Store, within: Scope, feed: str, count: int) -> list[dict[str, Any]]:
    """The latest runs, of one feed or of all, as the CLI and the API show them; `ignored_by` tells the ignored items by rule."""
    with store.read() as tx:
        if within.everything and not feed:
            rows = tx.all("runs_recent", count=count)
        else:
            names = [
                row.name for row in tx.all("feeds") if feed in ("", row.name) and within.sees(row.county, row.dataset)
            ]
            found = [row for name in names for row in tx.all("runs_of_feed", feed=name, count=count)]
            rows = sorted(found, key=lambda row: -row.id)[:count]
        ignored: dict[int, dict[str, int]] = {}
        for row in tx.among("runs_ignored", [r.id for r in rows]):
            ignored.setdefault(row.run_id, {})[row.rule] = row.items
    hidden = ("token", "options")
    return [
        {k: v for k, v in row_dict(r).items() if k not in hidden} | {"ignored_by": ignored.get(r.id, {})} for r in rows
    ]


def feed_statuses(store: Store, within: Scope) -> list[FeedStatus]:
    """Every feed, by name."""
    with store.read() as tx:
        rows = [row for row in tx.all("totals_by_feed") if within.sees(row.county, row.dataset)]
        confirmed: dict[int, dict[str, Any]] = {}
        for row in tx.all("confirmed_by_stream"):
            confirmed.setdefault(row.stream_id, {})[row.sink] = row
    out = []
    for r in rows:
        sinks = confirmed.get(r.stream_id, {})
        out.append(
            FeedStatus(
                feed=r.feed,
                dataset=r.dataset,
                county=r.county,
                channel=r.channel,
                state=r.state,
                owner=r.owner,
                action=r.action,
                sentence=r.sentence,
                declared=None if r.declared is None else int(r.declared),
                fetched=int(r.fetched),
                accepted=r.accepted,
                repaired=r.repaired,
                quarantined=r.quarantined,
                versions=r.versions,
                confirmed={name: int(s.confirmed) for name, s in sinks.items()},
                contact_at=r.contact_at,
                as_of=r.as_of,
                confirmed_at=max((s.confirmed_at for s in sinks.values()), default=None),
                retired_at=r.retired_at,
            )
        )
    return out


def manual_share(rows: Iterable[FeedStatus]) -> float | None:
    """The part of the records kept that comes by hand, 0 to 1; None: there is no record. Feeds that were retired do not count."""
    kept = [(r.accepted, r.channel == "MANUAL") for r in rows if r.retired_at is None]
    total = sum(count for count, _ in kept)
    return sum(count for count, by_hand in kept if by_hand) / total if total else None


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a dataset in a county comes by hand, see `manual_share`."""

    county: str
    dataset: str
    records: int
    manual: float | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def shares(rows: Iterable[FeedStatus]) -> list[Share]:
    """By county and dataset."""
    found: dict[tuple[str, str], list[FeedStatus]] = {}
    for row in rows:
        found.setdefault((row.county, row.dataset), []).append(row)
    return [
        Share(*place, sum(r.accepted for r in mine if r.retired_at is None), manual_share(mine))
        for place, mine in sorted(found.items())
    ]


def percent(share: float | None) -> str:
    """`—` where there is nothing to divide; never 0% for a share that is not nothing."""
    if share is None:
        return "—"
    return "<1%" if 0 < share < 0.01 else f"{share:.0%}"


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """One sink, as our store knows it: nobody is asked. What only a consortium chain has is None for others."""

    sink: str
    lag_batches: int
    lag_statements: int
    unconfirmed_since: str | None
    """When the oldest batch that the sink lacks was sealed."""
    sentence: str | None
    """Why the oldest of them is not confirmed, if a reason was told."""
    tip: int | None
    nonce: int | None
    in_flight: int | None
    """Transactions signed and in no final block."""
    balance: str | None
    """Of the sender, in wei."""
    sender: str | None
    contract: str | None
    seen_at: str | None
    """When the node last answered: ISO, UTC."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def sink_statuses(store: Store, sinks: Iterable[str]) -> list[SinkStatus]:
    """Every sink, in the order given."""
    out = []
    with store.read() as tx:
        for name in sinks:
            lag = tx.one("deliveries_lag", sink=name)
            seen = tx.one("chain_pin_get", sink=name)
            waiting = tx.all("deliveries_open", sink=name)
            assert lag is not None
            out.append(
                SinkStatus(
                    sink=name,
                    lag_batches=int(lag.batches),
                    lag_statements=int(lag.statements),
                    unconfirmed_since=lag.since,
                    sentence=next((row.sentence for row in waiting if row.sentence), None),
                    tip=seen.tip if seen else None,
                    nonce=seen.nonce if seen else None,
                    in_flight=int(tx.value("chain_tx_waiting", sink=name)) if seen else None,
                    balance=seen.balance if seen else None,
                    sender=seen.sender if seen else None,
                    contract=seen.contract if seen else None,
                    seen_at=seen.seen_at if seen else None,
                )
            )
    return out


@dataclass(frozen=True, slots=True)
class Imbalance:
    """One place where what went in is not what came out (DESIGN §5.2)."""

    where: str
    sentence: str


def reconcile(store: Store, sinks: list[str]) -> list[Imbalance]:
    """Everything that does not add up, over all runs, streams and sinks; empty when all does."""
    found: list[Imbalance] = []
    with store.read() as tx:
        runs = tx.all("runs_recent", count=1_000_000)
        read = Counter[int]()
        for run in runs:
            read[run.reading or run.id] += run.fetched
        for run in runs:
            told = run.recognised + run.mapped + run.duplicate + run.quarantined + run.ignored
            if told != run.fetched or run.mapped != run.changed + run.unchanged or run.changed != run.puts:
                found.append(Imbalance(f"run {run.id}", "取得 ≠ 识别 + 映射 + 重复 + 隔离 + 忽略"))
            got = read[run.reading or run.id]
            if run.state == "done" and run.declared is not None and got < run.declared:
                found.append(Imbalance(f"run {run.id}", f"来源声明 {run.declared} 条，只取得 {got} 条"))
        found += [
            Imbalance(s.stream, f"封存 {s.sealed}、版本 {s.versions}、成批 {s.batched}")
            for s in tx.all("sealed_versus_versions")
            if not s.sealed == s.versions == s.batched
        ]
        for sink in sinks:
            waiting = len(tx.all("deliveries_missing", sink=sink)) + len(tx.all("deliveries_open", sink=sink))
            if waiting:
                found.append(Imbalance(sink, f"{waiting} 批尚未确认上链"))
    return found
