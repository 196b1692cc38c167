"""Accounts: what each was allowed and has used, and taking one up again that was stopped."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.board import account_view, account_views, feed_lines
from gateway.scope import Place
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.pages.frame import done, page

group = APIRouter(prefix="/accounts")


@group.get("")
def accounts(request: Request, seat: Reader) -> HTMLResponse:
    """Every account."""
    gateway = seat.gateway
    return page(
        request, "source_accounts.html", rows=account_views(gateway.store, gateway.clock, gateway.config, seat.scope)
    )


@group.get("/{account}")
def account(request: Request, seat: Reader, account: str) -> HTMLResponse:
    """One account, its sources and the feeds that share it."""
    gateway = seat.gateway
    view = account_view(gateway.store, gateway.clock, gateway.config, seat.scope, account)
    lines = [line for line in feed_lines(gateway.store, gateway.config, seat.scope) if line.feed in view.feeds]
    return page(request, "source_account.html", view=view, lines=lines, Place=Place)


@group.post("/{account}/resume")
def resume(account: str, seat: Annotated[Seat, Depends(permitted(Action.RESUME_ACCOUNT))]) -> RedirectResponse:
    steps.resume_account(seat, account)
    return done(f"/accounts/{account}", "resumed")
