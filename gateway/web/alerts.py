"""`/api/v1/alerts…`: who was told what; taking up, trying a channel, windows in which nobody is told; letters to agencies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends

from gateway.alerts import Window
from gateway.audit import Action
from gateway.board import invite
from gateway.clock import SHANGHAI
from gateway.web.common import Reader, Seat, permitted

alerts = APIRouter(prefix="/api/v1")
Planner = Annotated[Seat, Depends(permitted(Action.ALERT_WINDOW))]


@alerts.get("/alerts")
def listed(seat: Reader, *, everything: bool = False) -> list[dict[str, Any]]:
    """Open alerts, the newest first; with `everything`, those too that are over."""
    return seat.gateway.alerts.alerts(seat.scope, everything=everything)


@alerts.post("/alerts/{alert}/take")
def take(alert: int, seat: Annotated[Seat, Depends(permitted(Action.TAKE_ALERT))]) -> dict[str, int]:
    """Takes an alert up: it is escalated no further."""
    seat.gateway.alerts.take(alert, str(seat.actor))
    seat.record(Action.TAKE_ALERT, str(alert))
    return {"taken": alert}


@alerts.post("/alert-channels/{channel}/test")
def test(channel: str, seat: Annotated[Seat, Depends(permitted(Action.TEST_ALERT))]) -> dict[str, str]:
    """Sends a test message by the very way alerts go."""
    seat.gateway.post.test(channel)
    seat.record(Action.TEST_ALERT, channel)
    return {"sent": channel}


@alerts.post("/invitations/{county}")
def invitation(
    county: str,
    seat: Annotated[Seat, Depends(permitted(Action.INVITE))],
    agency: Annotated[str, Body(min_length=1, max_length=100)],
    days: Annotated[int, Body(ge=1, le=60)] = 14,
) -> dict[str, str]:
    """A letter to an agency with the link to its own page; `key` is the name under which the link can be revoked."""
    g = seat.gateway
    made = invite(
        g.api_keys, g.config, g.ledger, g.quarantine, g.clock, county=county, agency=agency, days=days, by=seat.actor
    )
    seat.record(Action.INVITE, made.key, {"days": days})
    letter = made.letter
    return {"key": made.key, "address": letter.address, "until": letter.until, "text": letter.text()}


@alerts.get("/alert-windows")
def windows(seat: Planner) -> list[dict[str, Any]]:
    """Maintenance windows that are not over."""
    return seat.gateway.alerts.windows()


@alerts.post("/alert-windows")
def add(
    seat: Planner,
    pattern: Annotated[str, Body(min_length=1, max_length=100)],
    starts: Annotated[datetime, Body()],
    ends: Annotated[datetime, Body()],
    reason: Annotated[str, Body(max_length=200)],
) -> dict[str, int]:
    """Announces one: `pattern` is `360981/*`, `account:*` or `*`; times without a zone are Asia/Shanghai."""
    began, over = (t.astimezone(SHANGHAI) if t.tzinfo else t.replace(tzinfo=SHANGHAI) for t in (starts, ends))
    number = seat.gateway.alerts.add_window(Window(pattern, began, over, reason), str(seat.actor))
    seat.record(Action.ALERT_WINDOW, str(number), {"step": "add"})
    return {"window": number}


@alerts.post("/alert-windows/{window}/end")
def end(window: int, seat: Planner) -> dict[str, int]:
    """Ends one early."""
    seat.gateway.alerts.end_window(window)
    seat.record(Action.ALERT_WINDOW, str(window), {"step": "end"})
    return {"ended": window}
