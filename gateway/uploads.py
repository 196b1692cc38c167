"""What a clerk hands in: checked and answered on the spot, kept sealed, collected like anything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.kit import JsonRows, Rejected, SourceMalformed, Translated, UploadAdapter
from gateway.clock import Clock
from gateway.errors import Usage
from gateway.i18n import language
from gateway.inbox import KNOWN, Inboxes, Parcel
from gateway.sorter import FeedWork
from gateway.store import Store
from schemas.flags import title
from schemas.masking import scrub

log = structlog.get_logger(__name__)

SETTLED: Final = 2.0
"""Seconds a file in a watched folder must have been left alone."""

RETIRED: Final = "RETIRED"
"""Counted beside what the inbox refused."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that cannot become a record: where it stands, the heading it is about, and why."""

    place: str
    column: str
    code: str
    sentence: str


@dataclass(slots=True)
class Handed:
    """What becomes of one file. `known`: the same file was handed in before, and nothing was done again."""

    known: bool
    rows: int
    accepted: int
    repaired: int
    """Of the accepted, those in which something was tidied."""
    quarantined: int
    repeated: int
    ignored: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, int | bool]:
        """Counts alone, for the audit log."""
        names = ("known", "rows", "accepted", "repaired", "quarantined", "repeated")
        return {name: getattr(self, name) for name in names}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Uploads:
    """The one door behind command line, API and watched folder."""

    def __init__(self, store: Store, clock: Clock, inboxes: Inboxes) -> None:
        self._store, self._clock, self._inboxes = store, clock, inboxes

    def hand_in(self, work: FeedWork, body: bytes) -> Handed:
        """Checks a file, keeps it, and asks for the run that collects it.

        Raises:
            Usage: the feed takes no uploads, or none any more, or the file is too large.
            SourceMalformed: it is not a spreadsheet of this dataset; nothing was kept.
            InboxFull: too much waits; nothing was kept.
        """
        adapter = work.adapter
        if not isinstance(adapter, UploadAdapter):
            raise Usage("{feed} 不是人工报送的任务，不接收上传", feed=work.name)
        with self._store.read() as tx:
            feed: Any = tx.one("feed_by_id", id=work.id)
        if feed.retired_at is not None:
            self._inboxes.refused(feed, RETIRED, self._clock.real())
            raise Usage(
                "{feed} 的人工报送已于 {day} 停用（{reason}），文件没有收；数据改由系统直连",
                feed=work.name,
                day=feed.retired_at[:10],
                reason=feed.retired_for,
            )
        settings = adapter.settings
        if len(body) > settings.max_mb << 20:
            raise Usage("文件超过 {limit} MB 上限，请拆分后分几次上传", limit=settings.max_mb)
        items, places = adapter.read(work.dataset.name, body)
        handed = _told(work, JsonRows(items), places)
        parcel = Parcel("upload", body, len(items), body)
        rows, size = settings.inbox_rows, settings.inbox_mb << 20
        handed.known = self._inboxes.put(feed, parcel, self._clock.real(), max_rows=rows, max_bytes=size) == KNOWN
        return handed

    def sweep(self, folder: Path, work: FeedWork) -> Iterator[Handed]:
        """Hands in what lies in a watched folder. A file that was taken is gone from it, one that was refused is set aside."""
        now = self._clock.real().timestamp()
        for path in waiting(folder, now):
            try:
                yield self.hand_in(work, path.read_bytes())
            except (SourceMalformed, Usage) as refused:
                log.warning("upload_refused", feed=work.name, sentence=str(refused))
                path.rename(path.with_name(f"{path.name}.refused"))
            else:
                path.unlink()


def waiting(folder: Path, now: float) -> list[Path]:
    """Files that nobody writes to any more, oldest first."""
    found = [
        (entry.stat().st_mtime, entry)
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if entry.is_file()
        and not entry.is_symlink()
        and entry.name[:1] not in {".", "~"}
        and entry.suffix != ".refused"
    ]
    return [entry for modified, entry in sorted(found) if now - modified > SETTLED]


def _told(work: FeedWork, rows: JsonRows, places: list[str]) -> Handed:
    t = work.translator.translate(rows.decode())
    repeated, contradicting = _twins(work, t)
    faults = [
        _fault(work, rejected, places) for rejected in sorted([*t.rejected, *contradicting], key=lambda r: r.position)
    ]
    lost = {rejected.position for rejected in contradicting}
    good = [flags for i, flags in enumerate(t.flags) if t.positions[i] not in lost | repeated]
    return Handed(
        known=False,
        rows=len(places),
        accepted=len(good),
        repaired=sum(map(bool, good)),
        quarantined=len(faults),
        repeated=len(repeated),
        ignored={rule: len(positions) for rule, positions in t.ignored.items()},
        faults=faults,
    )


def _twins(work: FeedWork, t: Translated) -> tuple[set[int], list[Rejected]]:
    """Rows that say again what one above says, and rows that contradict one above."""
    first: dict[bytes, int] = {}
    repeated: set[int] = set()
    contradicting = []
    for i, handle in enumerate(work.namer.handles(t)):
        winner = first.setdefault(handle, i)
        if winner != i and t.record(i) == t.record(winner):
            repeated.add(t.positions[i])
        elif winner != i:
            contradicting.append(Rejected(t.positions[i], "DUPLICATE_KEY", None))
    return repeated, contradicting


def _fault(work: FeedWork, rejected: Rejected, places: list[str]) -> Fault:
    _, _, place = places[rejected.position].partition(" › ")
    told = title(rejected.reason, language.get())
    return Fault(scrub(place), column_of(work, rejected.field), rejected.reason, told)


def column_of(work: FeedWork, path: str | None) -> str:
    """The heading that feeds a field; blank where no single one is to blame."""
    rules = ((".".join(s for s in p.split(".") if not s.isdigit()), rule) for p, rule in work.translator.rules.items())
    return next((rule.from_ for p, rule in rules if path is not None and p == path and rule.from_), "")
