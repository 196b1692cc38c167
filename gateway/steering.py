"""What a person does to a feed beside waiting for its schedule: run it now, fill back, pause, begin again.

A run is only queued: the worker, wherever it is, carries it out under the feed's lease.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from gateway.audit import stated
from gateway.clock import Clock
from gateway.dispatch.execute import RunOptions, queue_run
from gateway.errors import Usage
from gateway.leases import Leases
from gateway.store import Store


class Steering:
    """The feeds of one store, steered."""

    def __init__(self, store: Store, clock: Clock, leases: Leases) -> None:
        self._store, self._clock, self._leases = store, clock, leases

    def run(self, feed: str, actor: str, options: RunOptions | None = None) -> int:
        """Queues a run; answers its number.

        Raises:
            Usage: the day to fill back from lies ahead, or one that was asked for has not begun yet.
        """
        chosen = options or RunOptions()
        if chosen.since and not date(1990, 1, 1) <= _day(chosen.since) <= self._clock.today():
            raise Usage("补采的起始日期要在今天以前")
        row = self._row(feed)
        with self._store.read() as tx:
            waiting = tx.one("run_waiting", feed_id=row.id, reason="manual")
        if waiting is not None:
            raise Usage("批次 {run} 已在排队，还没有开始", run=waiting.id)
        slot = self._clock.real().isoformat(timespec="microseconds")
        run, _new = queue_run(self._store, row.id, due_at=slot, reason="manual", actor=actor, options=chosen)
        return run

    def pause(self, feed: str, reason: str, actor: str) -> None:
        """The schedule leaves it alone until it is resumed; who asks for a run still gets it.

        Raises:
            Usage: the reason says nothing or names a person, or it is paused already.
        """
        told = {"at": self._clock.stamp(), "actor": actor, "reason": stated(reason)}
        row = self._row(feed)
        with self._store.write() as tx:
            if not tx.run("feed_pause", id=row.id, **told):
                raise Usage("{feed} 已经暂停", feed=feed)

    def resume(self, feed: str) -> None:
        """The schedule takes it up again. Raises Usage: it is not paused."""
        row = self._row(feed)
        with self._store.write() as tx:
            if not tx.run("feed_resume", id=row.id):
                raise Usage("{feed} 没有暂停", feed=feed)

    def reset(self, feed: str, confirm: str) -> None:
        """Forgets where the source was read to: the next run reads it from the beginning, and recognises what it knows.

        Raises:
            Usage: `confirm` is not the feed's name.
            Busy: a run of it is under way.
        """
        row = self._row(feed)
        if confirm.strip() != feed:
            raise Usage("请照写 {feed} 以确认", feed=feed)
        with self._leases.take(f"feed:{row.uid}"), self._store.write() as tx:
            tx.run("feed_cursor", id=row.id, cursor=None)

    def _row(self, feed: str) -> Any:
        with self._store.read() as tx:
            row = tx.one("feed_by_name", name=feed)
        if row is None:
            raise Usage("没有采集任务 {name}", name=feed)
        return row


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Usage("日期请写成 2026-03-01 这样") from None
