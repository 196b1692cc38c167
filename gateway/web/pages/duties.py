"""Duties: who promised what and how it is kept; why the verdict on one stands, in sentences; waiving a period."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.board import year_of
from gateway.freshness.verdicts import OWED, RANK, SEVERITY
from gateway.scope import Place
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.pages.frame import done, page

group = APIRouter(prefix="/duties")


@group.get("")
def duties(request: Request, seat: Reader, county: str = "", dataset: str = "", code: str = "") -> HTMLResponse:
    """Every duty, the worst first; or those of a county, of a dataset, at a verdict; `owed`: those at any that owes."""
    gateway = seat.gateway
    found = sorted(gateway.ledger.standings(seat.scope, county, dataset), key=lambda s: RANK[s.code])
    wanted = OWED if code == "owed" else (code,)
    return page(
        request,
        "duties.html",
        rows=[s for s in found if not code or s.code in wanted],
        codes={name: n for name in SEVERITY if (n := sum(s.code == name for s in found))},
        counties=sorted({s.county for s in gateway.ledger.standings(seat.scope)}),
        datasets=list(gateway.config.catalogue),
        county=county,
        dataset=dataset,
        code=code,
    )


@group.get("/{county}/{dataset}")
def duty(request: Request, seat: Reader, county: str, dataset: str, year: int = 0) -> HTMLResponse:
    """One duty."""
    gateway = seat.gateway
    told = gateway.ledger.explain(county, dataset)
    feeds = [f.name for f in gateway.config.feeds.values() if (f.county.code, f.dataset) == (county, dataset)]
    squares = year_of(gateway.ledger, gateway.clock, told.standing, year)
    return page(request, "duty.html", spot=Place(county, dataset), told=told, year=squares, feeds=feeds)


@group.post("/{county}/{dataset}/waive")
def waive(
    county: str,
    dataset: str,
    seat: Annotated[Seat, Depends(permitted(Action.WAIVE))],
    period: Annotated[str, Form()],
    reason: Annotated[str, Form()],
) -> RedirectResponse:
    steps.waive(seat, (county, dataset), period, reason)
    return done(f"/duties/{county}/{dataset}", "waived")


@group.post("/{county}/{dataset}/revoke")
def revoke(
    county: str,
    dataset: str,
    seat: Annotated[Seat, Depends(permitted(Action.REVOKE_WAIVER))],
    period: Annotated[str, Form()],
) -> RedirectResponse:
    steps.revoke(seat, (county, dataset), period)
    return done(f"/duties/{county}/{dataset}", "revoked")
