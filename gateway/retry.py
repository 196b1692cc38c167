"""When to try again: only what the kit called unavailable, a few times, with back-off (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from adapters.kit import SourceUnavailable

T = TypeVar("T")

ATTEMPTS: Final = 3
LONGEST_WAIT: Final = 20.0
_backoff = wait_exponential_jitter(multiplier=0.5, max=LONGEST_WAIT)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = getattr(error, "retry_after", None)
    return _backoff(state) if asked is None else float(asked)


def _worth_it(error: BaseException) -> bool:
    """Unavailable, and not for longer than we wait; a spent allowance that says nothing of its end is spent for today."""
    if not isinstance(error, SourceUnavailable):
        return False
    asked = error.retry_after
    return error.code != "THROTTLED" if asked is None else asked <= LONGEST_WAIT


def patiently(action: Callable[[], T], attempts: int = ATTEMPTS) -> T:
    """The action's result; raises its last error. A source that asks for a longer wait than ours is left for the next run."""
    return Retrying(retry=retry_if_exception(_worth_it), stop=stop_after_attempt(attempts), wait=_wait, reraise=True)(
        action
    )
