"""抽样核查 and 更正: how far the data are right, checks drawn and filled in (on a phone as well), and what is to be put right."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from gateway.audit import Action
from gateway.scope import Place
from gateway.spotcheck import Answer
from gateway.web import corrections as api
from gateway.web.common import Reader
from gateway.web.pages.frame import done, page

PEOPLE = 10
"""Shown on one screen of the form."""

group = APIRouter()


@group.get("/checks")
def checks(request: Request, seat: Reader) -> HTMLResponse:
    """Accuracy by field, agency and channel; the latest checks; what is to be put right."""
    gateway = seat.gateway
    counties = [code for code in gateway.config.counties if seat.scope.sees(code, "")]
    return page(
        request,
        "checks.html",
        measured=gateway.spot_checks.measured(seat.scope),
        checks=gateway.spot_checks.recent(seat.scope),
        asked=[found.as_dict() for found in gateway.corrections.within(seat.scope)],
        counties=counties,
        each=api.EACH,
        Place=Place,
    )


@group.post("/checks/{county}")
def draw(seat: api.Checking, county: str, each: Annotated[int, Form(ge=1, le=1000)] = api.EACH) -> RedirectResponse:
    """A new sample."""
    check = api.draw(seat, county, each)["check"]
    return RedirectResponse(f"/checks/{county}/{check}", 303)


@group.get("/checks/{county}/{check}")
def form(request: Request, seat: api.Checking, county: str, check: int, start: int = 0) -> HTMLResponse:
    """The sample to be filled in where it is checked, some at a time, in the clear."""
    spot_checks = seat.gateway.spot_checks
    sample = sorted(spot_checks.sample(api.own(seat, county, check)), key=lambda d: (d.who, d.item))
    shown = sample[start : start + PEOPLE]
    seat.record(Action.SPOT_CHECK, f"{county}/{check}", {"shown": len(shown)})
    return page(
        request,
        "spot_check.html",
        county=county,
        check=check,
        sample=shown,
        answers=spot_checks.answers(check),
        start=start,
        following=start + PEOPLE if start + PEOPLE < len(sample) else None,
        total=len(sample),
    )


@group.post("/checks/{county}/{check}/items/{item}")
def fill_in(
    seat: api.Checking,
    county: str,
    check: int,
    item: int,
    path: Annotated[list[str], Form()],
    verdict: Annotated[list[str], Form()],
    found: Annotated[list[str], Form()],
    start: Annotated[int, Form()] = 0,
) -> RedirectResponse:
    """What was found of one observation; values without a verdict stay open."""
    rows = zip(path, verdict, found, strict=False)
    api.taken(seat, county, check, [Answer(item, p, v, f.strip()) for p, v, f in rows if v])
    return RedirectResponse(f"/checks/{county}/{check}?start={start}&done=entered", 303)


@group.post("/checks/{county}/{check}/sheet")
def brought_back(seat: api.Checking, county: str, check: int, file: UploadFile) -> RedirectResponse:
    """A filled-in sheet."""
    api.brought_back(seat, county, check, file)
    return done("/checks", "entered")


@group.post("/corrections/{county}/{dataset}/{correction}")
def answer(
    seat: api.Answering,
    county: str,
    dataset: str,
    correction: str,
    outcome: Annotated[str, Form(max_length=16)],
    note: Annotated[str, Form(max_length=2000)],
) -> RedirectResponse:
    """The agency's answer."""
    api.answered(seat, county, dataset, correction, outcome, note)
    return done("/checks", "answered")
