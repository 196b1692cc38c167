"""What was sealed and where it stands: batches with their manifests, a delivery for each sink, and the members who read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gateway.config import Config
from gateway.errors import Usage
from gateway.proof import Manifest
from gateway.scope import Scope
from gateway.status import SinkStatus, sink_statuses
from gateway.store import Store, Tx

SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One batch on its way to one sink. Times ISO, Asia/Shanghai."""

    sink: str
    state: str
    attempts: int
    block: str | None
    block_hash: str | None
    confirmed_at: str | None
    sentence: str | None


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch. What only a built one has is None before."""

    number: int
    feed: str | None
    """None: it holds what no feed makes."""
    kind: str
    first: int
    last: int
    sealed_at: str
    batch_id: str | None
    deliveries: tuple[DeliveryLine, ...]

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    @property
    def state(self) -> str:
        """`confirmed` when every sink has it, `unbuilt` before it is built, else `pending`."""
        if self.batch_id is None:
            return "unbuilt"
        done = self.deliveries and all(line.state == "confirmed" for line in self.deliveries)
        return "confirmed" if done else "pending"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"count": self.count, "state": self.state}


@dataclass(frozen=True, slots=True)
class BatchView:
    """One batch with what its manifest says."""

    line: BatchLine
    manifest: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        return {**self.line.as_dict(), "manifest": self.manifest}


@dataclass(frozen=True, slots=True)
class MemberLine:
    """An institution of the consortium, and what it may open."""

    member: str
    title: str
    key: str
    present: bool
    """Its public key file lies where gateway.yaml says."""
    groups: dict[str, tuple[str, ...] | str]
    queries_per_day: int | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def batch_lines(store: Store, within: Scope, *, before: int = 0, feed: str = "") -> list[BatchLine]:
    """The newest batches within, or those older than batch `before`; of one feed, or of all."""
    out: list[Any] = []
    with store.read() as tx:
        before = before or 1 << 62
        while len(out) < SHOWN and (rows := tx.all("batches_recent", before=before, feed=feed, count=10 * SHOWN)):
            out += [row for row in rows if _sees(within, row)]
            before = rows[-1].id
        found = _deliveries(tx, [row.id for row in out[:SHOWN]])
    return [_line(row, found) for row in out[:SHOWN]]


def _sees(within: Scope, row: Any) -> bool:
    """What no feed makes is of everybody."""
    return within.everything or (row.feed is not None and within.sees(row.county, row.dataset))


def batch_view(store: Store, within: Scope, number: int) -> BatchView:
    """One batch. Raises Usage: there is none of this number within."""
    with store.read() as tx:
        row = tx.one("batch_shown", id=number)
        if row is None or not _sees(within, row):
            raise Usage("没有批 {number}", number=number)
        line = _line(row, _deliveries(tx, [row.id]))
    if row.manifest is None:
        return BatchView(line, None)
    manifest = Manifest.parse(bytes(row.manifest))
    return BatchView(line, {name: getattr(manifest, name) for name in manifest.__struct_fields__})


def member_lines(config: Config, within: Scope, data: Path) -> list[MemberLine]:
    """Every member of gateway.yaml that lies within."""
    assert config.gateway is not None
    return [
        MemberLine(
            member=name,
            title=member.title,
            key=member.key,
            present=(data / member.key).is_file(),
            groups=dict(member.groups),
            queries_per_day=member.queries_per_day,
        )
        for name, member in config.gateway.members.items()
        if within.serves(name)
    ]


def sink_lines(store: Store, config: Config, within: Scope) -> list[SinkStatus]:
    """Every sink of gateway.yaml as our store knows it, to who may see everything."""
    assert config.gateway is not None
    return sink_statuses(store, config.gateway.sinks) if within.everything else []


def _deliveries(tx: Tx, numbers: list[int]) -> Mapping[int, list[DeliveryLine]]:
    out: dict[int, list[DeliveryLine]] = {}
    for row in tx.among("deliveries_of", numbers):
        line = DeliveryLine(
            row.sink, row.state, int(row.attempts), row.block, row.block_hash, row.confirmed_at, row.sentence
        )
        out.setdefault(row.batch, []).append(line)
    return out


def _line(row: Any, found: Mapping[int, list[DeliveryLine]]) -> BatchLine:
    return BatchLine(
        number=row.id,
        feed=row.feed,
        kind=row.kind,
        first=int(row.first),
        last=int(row.last),
        sealed_at=row.sealed_at,
        batch_id=row.batch_id,
        deliveries=tuple(found.get(row.id, ())),
    )
