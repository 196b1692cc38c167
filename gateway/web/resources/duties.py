"""Duties and waivers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.audit import Action
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.resources.feeds import Reason

group = APIRouter(prefix="/api/v1/freshness/{county}/{dataset}")


@group.get("/periods")
def periods(seat: Reader, county: str, dataset: str, year: int) -> list[dict[str, Any]]:
    """The periods of a duty that begin in a year, as the ledger has them."""
    return [asdict(p) for p in seat.gateway.ledger.periods(county, dataset, f"{year:04}-01-01", f"{year + 1:04}-01-01")]


@group.post("/{period}/waiver", status_code=204)
def waive(
    seat: Annotated[Seat, Depends(permitted(Action.WAIVE))], county: str, dataset: str, period: str, told: Reason
) -> None:
    """Excuses one period."""
    steps.waive(seat, (county, dataset), period, told.reason)


@group.delete("/{period}/waiver", status_code=204)
def revoke(
    seat: Annotated[Seat, Depends(permitted(Action.REVOKE_WAIVER))], county: str, dataset: str, period: str
) -> None:
    """Takes a waiver back."""
    steps.revoke(seat, (county, dataset), period)
