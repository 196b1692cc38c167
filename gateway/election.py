"""Who of several workers schedules and forwards: one at a time, by an advisory lock of PostgreSQL (DESIGN §7)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

import structlog

from gateway.store import Store

log = structlog.get_logger(__name__)

KEY: Final = 0x5371_0001
BEAT_SECONDS: Final = 1.0
"""How often a leader makes sure that it still is one, and the others stand for election: fail-over takes about as long."""


class Election:
    """Stands for election until it is closed; the lock lives and dies with one connection.

    A leader that was cut off finds out within a beat; what it does until then meets the same unique slots, leases and
    fences as everybody else's work, so that two leaders for a second do no harm.
    """

    def __init__(self, store: Store, lead: Callable[[], Callable[[], object]]) -> None:
        """`lead` is called at an election and answers what ends the office."""
        self._store, self._lead = store, lead
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._stand, name="election")
        self.leading = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Leaves office, if in it, and gives the lock back."""
        self._closing.set()
        self._thread.join()

    def _stand(self) -> None:
        while not self._closing.is_set():
            try:
                self._candidate()
            except self._store.failures as error:
                log.warning("election_cut_off", error=type(error).__name__)
                self._closing.wait(BEAT_SECONDS)

    def _candidate(self) -> None:
        with self._store.alone() as connection:
            leave: Callable[[], object] | None = None
            try:
                while not self._closing.is_set():
                    if leave is None and _locked(connection):
                        leave = self._lead()
                        self.leading = True
                        log.info("leader_elected")
                    elif leave is not None:
                        connection.execute("SELECT 1")
                    self._closing.wait(BEAT_SECONDS)
            finally:
                if leave is not None:
                    self.leading = False
                    leave()
                    log.info("leader_left")


def _locked(connection: Any) -> bool:
    return bool(connection.execute("SELECT pg_try_advisory_lock(%s)", (KEY,)).fetchone()[0])
