"""Duties: why the verdict on one stands, in sentences, and its last periods."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.web.common import Reader
from gateway.web.pages.frame import page

group = APIRouter(prefix="/duties")


@group.get("/{county}/{dataset}")
def duty(request: Request, seat: Reader, county: str, dataset: str) -> HTMLResponse:
    """One duty."""
    return page(request, "duty.html", told=seat.gateway.ledger.explain(county, dataset))
