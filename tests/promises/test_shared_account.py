"""Ten counties behind one account of the provincial exchange: its quota is one, whoever calls (DESIGN §6)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.dispatch.execute import Outcome
from mock_agencies.provincial import Provincial
from tests.support.house import COUNTIES, House, house

pytestmark = pytest.mark.sockets

BUDGET = "budget: {per_minute: 6000, concurrency: 2, failures: 5, cool_down: 1m}"


class Desk:
    """How many calls were under way at once, and how many there were."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, wait: float = 0) -> None:
        """A call waits so long until there have been two at once."""
        self.now = self.most = self.calls = 0
        answer, guard, company = Provincial.answer, threading.Lock(), threading.Event()

        def counted(agency: Provincial, request: Any, twist: str | None) -> Any:
            with guard:
                self.now, self.calls = self.now + 1, self.calls + 1
                self.most = max(self.most, self.now)
                if self.now > 1:
                    company.set()
            try:
                company.wait(wait)
                time.sleep(0.02)
                return answer(agency, request, twist)
            finally:
                with guard:
                    self.now -= 1

        monkeypatch.setattr(Provincial, "answer", counted)


@contextmanager
def allowed(home: Path, monkeypatch: pytest.MonkeyPatch, budget: str) -> Iterator[House]:
    """Ten counties whose exchange account has this budget."""
    read = Path.read_bytes

    def told(path: Path) -> bytes:
        text = read(path)
        return text.replace(BUDGET.encode(), budget.encode()) if path.name == "accounts.yaml" else text

    monkeypatch.setattr(Path, "read_bytes", told)
    with house(home, monkeypatch, households=20, others=20, dirt=0) as made:
        assert {f.source.account for f in made.gateway.config.feeds.values() if f.model.source == "exchange"} == {
            "provincial-exchange"
        }
        yield made


def collect(made: House, threads: int) -> list[Outcome]:
    """Everybody's household members, many at a time."""
    with ThreadPoolExecutor(threads) as pool:
        return [o for done in pool.map(lambda c: made.of(c).sync("household_member"), COUNTIES) for o in done]


def test_calls_of_all_counties_share_the_accounts_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, wait=20)
    with allowed(tmp_path, monkeypatch, BUDGET) as made:
        assert {o.state for o in collect(made, 10)} == {"done"}
    assert desk.most == 2


def test_a_days_quota_is_spent_by_all_counties_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch)
    with allowed(tmp_path, monkeypatch, "budget: {per_day: 5, concurrency: 2}") as made:
        outcomes = collect(made, 1)
    assert desk.calls == 5
    assert [o.state for o in outcomes].count("done") == 4, "the first call renewed the secret"
    assert {(o.verdict.state, o.verdict.code) for o in outcomes if o.state != "done"} == {("deferred", "THROTTLED")}
