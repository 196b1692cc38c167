"""Configuration: the version in force and those before it, the files as they are now with what is wrong in them, publishing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.board import configuration, county_file
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.pages.frame import done, page

group = APIRouter(prefix="/configuration")


@group.get("")
def versions(request: Request, seat: Reader) -> HTMLResponse:
    """What is in force, what the files say now, and where they are wrong."""
    gateway = seat.gateway
    view = configuration(gateway.store, gateway.config, gateway.settings.config, seat.scope)
    return page(request, "configuration.html", view=view, whole=seat.scope.everything)


@group.get("/{county}")
def county(request: Request, seat: Reader, county: str) -> HTMLResponse:
    """One county's file, line by line, beside the version in force."""
    view = county_file(seat.gateway.config, seat.gateway.settings.config, county)
    return page(request, "county_file.html", view=view)


@group.post("/publish")
def publish(seat: Annotated[Seat, Depends(permitted(Action.PUBLISH_CONFIG))]) -> RedirectResponse:
    steps.publish(seat)
    return done("/configuration", "published")
