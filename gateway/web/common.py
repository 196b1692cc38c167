"""What every route shares: who asks, the authorisation hook, what lies within reach, and how refusals leave."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from gateway.app import Gateway
from gateway.audit import Action, Actor
from gateway.errors import Usage
from gateway.people import User
from gateway.scope import WHOLE, Place, Scope
from gateway.web.session import Who, forged, refuse_forged, who_of


@dataclass(frozen=True, slots=True)
class Seat:
    """Who asks, what they may touch by the action of this route, and the gateway.

    Whatever lists things takes `scope`; what a path names was held against it before the route began.
    """

    gateway: Gateway
    who: Who
    scope: Scope

    @property
    def actor(self) -> Actor:
        return self.who.actor

    @property
    def user(self) -> User | None:
        """Whose session it is; None for a program, and for who has not signed in."""
        return self.who.user

    def record(self, action: Action, target: str, detail: Mapping[str, str | int | bool] | None = None) -> None:
        """Appends to the audit log what this actor did."""
        self.gateway.audit.record(self.actor, action, target, detail)


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def gateway_of(request: Request) -> Gateway:
    found: Gateway = request.app.state.gateway
    return found


def may(request: Request, action: Action, place: Place | None = None) -> bool:
    """Whether to offer something; its route asks again. Without a place: whether it may be done anywhere."""
    return gateway_of(request).audit.allows(who_of(request).actor, action, place)


def permitted(action: Action) -> Callable[[Request], Coroutine[Any, Any, Seat]]:
    """A dependency that passes the one authorisation hook before the route runs, with the place that its path names."""

    async def dependency(request: Request) -> Seat:
        if action is not Action.PUSH and await forged(request):
            refuse_forged()
        return await run_in_threadpool(_seat, request, action)

    dependency.action = action  # type: ignore[attr-defined] # read by the test that enumerates routes
    return dependency


def _seat(request: Request, action: Action) -> Seat:
    gateway, who = gateway_of(request), who_of(request)
    request.state.action = action
    if action is not Action.PUSH:  # who pushes waits for nothing but the inbox
        gateway.refresh()
    place = _place(gateway, request.path_params) if request.path_params else None
    return Seat(gateway, who, gateway.audit.permit(who.actor, action, request.url.path, place))


def _place(gateway: Gateway, named: Mapping[str, str]) -> Place:
    """What a path names. Anything it names in words unknown here belongs to those who may touch everything."""
    if "feed" in named:
        feed = gateway.config.feeds.get(f"{named.get('county', '')}/{named['feed']}")
        return Place(feed.county.code, feed.dataset) if feed is not None else WHOLE
    if "county" in named:
        return Place(named["county"], named.get("dataset", ""))
    if "handle" in named:
        return _place_of_item(gateway, named["handle"])
    if "alert" in named and named["alert"].isdecimal():
        return gateway.alerts.place(int(named["alert"]))
    if "institution" in named:
        return Place(institution=named["institution"])
    return WHOLE


def _place_of_item(gateway: Gateway, handle: str) -> Place:
    """Where a rejected item belongs; what is none belongs to everybody's whole, so that no answer tells which there are."""
    try:
        name = gateway.quarantine.feed_of(handle)
    except Usage:
        return WHOLE
    with gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name=name)
    assert feed is not None
    return Place(feed.county, feed.dataset)


Reader = Annotated[Seat, Depends(permitted(Action.READ_STATUS))]
