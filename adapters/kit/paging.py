"""How a source is walked (china-facts §1.7): pure functions from a cursor to parameters, and from a page to a cursor.

A cursor is one of
    {"rest": true, "since": t, …}                          between runs: the next fetch begins a new pass
    {"at": {…}, "since": t, "high": t, "prev": hex, …}     inside a run
`since` is the watermark this pass reads from, `high` the newest source time seen so far (ISO, Asia/Shanghai). Rows at the
watermark itself are read again; the store recognises them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from adapters.kit.base import Cursor, Rows
from adapters.kit.errors import SourceMalformed
from adapters.kit.values import Count, Span, TimeFormat, written

Position: TypeAlias = dict[str, Any]
"""Where a walk stands: JSON values."""

Params: TypeAlias = dict[str, str | int]
"""Request parameters; a number goes as a number into JSON."""

ROUND: Final = 50
"""Silent caps are round numbers (100, 200, 500, 1000): a short page of such a size proves nothing."""


@dataclass(frozen=True, slots=True)
class Got:
    """What one answer held."""

    count: int
    """Items of the page, those the source dropped included."""
    total: int | None
    repeated: bool
    today: date
    rows: Rows
    next_token: str = ""
    """What the source gave to ask for the page that follows."""


@dataclass(frozen=True, slots=True)
class Next:
    """The position that follows, or None at the end; `CAPPED` if the source gave fewer than asked and has more."""

    position: Position | None
    capped: bool = False


class Pager(ABC):
    """One style of paging, with the `kind` by which a file chooses it (`Paging`)."""

    counted: ClassVar[bool] = False
    """Pages are told by counting: a row that moves while it is read may be skipped, so the first page is asked again."""
    whole: ClassVar[bool] = False
    """Each answer holds all that its total says."""

    def begin(self, cursor: Cursor, limit: int | None, today: date) -> Position:
        """The first position of a pass, after this resting cursor; `limit` overrides the page size."""
        return {}

    def params(self, position: Position) -> Params:
        """Request parameters of a position."""
        return {}

    @abstractmethod
    def next(self, position: Position, got: Got) -> Next:
        """Raises SourceMalformed (REPEATED_PAGE): the same page again though more was promised."""

    def rest(self, position: Position) -> dict[str, Any]:
        """What the cursor keeps between runs."""
        return {}


def _ends(behind: int, asked: int, got: Got) -> bool:
    """Whether a counted walk is over. A short page proves it only if the source says no total and the size is not round.

    Raises:
        SourceMalformed: REPEATED_PAGE.
    """
    if got.repeated:
        if got.total is not None and behind < got.total:
            raise SourceMalformed("REPEATED_PAGE", "对方重复返回了同一页，尚有数据没有给出")
        return True
    if got.total is not None:
        return got.count == 0 or behind + got.count >= got.total
    return got.count == 0 or (got.count < asked and got.count % ROUND != 0)


@dataclass(frozen=True, slots=True)
class PageNumber(Pager):
    """Page and size. Position: page `n` from 0 of size `k`, and `gap`, the items behind an unexplained short page and its size.

    A silent cap met on the first page becomes the page size of the run. A short page later on is either the end of a source
    that overstates its total, or a cap that began in the middle: the next page tells, and in the second case the walk goes
    back. Pages may then overlap; they never leave a gap.
    """

    counted: ClassVar[bool] = True

    page: str = "pageNum"
    size: str = "pageSize"
    limit: Count = 500
    first: int = 1
    """Number of the first page; 0 at some."""
    kind: Literal["page_number"] = "page_number"

    def begin(self, cursor: Cursor, limit: int | None, today: date) -> Position:
        return {"n": 0, "k": limit or self.limit}

    def params(self, position: Position) -> Params:
        return {self.page: self.first + position["n"], self.size: int(position["k"])}

    def next(self, position: Position, got: Got) -> Next:
        number, size, gap = position["n"], position["k"], position.get("gap")
        behind = number * size
        if _ends(behind, size, got) and not (gap and got.count):
            return Next(None)
        if gap and got.count:
            behind, cap = gap
            return Next({"n": behind // cap, "k": cap}, capped=True)
        if number == 0:
            return Next({"n": 1, "k": got.count}, capped=got.count < size)
        if got.count == size:
            return Next({"n": number + 1, "k": size})
        if got.count > size:
            return Next({"n": (behind + got.count) // got.count, "k": got.count})
        return Next({"n": number + 1, "k": size, "gap": [behind, got.count]})


@dataclass(frozen=True, slots=True)
class Offset(Pager):
    """Offset and limit: goes on from what was really returned, so that a cap costs calls and nothing else."""

    counted: ClassVar[bool] = True

    start: str = "offset"
    size: str = "limit"
    limit: Count = 200
    first: int = 0
    """Number of the first row; STARTNUM counts from 1 at some platforms."""
    kind: Literal["offset"] = "offset"

    def begin(self, cursor: Cursor, limit: int | None, today: date) -> Position:
        return {"o": 0, "k": limit or self.limit}

    def params(self, position: Position) -> Params:
        return {self.start: self.first + int(position["o"]), self.size: int(position["k"])}

    def next(self, position: Position, got: Got) -> Next:
        behind, size = position["o"], position["k"]
        if _ends(behind, size, got):
            return Next(None)
        return Next({"o": behind + got.count, "k": size}, capped=got.count < size)


@dataclass(frozen=True, slots=True)
class DaySlice(Pager):
    """One request a day, from the last day pulled (read again) to today. `start` is a date or days back."""

    whole: ClassVar[bool] = True

    param: str
    start: date | int
    format: TimeFormat = "%Y-%m-%d"
    kind: Literal["day_slice"] = "day_slice"

    def begin(self, cursor: Cursor, limit: int | None, today: date) -> Position:
        start = today - timedelta(days=self.start) if isinstance(self.start, int) else self.start
        day = date.fromisoformat(cursor["day"]) if "day" in cursor else start
        return {"day": min(day, today).isoformat()}

    def params(self, position: Position) -> Params:
        return {self.param: written(datetime.fromisoformat(position["day"]), self.format)}

    def next(self, position: Position, got: Got) -> Next:
        day = date.fromisoformat(position["day"])
        return Next({"day": (day + timedelta(days=1)).isoformat()} if day < got.today else None)

    def rest(self, position: Position) -> dict[str, Any]:
        return dict(position)


def _onward(position: Position, key: Any) -> Position:
    """The position after `key`. An earlier key is kept and compared (Brent): no circle, however long, goes round for ever.

    Raises:
        SourceMalformed: REPEATED_PAGE.
    """
    mark = position.get("mark", position.get("key"))
    if key in (position.get("key"), mark):
        raise SourceMalformed("REPEATED_PAGE", "对方给出的翻页位置又回到了前面，尚有数据没有给出")
    step = position.get("step", 0) + 1
    return {**position, "key": key, "step": step, "mark": mark if step & (step - 1) else key}


@dataclass(frozen=True, slots=True)
class AfterKey(Pager):
    """Asks for the rows after the last one received, by its own columns: `lastId`, or `lastUpdateTime` and `lastId` together.

    The source sorts by these columns. One that asks by a time alone must answer `inclusive`, or rows of one moment that two
    pages divide are lost; more of them than a page holds are a REPEATED_PAGE. `keep` goes on there in the next run, for
    sources that only add.
    """

    keys: Annotated[Mapping[str, str], Field(min_length=1)]
    """parameter -> the column whose value in the last row it takes."""
    size: str = "pageSize"
    limit: Count = 500
    inclusive: bool = False
    """The rows at the key come again."""
    start: Mapping[str, str] = field(default_factory=dict)
    """What the first call sends in the keys' place (`lastId=0`)."""
    keep: bool = False
    kind: Literal["after_key"] = "after_key"

    def begin(self, cursor: Cursor, limit: int | None, today: date) -> Position:
        return _kept(self.keep, cursor) | {"k": limit or self.limit}

    def params(self, position: Position) -> Params:
        values = dict(zip(self.keys, position["key"], strict=True)) if "key" in position else self.start
        return {**values, self.size: int(position["k"])}

    def next(self, position: Position, got: Got) -> Next:
        """A total, of all rows or of those left, never ends a walk before the page that holds as many."""
        asked, cap = position["k"], got.count % ROUND == 0
        if got.count == 0 or (got.count < asked and not cap if got.total is None else got.total <= got.count):
            return Next(None)
        key, most = self._last(position, got), max(got.count, position.get("most", 0))
        if self.inclusive and key == position.get("key") and got.count < most:
            return Next(None)
        return Next(_onward({**position, "most": most}, key), capped=got.count < asked and cap)

    def _last(self, position: Position, got: Got) -> Any:
        if not got.rows.raw:
            return position.get("key")
        (row,) = got.rows.decode([len(got.rows.raw) - 1])
        missing = [column for column in self.keys.values() if row.get(column) in (None, "")]
        if missing:
            raise SourceMalformed("SCHEMA_DRIFT", "数据行里没有翻页要用的列 {columns}", columns="、".join(missing))
        return [row[column] for column in self.keys.values()]

    def rest(self, position: Position) -> dict[str, Any]:
        return _kept(self.keep, position)


@dataclass(frozen=True, slots=True)
class NextToken(Pager):
    """Asks with the token that the page before gave (`Envelope.next_token`), whatever it means; none, or an empty page, is the end.

    `keep` takes up the last token in the next run: feeds of changes always give one.
    """

    token: str = "nextToken"  # noqa: S105 # the name of a parameter
    size: str = "pageSize"
    limit: Count = 500
    ends: tuple[str, ...] = ()
    """Tokens that mean none, besides a blank one (`0`, `-1`)."""
    start: str | None = None
    """What the first call sends in the token's place."""
    keep: bool = False
    kind: Literal["next_token"] = "next_token"

    def begin(self, cursor: Cursor, limit: int | None, today: date) -> Position:
        return _kept(self.keep, cursor) | {"k": limit or self.limit}

    def params(self, position: Position) -> Params:
        token = position.get("key", self.start)
        return {self.size: int(position["k"])} | ({} if token is None else {self.token: str(token)})

    def next(self, position: Position, got: Got) -> Next:
        if got.count == 0 or got.next_token in ("", *self.ends):
            return Next(None)
        return Next(_onward(position, got.next_token))

    def rest(self, position: Position) -> dict[str, Any]:
        return _kept(self.keep, position)


def _kept(keep: bool, where: Mapping[str, Any]) -> dict[str, Any]:
    return {"key": where["key"]} if keep and "key" in where else {}


@dataclass(frozen=True, slots=True)
class Single(Pager):
    """Everything in one answer."""

    whole: ClassVar[bool] = True

    kind: Literal["single"] = "single"

    def next(self, position: Position, got: Got) -> Next:
        return Next(None)


Paging: TypeAlias = Annotated[
    PageNumber | Offset | DaySlice | AfterKey | NextToken | Single, Field(discriminator="kind")
]


@dataclass(frozen=True, slots=True)
class Since:
    """Incremental reading: asks for rows changed at or after the newest source time of the runs before.

    Nothing is sent where there was none; what a source wants then stands among the fixed parameters.
    """

    param: str
    format: TimeFormat = "%Y-%m-%d %H:%M:%S"
    overlap: Span = timedelta(0)
    """Read again this far back: rows that a source commits late carry an older time than those it showed before."""

    def params(self, since: str | None) -> Params:
        if since is None:
            return {}
        return {self.param: written(datetime.fromisoformat(since) - self.overlap, self.format)}


GARBAGE: Final = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading a cursor that is none of ours may raise."""


def unknown_cursor() -> SourceMalformed:
    return SourceMalformed("CURSOR_UNKNOWN", "采集位置无法识别，请用 --full 重新开始")
