"""What comes both by hand and from a system, compared; and the decision to give up the hand."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from gateway.audit import Action
from gateway.cutover import SHOWN
from gateway.status import feed_statuses, shares
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted

cutover = APIRouter(prefix="/api/v1")


class Decision(BaseModel):
    """Why; `despite`: also although both sides differ."""

    model_config = ConfigDict(extra="forbid")

    reason: str
    despite: bool = False


@cutover.get("/shares")
def by_hand(seat: Reader) -> list[dict[str, Any]]:
    """How much of each dataset of each county comes by hand; retired feeds do not count."""
    gateway = seat.gateway
    rows = [row for row in feed_statuses(gateway.store, seat.scope) if row.feed in gateway.config.feeds]
    return [share.as_dict() for share in shares(rows)]


@cutover.get("/cutover")
def parallels(seat: Reader) -> list[dict[str, Any]]:
    """Every dataset that comes both ways, how its last comparison stood, and whether it was retired."""
    return [each.as_dict() for each in seat.gateway.cutover.parallels(seat.scope)]


@cutover.get("/cutover/{county}/{dataset}")
def compare(
    seat: Annotated[Seat, Depends(permitted(Action.COMPARE))],
    county: str,
    dataset: str,
    most: Annotated[int, Query(ge=0, le=10_000)] = SHOWN,
) -> dict[str, Any]:
    """Row by row, now: what only one side has, what differs in which field (masked), since when both agree."""
    told = seat.gateway.cutover.compare(county, dataset)
    seat.record(Action.COMPARE, f"{county}/{dataset}", {"differences": told.differences})
    return told.as_dict(most)


@cutover.post("/cutover/{county}/{dataset}/retire")
def retire(
    seat: Annotated[Seat, Depends(permitted(Action.RETIRE))], county: str, dataset: str, told: Decision
) -> dict[str, Any]:
    """From now on nothing is taken in by hand; 422 while both sides differ, unless `despite`."""
    return steps.retire(seat, (county, dataset), told.reason, despite=told.despite).as_dict()


@cutover.post("/cutover/{county}/{dataset}/reopen", status_code=204)
def reopen(seat: Annotated[Seat, Depends(permitted(Action.REOPEN))], county: str, dataset: str) -> None:
    """Files are taken in by hand again."""
    steps.reopen(seat, (county, dataset))
