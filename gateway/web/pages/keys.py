"""API keys: how programs come in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.audit import Action
from gateway.errors import Usage
from gateway.i18n import show
from gateway.people.keys import DAYS
from gateway.people.roles import grantable
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import page
from gateway.web.pages.users import Roles, grants

group = APIRouter(prefix="/keys")


@group.get("")
def keys(request: Request, seat: Annotated[Seat, Depends(permitted(Action.KEY_LIST))]) -> Response:
    """Every key there ever was."""
    return _page(request, seat)


@group.post("")
def add(
    request: Request,
    seat: Annotated[Seat, Depends(permitted(Action.KEY_ADD))],
    name: Annotated[str, Form(max_length=64)],
    days: Annotated[int, Form(ge=1, le=3650)] = DAYS,
    role: Roles = None,
) -> Response:
    """Adds a key; it is shown this once."""
    try:
        text = seat.gateway.api_keys.add(name, grants(role), seat.actor, days)
    except Usage as refused:
        return _page(request, seat, wrong=show(refused))
    seat.record(Action.KEY_ADD, name.strip().lower(), {"days": days})
    return _page(request, seat, made=text)


@group.post("/{key}/revoke")
def revoke(key: str, seat: Annotated[Seat, Depends(permitted(Action.KEY_REVOKE))]) -> Response:
    """Ends a key at once."""
    seat.gateway.api_keys.revoke(key)
    seat.record(Action.KEY_REVOKE, key)
    return RedirectResponse("/keys", 303)


def _page(request: Request, seat: Seat, *, wrong: str = "", made: str = "") -> Response:
    offered = grantable(seat.gateway.config, program=True)
    facts = {"wrong": wrong, "made": made, "offered": offered, "days": DAYS}
    return page(request, "keys.html", 422 if wrong else 200, all=seat.gateway.api_keys.all(), **facts)
