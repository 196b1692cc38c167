"""What changed in what a source sends, its fields and its service description: shown, and accepted by a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from adapters.kit import outline
from gateway.audit import Action
from gateway.documents import digest
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted

drift = APIRouter(prefix="/api/v1/feeds/{county}/{feed}")


@drift.get("/drift")
def fields(seat: Reader, county: str, feed: str) -> list[dict[str, Any]]:
    """How the source's fields differ from what it used to send, and what to do; the most urgent first."""
    return [change.as_dict() for change in seat.gateway.drift(f"{county}/{feed}")]


@drift.post("/drift/accept")
def accept_fields(
    seat: Annotated[Seat, Depends(permitted(Action.ACCEPT_DRIFT))], county: str, feed: str
) -> dict[str, int]:
    """The fields are as they are to be; how many changes that were."""
    return {"changes": steps.accept_drift(seat, f"{county}/{feed}")}


@drift.get("/wsdl")
def description(seat: Annotated[Seat, Depends(permitted(Action.WSDL_SHOW))], county: str, feed: str) -> dict[str, Any]:
    """The service description that runs follow, and how the agency's differs from it now."""
    with seat.gateway.described(f"{county}/{feed}") as described:
        kept = described.pinned()
        return {"digest": digest(kept), "described": outline(kept), "changes": described.changes()}


@drift.post("/wsdl/accept")
def accept_description(
    seat: Annotated[Seat, Depends(permitted(Action.WSDL_ACCEPT))], county: str, feed: str
) -> dict[str, Any]:
    """Runs follow the agency's description of now; what that changes."""
    return {"changes": steps.accept_description(seat, f"{county}/{feed}")}
