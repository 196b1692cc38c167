"""Accounts, batches, members."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from gateway.audit import Action
from gateway.board import account_view, account_views, batch_lines, batch_view, member_lines, sink_lines
from gateway.web import steps
from gateway.web.common import Reader, Seat, permitted

group = APIRouter(prefix="/api/v1")


@group.get("/accounts")
def accounts(seat: Reader) -> list[dict[str, Any]]:
    """Every account: its allowance, what is used of it, whether it was stopped. Secrets by name and place only."""
    gateway = seat.gateway
    return [view.as_dict() for view in account_views(gateway.store, gateway.clock, gateway.config, seat.scope)]


@group.get("/accounts/{account}")
def account(seat: Reader, account: str) -> dict[str, Any]:
    """One account."""
    gateway = seat.gateway
    return account_view(gateway.store, gateway.clock, gateway.config, seat.scope, account).as_dict()


@group.post("/accounts/{account}/resume", status_code=204)
def resume(seat: Annotated[Seat, Depends(permitted(Action.RESUME_ACCOUNT))], account: str) -> None:
    """A person has acted: a stopped account is asked again."""
    steps.resume_account(seat, account)


@group.get("/sinks")
def sinks(seat: Reader) -> list[dict[str, Any]]:
    """Every chain as the store knows it: what it lacks, and since when."""
    return [sink.as_dict() for sink in sink_lines(seat.gateway.store, seat.gateway.config, seat.scope)]


@group.get("/batches")
def batches(seat: Reader, before: int = 0, feed: str = "") -> list[dict[str, Any]]:
    """The newest batches, fifty at a time; `before`: those older than this one."""
    return [line.as_dict() for line in batch_lines(seat.gateway.store, seat.scope, before=before, feed=feed)]


@group.get("/batches/{batch}")
def one_batch(seat: Reader, batch: int) -> dict[str, Any]:
    """One batch with its manifest and receipts."""
    return batch_view(seat.gateway.store, seat.scope, batch).as_dict()


@group.get("/members")
def members(seat: Reader) -> list[dict[str, Any]]:
    """The institutions of the consortium and what each may open."""
    return [line.as_dict() for line in member_lines(seat.gateway.config, seat.scope, seat.gateway.settings.data)]


@group.post("/chain/verify")
def verify(seat: Annotated[Seat, Depends(permitted(Action.VERIFY))]) -> dict[str, int]:
    """Checks every sink from its first block on, and the audit log; the number of blocks by sink."""
    return steps.verify(seat)
