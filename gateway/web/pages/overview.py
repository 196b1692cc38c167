"""The first page: what is late, whose move it is, what today brought, what is new."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.board import overview
from gateway.board.overview import OWNERS
from gateway.clock import SHANGHAI
from gateway.status import feed_statuses, manual_share, shares
from gateway.web.common import Reader
from gateway.web.pages.frame import YEAR_SECONDS, page

LOOK: Final = "looked"
"""The cookie that remembers when this browser's last visit and the present one began."""
VISIT: Final = timedelta(minutes=30)
"""A page asked for within that time belongs to the same visit: reloading does not hide what is new."""
OLDEST: Final = timedelta(days=31)

group = APIRouter()


@group.get("/")
def first(request: Request, seat: Reader, owner: str = "", code: str = "", since: str = "") -> HTMLResponse:
    """The map of duties; with `owner` or `code`, the rest of it pale. `since`: `day`, `week`, or the last visit."""
    gateway = seat.gateway
    now = gateway.clock.now()
    before, began, seen = _visits(request.cookies.get(LOOK, ""), now)
    spans = {"day": now - timedelta(days=1), "week": now - timedelta(days=7)}
    asked = _stamp(spans.get(since, before))
    told = overview(gateway.store, gateway.clock, gateway.config, gateway.ledger, seat.scope, asked)
    answer = page(request, "overview.html", told=told, owner=owner, code=code, since=since, owners=OWNERS)
    answer.set_cookie(
        LOOK, f"{_stamp(before)}/{_stamp(began)}/{_stamp(seen)}", max_age=YEAR_SECONDS, samesite="lax", httponly=True
    )
    return answer


@group.get("/overview/channels")
def channels(request: Request, seat: Reader) -> HTMLResponse:
    """How much still comes by hand, by dataset: counted over every record kept, so it is asked for by itself."""
    gateway = seat.gateway
    rows = [row for row in feed_statuses(gateway.store, seat.scope) if row.feed in gateway.config.feeds]
    by_dataset = {
        name: manual_share(found)
        for name in seat.gateway.config.catalogue
        if (found := [row for row in rows if row.dataset == name])
    }
    places = [share for share in shares(rows) if share.manual]
    kept, whole = sum(r.accepted for r in rows if r.retired_at is None), manual_share(rows)
    return page(request, "channels.html", shares=by_dataset, places=places, whole=whole, kept=kept)


def _visits(kept: str, now: datetime) -> tuple[datetime, datetime, datetime]:
    """When the visit before this one was last seen, when this one began, and now."""
    try:
        before, began, seen = (datetime.fromisoformat(at).astimezone(SHANGHAI) for at in kept.split("/"))
    except ValueError:
        return now - timedelta(days=1), now, now
    if not seen <= now < seen + VISIT:
        before, began = min(seen, now), now
    return max(before, now - OLDEST), began, now


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
