"""Dispatch through PostgreSQL: any worker process on any host takes the runs that the leader hands out (PgQueuer)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import make_url

from gateway.dispatch.base import Queued, in_turn

if TYPE_CHECKING:
    import asyncpg
    from pgqueuer.models import Job
    from pgqueuer.qm import QueueManager
    from pgqueuer.queries import Queries

log = structlog.get_logger(__name__)

ENTRY: Final = "run"
HEARTBEAT: Final = timedelta(seconds=10)
"""A job whose worker has not been heard of for so long is taken by another; the feed's lease decides whether it may."""
POLL: Final = timedelta(seconds=2)
AGAIN_SECONDS: Final = 1.0
"""Pause after the database went away."""
INSTALL_KEY: Final = 0x5371_0002
"""Advisory lock: one worker makes PgQueuer's tables."""


class SharedDispatcher:
    """Hands runs to the queue in PostgreSQL and carries out what this process takes from it.

    PgQueuer delivers at least once; the run's state, its feed's lease and the fence in `commit_pages` make it once.
    Its loop has a thread of its own and runs have theirs, so that no run delays a heartbeat. Where the database goes
    away, the loop begins anew until it is back.
    """

    def __init__(self, url: str, execute: Callable[[int], object], workers: int) -> None:
        """`workers` runs at a time are taken here; none at 0: then only handed out."""
        self._dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._execute, self._workers = execute, workers
        self._pool = ThreadPoolExecutor(max(1, workers), thread_name_prefix="run")
        self._queries: Queries | None = None
        """While the queue can be reached."""
        self._closing = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), name="queue")
        self._thread.start()

    def submit(self, runs: Sequence[Queued]) -> None:
        """What stands in the queue already is left as it is. While the database is away nothing is handed out."""
        if self._queries is None or not runs or self._closing.is_set():
            return
        asyncio.run_coroutine_threadsafe(_enqueue(self._queries, in_turn(runs)), self._loop).result()

    async def _serve(self) -> None:
        import asyncpg

        while not self._closing.is_set():
            try:
                async with asyncpg.create_pool(self._dsn, min_size=2, max_size=4) as pool:
                    await self._take_from(pool)
            except Exception as error:  # noqa: BLE001 # a database that goes away shows itself in many ways; it comes back
                log.warning("queue_away", error=type(error).__name__)
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                self._queries = None

    async def _take_from(self, pool: asyncpg.Pool[Any]) -> None:
        from pgqueuer.db import AsyncpgPoolDriver
        from pgqueuer.qm import QueueManager
        from pgqueuer.queries import Queries

        queries = Queries(AsyncpgPoolDriver(pool))
        await _installed(pool, queries)
        self._queries = queries
        if self._workers == 0:
            while not self._closing.is_set():
                await asyncio.sleep(AGAIN_SECONDS)
                await pool.fetchval("SELECT 1")
            return
        queue = QueueManager(queries)

        @queue.entrypoint(ENTRY)
        async def take(job: Job) -> None:
            await self._loop.run_in_executor(self._pool, self._carry_out, int(job.payload or b""))

        stopping = asyncio.create_task(self._stop(queue))
        try:
            await queue.run(
                dequeue_timeout=POLL,
                batch_size=max(1, self._workers // 2),
                max_concurrent_tasks=max(2, self._workers),
                shutdown_on_listener_failure=True,
                heartbeat_timeout=HEARTBEAT,
            )
        finally:
            stopping.cancel()

    async def _stop(self, queue: QueueManager) -> None:
        while not self._closing.is_set():  # noqa: ASYNC110 # closing is told by another thread
            await asyncio.sleep(0.1)
        queue.shutdown.set()

    def _carry_out(self, run_id: int) -> None:
        try:
            self._execute(run_id)
        except Exception as error:  # noqa: BLE001 # the job has ended either way; the reaper queues the run again
            log.error("run_crashed", run=run_id, error=type(error).__name__)  # noqa: TRY400 # a trace may hold values

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._pool.shutdown()
        self._loop.close()


async def _enqueue(queries: Queries, turns: Sequence[tuple[int, Queued]]) -> None:
    keys = [str(run.id) for _, run in turns]
    payloads: list[bytes | None] = [key.encode() for key in keys]
    priorities = [priority for priority, _ in turns]
    try:
        await queries.enqueue([ENTRY] * len(keys), payloads, priorities, dedupe_key=list(keys), on_conflict="skip")
    except Exception as error:  # noqa: BLE001 # as in `_serve`: the runs stand in the store and are handed out again
        log.warning("queue_away", error=type(error).__name__)


async def _installed(pool: asyncpg.Pool[Any], queries: Queries) -> None:
    """Makes PgQueuer's tables, or brings them up to its version, one worker at a time."""
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", INSTALL_KEY)
        try:
            if await queries.schema_is_installed():
                await queries.upgrade()
            else:
                await queries.install()
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", INSTALL_KEY)
