"""The chain and its members: what was sealed, where each batch stands, and checking all of it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from gateway.audit import Action
from gateway.board import batch_lines, batch_view, member_lines, sink_lines
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.pages.frame import page

group = APIRouter(prefix="/chain")


@group.get("")
def chain(request: Request, seat: Reader, before: int = 0, feed: str = "") -> HTMLResponse:
    """Sinks, the newest batches (older than `before`), members."""
    gateway = seat.gateway
    return page(
        request,
        "chain.html",
        sinks=sink_lines(gateway.store, gateway.config, seat.scope),
        batches=batch_lines(gateway.store, seat.scope, before=before, feed=feed),
        members=member_lines(gateway.config, seat.scope, gateway.settings.data),
        feed=feed,
    )


@group.get("/{batch}")
def one_batch(request: Request, seat: Reader, batch: int) -> HTMLResponse:
    """One batch."""
    return page(request, "batch.html", view=batch_view(seat.gateway.store, seat.scope, batch))


@group.post("/verify")
def verify(request: Request, seat: Annotated[Seat, Depends(permitted(Action.VERIFY))]) -> HTMLResponse:
    """What was found, in the place of what asked for it."""
    return page(request, "chain_verified.html", blocks=steps.verify(seat))
