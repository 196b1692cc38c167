"""One fetch: a cursor turned into parameters, and the answer into the page that follows it (cursors: `adapters.kit.paging`).

An answer with more rows than anybody may ask for is cut into pages, for a page is the unit of commitment. Inside one the
cursor is
    {"at": {…}, …, "skip": n, "part": hex}
`part` names the answer and `skip` says how many of its rows are behind. Who resumes there asks again, and goes on after
those rows if the answer is still the same, else from its first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from adapters.kit.base import Answer, Cursor, Page, Rows
from adapters.kit.envelope import Opened
from adapters.kit.paging import GARBAGE, Got, Next, Pager, Params, Position, Since, unknown_cursor

SLICE_ROWS: Final = 10_000
SLICE_BYTES: Final = 16 << 20
"""The largest page: as many rows as one may ask for (`WebSettings.page_size`), and what one transaction takes at ease."""


class Walk:
    """A cursor read, turned into parameters, and turned into the page that answers them."""

    unfinished: str | None = None
    """After `page`: the name of its answer, if more of its rows follow."""

    def __init__(
        self, paging: Pager, since: Since | None, cursor: Cursor | None, *, today: date, limit: int | None = None
    ) -> None:
        """Reads a cursor.

        Raises:
            SourceMalformed: CURSOR_UNKNOWN, it is none of ours.
        """
        self._paging, self._since, self._today = paging, since, today
        cursor = cursor or {"rest": True}
        try:
            resting = cursor.get("rest", False)
            self._position: Position = paging.begin(cursor, limit, today) if resting else dict(cursor["at"])
            self._from: str | None = cursor.get("since") if since else None
            self._high: str | None = cursor.get("high", self._from)
            self._previous: str | None = None if resting else cursor.get("prev")
            self._skip, self._part = (0, None) if resting else (int(cursor.get("skip", 0)), cursor.get("part"))
            if self._high is not None:
                datetime.fromisoformat(self._high)
            self.params: Params = paging.params(self._position) | (since.params(self._from) if since else {})
        except GARBAGE as error:
            raise unknown_cursor() from error

    def page(self, opened: Opened, answer: Answer) -> Page:
        """The page, with the cursor that follows it. A slice of the answer, if more than one page of it is left.

        Raises:
            SourceMalformed: REPEATED_PAGE, CURSOR_UNKNOWN.
        """
        digest = _digest(opened.rows.raw)
        start = self._skip if digest == self._part else 0
        end = _slice_end(opened.rows.raw, start)
        self.unfinished = digest if end < len(opened.rows.raw) else None
        at: dict[str, Any]
        if self.unfinished:
            at, notes = {"at": self._position, "prev": self._previous, "skip": end, "part": digest}, opened.notes
        else:
            following = self._following(opened, digest)
            at = {"rest": True, **self._paging.rest(self._position)}
            if following.position is not None:
                at = {"at": following.position, "prev": digest}
            notes = (*opened.notes, *(("CAPPED",) if following.capped else ()))

        def after(newest: str | None) -> Cursor:
            high = self._merge(newest)
            times = {"since": high} if "rest" in at else {"since": self._from, "high": high}
            return at | (times if self._since else {})

        rows: Rows = opened.rows
        if (start, end) != (0, len(rows.raw)):
            rows, body = opened.rows.part(start, end)
            answer = replace(answer, request=f"{answer.request} [{start + 1}-{end}]", body=body)
        return Page(
            rows=rows,
            answer=answer,
            after=after,
            last="rest" in at,
            declared=opened.total,
            empty_confirmed=opened.empty_confirmed,
            notes=notes,
        )

    def _following(self, opened: Opened, digest: str) -> Next:
        repeated = bool(opened.rows.raw) and digest == self._previous
        count = len(opened.rows.raw) + opened.dropped
        got = Got(count, opened.total, repeated, self._today, opened.rows, opened.next_token)
        try:
            return self._paging.next(self._position, got)
        except GARBAGE as error:
            raise unknown_cursor() from error

    def goes_on(self, digest: str) -> bool:
        """Whether this fetch wants more of the answer of this name."""
        return digest == self._part

    def _merge(self, newest: str | None) -> str | None:
        """The newest time seen, held to today: one row dated 2099 must not end all reading."""
        if newest is None:
            return self._high
        newest = min(newest, f"{self._today.isoformat()}T23:59:59")
        return max(newest, self._high or newest)


def restart(cursor: Cursor | None) -> Cursor | None:
    """Everything again from the beginning; the watermark reached so far is taken up again where the pass ends."""
    high = (cursor or {}).get("high") or (cursor or {}).get("since")
    return {"rest": True, "since": None, "high": high} if high else None


def request_values(params: Mapping[str, str], values: Mapping[str, object]) -> Params:
    """Fixed parameters with `{county}`, `{today}` and `{month}` filled in (`values.PLACES`)."""
    return {name: value.format_map(values) for name, value in params.items()}


def _slice_end(rows: Sequence[bytes], start: int) -> int:
    """How far a page that begins at this row may go; one row at least, however long it is."""
    size = 0
    for i in range(start, min(start + SLICE_ROWS, len(rows))):
        size += len(rows[i])
        if size > SLICE_BYTES and i > start:
            return i
    return min(start + SLICE_ROWS, len(rows))


def _digest(rows: Sequence[bytes]) -> str:
    hashed = sha256()
    for i, row in enumerate(rows):
        hashed.update(b"\n" + row if i else row)
    return hashed.hexdigest()[:16]
