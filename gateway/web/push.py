"""The door for what platforms push (china-facts §1.6): acknowledged only after it is committed.

{"code":"0"}                      taken, or taken before
{"code":"-1"}, 503, Retry-After   come again: the inbox is full, or our store does not answer
{"code":"<CODE>"}, 4xx            not what was agreed; counted, and nothing of it is kept
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from adapters.kit import PushAdapter, SourceDenied, SourceError
from gateway.app import Gateway
from gateway.audit import Action
from gateway.config import Feed
from gateway.inbox import FULL, InboxFull, Parcel
from gateway.web.common import Seat, permitted

log = structlog.get_logger(__name__)

BODY_SECONDS: Final = 30.0
RETRY_SECONDS: Final = "30"

door = APIRouter(prefix="/push/v1")


@door.post("/{county}/{feed}")
async def push(
    request: Request, county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.PUSH))]
) -> JSONResponse:
    """One notification of one feed; see the module for the answers."""
    gateway = seat.gateway
    found = gateway.config.feeds.get(f"{county}/{feed}")
    adapter = await run_in_threadpool(_adapter, gateway, found)
    if found is None or adapter is None:
        return _answer(404, "FEED_UNKNOWN", "没有这个推送地址，请核对")
    limit = int(adapter.settings.max_mb * (1 << 20))
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _body(request, limit)
    except TimeoutError:
        return _answer(408, "BODY_SLOW", "报文没有在规定时间内传完")
    try:
        return await run_in_threadpool(_take, gateway, found, adapter, body)
    except gateway.store.failures as error:
        log.error("push_store_failed", feed=found.name, error=type(error).__name__)  # noqa: TRY400 # its text may hold values
        return _later("网关暂时不能接收，请稍后重推")


def _adapter(gateway: Gateway, feed: Feed | None) -> PushAdapter | None:
    """The adapter that knows this sender, if the feed is pushed at all."""
    adapter = gateway.adapter(feed) if feed is not None else None
    return adapter if isinstance(adapter, PushAdapter) else None


async def _body(request: Request, limit: int) -> bytes | None:
    """The whole body; None if it is larger than it may be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _take(gateway: Gateway, feed: Feed, adapter: PushAdapter, body: bytes | None) -> JSONResponse:
    now = gateway.clock.real()
    with gateway.store.read() as tx:
        row = tx.one("feed_by_name", name=feed.name)
    if body is None:
        gateway.inboxes.refused(row, "TOO_LARGE", now)
        return _answer(413, "TOO_LARGE", f"一次推送不能超过 {adapter.settings.max_mb} MB，请拆分")
    settings = adapter.settings
    try:
        notice = adapter.accept(feed.dataset, body)
        gateway.inboxes.put(
            row,
            Parcel.of(notice, body),
            now,
            max_rows=settings.inbox_rows,
            max_bytes=settings.inbox_mb << 20,
            runs=not feed.model.paused and row is not None and row.paused_at is None,
        )
    except InboxFull as full:
        gateway.inboxes.refused(row, FULL, now)
        return _later(str(full))
    except SourceError as refused:
        gateway.inboxes.refused(row, refused.code, now)
        if refused.code == "AUTH_CONFIG":
            log.error("push_secret_missing", feed=feed.name)  # noqa: TRY400 # the answer says the rest
            return _later("网关没有配置推送密钥，请稍后重推")
        return _answer(401 if isinstance(refused, SourceDenied) else 400, refused.code, str(refused))
    return _answer(200, "0", "成功")


def _later(sentence: str) -> JSONResponse:
    return _answer(503, "-1", sentence, {"Retry-After": RETRY_SECONDS})


def _answer(status: int, code: str, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """As platforms write their answers (china-facts §1.2)."""
    told: dict[str, Any] = {"code": code, "msg": sentence}
    return JSONResponse(told, status, headers)
