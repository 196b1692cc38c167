"""One fetch: a cursor turned into parameters, and the answer into the page that follows it (cursors: `adapters.kit.paging`).

An answer with more rows than anybody may ask for is cut into pages, for a page is the unit of commitment. Inside one the
cursor is
    {"at": {…}, …, "skip": n, "part": hex}
`part` names the answer and `skip` says how many of its rows are behind. Who resumes there asks again, and goes on after
those rows if the answer is still the same, else from its first.

A pass that is told by counting pages is believed when its rows are as many as the total says, the total never fell, and the
first page, asked again at the end, is still the same; else it is read again, twice at most. The cursor then also holds
    {…, "n": rows so far, "total": n, "first": [rows, hex], "again": passes that were not believed, "shaken": true}
and `"check": true` where the first page is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from adapters.kit.base import Answer, Cursor, Page, Rows
from adapters.kit.envelope import Opened
from adapters.kit.errors import SourceMalformed
from adapters.kit.paging import GARBAGE, Got, Next, Pager, Params, Position, Since, unknown_cursor

SLICE_ROWS: Final = 10_000
SLICE_BYTES: Final = 16 << 20
"""The largest page: as many rows as one may ask for (`WebSettings.page_size`), and what one transaction takes at ease."""
PASSES: Final = 3
"""How often a source that does not hold still is read before a person is told."""

_PASS: Final = ("n", "total", "first", "again", "shaken", "check")


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
        self._paging, self._since, self._today, self._limit = paging, since, today, limit
        cursor = cursor or {"rest": True}
        try:
            resting = cursor.get("rest", False)
            self._position: Position = paging.begin(cursor, limit, today) if resting else dict(cursor["at"])
            self._from: str | None = cursor.get("since") if since else None
            self._high: str | None = cursor.get("high", self._from)
            self._previous: str | None = None if resting else cursor.get("prev")
            self._pass = {name: cursor[name] for name in _PASS if name in cursor}
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
        if self._pass.get("check"):
            start = end = len(opened.rows.raw)  # it was read before
        self.unfinished = digest if end < len(opened.rows.raw) else None
        notes, incomplete = opened.notes, None
        at: dict[str, Any]
        if self.unfinished:
            at = {"at": self._position, "prev": self._previous, "skip": end, "part": digest, **self._pass}
        else:
            at, capped, incomplete = self._onward(opened, digest)
            notes = (*notes, *(("CAPPED",) if capped else ()))

        def after(newest: str | None) -> Cursor:
            high = self._merge(newest)
            if "rest" in at:
                times = {"since": high if incomplete is None else self._from}
            else:
                times = {"since": self._from, "high": high}
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
            # behind a key a total may be of all rows or of those left: it says nothing about the rest of this walk
            declared=opened.total if self._paging.counted or "key" not in self._position else None,
            empty_confirmed=opened.empty_confirmed,
            notes=notes,
            incomplete=incomplete,
        )

    def _onward(self, opened: Opened, digest: str) -> tuple[dict[str, Any], bool, SourceMalformed | None]:
        """The cursor without its times, whether the page was capped, and why the run is not complete if it ends with it."""
        said, count, total = self._pass, len(opened.rows.raw) + opened.dropped, opened.total
        if said.get("check"):
            moved = digest != said["first"][1]
            return self._settle(_unstable() if moved else None)
        following = self._following(opened, count, digest)
        paging, position = self._paging, following.position
        if paging.whole and total is not None and count < total:
            return self._rest(), following.capped, _short(total, count)
        if not paging.counted:
            at = self._rest() if position is None else {"at": position, "prev": digest}
            return at, following.capped, None
        read, before = said.get("n", 0) + count, said.get("total")
        shaken = said.get("shaken", False) or (total is not None and before is not None and total < before)
        first = said.get("first") or [count, digest]
        if position is not None:
            fresh = {"n": read, "total": before if total is None else total, "first": first, "shaken": shaken}
            return {"at": position, "prev": digest, **said, **fresh}, following.capped, None
        if total is not None and read < total:
            return self._settle(_short(total, read))
        if shaken:
            return self._settle(_unstable())
        if "first" in said:
            again = {"at": {**self._begin(), "k": first[0]}, "prev": None, **said, "check": True}
            return again, following.capped, None
        return self._rest(), following.capped, None

    def _settle(self, doubt: SourceMalformed | None) -> tuple[dict[str, Any], bool, SourceMalformed | None]:
        """The end of a counted pass: believed, read again, or told."""
        if doubt is None:
            return self._rest(), False, None
        again = self._pass.get("again", 0) + 1
        if again < PASSES:
            return {"at": self._begin(), "prev": None, "again": again}, False, None
        return self._rest(), False, doubt

    def _rest(self) -> dict[str, Any]:
        return {"rest": True, **self._paging.rest(self._position)}

    def _begin(self) -> Position:
        return self._paging.begin({"rest": True}, self._limit, self._today)

    def _following(self, opened: Opened, count: int, digest: str) -> Next:
        repeated = bool(opened.rows.raw) and digest == self._previous
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


def rewind(cursor: Cursor | None, since: date) -> Cursor | None:
    """As `restart`, from a day on; a stream that is not read by time takes no notice of the day."""
    if cursor is None:
        return None
    begin, high = f"{since.isoformat()}T00:00:00", cursor.get("high") or cursor.get("since")
    times = {"since": min(begin, high), "high": high} if high else {}
    return {"rest": True, "day": since.isoformat(), **times}


def request_values(params: Mapping[str, str], values: Mapping[str, object]) -> Params:
    """Fixed parameters with `{county}`, `{today}` and `{month}` filled in (`values.PLACES`)."""
    return {name: value.format_map(values) for name, value in params.items()}


def _unstable() -> SourceMalformed:
    return SourceMalformed("UNSTABLE", "翻页期间数据在变动：同一页两次取得的内容不同，重读后仍是如此，本次不算完成")


def _short(total: int, count: int) -> SourceMalformed:
    return SourceMalformed(
        "TOTAL_MISMATCH", "来源声明共 {total} 条，只给出 {count} 条，本次不算完成", total=total, count=count
    )


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
