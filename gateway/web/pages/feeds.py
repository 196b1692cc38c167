"""Feeds: the list; one with its clocks, its year, its runs and the steps a person can take; one run, opened."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.board import feed_lines, feed_view, run_view, year_of
from gateway.dispatch.execute import RunOptions
from gateway.scope import Place
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted
from gateway.web.pages.frame import done, page

group = APIRouter()
Text = Annotated[str, Form()]


@group.get("/feeds")
def feeds(request: Request, seat: Reader, county: str = "", dataset: str = "", state: str = "") -> HTMLResponse:
    """Every feed; or those of a county, of a dataset, in a state."""
    lines = feed_lines(seat.gateway.store, seat.gateway.config, seat.scope)
    shown = [line for line in lines if (county or line.county, dataset or line.dataset) == (line.county, line.dataset)]
    return page(
        request,
        "feeds.html",
        lines=[line for line in shown if state in ("", line.shown)],
        states=Counter(line.shown for line in shown),
        counties=sorted({line.county for line in lines}),
        datasets=sorted({line.dataset for line in lines}),
        county=county,
        dataset=dataset,
        state=state,
    )


@group.get("/feeds/{county}/{feed}")
def feed(request: Request, seat: Reader, county: str, feed: str, year: int = 0) -> HTMLResponse:
    """One feed."""
    gateway = seat.gateway
    view = feed_view(gateway.store, gateway.clock, gateway.ledger, gateway.feed(f"{county}/{feed}"))
    return page(
        request,
        "feed.html",
        spot=Place(county, view.line.dataset),
        view=view,
        line=view.line,
        drift=gateway.drift(view.line.feed),
        year=year_of(gateway.ledger, gateway.clock, view.standing, year),
        today=gateway.clock.today().isoformat(),
    )


@group.post("/feeds/{county}/{feed}/run")
def run(
    county: str,
    feed: str,
    seat: Annotated[Seat, Depends(permitted(Action.SYNC))],
    since: Text = "",
    full: Annotated[bool, Form()] = False,  # a box of a form
) -> RedirectResponse:
    """Run now, from the beginning, or from a day on."""
    steps.run(seat, f"{county}/{feed}", RunOptions(full=full, since=since))
    return done(f"/feeds/{county}/{feed}", "queued")


@group.post("/feeds/{county}/{feed}/pause")
def pause(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.PAUSE))], reason: Text
) -> RedirectResponse:
    steps.pause(seat, f"{county}/{feed}", reason)
    return done(f"/feeds/{county}/{feed}", "paused")


@group.post("/feeds/{county}/{feed}/resume")
def resume(county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.RESUME))]) -> RedirectResponse:
    steps.resume(seat, f"{county}/{feed}")
    return done(f"/feeds/{county}/{feed}", "resumed")


@group.post("/feeds/{county}/{feed}/reset")
def reset(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.RESET_CURSOR))], confirm: Text
) -> RedirectResponse:
    steps.reset(seat, f"{county}/{feed}", confirm)
    return done(f"/feeds/{county}/{feed}", "reset")


@group.post("/feeds/{county}/{feed}/drift")
def accept_drift(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.ACCEPT_DRIFT))]
) -> RedirectResponse:
    steps.accept_drift(seat, f"{county}/{feed}")
    return done(f"/feeds/{county}/{feed}", "accepted")


@group.post("/feeds/{county}/{feed}/check")
def check(
    request: Request, county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.CHECK))]
) -> HTMLResponse:
    """The layers, in the place of what asked for them."""
    return page(request, "layers.html", probes=steps.check(seat, f"{county}/{feed}"))


@group.get("/runs/{run}")
def one_run(request: Request, seat: Reader, run: int) -> HTMLResponse:
    """One run."""
    return page(request, "run.html", view=run_view(seat.gateway.store, seat.scope, run))
