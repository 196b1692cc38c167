"""How large what is sent may be: refused while it comes, before it lies on a disk. Each route still holds its own limit."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

from adapters.kit import UploadAdapter, registry
from gateway.config import Config

ANY_MB: Final = 64
"""What no other route exceeds."""
AROUND: Final = 64 << 10
"""Bytes of a form around its file."""
UPLOADS: Final = re.compile(r"/api/v1/feeds/([^/]+/[^/]+)/uploads/?")


class TooLarge(MultiPartException):
    """What comes is larger than `limit` MB. One of these, so that the parser of forms closes what it has written."""

    def __init__(self, limit: int) -> None:
        super().__init__("too large")
        self.limit = limit


def limit_of(path: str, config: Config) -> int:
    """MB that may be sent there: to a feed that is handed in, its own `max_mb`."""
    found = UPLOADS.fullmatch(path)
    feed = config.feeds.get(found[1]) if found else None
    adapter = registry.find(feed.source.adapter) if feed is not None else None
    if feed is None or adapter is None or not issubclass(adapter, UploadAdapter):
        return ANY_MB
    settings = adapter.Settings.model_validate(feed.source.settings)
    return int(getattr(settings, "max_mb", ANY_MB))


def bounded(receive: Receive, headers: Headers, limit: int) -> Receive:
    """The same request; reading more of its body than `limit` MB, or one that announces more, raises TooLarge."""
    most, came = (limit << 20) + AROUND, 0
    announced = headers.get("content-length", "")

    async def counted() -> Message:
        nonlocal came
        if announced.isdecimal() and int(announced) > most:
            raise TooLarge(limit)
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise TooLarge(limit)
        return message

    return counted
