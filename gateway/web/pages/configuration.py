"""Configuration: the files as they are now with what is wrong in them, what publishing them does, the versions and the way back."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.board import configuration, county_file
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.pages.frame import done, page

group = APIRouter(prefix="/configuration")
VERSIONS_SHOWN: Final = 30


@group.get("")
def versions(request: Request, seat: Reader) -> HTMLResponse:
    """What is in force, what the files say now, where they are wrong, and what publishing them does."""
    gateway, whole = seat.gateway, seat.scope.everything
    view = configuration(gateway.config, gateway.settings.config, seat.scope)
    effects = gateway.drafts.preview().effects if whole and view.differs else []
    history = gateway.drafts.history(VERSIONS_SHOWN)
    return page(request, "configuration.html", view=view, effects=effects, versions=history, whole=whole)


@group.get("/{county}")
def county(request: Request, seat: Reader, county: str) -> HTMLResponse:
    """One county's file, line by line, beside the version in force."""
    view = county_file(seat.gateway.config, seat.gateway.settings.config, county)
    return page(request, "county_file.html", view=view)


@group.post("/publish")
def publish(seat: Annotated[Seat, Depends(permitted(Action.PUBLISH_CONFIG))]) -> RedirectResponse:
    steps.publish(seat)
    return done("/configuration", "published")


@group.post("/{number}/rollback")
def rollback(seat: Annotated[Seat, Depends(permitted(Action.ROLL_BACK_CONFIG))], number: int) -> RedirectResponse:
    steps.rollback(seat, number)
    return done("/configuration", "rolled_back")
