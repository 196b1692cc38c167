"""`POST /api/v1/discover`: what the verb does, with uploaded files."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, UploadFile

from gateway.audit import Action
from gateway.discover import MAX_MB, propose, write
from gateway.web.common import Seat, permitted

discover = APIRouter(prefix="/api/v1")


@discover.post("/discover")
def proposed(
    seat: Annotated[Seat, Depends(permitted(Action.DISCOVER))],
    files: list[UploadFile],
    dataset: Annotated[str, Query()] = "",
    county: Annotated[str, Query()] = "",
    account: Annotated[str, Query()] = "",
) -> dict[str, Any]:
    """A stanza proposed from interface documents and pasted answers, what is unsure and why. Nothing is kept."""
    proposal = propose([file.file.read((MAX_MB << 20) + 1) for file in files], dataset)
    seat.record(Action.DISCOVER, proposal.dataset, {"documents": len(files)})
    return {**proposal.as_dict(), "stanza": write(proposal, "", account, county)}
