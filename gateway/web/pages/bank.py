"""A bank's own consents and queries, without whom they are about."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from gateway.audit import Action
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import page

group = APIRouter()


@group.get("/bank")
def bank(request: Request, seat: Annotated[Seat, Depends(permitted(Action.REPORT))]) -> HTMLResponse:
    """The latest of both."""
    given = [consent.as_dict() for consent in seat.gateway.consents.recent(seat.scope)]
    return page(request, "bank.html", given=given, asked=seat.gateway.office.recent(seat.scope))
