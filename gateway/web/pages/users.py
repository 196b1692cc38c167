"""Users: who there is, what each may do; added and locked by one administrator, given roles by another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from gateway.audit import Action
from gateway.errors import Usage
from gateway.i18n import show
from gateway.people import Grant
from gateway.people.roles import grantable
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import page

group = APIRouter(prefix="/users")
Roles = Annotated[list[str] | None, Form()]


@group.get("")
def users(request: Request, seat: Annotated[Seat, Depends(permitted(Action.USER_LIST))]) -> Response:
    """Everybody."""
    return _list(request, seat)


@group.post("")
def add(
    request: Request,
    seat: Annotated[Seat, Depends(permitted(Action.USER_ADD))],
    name: Annotated[str, Form(max_length=64)],
    title: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Adds a user without a role: to give one is the security administrator's. The first password is shown this once."""
    try:
        password = seat.gateway.users.add(name, title, [], seat.actor)
    except Usage as refused:
        return _list(request, seat, wrong=show(refused))
    added = name.strip().lower()
    seat.record(Action.USER_ADD, added, {"roles": 0})
    return _list(request, seat, added=added, password=password)


@group.get("/{login}")
def user(request: Request, login: str, seat: Annotated[Seat, Depends(permitted(Action.USER_LIST))]) -> Response:
    """One user, and what may be done."""
    return _one(request, seat, login)


@group.post("/{login}/roles")
def roles(
    request: Request, login: str, seat: Annotated[Seat, Depends(permitted(Action.USER_ROLE))], role: Roles = None
) -> Response:
    """Gives these roles and no others; nobody gives them to oneself."""
    try:
        if login == seat.actor.name:
            raise Usage("不能给自己设角色，请另一位安全管理员来做")
        held = seat.gateway.users.grant(login, grants(role))
    except Usage as refused:
        return _one(request, seat, login, wrong=show(refused))
    seat.record(Action.USER_ROLE, login, {"roles": len(held)})
    return RedirectResponse(f"/users/{login}", 303)


@group.post("/{login}/lock")
def lock(login: str, seat: Annotated[Seat, Depends(permitted(Action.USER_LOCK))]) -> Response:
    """Closes the account; its sessions end."""
    seat.gateway.users.lock(login)
    seat.record(Action.USER_LOCK, login)
    return RedirectResponse(f"/users/{login}", 303)


@group.post("/{login}/unlock")
def unlock(login: str, seat: Annotated[Seat, Depends(permitted(Action.USER_UNLOCK))]) -> Response:
    """Opens the account again."""
    seat.gateway.users.unlock(login)
    seat.record(Action.USER_UNLOCK, login)
    return RedirectResponse(f"/users/{login}", 303)


@group.post("/{login}/reset")
def reset(request: Request, login: str, seat: Annotated[Seat, Depends(permitted(Action.USER_RESET))]) -> Response:
    """A new first password, shown this once."""
    password = seat.gateway.users.reset(login)
    seat.record(Action.USER_RESET, login)
    return _one(request, seat, login, password=password)


@group.post("/{login}/totp")
def totp(login: str, seat: Annotated[Seat, Depends(permitted(Action.USER_TOTP))]) -> Response:
    """Takes the one-time code off, for a new phone."""
    seat.gateway.users.unbind(login)
    seat.record(Action.USER_TOTP, login)
    return RedirectResponse(f"/users/{login}", 303)


def grants(texts: Iterable[str] | None) -> list[Grant]:
    """As forms send them: nothing chosen is an empty text. Raises Usage."""
    return [Grant.parse(text) for text in texts or () if text]


def _list(request: Request, seat: Seat, *, wrong: str = "", added: str = "", password: str = "") -> Response:
    facts = {"wrong": wrong, "added": added, "password": password}
    return page(request, "users.html", 422 if wrong else 200, all=seat.gateway.users.all(), **facts)


def _one(request: Request, seat: Seat, login: str, *, wrong: str = "", password: str = "") -> Response:
    found, offered = seat.gateway.users.get(login), grantable(seat.gateway.config)
    facts = {"wrong": wrong, "password": password, "offered": offered}
    return page(request, "user.html", 422 if wrong else 200, one=found, **facts)
