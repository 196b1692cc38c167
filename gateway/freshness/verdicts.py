"""Verdicts: a stable code, one Chinese sentence, whose move it is and what the move is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from gateway.calendar import WorkingCalendar
from gateway.freshness.receipts import CONFIRMED_EMPTY, DOUBTED_EMPTY
from gateway.promise import Promise

SOON: Final = timedelta(days=3)
"""How long before its due time a period is due soon; never more than half of the time it is given."""
SEVERITY: Final = (
    "overdue",
    "missing",
    "unverified",
    "not_connected",
    "unverified_calendar",
    "due_soon",
    "made_up",
    "waived",
    "on_time",
    "open",
    "as_needed",
)
"""Codes of duties, the worst first."""
RANK: Final = {code: place for place, code in enumerate(SEVERITY)}
OWED: Final = ("overdue", "missing", "unverified")
_NAMES: Final = {"SYSTEM": "系统", "MANUAL": "人工"}
_ITS_OWN: Final = ("denied", "misconfigured", "malformed", "needs_person", "suspicious")
"""States of a feed that say themselves whose move it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict: how one thing stands, whose move it is and which. `kind` is duty, feed, account, county, sink, run, sharing, certificate, secret, channel or calendar."""

    kind: str
    target: str
    code: str
    sentence: str
    owner: str | None = None
    action: str | None = None
    since: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def code_of(row: Any, *, waived: bool, now: str) -> str:
    """The code of one period of the ledger."""
    if waived:
        return "waived"
    if row.state == "on_time":
        return "on_time"
    if row.state == "late":
        return "made_up"
    if row.state == "missed":
        return "unverified" if row.zero == DOUBTED_EMPTY else "missing" if row.closed else "overdue"
    if row.unverified and now >= row.ends:
        return "unverified_calendar"
    return "due_soon" if now >= _soon(row.due_at, row.ends) else "open"


@lru_cache(4096)
def _soon(due_at: str, day_after: str) -> str:
    due = datetime.fromisoformat(due_at)
    ends = datetime.combine(date.fromisoformat(day_after), datetime.min.time(), due.tzinfo)
    return (due - min(SOON, max(due - ends, timedelta()) / 2)).isoformat(timespec="seconds")


def late_days(row: Any) -> int:
    """Days from its due time to its completion, begun ones counted; 0 where it was not late."""
    if row.state != "late" or row.complete_at is None:
        return 0
    late = datetime.fromisoformat(row.complete_at) - datetime.fromisoformat(row.due_at)
    return max(1, -(-int(late.total_seconds()) // 86400))


def sentence_of(code: str, row: Any, reason: str | None, *, continuous: bool) -> str:
    """What the code means for this period."""
    period, due, complete = row.period, minute(row.due_at), minute(row.complete_at)
    channel = _NAMES.get(row.channel or "", "")
    if code == "waived":
        return f"{period} 已豁免：{reason}"
    if continuous and code in ("on_time", "made_up", "overdue", "missing"):
        return _continuous(code, row)
    if code == "on_time" and row.zero == CONFIRMED_EMPTY:
        return f"{period} 来源确认没有数据，按时"
    if code == "on_time":
        return f"{period} 按时报送（{channel}，{complete}）"
    if code == "made_up":
        days = late_days(row)
        return f"{period} 逾期 {days} 天后补报（{channel}，{complete}）"
    return {
        "overdue": f"{period} 应在 {due} 前报送，还没有收到",
        "missing": f"{period} 缺报：期限 {due}，下一期也已到期",
        "unverified": f"{period} 来源说没有数据，但没有总数证实，不算报送，期限 {due}",
        "unverified_calendar": f"{period} 的期限要看还没有公布的日历，不作判定",
        "due_soon": f"{period} 将在 {due} 到期，还没有收到",
        "open": f"{period} 的期限是 {due}",
    }[code]


def _continuous(code: str, row: Any) -> str:
    period, gap = row.period, _hours(row.gap_s)
    lag = _hours(row.lag_s)
    if code == "on_time":
        return f"{period} 联系正常：最长 {gap} 无应答，95% 的数据延迟不超过 {lag}"
    if code == "made_up":
        return f"{period} 不合格，后已恢复：最长 {gap} 无应答，95% 的数据延迟不超过 {lag}"
    return f"{period} 不合格：最长 {gap} 无应答，95% 的数据延迟不超过 {lag}"


def move_of(code: str, promise: Promise, row: Any, feeds: Sequence[Any]) -> tuple[str | None, str | None]:
    """Whose move it is, and which."""
    agency, dataset, county = promise.agency, promise.dataset, promise.county
    if code == "not_connected":
        return "county", f"请在 counties/{county} 的文件里为 {dataset} 加一个采集任务，人工报送也可以"
    if code == "unverified_calendar":
        return "gateway", "请把国务院的节假日通知写进 config/calendar.yaml 并发布"
    if code not in (*OWED, "due_soon"):
        return None, None
    for feed in feeds:
        if feed.state in _ITS_OWN and feed.owner:
            return feed.owner, feed.action
    if feeds and all(feed.contact_at is None for feed in feeds):
        feed = feeds[0].name
        return "gateway", f"还没有采过：请运行 shuqiao sync {feed}"
    if code == "due_soon":
        return "agency", f"请提醒{agency}按期报送"
    if any(feed.state == "unavailable" for feed in feeds):
        return "agency", f"请{agency}恢复系统，或先人工报送"
    if feeds and all(feed.state == "failed" for feed in feeds):
        return "gateway", "请查看日志并联系运维"
    period = row.period
    if code == "unverified":
        return "agency", f"请{agency}确认 {period} 是否真的没有数据，或作零报告"
    return "agency", f"请{agency}补报 {period}"


def horizon_note(row: Any, calendar: WorkingCalendar) -> str:
    """What every sentence about a day past the calendar's horizon says."""
    if calendar.verified(date.fromisoformat(row.due_at[:10])):
        return ""
    through = calendar.valid_through
    return f"日历只核实到 {through}"


def minute(moment: str | None) -> str:
    """A stored moment as people read it; empty for none."""
    return moment[:16].replace("T", " ") if moment else ""


def _hours(seconds: int | None) -> str:
    if seconds is None:
        return "—"
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds // 60} min"  # an hour
