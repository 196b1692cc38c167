"""Two times, never mixed: real time for leases, signatures and time-outs; business time for obligations and schedules.

The business clock runs at an offset to real time that is kept in the store, so that all processes agree and a demo can
let days pass.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from gateway.store import Store

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
OFFSET_KEY: Final = "clock_offset_s"
AGREE_SECONDS: Final = 0.5


class Clock:
    """The clocks of one gateway."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: tuple[float, timedelta] = (float("-inf"), timedelta())

    @staticmethod
    def real() -> datetime:
        return datetime.now(UTC)

    def offset(self) -> timedelta:
        """Business time less real time. Another process's change is noticed within AGREE_SECONDS."""
        asked, offset = self._known
        if time.monotonic() - asked < AGREE_SECONDS:
            return offset
        with self._store.read() as tx:
            row = tx.one("meta_get", key=OFFSET_KEY)
        offset = timedelta(seconds=float(row[0])) if row else timedelta()
        self._known = (time.monotonic(), offset)
        return offset

    def now(self) -> datetime:
        """Business time, Asia/Shanghai."""
        return (self.real() + self.offset()).astimezone(SHANGHAI)

    def today(self) -> date:
        return self.now().date()

    def stamp(self) -> str:
        """Business time as it is stored: ISO to the second, with its zone."""
        return self.now().isoformat(timespec="seconds")

    def set(self, moment: datetime) -> None:
        """Lets the business clock read `moment` now and run on from there."""
        with self._store.write() as tx:
            tx.run("meta_put", key=OFFSET_KEY, value=str((moment - self.real()).total_seconds()))
        self._known = (float("-inf"), timedelta())
