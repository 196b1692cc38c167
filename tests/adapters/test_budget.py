"""Allowance and breaker as pure functions: what may be called when, and who has to act."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from adapters.kit import (
    AccountState,
    Allowance,
    LocalBudget,
    SourceDenied,
    SourceMalformed,
    SourceUnavailable,
    after,
    may_call,
    resume,
)

NOW = datetime(2026, 3, 2, 2, 0, 30, tzinfo=UTC)  # 10:00:30 in China
DOWN = SourceUnavailable("NETWORK", "断")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def call(state: AccountState, allowance: Allowance, outcome: BaseException | None, now: datetime = NOW) -> AccountState:
    return after(may_call(state, allowance, now), allowance, outcome, now)


def held(state: AccountState, allowance: Allowance, now: datetime = NOW) -> tuple[str, float | None]:
    with pytest.raises(SourceUnavailable) as caught:
        may_call(state, allowance, now)
    return caught.value.code, caught.value.retry_after


def test_the_minute_is_counted_and_begins_anew() -> None:
    allowance, state = Allowance(per_minute=2), AccountState()
    for _ in range(2):
        state = call(state, allowance, None)
    assert held(state, allowance) == ("THROTTLED", 30.0)
    assert call(state, allowance, None, later(30)).minute_calls == 1


def test_the_day_is_chinas() -> None:
    allowance = Allowance(per_day=1)
    state = call(AccountState(), allowance, None)
    assert held(state, allowance) == ("THROTTLED", 14 * 3600 - 30.0)
    assert call(state, allowance, None, later(14 * 3600)).day == "2026-03-03"


@pytest.mark.parametrize(
    ("window", "hour", "wait_hours"),
    [("06:00-22:00", 6, None), ("06:00-22:00", 22, 8), ("06:00-22:00", 5, 1), ("22:00-06:00", 23, None),
     ("22:00-06:00", 0, None), ("22:00-06:00", 6, 16)],
)  # fmt: skip
def test_the_window_is_chinas_and_may_pass_midnight(window: str, hour: int, wait_hours: int | None) -> None:
    now = datetime(2026, 3, 2, 0, 0, tzinfo=UTC) + timedelta(hours=hour - 8)
    if wait_hours is None:
        may_call(AccountState(), Allowance(window=window), now)
    else:
        assert held(AccountState(), Allowance(window=window), now) == ("THROTTLED", wait_hours * 3600)


def test_concurrency_is_freed_by_the_end_of_a_call_or_its_death() -> None:
    allowance = Allowance(concurrency=1)
    busy = may_call(AccountState(), allowance, NOW)
    assert held(busy, allowance) == ("THROTTLED", 1.0)
    may_call(after(busy, allowance, None, NOW), allowance, NOW)
    assert len(may_call(busy, allowance, later(901)).running) == 1


def test_the_breaker_opens_probes_and_doubles_up_to_its_cap() -> None:
    allowance = Allowance(failures=2, cool_down=10, cool_down_cap=25)
    state = call(AccountState(), allowance, DOWN)
    state = call(state, allowance, DOWN)
    assert held(state, allowance) == ("BREAKER_OPEN", 10.0)
    probing = may_call(state, allowance, later(10))
    assert held(probing, allowance, later(10))[0] == "BREAKER_OPEN"
    state = after(probing, allowance, DOWN, later(10))
    assert held(state, allowance, later(10)) == ("BREAKER_OPEN", 20.0)
    state = call(state, allowance, DOWN, later(30))
    assert held(state, allowance, later(30)) == ("BREAKER_OPEN", 25.0)
    state = call(state, allowance, None, later(55))
    assert (state.failures, state.cool_down) == (0, 0.0)
    assert may_call(call(state, allowance, DOWN, later(56)), allowance, later(57))


@pytest.mark.parametrize("outcome", [None, SourceMalformed("NON_JSON", "x"), KeyError("ours")])
def test_a_source_that_answers_ends_the_row_of_failures(outcome: BaseException | None) -> None:
    allowance, state = Allowance(failures=2), AccountState()
    for result in (DOWN, outcome, DOWN):
        state = call(state, allowance, result)
    may_call(state, allowance, NOW)


def test_a_denied_account_stops_until_a_person_acts() -> None:
    state = call(AccountState(), Allowance(), SourceDenied("AUTH_CONFIG", "验签失败"))
    with pytest.raises(SourceDenied, match="AUTH_CONFIG"):
        may_call(state, Allowance(), later(86_400))
    may_call(resume(state), Allowance(), NOW)


def test_an_expired_credential_stops_nothing() -> None:
    state = call(replace(AccountState(), failures=1), Allowance(), SourceDenied("AUTH_EXPIRED", "过期"))
    assert (state.stopped, state.failures) == (None, 1)


def test_a_state_survives_any_store() -> None:
    state = may_call(AccountState(), Allowance(), NOW)
    assert msgspec.json.decode(msgspec.json.encode(state), type=AccountState) == state


def test_a_local_budget_counts_what_happens_inside() -> None:
    budget = LocalBudget(Allowance(failures=1), lambda: NOW)
    with budget.call():
        under_way = len(budget.state.running)
    assert under_way == 1
    with pytest.raises(SourceUnavailable, match="断"), budget.call():
        raise DOWN
    assert not budget.state.running
    with pytest.raises(SourceUnavailable, match="暂停"), budget.call():
        raise AssertionError("not reached")
