"""Rejected rows put right by a person: one in place, or a whole spreadsheet that came back from its agency (ADR 0017).

A correction goes the way of every row: the same mapping, cleaning and constraints. What was and what is stays recorded with
who said so, the version is flagged BY_HAND, its channel is its feed's, and its evidence is the corrected row. Until the source
itself says something else about that record, the row as it is still sent counts as known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import msgspec

from adapters.kit import Answer, Cursor, Item, JsonRows, Page, Translated
from gateway.audit import Action, Actor
from gateway.auditlog import AuditLog
from gateway.clock import Clock
from gateway.config import Config
from gateway.contest import is_older
from gateway.dictionaries import Dictionaries
from gateway.dispatch import Rerunner
from gateway.errors import Usage
from gateway.i18n import WORDS
from gateway.keptback import OVERRIDE
from gateway.leases import Leases
from gateway.names import short
from gateway.quarantine import REPAIR, Line, Opened, Quarantine, Terms, marks, read_back, workbook
from gateway.quarantine.items import written
from gateway.quarantine.terms import cells, general, replaced
from gateway.quarantine.workbook import check_code
from gateway.scope import Place, Scope
from gateway.sorter import FeedWork
from gateway.store import Store
from gateway.store.pages import Fence
from gateway.store.rejected import Override, settle
from gateway.suppression import Suppression
from gateway.vault import Vault
from schemas.flags import title

MEDIA: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one correction. `state`: accepted, refused (it still cannot be read), unchanged, settled (too late)."""

    handle: str
    state: str
    code: str = ""
    column: str = ""
    """The agency's own name of the column that is to blame."""
    sentence: str = ""
    place: str = ""
    """Sheet and row of the workbook that came back."""


@dataclass(slots=True)
class TakenBack:
    """What became of a workbook that came back."""

    rows: int = 0
    accepted: int = 0
    refused: int = 0
    unchanged: int = 0
    settled: int = 0
    """Rows whose items were settled meanwhile, or changed since they were exported: told, and left alone."""
    told: list[Verdict] = field(default_factory=list)
    """Every row but those accepted or unchanged."""

    def add(self, verdict: Verdict) -> None:
        setattr(self, verdict.state, getattr(self, verdict.state) + 1)
        if verdict.state in ("refused", "settled"):
            self.told.append(verdict)

    @property
    def figures(self) -> dict[str, int]:
        """Counts alone, for the audit log."""
        return {name: getattr(self, name) for name in ("rows", "accepted", "refused", "unchanged", "settled")}

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Change:
    """One item with what a person says of it."""

    kept: Opened
    cells: Mapping[str, str]
    place: str = ""

    @property
    def item(self) -> Item:
        return replaced(self.kept.item, self.cells)

    def verdict(self, state: str, code: str = "", column: str = "", sentence: str = "") -> Verdict:
        return Verdict(self.kept.handle, state, code, column, sentence or (title(code) if code else ""), self.place)


class Repairs:
    """The one door behind command line and API for what is put right by hand, and for the workbooks that ask for it."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        leases: Leases,
        *,
        audit: AuditLog,
        config: Config,
        prepare: Callable[[str], FeedWork],
    ) -> None:
        self._store, self._vault, self._clock, self._leases = store, vault, clock, leases
        self._audit, self._config, self._prepare = audit, config, prepare
        self._quarantine = Quarantine(store, vault, clock)

    def terms(self, feed: str) -> Terms:
        """Raises Usage: no such feed is configured."""
        if feed not in self._config.feeds:
            raise Usage("没有采集任务 {name}。可用的有：{known}", name=feed, known="、".join(self._config.feeds))
        return Terms.of(self._work(feed), self._config.feeds[feed])

    def export(
        self,
        actor: Actor,
        within: Scope,
        *,
        feed: str = "",
        county: str = "",
        agency: str = "",
        reason: str = "",
        full: bool = False,
    ) -> bytes:
        """The unsettled items of these feeds, as far as they are in reach, as a workbook in their agencies' own terms, masked unless `full`; recorded.

        Raises:
            NotAllowed: `full`, and this actor may not unmask.
            Usage: no configured feed is meant.
        """
        places = {n: Place(f.county.code, f.dataset) for n, f in self._config.feeds.items() if feed in ("", n)}
        names = [n for n, place in places.items() if county in ("", place.county) and within.holds(place)]
        if full:
            for name in names:
                self._audit.permit(actor, Action.UNMASK, name, places[name])
        terms = [t for t in map(self.terms, names) if agency in ("", t.agency)]
        if not terms:
            raise Usage("没有这样的采集任务，请核对任务、县代码和部门")
        sheets = [(t, self._quarantine.unsettled(t.feed, reason)) for t in terms]
        detail: dict[str, str | int | bool] = {"rows": sum(len(items) for _, items in sheets), "full": full}
        self._audit.record(actor, Action.UNMASK if full else Action.QUARANTINE_EXPORT, feed or county, detail)
        return workbook(sheets, self._vault, full=full, at=self._clock.stamp())

    def take_back(self, actor: Actor, within: Scope, body: bytes, *, dry_run: bool = False) -> TakenBack:
        """Checks a corrected workbook row by row and takes in what can be read now; a row out of reach is nobody's.

        Raises:
            SourceMalformed: it is not one that was exported here.
            Busy: one of its feeds is being read right now; what stands before it was taken in.
        """
        out = TakenBack()
        changes: dict[str, list[_Change]] = {}
        terms: dict[str, Terms] = {}
        met: set[str] = set()
        for line in read_back(body):
            out.rows += 1
            found = self._met(line, within, terms, met)
            if isinstance(found, Verdict):
                out.add(found)
            else:
                changes.setdefault(found[0], []).append(found[1])
        for feed, mine in changes.items():
            told = self._put_right(feed, terms[feed], mine, actor, dry_run=dry_run)
            for verdict in told:
                out.add(verdict)
            if not dry_run:
                accepted = sum(verdict.state == "accepted" for verdict in told)
                self._audit.record(actor, Action.QUARANTINE_REPAIR, feed, {"rows": len(mine), "accepted": accepted})
        return out

    def put_right(self, actor: Actor, handle: str, changed: Mapping[str, str], note: str | None = None) -> Verdict:
        """One item, in place: column -> what should stand there.

        Raises:
            Usage: no such item or column, nothing is changed, or the note names a person.
            Busy: its feed is being read right now.
        """
        if note:
            written(note, "")
        kept = self._quarantine.opened(handle)
        feed, known = self._quarantine.feed_of(handle), {column for column, _ in cells(kept.item)}
        terms = self.terms(feed)
        strange = sorted(set(changed) - known - set(terms.feeds))
        if strange or not changed:
            raise Usage(
                "没有栏目 {column}。可用的有：{known}", column="、".join(strange), known="、".join(sorted(known))
            )
        if kept.settled_at is not None:
            raise Usage("{handle} 已不在隔离区（状态：{state}）", handle=handle, state=kept.state)
        (verdict,) = self._put_right(feed, terms, [_Change(kept, changed)], actor, note=note)
        self._audit.record(actor, Action.QUARANTINE_REPAIR, handle, {"state": verdict.state, "columns": len(changed)})
        return verdict

    def _work(self, feed: str) -> FeedWork:
        work = self._prepare(feed)
        work.adapter.close()
        return work

    def _met(self, line: Line, within: Scope, terms: dict[str, Terms], met: set[str]) -> Verdict | tuple[str, _Change]:
        """A row that came back, held against what was exported: its item with what was changed, or why it is left alone."""
        left = Verdict(line.handle, "settled", place=line.place)
        try:
            kept = self._quarantine.opened(line.handle)
        except Usage:
            kept = None
        if kept is None or not self._quarantine.lies(line.handle, within):
            return _with(left, "这一行没有编号，或编号不是隔离区里的；新增的数据请走正常报送")
        if line.handle in met:
            return _with(left, "同一个编号出现了两次，以先出现的为准")
        met.add(line.handle)
        if kept.settled_at is not None:
            return _with(left, f"这一行在导出之后已了结（{WORDS.get(kept.state, kept.state)}），未作改动")
        feed = self._quarantine.feed_of(line.handle)
        if feed not in terms:
            terms[feed] = self.terms(feed)
        full = line.code[:1] == "f"
        shown = terms[feed].shown(kept.item, full=full)
        if line.code != check_code(self._vault, kept, shown, full=full):
            return _with(left, "这一行在导出之后变了，或编号与内容错了位，请重新导出")
        changed = {c: text.strip() for c, text in line.cells.items() if not _same(text, shown.get(c, ""))}
        if not changed:
            return Verdict(line.handle, "unchanged", place=line.place)
        covered = next((column for column, text in changed.items() if "**" in text), None)
        if covered is not None:
            return Verdict(line.handle, "refused", "", covered, "更正的值还是遮盖过的，请填写完整的值", line.place)
        if _moved(terms[feed], kept, shown, changed):
            return _with(left, "这一行大半与导出时不同，可能是内容错了行，请重新导出核对")
        return feed, _Change(kept, changed, line.place)

    def _put_right(
        self,
        feed: str,
        terms: Terms,
        changes: Sequence[_Change],
        actor: Actor,
        *,
        dry_run: bool = False,
        note: str | None = None,
    ) -> list[Verdict]:
        """Checks and, unless it is a dry run, commits in one page what can be read; a verdict for each change, in order."""
        work = self._work(feed)
        with self._leases.take(f"feed:{work.uid}") as fence:
            t, told = self._judged(work, terms, changes)
            good = {position: i for i, position in enumerate(t.positions) if position not in told}
            if dry_run:
                return [told.get(n) or change.verdict("accepted") for n, change in enumerate(changes)]
            handles = work.namer.handles(t)
            for n in self._overtaken(work, t, good, handles):
                told[n] = changes[n].verdict("settled", sentence="来源已经给出更新的数据，以来源为准")
                with self._store.write() as tx:
                    settle(tx, changes[n].kept.id, "superseded", self._clock.stamp(), "source")
                del good[n]
            if good:
                self._commit(work, terms, fence, {n: (changes[n], handles[i]) for n, i in good.items()}, actor, note)
        return [told.get(n) or change.verdict("accepted") for n, change in enumerate(changes)]

    def _judged(
        self, work: FeedWork, terms: Terms, changes: Sequence[_Change]
    ) -> tuple[Translated, dict[int, Verdict]]:
        """The corrected rows, translated, and the verdicts on those that are still no record."""
        with self._store.read() as tx:
            judge = Dictionaries.of(tx, work.id, work.rules_id, work.dataset).judge
            away = Suppression.of(tx)
        t = away.sift(judge(work.translator.translate([change.item for change in changes])), work.namer)
        told = {}
        for rejected in t.rejected:
            column = "、".join(sorted(terms.blamed(rejected.field)))
            told[rejected.position] = changes[rejected.position].verdict("refused", rejected.reason, column)
        for rule, positions in t.ignored.items():
            sentence = f"更正后按规则 {rule} 不属于这个数据资源"
            told |= {n: changes[n].verdict("refused", rule, sentence=sentence) for n in positions}
        for gone in t.deleted:
            told[gone.position] = changes[gone.position].verdict("refused", sentence="更正后是一条注销，请由来源注销")
        first: dict[bytes, int] = {}
        for i, handle in enumerate(work.namer.handles(t)):
            change = changes[t.positions[i]]
            if change.kept.about not in (None, handle):
                told[t.positions[i]] = change.verdict(
                    "refused", sentence="更正后是另一条记录的主键，可能是内容错了行，请核对"
                )
            winner = first.setdefault(handle, i)
            if winner != i and t.record(i) != t.record(winner):
                for n in (t.positions[i], t.positions[winner]):
                    told[n] = changes[n].verdict("refused", "DUPLICATE_KEY")
        return t, told

    def _overtaken(self, work: FeedWork, t: Translated, good: Mapping[int, int], handles: Sequence[bytes]) -> list[int]:
        """Changes to records of which the source has said something newer."""
        with self._store.read() as tx:
            rows = (
                tx.among("observations_by_handle", sorted(short([handles[i] for i in good.values()]))) if good else []
            )
        times = {row.handle: row.source_time for row in rows}
        return [n for n, i in good.items() if is_older(t.times[i], times.get(handles[i]))]

    def _commit(
        self,
        work: FeedWork,
        terms: Terms,
        fence: Fence,
        good: Mapping[int, tuple[_Change, bytes]],
        actor: Actor,
        note: str | None,
    ) -> None:
        changes = [change for change, _ in good.values()]
        raw = [msgspec.json.encode(change.item) for change in changes]
        overrides = [
            Override(
                item=change.kept.id,
                raw_digest=change.kept.raw_digest,
                handle=handle,
                actor=str(actor),
                changes=self._vault.seal(OVERRIDE, msgspec.json.encode(_pairs(change))),
                note=note,
            )
            for change, handle in good.values()
        ]
        flags = [marks(work.translator, list(change.cells)) for change in changes]
        answer = Answer(REPAIR, 0, MEDIA, b"[" + b",".join(raw) + b"]", self._clock.real())

        def pages(cursor: Cursor) -> list[Page]:
            return [Page(JsonRows(raw), answer, lambda _newest: cursor, last=True, flags=flags)]

        rerunner = Rerunner(self._store, self._vault, self._clock)
        rerunner.run(work, fence, pages, reason="repair", actor=str(actor), overrides=overrides)


def _moved(terms: Terms, kept: Opened, shown: Mapping[str, str], changed: Mapping[str, str]) -> bool:
    """Whether what stands beside a handle looks like another row: half of what was not to blame is different."""
    blamed = terms.blamed(kept.field)
    beside = [column for column, value in shown.items() if value and general(column) not in blamed]
    other = sum(column in changed for column in beside)
    return other > 1 and 2 * other >= len(beside)


def _pairs(change: _Change) -> dict[str, tuple[str, str]]:
    """Column -> what was, what is."""
    was = dict(cells(change.kept.item))
    return {
        column: ("" if was.get(column) is None else str(was[column]), value) for column, value in change.cells.items()
    }


def _same(now: str, before: str) -> bool:
    """Spreadsheets tidy white space."""
    return now.split() == before.split()


def _with(verdict: Verdict, sentence: str) -> Verdict:
    return Verdict(verdict.handle, verdict.state, place=verdict.place, sentence=sentence)
