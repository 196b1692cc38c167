"""Dispatch inside this process: a pool of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

log = structlog.get_logger(__name__)


class ThreadDispatcher:
    """Runs each submitted run once at a time, in one of a few threads."""

    def __init__(self, execute: Callable[[int], object], workers: int) -> None:
        self._execute = execute
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="run")
        self._under_way: set[int] = set()
        self._lock = threading.Lock()

    def submit(self, run_id: int) -> None:
        with self._lock:
            if run_id in self._under_way:
                return
            self._under_way.add(run_id)
        self._pool.submit(self._execute, run_id).add_done_callback(lambda future: self._done(run_id, future))

    def _done(self, run_id: int, future: Future[object]) -> None:
        with self._lock:
            self._under_way.discard(run_id)
        if not future.cancelled() and (error := future.exception()) is not None:
            log.error("run_crashed", run=run_id, error=type(error).__name__)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
