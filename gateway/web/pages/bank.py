"""A bank's desk: consents, queries, and a report to be read, with where each value comes from, what changed, and disputes."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.audit import Action
from gateway.errors import GatewayError
from gateway.i18n import show
from gateway.reports.consents import CLASSES, PURPOSES
from gateway.reports.view import view
from gateway.web import bank as api
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import done, page

group = APIRouter(prefix="/bank")


@group.get("")
def bank(request: Request, seat: Annotated[Seat, Depends(permitted(Action.REPORT))]) -> HTMLResponse:
    """The latest of consents, queries and disputes, without whom they are about; what of the quota is used."""
    gateway = seat.gateway
    assert gateway.config.gateway is not None
    mine = [name for name in gateway.config.gateway.members if seat.scope.serves(name)]
    return page(
        request,
        "bank.html",
        given=[consent.as_dict() for consent in gateway.consents.recent(seat.scope)],
        asked=gateway.office.recent(seat.scope),
        disputes=[c.as_dict() for c in gateway.corrections.within(seat.scope, "") if c.institution in mine],
        batches=gateway.batches.recent(seat.scope),
        usage={name: gateway.office.usage(name) for name in mine},
        purposes=PURPOSES,
        classes=CLASSES,
    )


@group.post("/{institution}/consents")
def grant(
    seat: api.Consenting,
    institution: str,
    file: UploadFile,
    id_no: Annotated[str, Form(max_length=32)],
    name: Annotated[str, Form(max_length=64)],
    purpose: Annotated[str, Form(max_length=64)],
    valid_to: Annotated[date, Form()],
    classes: Annotated[list[str], Form()],
    *,
    express: Annotated[bool, Form()] = False,
) -> RedirectResponse:
    """A signed consent."""
    api.grant(seat, institution, file, id_no, name, purpose, valid_to, classes=",".join(classes), express=express)
    return done("/bank", "granted")


@group.post("/{institution}/reports")
def ask(
    seat: api.Asking,
    institution: str,
    id_no: Annotated[str, Form(max_length=32)],
    name: Annotated[str, Form(max_length=64)],
    purpose: Annotated[str, Form(max_length=64)],
    classes: Annotated[list[str], Form()],
) -> RedirectResponse:
    """One report, to be read at once."""
    report = api.asked(seat, institution, id_no, name, purpose, ",".join(classes))
    return RedirectResponse(f"/bank/{institution}/reports/{report.number}", 303)


@group.post("/{institution}/batches")
def hand_in(
    seat: api.Asking,
    institution: str,
    file: UploadFile,
    purpose: Annotated[str, Form(max_length=64)],
    classes: Annotated[list[str], Form()],
) -> RedirectResponse:
    """A list, answered in the background."""
    api.hand_in(seat, institution, file, purpose, ",".join(classes))
    return done("/bank", "queued")


@group.get("/{institution}/reports/{number}")
def read(request: Request, seat: api.Asking, institution: str, number: str) -> HTMLResponse:
    """A report that was given out: the answer in thirty seconds, then every value with its origin and its proof."""
    report = seat.gateway.office.again(number, institution)
    seat.record(Action.REPORT, number, {"read": True})
    document = report.document
    return page(
        request,
        "bank_report.html",
        report=document,
        shown=view(document, report.digest, ()),
        origins={fact["id"]: _origin(document, fact) for fact in document["facts"]},
        changed=_changed(seat, number, institution),
        institution=institution,
    )


@group.get("/{institution}/reports/{number}/pdf")
def pdf(seat: api.Asking, institution: str, number: str) -> Response:
    """The same as it is archived."""
    report = seat.gateway.office.again(number, institution)
    seat.record(Action.REPORT, number, {"again": True})
    headers = {"Content-Disposition": f'attachment; filename="{number}.pdf"'}
    return Response(seat.gateway.pdf(report), media_type="application/pdf", headers=headers)


@group.post("/{institution}/reports/{number}/disputes")
def dispute(
    seat: api.Disputing,
    institution: str,
    number: str,
    fact: Annotated[str, Form(max_length=16)],
    path: Annotated[str, Form(max_length=64)],
    claim: Annotated[str, Form(max_length=2000)],
) -> RedirectResponse:
    """The person says that a value is wrong."""
    api.dispute(seat, institution, number, fact, path, claim)
    return done("/bank", "disputed")


def _changed(seat: Seat, number: str, institution: str) -> tuple[list[dict[str, Any]], str]:
    """What changed since, or why that is not told."""
    try:
        return [change.as_dict() for change in seat.gateway.aftermath.changes(number, institution)], ""
    except GatewayError as refused:
        return [], show(refused)


def _origin(document: dict[str, Any], fact: dict[str, Any]) -> dict[str, str]:
    """Where a fact's proof leads: batch, block and transaction; nothing while no chain had confirmed it."""
    if fact["proof"] is None:
        return {}
    receipt = document["proofs"][int(fact["proof"])]["receipt"]
    return {name: str(receipt[name]) for name in ("batch_id", "block", "tx") if name in receipt}
