"""The agency's own page: what it owes, what could not be taken and why, the spreadsheet down, the corrected one up.

Who holds a link sits here without an account: the link is an API key of the role `seat`, with an end, revocable like any other
(`api-key revoke`). What it shows is masked; whole values take an account.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from adapters.kit import SourceMalformed
from gateway.audit import Action
from gateway.errors import Busy, Usage
from gateway.i18n import show
from gateway.repair import TakenBack
from gateway.scope import Place
from gateway.web import corrections
from gateway.web.common import Reader, Seat, gateway_of, permitted
from gateway.web.pages.frame import done, page, refusal
from gateway.web.quarantine import XLSX
from gateway.web.session import SEAT

MAX_MB: Final = 32
SECONDS: Final = 12 * 3600
"""How long a browser keeps a link that was opened; it can be opened again until its end."""

group = APIRouter(prefix="/seat")


@group.get("")
def seat_of(request: Request, seat: Reader) -> HTMLResponse:
    """What is owed, and what could not be taken."""
    return _page(request, seat)


@group.get("/rows.xlsx")
def rows(seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_EXPORT))]) -> Response:
    """The rows that could not be taken, masked, to be put right and handed back."""
    body = seat.gateway.repairs.export(seat.actor, seat.scope)
    return Response(body, media_type=XLSX, headers={"Content-Disposition": 'attachment; filename="rows.xlsx"'})


@group.post("/rows")
def corrected(
    request: Request, seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_REPAIR))], file: UploadFile
) -> HTMLResponse:
    """A corrected spreadsheet, checked at once."""
    body = file.file.read((MAX_MB << 20) + 1)
    try:
        if len(body) > MAX_MB << 20:
            raise Usage("文件超过 {limit} MB 上限，请拆分后分几次上传", limit=MAX_MB)
        taken = seat.gateway.repairs.take_back(seat.actor, seat.scope, body)
    except (Usage, SourceMalformed, Busy) as refused:
        return _page(request, seat, wrong=show(refused))
    return _page(request, seat, taken=taken)


@group.post("/corrections/{county}/{dataset}/{correction}")
def answer(
    seat: corrections.Answering,
    county: str,
    dataset: str,
    correction: str,
    outcome: Annotated[str, Form(max_length=16)],
    note: Annotated[str, Form(max_length=2000)],
) -> RedirectResponse:
    """The answer to what the agency is asked to put right."""
    corrections.answered(seat, county, dataset, correction, outcome, note)
    return done("/seat", "answered")


@group.get("/{link}")
def enter(request: Request, link: str, _seat: Annotated[Seat, Depends(permitted(Action.OPEN))]) -> Response:
    """Opens a link: the browser keeps it, and the address bar does not."""
    if gateway_of(request).api_keys.whose(link) is None:
        return refusal(request, 404, "链接无效", "这个链接无效，或已到期、撤销，请向县数据局另要一个")
    answer = RedirectResponse("/seat", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(SEAT, link, max_age=SECONDS, httponly=True, samesite="lax", secure=secure, path="/seat")
    return answer


def _page(request: Request, seat: Seat, *, taken: TakenBack | None = None, wrong: str = "") -> HTMLResponse:
    gateway = seat.gateway
    return page(
        request,
        "seat.html",
        422 if wrong else 200,
        standings=gateway.ledger.standings(seat.scope),
        causes=gateway.quarantine.causes(seat.scope),
        returned=gateway.quarantine.returned(seat.scope, 20),
        asked=[found.as_dict() for found in gateway.corrections.within(seat.scope)],
        Place=Place,
        taken=taken,
        wrong=wrong,
    )
