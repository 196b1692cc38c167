"""Duties: who promised what and how it is kept; why the verdict on one stands, in sentences; waiving a period."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.board import year_of
from gateway.freshness.verdicts import OWED, RANK, SEVERITY
from gateway.scope import Place, Scope
from gateway.status import feed_statuses, manual_share
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
    manual = any(gateway.config.feeds[name].channel == "MANUAL" for name in feeds)
    spot = Place(county, dataset)
    return page(request, "duty.html", spot=spot, told=told, year=squares, feeds=feeds, manual=manual)


@group.get("/{county}/{dataset}/channels")
def by_hand(request: Request, seat: Reader, county: str, dataset: str) -> HTMLResponse:
    """How much comes by hand, and how far that agrees with the system: counted over every record kept, so it is asked for by itself."""
    gateway, spot = seat.gateway, Place(county, dataset)
    own = Scope(duties=frozenset({(county, dataset)}))
    share = manual_share(row for row in feed_statuses(gateway.store, own) if row.feed in gateway.config.feeds)
    both = next(iter(gateway.cutover.parallels(own)), None)
    return page(request, "by_hand.html", spot=spot, share=share, both=both, address=f"/duties/{county}/{dataset}")


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


@group.post("/{county}/{dataset}/retire")
def retire(
    county: str,
    dataset: str,
    seat: Annotated[Seat, Depends(permitted(Action.RETIRE))],
    reason: Annotated[str, Form()],
    *,
    despite: Annotated[bool, Form()] = False,
) -> RedirectResponse:
    steps.retire(seat, (county, dataset), reason, despite=despite)
    return done(f"/duties/{county}/{dataset}", "retired")


@group.post("/{county}/{dataset}/reopen")
def reopen(county: str, dataset: str, seat: Annotated[Seat, Depends(permitted(Action.REOPEN))]) -> RedirectResponse:
    steps.reopen(seat, (county, dataset))
    return done(f"/duties/{county}/{dataset}", "reopened")
