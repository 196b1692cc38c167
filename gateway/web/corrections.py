"""`/api/v1/counties/{county}/spot-checks…`, `/api/v1/accuracy`, `/api/v1/corrections…`: what is checked on the spot, how far the
data are right, and what agencies are asked to put right.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, UploadFile
from fastapi.responses import Response

from gateway.audit import Action
from gateway.errors import Usage
from gateway.reports.office import canonical_id
from gateway.spotcheck import Answer, Taken
from gateway.spotcheck.sheet import read_back, sheet
from gateway.web.common import Reader, Seat, permitted
from gateway.web.quarantine import XLSX

MAX_MB: Final = 32
EACH: Final = 20
"""Observations drawn of each feed, unless said."""

corrections = APIRouter(prefix="/api/v1")
Checking = Annotated[Seat, Depends(permitted(Action.SPOT_CHECK))]
Asked = Annotated[Seat, Depends(permitted(Action.READ_CORRECTIONS))]
Answering = Annotated[Seat, Depends(permitted(Action.ANSWER_CORRECTION))]
Each = Annotated[int, Query(ge=1, le=1000)]


@corrections.get("/accuracy")
def accuracy(seat: Reader) -> list[dict[str, Any]]:
    """How far the data are right, by county, agency, channel and field, with 95 % intervals."""
    return [found.as_dict() for found in seat.gateway.spot_checks.measured(seat.scope)]


@corrections.get("/counties/{county}/spot-checks")
def checks(seat: Checking, county: str) -> list[dict[str, Any]]:
    """The latest checks of a county: how many were drawn, how many answered."""
    return [check for check in seat.gateway.spot_checks.recent(seat.scope) if check["county"] == county]


@corrections.post("/counties/{county}/spot-checks")
def draw(seat: Checking, county: str, each: Each = EACH, seed: str = "") -> dict[str, Any]:
    """Draws a sample of every feed; by the day where no seed is given."""
    number = seat.gateway.spot_checks.draw(
        county, each=each, seed=seed or seat.gateway.clock.today().isoformat(), actor=str(seat.actor)
    )
    seat.record(Action.SPOT_CHECK, f"{county}/{number}", {"each": each})
    return {"check": number, "items": len(seat.gateway.spot_checks.sample(number))}


@corrections.get("/counties/{county}/spot-checks/{check}/sheet.xlsx")
def taken_along(seat: Checking, county: str, check: int) -> Response:
    """The sheet for the field team, in the clear."""
    sample = seat.gateway.spot_checks.sample(own(seat, county, check))
    seat.record(Action.SPOT_CHECK, f"{county}/{check}", {"sheet": len(sample)})
    return Response(
        sheet(check, sample), media_type=XLSX, headers={"Content-Disposition": 'attachment; filename="check.xlsx"'}
    )


@corrections.post("/counties/{county}/spot-checks/{check}/sheet")
def brought_back(seat: Checking, county: str, check: int, file: UploadFile) -> dict[str, Any]:
    """A filled-in sheet: what was wrong becomes a request to its agency."""
    body = file.file.read((MAX_MB << 20) + 1)
    if len(body) > MAX_MB << 20:
        raise Usage("文件超过 {limit} MB 上限，请拆分后分几次上传", limit=MAX_MB)
    return taken(seat, county, check, read_back(body)).as_dict()


@corrections.get("/corrections")
def asked(seat: Asked, state: str = "open") -> list[dict[str, Any]]:
    """What is to be put right, the most urgent first; values masked."""
    return [found.as_dict() for found in seat.gateway.corrections.within(seat.scope, state)]


@corrections.post("/corrections/{county}/{dataset}/{correction}/answer")
def answer(
    seat: Answering,
    county: str,
    dataset: str,
    correction: str,
    outcome: Annotated[str, Body(max_length=16)],
    note: Annotated[str, Body(max_length=2000)],
) -> dict[str, Any]:
    """The agency's written answer: `corrected` or `upheld`, and why."""
    return answered(seat, county, dataset, correction, outcome, note)


@corrections.post("/subjects/access")
def access(
    seat: Annotated[Seat, Depends(permitted(Action.SUBJECT_ACCESS))],
    id_no: Annotated[str, Body(max_length=32, embed=True)],
) -> dict[str, Any]:
    """What is held about a person, and who read it: for the person."""
    told = seat.gateway.access.about(canonical_id(id_no, seat.gateway.clock.today()))
    seat.record(Action.SUBJECT_ACCESS, "api", {name: len(found) for name, found in told.items()})
    return told


def own(seat: Seat, county: str, check: int) -> int:
    """The check, if it is this county's. Raises Usage."""
    if seat.gateway.spot_checks.county(check) != county:
        raise Usage("没有核查 {check}", check=check)
    return check


def taken(seat: Seat, county: str, check: int, answers: list[Answer]) -> Taken:
    """Answers entered, and so noted."""
    done = seat.gateway.spot_checks.take(own(seat, county, check), answers, str(seat.actor))
    seat.record(Action.SPOT_CHECK, f"{county}/{check}", {"answers": done.answers, "wrong": done.wrong})
    return done


def answered(seat: Seat, county: str, dataset: str, handle: str, outcome: str, note: str) -> dict[str, Any]:
    """A request of this duty answered, and so noted."""
    found = seat.gateway.corrections.get(handle)
    if (found.county, found.dataset) != (county, dataset):
        raise Usage("没有更正 {handle}", handle=handle)
    done = seat.gateway.corrections.answer(handle, outcome, note, str(seat.actor))
    seat.record(Action.ANSWER_CORRECTION, handle, {"outcome": outcome})
    return done.as_dict()
