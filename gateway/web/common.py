"""What every route shares: its gateway, the authorisation hook, and how refusals leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from gateway.app import Gateway
from gateway.audit import Action, Actor


def problem(status: int, title: str, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def gateway_of(request: Request) -> Gateway:
    found: Gateway = request.app.state.gateway
    return found


def permitted(action: Action) -> Callable[[Request], Gateway]:
    """A dependency that passes the one authorisation hook before the route runs."""

    def dependency(request: Request) -> Gateway:
        found = gateway_of(request)
        found.audit.permit(Actor.api("loopback"), action, request.url.path)
        return found

    dependency.action = action  # type: ignore[attr-defined] # read by the test that enumerates routes
    return dependency


Reader = Annotated[Gateway, Depends(permitted(Action.READ_STATUS))]
