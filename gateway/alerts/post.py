"""Notices on their way: what is due goes out, one message a channel and occasion; what was not taken comes again later.

A message that was taken just before this process died is sent a second time: nobody is left in ignorance for its sake.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import msgspec
import structlog

from gateway.alerts.channels import Channel, Undelivered
from gateway.alerts.message import Line, Message
from gateway.clock import Clock
from gateway.errors import Busy, Usage
from gateway.leases import Leases
from gateway.store import Store

log = structlog.get_logger(__name__)

FIRST_WAIT: Final = 60.0
LONGEST_WAIT: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Posted:
    """What a pass did, in notices."""

    sent: int = 0
    failed: int = 0


class Post:
    """Sends through the channels of the configuration."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        leases: Leases,
        channels: Callable[[], Mapping[str, Channel]],
        names: Callable[[], Mapping[str, str]],
    ) -> None:
        """`names`: codes of counties to their names."""
        self._store, self._clock, self._leases, self._channels, self._names = store, clock, leases, channels, names

    def deliver(self) -> Posted:
        """Sends what is due; nothing where another process is at it."""
        with self._store.read() as tx:
            if not tx.all("alert_notices_due", now=self._clock.stamp(), clock=time.time()):
                return Posted()
        try:
            with self._leases.take("alerts"):
                return self._deliver()
        except Busy:
            return Posted()

    def _deliver(self) -> Posted:
        channels, sent, failed = self._channels(), 0, 0
        with self._store.read() as tx:
            due = tx.all("alert_notices_due", now=self._clock.stamp(), clock=time.time())
        by = lambda row: (row.channel, row.occasion)  # noqa: E731 # the key of both
        for (name, occasion), group in groupby(sorted(due, key=by), by):
            rows = list(group)
            if name not in channels:
                self._all(rows, "alert_notice_dropped", "channel")
            elif (why := self._send(channels[name], occasion, rows)) is None:
                self._all(rows, "alert_notice_sent", self._clock.stamp())
                sent += len(rows)
            else:
                log.warning("alert_undelivered", channel=name, why=why)
                self._later(rows, why)
                failed += len(rows)
        return Posted(sent, failed)

    def test(self, name: str) -> None:
        """Sends a message by the very way alerts go.

        Raises:
            Usage: there is no such channel.
            Undelivered: the other side did not take it.
        """
        channels = self._channels()
        if name not in channels:
            raise Usage("没有告警渠道 {name}。可用的有：{known}", name=name, known="、".join(channels) or "（无）")
        at = self._clock.stamp()
        line = Line(0, "test", name, "test", "gateway", "这是一条测试消息，收到即说明渠道可用", "", at)
        channels[name].send(Message("test", [line], self._names()))

    def _send(self, channel: Channel, occasion: str, rows: list[Any]) -> str | None:
        """The sentence that says why not."""
        lines = [msgspec.json.decode(row.line, type=Line) for row in rows]
        try:
            channel.send(Message(occasion, lines, self._names()))
        except Undelivered as error:
            return str(error)
        return None

    def _all(self, rows: list[Any], query: str, said: str) -> None:
        with self._store.write() as tx:
            tx.many(query, [(said, row.id) for row in rows])

    def _later(self, rows: list[Any], why: str) -> None:
        with self._store.write() as tx:
            for row in rows:
                wait = min(FIRST_WAIT * 2**row.attempts, LONGEST_WAIT)
                tx.many("alert_notice_failed", [(time.time() + wait, why, row.id)])
