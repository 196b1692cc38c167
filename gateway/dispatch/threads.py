"""Dispatch inside this process: a pool of threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from gateway.dispatch.base import Queued, in_turn

log = structlog.get_logger(__name__)


class ThreadDispatcher:
    """Runs each submitted run once at a time, in one of a few threads."""

    def __init__(self, execute: Callable[[int], object], workers: int) -> None:
        self._execute = execute
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="run")
        self._waiting: deque[int] = deque()
        self._under_way: set[int] = set()
        self._busy = 0
        self._lock = threading.Lock()

    def submit(self, runs: Sequence[Queued]) -> None:
        """The order of what waits is made anew each time: what is urgent now does not stand behind what came before."""
        with self._lock:
            self._waiting = deque(run.id for _priority, run in in_turn(runs) if run.id not in self._under_way)
            idle = min(self._workers - self._busy, len(self._waiting))
            self._busy += idle
        for _ in range(idle):
            self._pool.submit(self._work)

    def _work(self) -> None:
        while (run_id := self._next()) is not None:
            try:
                self._execute(run_id)
            except Exception as error:  # noqa: BLE001 # the thread goes on; the reaper queues the run again
                log.error("run_crashed", run=run_id, error=type(error).__name__)  # noqa: TRY400 # a trace may hold values
            with self._lock:
                self._under_way.discard(run_id)

    def _next(self) -> int | None:
        with self._lock:
            if not self._waiting:
                self._busy -= 1
                return None
            run_id = self._waiting.popleft()
            self._under_way.add(run_id)
            return run_id

    def close(self) -> None:
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=True)
