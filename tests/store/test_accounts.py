"""An account's places and breaker are shared by all processes, and a dead process gives its places back."""

import socket
from datetime import timedelta

import pytest

from adapters.kit import Allowance, SourceUnavailable
from gateway import accounts
from gateway.accounts import AccountBudget
from gateway.clock import Clock
from gateway.leases import Leases
from gateway.store import Store

DEAD = f"{socket.gethostname()}:999999999:1"
ELSEWHERE = "another-host:1:1"


def budget(store: Store, process: str | None = None, **allowance: object) -> AccountBudget:
    return AccountBudget("a", Allowance(**allowance), store, Clock(store), process or Leases(store).process)


def test_places_are_shared(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "PATIENCE", 0.0)
    with budget(store, ELSEWHERE, concurrency=1).call(), pytest.raises(SourceUnavailable, match="上限"):
        budget(store, concurrency=1).call().__enter__()
    with budget(store, concurrency=1).call():
        pass


def test_a_dead_process_gives_its_place_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "PATIENCE", 0.0)
    killed = budget(store, DEAD, concurrency=1).call()
    killed.__enter__()
    with budget(store, concurrency=1).call():
        pass
    del killed


def test_failures_of_any_process_open_the_breaker(store: Store) -> None:
    for process in (ELSEWHERE, None):
        with pytest.raises(SourceUnavailable, match="坏"), budget(store, process, failures=2).call():
            raise SourceUnavailable("NETWORK", "坏")
    with pytest.raises(SourceUnavailable) as refused:
        budget(store, failures=2).call().__enter__()
    assert refused.value.code == "BREAKER_OPEN"
    assert timedelta(seconds=refused.value.retry_after or 0) > timedelta(0)
