"""Many queries at once: handed in as a list, answered in the background, each consented, counted and noted like one alone.

Who is on the list lies in the vault until the query was made, and nowhere afterwards. A process that dies leaves the rest to the
next: at most the one query under way is made twice.
"""

from __future__ import annotations

import csv
import io
import os
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec

from gateway.clock import Clock
from gateway.errors import Usage
from gateway.names import SUBJECT
from gateway.reports.consents import Refused
from gateway.reports.office import OK, Office, canonical_id
from gateway.scope import Scope
from gateway.store import Store
from gateway.vault import NAME_BYTES, Vault, handle_bytes, handle_text

MOST: Final = 10_000
ASKED: Final = "batch"
INVALID: Final = "INVALID"
"""A line whose number is none."""
HEADS: Final = ("公民身份号码", "姓名")
_SOME: Final = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """How far one list is."""

    handle: str
    institution: str
    purpose: str
    classes: tuple[str, ...]
    at: str
    total: int
    done: int
    results: dict[str, int]
    """Result -> how many: OK, a code of refusal, INVALID."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Batches:
    """The lists of one store."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, office: Office) -> None:
        self._store, self._vault, self._clock, self._office = store, vault, clock, office

    def hand_in(
        self, people: Sequence[tuple[str, str]], *, institution: str, purpose: str, classes: Collection[str], user: str
    ) -> Batch:
        """Takes a list of (ID number, name) in; nothing is asked yet.

        Raises:
            Usage: nobody or too many, an unknown institution, purpose or class.
        """
        if not 0 < len(people) <= MOST:
            raise Usage("一次可查 1 到 {most} 人，名单里有 {count} 人", most=MOST, count=len(people))
        self._office.check(institution, purpose, classes)
        handle, today = os.urandom(NAME_BYTES), self._clock.today()
        rows = [(self._subject(number, today), msgspec.json.encode((number, name))) for number, name in people]
        with self._store.write() as tx:
            batch = int(
                tx.value(
                    "batch_query_add",
                    handle=handle,
                    institution=institution,
                    purpose=purpose,
                    classes=",".join(sorted(classes)),
                    actor=user,
                    at=self._clock.stamp(),
                    total=len(people),
                )
            )
            tx.bulk("batch_line_add", [(batch, subject, self._vault.seal(ASKED, told)) for subject, told in rows])
        return self.get(handle_text(handle))

    def _subject(self, number: str, today: Any) -> bytes:
        try:
            return self._vault.name(SUBJECT, canonical_id(number, today))
        except Usage:
            return b""

    def answer(self, seconds: float) -> int:
        """Makes queries that wait, the oldest first, for about so long; how many."""
        until, made = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            with self._store.read() as tx:
                waiting = tx.all("batch_lines_waiting", count=_SOME)
            if not waiting:
                break
            for line in waiting:
                number, result = self._ask(line)
                with self._store.write() as tx:
                    tx.run("batch_line_done", id=line.id, result=result, number=number)
                made += 1
        return made

    def _ask(self, line: Any) -> tuple[str | None, str]:
        number, name = msgspec.json.decode(self._vault.open(ASKED, line.sealed))
        try:
            report = self._office.query(
                id_no=number,
                name=name,
                institution=line.institution,
                purpose=line.purpose,
                classes=set(line.classes.split(",")),
                user=line.actor,
            )
        except Refused as refused:
            return None, refused.code
        except Usage:
            return None, INVALID
        return report.number, OK

    def get(self, handle: str, institution: str = "") -> Batch:
        """Raises Usage: there is none, or it is another's."""
        with self._store.read() as tx:
            row = tx.one("batch_query_get", handle=_named(handle))
            if row is None or institution not in ("", row.institution):
                raise Usage("没有批量查询 {handle}", handle=handle)
            return _batch(row, tx.all("batch_results", batch=row.id))

    def lines(self, handle: str, institution: str = "") -> list[tuple[int, str, str]]:
        """(line of the list, result, report number) of what was asked so far, without whom. Raises Usage."""
        self.get(handle, institution)
        with self._store.read() as tx:
            rows = tx.all("batch_lines", handle=_named(handle))
        return [(line, row.result, row.number or "") for line, row in enumerate(rows, 1) if row.result]

    def recent(self, within: Scope, count: int = 20) -> list[Batch]:
        """The latest in reach."""
        with self._store.read() as tx:
            rows = [row for row in tx.all("batch_queries", count=count) if within.serves(row.institution)]
            return [_batch(row, tx.all("batch_results", batch=row.id)) for row in rows]


def read_list(body: bytes) -> list[tuple[str, str]]:
    """A list as a bank hands it in: CSV, UTF-8 or GB18030, with a heading or without. Raises Usage, quoting nothing."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode("gb18030")
        except UnicodeDecodeError:
            raise Usage("名单不是文本：请存成 CSV（UTF-8 或 GB18030）") from None
    out = []
    for number, cells in enumerate(csv.reader(io.StringIO(text)), 1):
        told = [cell.strip().strip("'") for cell in cells]
        if not any(told) or tuple(told[:2]) == HEADS:
            continue
        if len(told) < len(HEADS) or not told[0] or not told[1]:
            raise Usage("名单第 {line} 行：要有两列，公民身份号码和姓名", line=number)
        out.append((told[0], told[1]))
    return out


def _batch(row: Any, results: Sequence[Any]) -> Batch:
    counts = Counter({r.result: int(r.lines) for r in results})
    classes = tuple(row.classes.split(","))
    return Batch(
        handle_text(row.handle),
        *(row.institution, row.purpose, classes, row.at, int(row.total), counts.total(), dict(counts)),
    )


def _named(handle: str) -> bytes:
    try:
        return handle_bytes(handle)
    except ValueError:
        raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
