"""Configuration: versions, the files as they are now, publishing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.audit import Action
from gateway.board import configuration, county_file
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted

group = APIRouter(prefix="/api/v1/configuration")


@group.get("")
def versions(seat: Reader) -> dict[str, Any]:
    """Published versions, files that differ from the one in force, and every problem with its place."""
    gateway = seat.gateway
    return configuration(gateway.store, gateway.config, gateway.settings.config, seat.scope).as_dict()


@group.get("/{county}")
def one_county(seat: Reader, county: str) -> dict[str, Any]:
    """One county's file, line by line, against the version in force."""
    return asdict(county_file(seat.gateway.config, seat.gateway.settings.config, county))


@group.post("/publish")
def publish(seat: Annotated[Seat, Depends(permitted(Action.PUBLISH_CONFIG))]) -> dict[str, bool]:
    """Makes what the files say now the version in force."""
    return {"changed": steps.publish(seat)}
