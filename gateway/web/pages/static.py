"""Styles, scripts and pictures: all from here, none from another host."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from gateway.audit import Action
from gateway.errors import Usage
from gateway.web.common import permitted
from gateway.web.pages.frame import STATIC, YEAR_SECONDS

MEDIA: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

group = APIRouter()


@group.get("/static/{name}", dependencies=[Depends(permitted(Action.OPEN))])
def static(name: str) -> Response:
    """A file of the dashboard. Its address names its content, so it may be kept for good."""
    media = MEDIA.get(name.rpartition(".")[2])
    file = STATIC.joinpath(name)
    if media is None or not file.is_file():
        raise Usage("没有文件 {name}", name=name)
    kept = {"Cache-Control": f"public, max-age={YEAR_SECONDS}, immutable"}
    return Response(file.read_bytes(), media_type=f"{media}; charset=utf-8", headers=kept)
