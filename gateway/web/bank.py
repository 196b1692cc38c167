"""`/api/v1/institutions/…`: a bank's own consents, queries and reports. Whom they are about stands in bodies only, never in an address."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Form, Query, UploadFile
from fastapi.responses import Response

from gateway.audit import Action
from gateway.errors import Usage
from gateway.reports.batches import read_list
from gateway.reports.consents import CLASSES, Refused
from gateway.reports.office import Report, canonical_id
from gateway.web.common import Seat, permitted

MAX_MB: Final = 16
"""Of a signed consent."""
ALL: Final = ",".join(CLASSES)

bank = APIRouter(prefix="/api/v1/institutions/{institution}")
Consenting = Annotated[Seat, Depends(permitted(Action.CONSENT))]
Asking = Annotated[Seat, Depends(permitted(Action.REPORT))]
Disputing = Annotated[Seat, Depends(permitted(Action.DISPUTE))]
Count = Annotated[int, Query(ge=1, le=1000)]


@bank.get("/consents")
def consents(seat: Consenting, institution: str, count: Count = 100) -> list[dict[str, Any]]:
    """The latest consents, without whose they are."""
    return [given.as_dict() for given in seat.gateway.consents.recent(seat.scope, institution, count)]


@bank.post("/consents")
def grant(
    seat: Consenting,
    institution: str,
    file: UploadFile,
    id_no: Annotated[str, Form(max_length=32)],
    name: Annotated[str, Form(max_length=64)],
    purpose: Annotated[str, Form(max_length=64)],
    valid_to: Annotated[date, Form()],
    valid_from: Annotated[date | None, Form()] = None,
    classes: Annotated[str, Form(max_length=200)] = ALL,
    *,
    express: Annotated[bool, Form()] = False,
) -> dict[str, Any]:
    """Records a signed consent; of the file the hash is kept. `express`: real estate and income are named apart in it."""
    body = file.file.read((MAX_MB << 20) + 1)
    if len(body) > MAX_MB << 20:
        raise Usage("文件超过 {limit} MB 上限，请拆分后分几次上传", limit=MAX_MB)
    today = seat.gateway.clock.today()
    given = seat.gateway.consents.grant(
        id_no=canonical_id(id_no, today),
        name=name.strip(),
        institution=institution,
        purpose=purpose,
        classes=_classes(classes),
        file_hash=sha256(body).hexdigest(),
        valid_from=valid_from or today,
        valid_to=valid_to,
        express=express,
        actor=str(seat.actor),
    )
    seat.record(Action.CONSENT, given.handle, {"classes": len(given.classes)})
    return given.as_dict()


@bank.post("/consents/{consent}/revoke")
def revoke(seat: Consenting, institution: str, consent: str) -> dict[str, Any]:
    """The person takes the consent back: it ends now."""
    if seat.gateway.consents.get(consent).institution != institution:
        raise Usage("没有授权 {handle}", handle=consent)
    done = seat.gateway.consents.revoke(consent)
    seat.record(Action.CONSENT, consent, {"revoked": True})
    return done.as_dict()


@bank.get("/reports")
def queries(seat: Asking, institution: str, count: Count = 100) -> list[dict[str, Any]]:
    """The latest queries, refused ones included, without whom they were about."""
    return [row._asdict() for row in seat.gateway.office.recent(seat.scope, institution, count)]


@bank.post("/reports")
def ask(
    seat: Asking,
    institution: str,
    id_no: Annotated[str, Body(max_length=32)],
    name: Annotated[str, Body(max_length=64)],
    purpose: Annotated[str, Body(max_length=64)],
    classes: Annotated[str, Body(max_length=200)] = ALL,
) -> Response:
    """One report about one person under a consent, signed; a refusal is recorded, and says why."""
    return _signed(asked(seat, institution, id_no, name, purpose, classes))


def asked(seat: Seat, institution: str, id_no: str, name: str, purpose: str, classes: str) -> Report:
    """A query, answered or refused, and so noted."""
    try:
        report = seat.gateway.office.query(
            id_no=id_no,
            name=name,
            institution=institution,
            purpose=purpose,
            classes=_classes(classes),
            user=seat.actor.name,
        )
    except Refused as refused:
        seat.record(Action.REPORT, institution, {"refused": refused.code})
        raise
    seat.record(Action.REPORT, report.number, {"digest": report.digest})
    return report


@bank.post("/batches")
def hand_in(
    seat: Asking,
    institution: str,
    file: UploadFile,
    purpose: Annotated[str, Form(max_length=64)],
    classes: Annotated[str, Form(max_length=200)] = ALL,
) -> dict[str, Any]:
    """A list (CSV: ID number, name) of up to 10,000, answered in the background."""
    body = file.file.read((MAX_MB << 20) + 1)
    if len(body) > MAX_MB << 20:
        raise Usage("文件超过 {limit} MB 上限，请拆分后分几次上传", limit=MAX_MB)
    made = seat.gateway.batches.hand_in(
        read_list(body),
        institution=institution,
        purpose=purpose,
        classes=_classes(classes),
        user=seat.actor.name,
    )
    seat.record(Action.REPORT, made.handle, {"batch": made.total})
    return made.as_dict()


@bank.get("/batches")
def batches(seat: Asking, institution: str) -> list[dict[str, Any]]:
    """The latest lists, and how far each is."""
    return [b.as_dict() for b in seat.gateway.batches.recent(seat.scope) if b.institution == institution]


@bank.get("/batches/{list_}")
def batch(seat: Asking, institution: str, list_: str) -> dict[str, Any]:
    """How far a list is, and line by line what came of it; the reports are fetched by their numbers."""
    found = seat.gateway.batches
    lines = [{"line": n, "result": r, "number": number} for n, r, number in found.lines(list_, institution)]
    return found.get(list_, institution).as_dict() | {"lines": lines}


@bank.get("/usage")
def usage(seat: Asking, institution: str) -> dict[str, int | None]:
    """What of the day's quota is used; null where there is none."""
    return seat.gateway.office.usage(institution)


@bank.get("/reports/{number}")
def again(seat: Asking, institution: str, number: str) -> Response:
    """A report that this institution was given before: the same text, signed anew."""
    report = seat.gateway.office.again(number, institution)
    seat.record(Action.REPORT, number, {"again": True})
    return _signed(report)


@bank.get("/reports/{number}/changes")
def changes(seat: Asking, institution: str, number: str) -> list[dict[str, Any]]:
    """What of a report has changed since; what it is now takes another query. The consent must still hold."""
    found = seat.gateway.aftermath.changes(number, institution)
    seat.record(Action.REPORT, number, {"changes": len(found)})
    return [change.as_dict() for change in found]


@bank.post("/reports/{number}/disputes")
def dispute(
    seat: Disputing,
    institution: str,
    number: str,
    fact: Annotated[str, Body(max_length=16)],
    path: Annotated[str, Body(max_length=64)],
    claim: Annotated[str, Body(max_length=2000)],
) -> dict[str, Any]:
    """The person says that a value of this report is wrong, and what is right: the agency answers within twenty days."""
    handle = seat.gateway.aftermath.dispute(number, fact, path, claim, institution=institution, actor=str(seat.actor))
    seat.record(Action.DISPUTE, handle, {"report": number})
    return seat.gateway.corrections.get(handle).as_dict()


def _classes(text: str) -> set[str]:
    return set(filter(None, text.split(",")))


def _signed(report: Report) -> Response:
    from gateway.reports.pdf import envelope  # typesetting is 35 MB that no other route needs

    return Response(envelope(report), media_type="application/json")
