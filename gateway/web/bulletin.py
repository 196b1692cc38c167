"""`/api/v1/bulletin…`: the monthly bulletin as figures, as PDF, as a spreadsheet; of what the reader may see."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.bulletin import Bulletin, printed, sheets
from gateway.bulletin import bulletin as made
from gateway.web.common import Reader, Seat
from gateway.web.quarantine import XLSX

bulletin = APIRouter(prefix="/api/v1/bulletin")


def told(seat: Seat, month: str) -> Bulletin:
    gateway = seat.gateway
    return made(gateway.store, gateway.clock, gateway.config, seat.scope, month)


@bulletin.get("")
def figures(seat: Reader, month: str = "") -> dict[str, Any]:
    """The figures of a month (`2026-10`); absent: the last that is over."""
    return told(seat, month).as_dict()


@bulletin.get("/pdf", response_class=Response)
def pdf(seat: Reader, month: str = "") -> Response:
    """The letter."""
    found = told(seat, month)
    return _file(printed(found, seat.gateway.config), "application/pdf", f"bulletin-{found.month}.pdf")


@bulletin.get("/xlsx", response_class=Response)
def xlsx(seat: Reader, month: str = "") -> Response:
    """The spreadsheet."""
    found = told(seat, month)
    return _file(sheets(found, seat.gateway.config), XLSX, f"bulletin-{found.month}.xlsx")


def _file(body: bytes, kind: str, name: str) -> Response:
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
