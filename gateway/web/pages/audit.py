"""The audit log: who did what, searched, checked from its first entry on, and taken along."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from gateway.audit import Action, AuditEntry
from gateway.auditlog import Wanted
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import page

SHOWN: Final = 100
EXPORTED: Final = 100_000
DAY: Final = r"(\d{4}-\d{2}-\d{2})?"
COLUMNS: Final = ("seq", "at", "actor", "action", "target", "detail", "previous", "hash")

group = APIRouter(prefix="/audit")
Auditor = Annotated[Seat, Depends(permitted(Action.READ_AUDIT))]


def wanted(
    actor: Annotated[str, Query(max_length=64)] = "",
    action: Annotated[str, Query(max_length=64)] = "",
    since: Annotated[str, Query(pattern=f"^{DAY}$")] = "",
    until: Annotated[str, Query(pattern=f"^{DAY}$")] = "",
    before: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Wanted:
    """What of the log is asked for; days are whole."""
    return Wanted(actor=actor, action=action, since=since, until=until, before=before)


Asked = Annotated[Wanted, Depends(wanted)]


@group.get("")
def audit(request: Request, seat: Auditor, asked: Asked) -> HTMLResponse:
    """The newest entries that match, a hundred at a time."""
    found = seat.gateway.audit.entries(asked, SHOWN + 1)
    older = found[SHOWN - 1].seq if len(found) > SHOWN else 0
    return page(request, "audit.html", asked=asked, found=found[:SHOWN], older=older, actions=sorted(Action))


@group.get("/verified")
def verified(request: Request, seat: Auditor) -> HTMLResponse:
    """Whether every entry stands where it was written, from the first on."""
    broken = seat.gateway.audit.broken_at()
    return page(request, "verified.html", broken=broken, newest=seat.gateway.audit.newest())


@group.get("/export.csv")
def export(seat: Auditor, asked: Asked) -> Response:
    """All that match, the newest first, with the hashes that link them."""
    found = seat.gateway.audit.entries(asked, EXPORTED)
    seat.record(Action.READ_AUDIT, "", {"rows": len(found)})
    out = StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    table.writerows(map(_line, found))
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _line(entry: AuditEntry) -> list[str | int]:
    detail = msgspec.json.encode(entry.detail, order="sorted").decode()
    return [
        entry.seq,
        entry.at,
        str(entry.actor),
        entry.action,
        _plain(entry.target),
        detail,
        entry.previous,
        entry.hash,
    ]


def _plain(text: str) -> str:
    """No spreadsheet takes it for a formula."""
    return f"'{text}" if text[:1] in "=+-@" and text else text
