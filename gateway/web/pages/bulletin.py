"""The bulletin of a month: the same figures as the PDF and the spreadsheet, which it offers."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.web.bulletin import told
from gateway.web.common import Reader
from gateway.web.pages.frame import page

MONTHS = 12

group = APIRouter(prefix="/duties")


@group.get("/bulletin")
def bulletin(request: Request, seat: Reader, month: str = "") -> HTMLResponse:
    """`month`: 2026-10; absent: the last that is over."""
    found = told(seat, month)
    today = seat.gateway.clock.today()
    back = [(today.year * 12 + today.month - 1 - n) for n in range(MONTHS)]
    months = [f"{n // 12:04}-{n % 12 + 1:02}" for n in back]
    return page(request, "bulletin.html", told=found, months=months)
