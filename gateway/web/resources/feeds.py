"""Feeds and runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from gateway.audit import Action
from gateway.board import feed_lines, feed_view, run_view
from gateway.dispatch.execute import RunOptions
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted

group = APIRouter(prefix="/api/v1")


class Asked(BaseModel):
    """A run that is asked for: on from where the last one stopped, from the beginning (`full`), or from a day on."""

    model_config = ConfigDict(extra="forbid")

    full: bool = False
    since: str = ""


class Reason(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str


class Confirmation(BaseModel):
    """The name of the feed, written once more."""

    model_config = ConfigDict(extra="forbid")

    confirm: str


@group.get("/feeds")
def feeds(seat: Reader) -> list[dict[str, Any]]:
    """Every feed: where it comes from, how it stands, whether it is paused."""
    return [line.as_dict() for line in feed_lines(seat.gateway.store, seat.gateway.config, seat.scope)]


@group.get("/feeds/{county}/{feed}")
def feed(seat: Reader, county: str, feed: str) -> dict[str, Any]:
    """One feed: its three clocks, when it is due next, its last runs and days."""
    gateway = seat.gateway
    return feed_view(gateway.store, gateway.clock, gateway.ledger, gateway.feed(f"{county}/{feed}")).as_dict()


@group.post("/feeds/{county}/{feed}/runs", status_code=202)
def run(seat: Annotated[Seat, Depends(permitted(Action.SYNC))], county: str, feed: str, asked: Asked) -> dict[str, int]:
    """Queues a run; its number. The worker carries it out."""
    return {"run": steps.run(seat, f"{county}/{feed}", RunOptions(full=asked.full, since=asked.since))}


@group.post("/feeds/{county}/{feed}/pause", status_code=204)
def pause(seat: Annotated[Seat, Depends(permitted(Action.PAUSE))], county: str, feed: str, told: Reason) -> None:
    """The schedule leaves the feed alone until it is resumed."""
    steps.pause(seat, f"{county}/{feed}", told.reason)


@group.post("/feeds/{county}/{feed}/resume", status_code=204)
def resume(seat: Annotated[Seat, Depends(permitted(Action.RESUME))], county: str, feed: str) -> None:
    """The schedule takes the feed up again."""
    steps.resume(seat, f"{county}/{feed}")


@group.post("/feeds/{county}/{feed}/reset", status_code=204)
def reset(
    seat: Annotated[Seat, Depends(permitted(Action.RESET_CURSOR))], county: str, feed: str, told: Confirmation
) -> None:
    """Forgets where the source was read to."""
    steps.reset(seat, f"{county}/{feed}", told.confirm)


@group.post("/feeds/{county}/{feed}/check")
def check(
    seat: Annotated[Seat, Depends(permitted(Action.CHECK))], county: str, feed: str, *, draft: bool = False
) -> list[dict[str, Any]]:
    """Tests the connection layer by layer, up to the first that does not hold, and says what to do; `draft`: as the files are now."""
    return [asdict(probe) for probe in steps.check(seat, f"{county}/{feed}", draft=draft)]


@group.post("/feeds/{county}/{feed}/preview")
def preview(
    seat: Annotated[Seat, Depends(permitted(Action.PREVIEW))],
    county: str,
    feed: str,
    rows: Annotated[int, Query(ge=1, le=100)] = 5,
    *,
    draft: bool = False,
) -> dict[str, Any]:
    """Reads one page for people's eyes: raw and canonical beside each other, masked; nothing is stored. `draft`: as the files are now."""
    return asdict(steps.preview(seat, f"{county}/{feed}", rows, draft=draft))


@group.get("/runs/{run}")
def one_run(seat: Reader, run: int) -> dict[str, Any]:
    """One run: its books, its answers, what it ignored and held."""
    return run_view(seat.gateway.store, seat.scope, run).as_dict()
