"""Kept answers translated again, through the API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.audit import Action
from gateway.web.common import Seat, permitted

replays = APIRouter(prefix="/api/v1")


@replays.post("/feeds/{county}/{feed}/replay")
def replay(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.REPLAY))], *, dry_run: bool = True
) -> dict[str, Any]:
    """What translating the feed's kept answers again changes, field by field with masked examples; committed unless `dry_run`."""
    gateway = seat.gateway
    work = gateway.prepare(f"{county}/{feed}")
    if dry_run:
        return gateway.replays.difference(work).as_dict()
    difference = gateway.replays.commit(work, str(seat.actor))
    told = {"changed": difference.changed, "same": difference.same}
    seat.record(Action.REPLAY, work.name, told)
    return difference.as_dict()
