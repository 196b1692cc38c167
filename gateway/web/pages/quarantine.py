"""Quarantine: rejected items by cause, one opened and masked, and what a person decides; the steps are those of the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.quarantine import cures
from gateway.scope import Place
from gateway.web import quarantine as api
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import done, page

SHOWN = 200

group = APIRouter(prefix="/quarantine")
Lister = Annotated[Seat, Depends(permitted(Action.QUARANTINE_LIST))]


@group.get("")
def causes(request: Request, seat: Lister, feed: str = "") -> HTMLResponse:
    """Every cause, the most rows first; beside them how fast each agency cures."""
    gateway = seat.gateway
    return page(
        request,
        "quarantine.html",
        causes=gateway.quarantine.causes(seat.scope, feed),
        cures=cures(gateway.store, gateway.config, seat.scope),
        feed=feed,
        Place=Place,
    )


@group.get("/items")
def items(request: Request, seat: Lister, feed: str = "", reason: str = "", state: str = "open") -> HTMLResponse:
    """Items of one cause or of one state, without their values."""
    found = seat.gateway.quarantine.items(seat.scope, feed, state, 10_000 if reason else SHOWN)
    rows = [item for item in found if reason in ("", item.reason)][:SHOWN]
    return page(request, "quarantine_items.html", rows=rows, feed=feed, reason=reason, state=state, shown=SHOWN)


@group.get("/{handle}")
def item(
    request: Request, handle: str, seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_SHOW))]
) -> HTMLResponse:
    """One item, its values masked, with its history."""
    found = api.show(handle, seat)
    county, _slash, key = found["feed"].partition("/")
    feed = seat.gateway.config.feeds.get(found["feed"])
    spot = Place(county, feed.dataset if feed else key)
    return page(request, "quarantine_item.html", item=found, spot=spot)


@group.post("/replay/{county}/{feed}")
def replay(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_REPLAY))]
) -> RedirectResponse:
    api.replay(county, feed, seat)
    return done("/quarantine", "replayed")


@group.post("/{handle}/discard")
def discard(
    handle: str,
    seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_DISCARD))],
    reason: Annotated[str, Form()],
) -> RedirectResponse:
    api.discard(handle, seat, reason)
    return done(f"/quarantine/{handle}", "discarded")
