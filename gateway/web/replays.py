"""Kept answers translated again, through the API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.app import Gateway
from gateway.audit import Action, Actor
from gateway.web.common import permitted

replays = APIRouter(prefix="/api/v1")


@replays.post("/feeds/{county}/{feed}/replay")
def replay(
    county: str, feed: str, gateway: Annotated[Gateway, Depends(permitted(Action.REPLAY))], *, dry_run: bool = True
) -> dict[str, Any]:
    """What translating the feed's kept answers again changes, field by field with masked examples; committed unless `dry_run`."""
    work, me = gateway.prepare(f"{county}/{feed}"), Actor.api("loopback")
    if dry_run:
        return gateway.replays.difference(work).as_dict()
    difference = gateway.replays.commit(work, str(me))
    told = {"changed": difference.changed, "same": difference.same}
    gateway.audit.record(me, Action.REPLAY, work.name, told)
    return difference.as_dict()
