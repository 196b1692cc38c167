"""Who is served next, and by threads of this process."""

from __future__ import annotations

import threading
from collections import Counter

from gateway.dispatch import Queued, ThreadDispatcher
from gateway.dispatch.base import in_turn

WAIT = 20


def test_a_thousand_runs_of_one_county_delay_no_other() -> None:
    crowd = [Queued(n, "360981", "scheduled") for n in range(1500)]
    order = [
        run.id for _, run in in_turn([*crowd, Queued(2000, "360982", "scheduled"), Queued(2001, "360983", "scheduled")])
    ]
    assert order[:5] == [0, 2000, 2001, 1, 2]
    assert order[3:] == [*range(1, 1500)]


def test_what_somebody_waits_for_comes_before_what_is_due_and_that_before_history() -> None:
    runs = [Queued(1, "360981", "back_fill"), Queued(2, "360981", "scheduled"), Queued(3, "360981", "pushed")]
    crowd = [Queued(n, "360982", "scheduled") for n in range(10, 2000)]
    order = [run.id for _, run in in_turn([*runs, *crowd, Queued(4, "360981", "manual")])]
    assert (order[:3], order[-1]) == ([3, 4, 2], 1)


def test_threads_carry_out_each_run_once_and_the_urgent_first() -> None:
    done: list[int] = []
    go, all_done = threading.Event(), threading.Event()

    def execute(run: int) -> None:
        go.wait(WAIT)
        done.append(run)
        if run == 5:
            raise ValueError(run)
        if len(done) == 13:
            all_done.set()

    dispatcher = ThreadDispatcher(execute, 1)
    runs = [Queued(n, "360981", "scheduled") for n in range(12)]
    for waiting in (runs, runs, [*runs, Queued(99, "360981", "pushed")]):
        dispatcher.submit(waiting)
    go.set()
    assert all_done.wait(WAIT)
    dispatcher.close()
    assert Counter(done) == Counter([*range(12), 99])
    assert done.index(99) <= 1
