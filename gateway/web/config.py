"""`/api/v1/config…`: the files as they stand, drafts as text with their faults, what publishing does, versions, and the way back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query

from gateway.app.drafts import told
from gateway.audit import Action
from gateway.board import configuration, county_file
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted

config = APIRouter(prefix="/api/v1/config")
Checker = Annotated[Seat, Depends(permitted(Action.CHECK_CONFIG))]


@config.get("")
def overview(seat: Reader) -> dict[str, Any]:
    """The files that lie within reach: which differ from the running version, and every problem with its place."""
    return configuration(seat.gateway.config, seat.gateway.settings.config, seat.scope).as_dict()


@config.get("/counties/{county}")
def one_county(seat: Reader, county: str) -> dict[str, Any]:
    """One county's file, line by line, against the running version."""
    return asdict(county_file(seat.gateway.config, seat.gateway.settings.config, county))


@config.get("/drafts")
def drafts(seat: Checker) -> dict[str, dict[str, str]]:
    """Every draft: its text, and the mark that comes back when it is saved."""
    return seat.gateway.drafts.texts()


@config.put("/drafts")
def save(
    seat: Annotated[Seat, Depends(permitted(Action.SAVE_CONFIG))],
    name: Annotated[str, Body()],
    text: Annotated[str, Body()],
    mark: Annotated[str | None, Body()] = None,
) -> list[dict[str, Any]]:
    """Saves one draft; its faults with file, line and column. Nothing is published."""
    return [told(problem) for problem in seat.gateway.drafts.save(seat.actor, name, text, mark)]


@config.get("/diff")
def diff(seat: Checker) -> dict[str, Any]:
    """What publishing the drafts would do, in sentences; their faults; the lines that differ."""
    return seat.gateway.drafts.preview().as_dict()


@config.post("/publish")
def publish(seat: Annotated[Seat, Depends(permitted(Action.PUBLISH_CONFIG))]) -> dict[str, Any]:
    """Makes the drafts the running version."""
    return {"changed": steps.publish(seat), "digest": seat.gateway.config.digest[:16]}


@config.get("/versions")
def versions(seat: Reader, count: Annotated[int, Query(ge=1, le=1000)] = 50) -> list[dict[str, Any]]:
    """Published versions, the newest first; the first one runs."""
    return seat.gateway.drafts.history(count)


@config.get("/versions/{number}")
def version(number: int, seat: Checker) -> dict[str, Any]:
    """One published version, and what going back to it would do."""
    found = seat.gateway.drafts.version(number)
    return {"texts": found.texts, "diff": seat.gateway.drafts.preview(found).as_dict()}


@config.post("/versions/{number}/rollback")
def rollback(number: int, seat: Annotated[Seat, Depends(permitted(Action.ROLL_BACK_CONFIG))]) -> dict[str, Any]:
    """Goes back to a version, as a new one; the drafts stay as they are."""
    return {"changed": steps.rollback(seat, number), "digest": seat.gateway.config.digest[:16]}
