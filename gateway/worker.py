"""The worker process: scheduler, dispatch and forwarder; and the supervisor that keeps one alive beside the web process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final

import structlog

from gateway.app import Gateway
from gateway.audit import Action, Actor
from gateway.dispatch import Dispatcher, SharedDispatcher, ThreadDispatcher
from gateway.election import Election
from gateway.errors import Busy, GatewayError
from gateway.scheduler import Scheduler
from gateway.uploads import waiting

log = structlog.get_logger(__name__)

RESTART_SECONDS: Final = (0.5, 1.0, 2.0, 5.0)
STEADY_SECONDS: Final = 30.0
PATIENCE: Final = 5.0
"""Seconds that a pass waits for the slowest sink, before it seals again for the others."""

ANSWERING: Final = 20.0
"""Seconds of one pass that go to lists of queries."""


def work(gateway: Gateway, stop: threading.Event, *, runs: bool = True) -> None:
    """Takes part until `stop` is set; then lets what is under way finish.

    On SQLite this process schedules, runs and forwards. On PostgreSQL every worker takes runs (none without `runs`), and
    one of them is elected to schedule and forward (`Election`).
    """
    assert gateway.config.gateway is not None
    workers, url = gateway.config.gateway.workers, gateway.store.engine.url
    gateway.leases.reclaim()
    if gateway.store.postgres:
        address = url.render_as_string(hide_password=False)
        dispatcher: Dispatcher = SharedDispatcher(
            address, lambda run: _run_shared(gateway, run), workers if runs else 0
        )
        election = Election(gateway.store, lambda: _schedule(gateway, dispatcher))
        election.start()
        leave = election.close
    else:
        dispatcher = ThreadDispatcher(lambda run_id: _run(gateway, run_id), workers)
        leave = _schedule(gateway, dispatcher)
    log.info("worker_started", feeds=len(gateway.config.feeds))
    stop.wait()
    leave()
    dispatcher.close()
    log.info("worker_stopped")


def _schedule(gateway: Gateway, dispatcher: Dispatcher) -> Callable[[], None]:
    """Schedules and forwards until what is answered is called."""
    scheduler = Scheduler(
        gateway.store,
        gateway.clock,
        dispatcher,
        lambda: gateway.config.feeds,
        lambda: _forward(gateway),
        lambda: _keep(gateway),
        gateway.tell,
        lambda: _take_in(gateway),
        lambda: _refresh(gateway),
    )
    scheduler.start()
    return scheduler.stop


def _run_shared(gateway: Gateway, run_id: int) -> None:
    """A run may have been queued for a configuration that only the leader has taken over yet."""
    _refresh(gateway)
    _run(gateway, run_id)


def _run(gateway: Gateway, run_id: int) -> None:
    try:
        gateway.executor.execute(run_id)
    except Busy:
        log.debug("run_busy", run=run_id)


def _keep(gateway: Gateway) -> None:
    """Moments pass whether anything comes or not: what is due is judged, what comes both ways is compared, old marks go."""
    gateway.keeper.keep_all()
    gateway.cutover.keep()
    gateway.inboxes.forget(gateway.clock.real())


def _refresh(gateway: Gateway) -> bool:
    """Takes over what was published meanwhile, between two passes of the forwarder."""
    taken = gateway.refresh()
    if taken:
        log.info("config_taken_over", feeds=len(gateway.config.feeds))
    return taken


def _forward(gateway: Gateway) -> None:
    try:
        gateway.heads.state()
        gateway.forwarder.forward(PATIENCE)
    except Busy:
        log.debug("forwarder_busy")
    except GatewayError as error:
        log.error("forward_failed", code=type(error).__name__, sentence=str(error))  # noqa: TRY400 # one sentence; the trace says nothing more


def _take_in(gateway: Gateway) -> None:
    """Lists that banks handed in, and files."""
    try:
        gateway.batches.answer(ANSWERING)
    except GatewayError as error:
        log.warning("batch_waits", code=type(error).__name__)
    _take_files_in(gateway)


def _take_files_in(gateway: Gateway) -> None:
    """What lies in the watched folders of feeds that are handed in; one feed's trouble is not another's."""
    for feed in gateway.config.feeds.values():
        folder = gateway.upload_folder(feed)
        if not folder.is_dir() or not waiting(folder, gateway.clock.real().timestamp()):
            continue
        try:
            for handed in gateway.uploads.sweep(folder, gateway.prepare(feed.name)):
                gateway.audit.record(Actor.scheduler(), Action.UPLOAD, feed.name, handed.figures)
        except GatewayError as error:
            log.warning("upload_waits", feed=feed.name, code=type(error).__name__)


def until_signalled() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop


def stop_with_parent(stop: threading.Event) -> None:
    """Sets `stop` when standard input ends: a supervisor that was killed takes its worker along."""

    def guard() -> None:
        while os.read(0, 4096):
            pass
        stop.set()

    threading.Thread(target=guard, name="parent", daemon=True).start()


class Supervisor:
    """One child worker, started again whenever it dies, stopped with us, however we end."""

    def __init__(self, arguments: list[str]) -> None:
        self._command = [sys.executable, "-m", "gateway", *arguments, "worker", "--supervised"]
        self._stop = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="supervisor")

    def start(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def stop(self) -> None:
        self._stop.set()
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
        self._thread.join()

    def _keep(self) -> None:
        deaths = 0
        while not self._stop.is_set():
            began = time.monotonic()
            with subprocess.Popen(self._command, stdin=subprocess.PIPE) as self._child:  # noqa: S603 # ourselves
                code = self._child.wait()
            if self._stop.is_set():
                return
            deaths = 0 if time.monotonic() - began > STEADY_SECONDS else deaths + 1
            log.warning("worker_died", code=code, deaths=deaths)
            self._stop.wait(RESTART_SECONDS[min(deaths, len(RESTART_SECONDS)) - 1] if deaths else 0)
