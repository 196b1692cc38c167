"""`/api/v1/quarantine/…`: rejected items by cause and one by one, their spreadsheets, and what a person decides."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends, Query, UploadFile
from fastapi.responses import Response

from gateway.audit import Action
from gateway.errors import Usage
from gateway.quarantine import column_kinds, cures
from gateway.replay import replay as replay_items
from gateway.web.common import Seat, permitted

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAX_MB: Final = 32
"""Of a workbook that comes back."""

quarantine = APIRouter(prefix="/api/v1/quarantine")
Lister = Annotated[Seat, Depends(permitted(Action.QUARANTINE_LIST))]
Repairer = Annotated[Seat, Depends(permitted(Action.QUARANTINE_REPAIR))]
Text = Annotated[str, Body(embed=True)]


@quarantine.get("/causes")
def causes(seat: Lister, feed: str = "") -> list[dict[str, Any]]:
    """Unsettled items by feed, reason and field, most frequent first."""
    return [asdict(cause) for cause in seat.gateway.quarantine.causes(seat.scope, feed)]


@quarantine.get("/agencies")
def agencies(seat: Lister) -> list[dict[str, Any]]:
    """By county and agency: open, returned, oldest, cured, and the median time to cure in days."""
    return [cure.as_dict() for cure in cures(seat.gateway.store, seat.gateway.config, seat.scope)]


@quarantine.get("/returned")
def returned(seat: Lister, count: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[dict[str, Any]]:
    """What went back to agencies, with the text of each notice."""
    return [asdict(told) for told in seat.gateway.quarantine.returned(seat.scope, count)]


@quarantine.get("/export")
def export(
    seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_EXPORT))],
    feed: str = "",
    county: str = "",
    agency: str = "",
    reason: str = "",
    *,
    full: bool = False,
) -> Response:
    """The spreadsheet for an agency, masked; with `full`, for who may unmask, as it was sent."""
    asked = {"feed": feed, "county": county, "agency": agency, "reason": reason}
    body = seat.gateway.repairs.export(seat.actor, seat.scope, full=full, **asked)
    return Response(body, media_type=XLSX, headers={"Content-Disposition": 'attachment; filename="quarantine.xlsx"'})


@quarantine.post("/corrections")
def corrections(seat: Repairer, file: UploadFile, *, dry_run: bool = False) -> dict[str, Any]:
    """Takes a corrected spreadsheet back: what was accepted, and a sentence for every row that was not."""
    body = file.file.read((MAX_MB << 20) + 1)
    if len(body) > MAX_MB << 20:
        raise Usage("文件超过 {limit} MB 上限，请拆分后分几次上传", limit=MAX_MB)
    return seat.gateway.repairs.take_back(seat.actor, seat.scope, body, dry_run=dry_run).as_dict()


@quarantine.post("/return/{county}/{feed}")
def give_back(
    county: str,
    feed: str,
    seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_RETURN))],
    note: Text,
    handles: Annotated[list[str], Body()],
) -> dict[str, Any]:
    """Returns items to their agency; answers the notice."""
    name = f"{county}/{feed}"
    gateway = seat.gateway
    told = gateway.quarantine.give_back(gateway.repairs.terms(name), handles, note, str(seat.actor))
    seat.record(Action.QUARANTINE_RETURN, name, {"rows": told.items, "notice": told.id})
    return asdict(told)


@quarantine.post("/replay/{county}/{feed}")
def replay(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_REPLAY))]
) -> dict[str, Any]:
    """Translates the feed's items again under the present mapping; no agency is asked."""
    gateway = seat.gateway
    work = gateway.prepare(f"{county}/{feed}")
    done = asdict(replay_items(work, gateway.store, gateway.vault, gateway.clock, gateway.leases, str(seat.actor)))
    seat.record(Action.QUARANTINE_REPLAY, work.name, done)
    return done


@quarantine.get("")
def items(
    seat: Lister, feed: str = "", state: str = "open", count: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> list[dict[str, Any]]:
    """Items in one state, without their values."""
    return [asdict(item) for item in seat.gateway.quarantine.items(seat.scope, feed, state, count)]


@quarantine.get("/{handle}")
def show(handle: str, seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_SHOW))]) -> dict[str, Any]:
    """One item, its values masked, with its history."""
    gateway = seat.gateway
    feed = gateway.quarantine.feed_of(handle)
    kinds = {}
    if feed in gateway.config.feeds:
        work = gateway.prepare(feed)
        work.adapter.close()
        kinds = column_kinds(work.translator)
    return asdict(gateway.quarantine.show(handle, kinds))


@quarantine.post("/{handle}/repair")
def repair(
    handle: str,
    seat: Repairer,
    columns: Annotated[dict[str, str], Body()],
    note: Annotated[str | None, Body()] = None,
) -> dict[str, Any]:
    """Puts one item right in place: column -> value. What was, what is and who said so stays."""
    return asdict(seat.gateway.repairs.put_right(seat.actor, handle, columns, note))


@quarantine.post("/{handle}/discard")
def discard(
    handle: str, seat: Annotated[Seat, Depends(permitted(Action.QUARANTINE_DISCARD))], reason: Text
) -> dict[str, str]:
    """Closes an item for good, with its reason."""
    seat.gateway.quarantine.discard(handle, reason, str(seat.actor))
    seat.record(Action.QUARANTINE_DISCARD, handle)
    return {"handle": handle, "state": "discarded"}
