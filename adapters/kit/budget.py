"""An account's allowance and breaker as pure functions over a state that any store can keep.

    state = may_call(state, allowance, now)     before a call; raises if it may not be made
    state = after(state, allowance, error, now) when it is over

closed ── n SourceUnavailable in a row ──▶ open ── cool-down over ──▶ half-open: one call ── fine ──▶ closed
                                            ▲──────────── fails: the cool-down doubles ──┘
A SourceDenied stops the account until a person acts: asking again makes it worse.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, timezone
from typing import Final

from adapters.kit.errors import SourceDenied, SourceUnavailable

CHINA: Final = timezone(timedelta(hours=8))
CALL_LIMIT: Final = 900.0
"""Seconds after which a call counts as dead with its process, and its place is free again."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an agency allows an account. None is no limit."""

    per_minute: int | None = None
    per_day: int | None = None
    concurrency: int | None = None
    window: str | None = None
    """`06:00-22:00`, Asia/Shanghai; may pass midnight."""
    failures: int = 5
    """SourceUnavailable in a row that open the breaker."""
    cool_down: float = 60.0
    cool_down_cap: float = 3600.0


@dataclass(frozen=True, slots=True)
class AccountState:
    """What was used and what went wrong; JSON scalars and lists. Times are POSIX seconds."""

    minute: int = 0
    minute_calls: int = 0
    day: str = ""
    day_calls: int = 0
    running: tuple[float, ...] = ()
    """When each call under way began, oldest first."""
    failures: int = 0
    open_until: float = 0.0
    cool_down: float = 0.0
    """The wait of the breaker's present opening; 0 while it is closed."""
    stopped: str | None = None
    """The code for which a person must act."""


def may_call(state: AccountState, allowance: Allowance, now: datetime) -> AccountState:
    """The state with one more call under way.

    Raises:
        SourceDenied: ACCOUNT_STOPPED.
        SourceUnavailable: BREAKER_OPEN; THROTTLED (allowance spent, window closed, too many at once). `retry_after` is set.
    """
    if state.stopped is not None:
        raise SourceDenied("ACCOUNT_STOPPED", "账号已停用（{reason}），请处理后恢复", reason=state.stopped)
    stamp, local = now.timestamp(), now.astimezone(CHINA)
    running = tuple(begun for begun in state.running if stamp - begun < CALL_LIMIT)
    if state.cool_down and (stamp < state.open_until or running):
        raise _later("BREAKER_OPEN", "对方连续出错，暂停调用", max(state.open_until - stamp, 1.0))
    if (wait := _until_open(allowance.window, local)) is not None:
        raise _later("THROTTLED", "不在约定的调用时段内", wait)
    if allowance.concurrency is not None and len(running) >= allowance.concurrency:
        raise _later("THROTTLED", "同时调用数已达上限", 1.0)
    minute, day = int(stamp // 60), local.date().isoformat()
    minute_calls = state.minute_calls if state.minute == minute else 0
    day_calls = state.day_calls if state.day == day else 0
    if allowance.per_minute is not None and minute_calls >= allowance.per_minute:
        raise _later("THROTTLED", "本分钟调用次数已用完", (minute + 1) * 60 - stamp)
    if allowance.per_day is not None and day_calls >= allowance.per_day:
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), CHINA)
        raise _later("THROTTLED", "今日调用次数已用完", (midnight - local).total_seconds())
    return replace(
        state,
        minute=minute,
        minute_calls=minute_calls + 1,
        day=day,
        day_calls=day_calls + 1,
        running=(*running, stamp),
    )


def after(state: AccountState, allowance: Allowance, outcome: BaseException | None, now: datetime) -> AccountState:
    """The state when a call is over. An expired credential is renewed by its profile and says nothing about the account."""
    state = replace(state, running=state.running[1:])
    if isinstance(outcome, SourceDenied):
        return state if outcome.code == "AUTH_EXPIRED" else replace(state, stopped=outcome.code)
    if not isinstance(outcome, SourceUnavailable):
        return replace(state, failures=0, cool_down=0.0, open_until=0.0)
    failures = state.failures + 1
    if not state.cool_down and failures < allowance.failures:
        return replace(state, failures=failures)
    wait = min(state.cool_down * 2 or allowance.cool_down, allowance.cool_down_cap)
    return replace(state, failures=failures, cool_down=wait, open_until=now.timestamp() + wait)


def resume(state: AccountState) -> AccountState:
    """The state after a person has acted."""
    return replace(state, stopped=None, failures=0, cool_down=0.0, open_until=0.0)


def _later(code: str, sentence: str, seconds: float) -> SourceUnavailable:
    error = SourceUnavailable(code, sentence)
    error.retry_after = seconds
    return error


def _until_open(window: str | None, local: datetime) -> float | None:
    """Seconds until the window opens; None while it is open."""
    if window is None:
        return None
    begin, end = (time.fromisoformat(edge.strip()) for edge in window.split("-"))
    clock = local.time().replace(tzinfo=None)
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if inside:
        return None
    opens = datetime.combine(local.date(), begin, CHINA)
    return ((opens if opens > local else opens + timedelta(days=1)) - local).total_seconds()


class LocalBudget:
    """A budget of one process: tests, recordings, benchmarks."""

    def __init__(self, allowance: Allowance, now: Callable[[], datetime]) -> None:
        self._allowance, self._now = allowance, now
        self._lock = threading.Lock()
        self.state = AccountState()

    @contextmanager
    def call(self) -> Iterator[None]:
        with self._lock:
            self.state = may_call(self.state, self._allowance, self._now())
        outcome: BaseException | None = None
        try:
            yield
        except BaseException as error:
            outcome = error
            raise
        finally:
            with self._lock:
                self.state = after(self.state, self._allowance, outcome, self._now())
