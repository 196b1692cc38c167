"""Logging in and out; where there is no user yet, how to add the first."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.audit import Action, Actor
from gateway.i18n import show
from gateway.people import NoEntry
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import page
from gateway.web.session import begin, end, enter

group = APIRouter()


@group.get("/login")
def entrance(request: Request, seat: Annotated[Seat, Depends(permitted(Action.OPEN))], back: str = "/") -> Response:
    """The log-in page. How the first user is added is told to who sits at the server."""
    nobody = seat.gateway.users.none() and _here(request)
    return page(request, "login.html", nobody=nobody, told="", name="", back=within(back))


@group.post("/login")
def log_in(
    request: Request,
    seat: Annotated[Seat, Depends(permitted(Action.LOG_IN))],
    name: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=128)],
    code: Annotated[str, Form(max_length=6)] = "",
    back: Annotated[str, Form(max_length=512)] = "/",
) -> Response:
    """Begins a session and goes where its owner wanted to go."""
    try:
        session = enter(seat.gateway, name, password, code)
    except NoEntry as refused:
        return page(request, "login.html", 401, nobody=False, told=show(refused), name=name, back=within(back))
    where = (
        within(back)
        if back != "/" or seat.gateway.audit.allows(Actor.user(name.strip().lower()), Action.READ_STATUS)
        else "/account"
    )
    answer = RedirectResponse(where, 303)
    begin(answer, session, secure=request.url.scheme == "https")
    return answer


@group.post("/logout")
def log_out(seat: Annotated[Seat, Depends(permitted(Action.LOG_OUT))]) -> Response:
    """Ends the session."""
    seat.gateway.users.leave(seat.who.session)
    seat.record(Action.LOG_OUT, "")
    answer = RedirectResponse("/login", 303)
    end(answer)
    return answer


def within(back: str) -> str:
    """An address of ours, or the first page: nobody is sent elsewhere by a log-in."""
    plain = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable() and back.isascii()
    return back if plain else "/"


def _here(request: Request) -> bool:
    """Whether the browser runs on this very machine."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
