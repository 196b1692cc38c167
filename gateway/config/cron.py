"""Five-field cron expressions, in Shanghai time."""

from __future__ import annotations

from typing import Any

from apscheduler.triggers.cron import CronTrigger

from gateway.clock import SHANGHAI


def cron_trigger(expression: str) -> Any:
    """An APScheduler trigger. Raises ValueError for what is no five-field cron expression."""
    try:
        return CronTrigger.from_crontab(expression, timezone=SHANGHAI)
    except ValueError as error:
        raise ValueError(f"“{expression}”不是五段式 cron，例：0 2 * * *（每天两点）") from error
