"""How what was refused leaves: in words for who reads pages, problem+json for programs (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from adapters.kit import SourceMalformed
from gateway.app.drafts import told
from gateway.audit import NotAllowed
from gateway.chain import ChainError
from gateway.config import Problem
from gateway.errors import Busy, ConfigInvalid, Unreconciled, Usage
from gateway.i18n import _, show
from gateway.inbox import InboxFull
from gateway.people import FirstThings, NoEntry, NotSignedIn
from gateway.web.bounds import TooLarge
from gateway.web.common import gateway_of
from gateway.web.guard import signed_out
from gateway.web.pages.frame import refusal
from gateway.web.session import Forged, who_of


def _signed_out(request: Request, _error: Exception) -> Response:
    return signed_out(request.headers, urlencode({"back": request.url.path}) if request.method == "GET" else "")


def _first_things(request: Request, error: Exception) -> Response:
    if "text/html" in request.headers.get("accept", "") and request.method == "GET":
        return RedirectResponse("/account", 303)
    return refusal(request, 403, "先做一件事", show(error))


def _refused(request: Request, error: Exception) -> Response:
    """The audit log has it: by whom and what, not about whom."""
    action = getattr(request.state, "action", None)
    if action is not None:
        gateway_of(request).audit.record(who_of(request).actor, action, "", {"refused": "NOT_ALLOWED"})
    return refusal(request, 403, "没有权限", show(error))


def _forged(request: Request, error: Exception) -> Response:
    return refusal(request, 403, "没有权限", show(error))


def _no_entry(request: Request, error: Exception) -> Response:
    return refusal(request, 401, "没有登录", show(error))


def _unusable(request: Request, error: Exception) -> Response:
    """Asked for what is not there, or handed in what cannot be used."""
    return refusal(request, 404 if request.method == "GET" else 422, "不能处理", show(error))


def _malformed(request: Request, error: Exception) -> Response:
    """Names the places that are wrong, and never repeats what stood there: it may be a password, or a person's."""
    assert isinstance(error, RequestValidationError)
    places = "、".join(sorted({".".join(str(part) for part in fault["loc"]) for fault in error.errors()}))
    return refusal(request, 422, "不能处理", _("这些参数缺少或不合规：{places}").format(places=places))


def _too_large(request: Request, error: Exception) -> Response:
    assert isinstance(error, TooLarge)
    told = _("文件超过 {limit} MB 上限，请拆分后分几次上传").format(limit=error.limit)
    return refusal(request, 413, "文件太大", told)


def _absent(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = error.__cause__ or error.__context__
    if isinstance(reason, TooLarge):
        return _too_large(request, reason)
    answer = refusal(request, error.status_code, "不能处理", _("没有这个地址，或不能这样访问"))
    answer.headers.update(error.headers or {})
    return answer


def _invalid(_request: Request, error: Exception) -> Response:
    """The faults of the drafts, each with its place."""
    assert isinstance(error, ConfigInvalid)
    problems = [told(problem) for problem in error.problems if isinstance(problem, Problem)]
    body = {"type": "about:blank", "title": _("配置有误"), "status": 422, "detail": show(error), "problems": problems}
    return JSONResponse(body, 422, media_type="application/problem+json")


def _busy(request: Request, error: Exception) -> Response:
    return refusal(request, 409, "正忙", show(error))


def _later(request: Request, error: Exception) -> Response:
    return refusal(request, 503, "稍后再试", show(error))


REFUSALS: Final[Mapping[type[Exception], Any]] = {
    NotSignedIn: _signed_out,
    FirstThings: _first_things,
    NotAllowed: _refused,
    NoEntry: _no_entry,
    Forged: _forged,
    Usage: _unusable,
    SourceMalformed: _unusable,
    RequestValidationError: _malformed,
    TooLarge: _too_large,
    HTTPException: _absent,
    InboxFull: _later,
    Busy: _busy,
    ConfigInvalid: _invalid,
    ChainError: _unusable,
    Unreconciled: _unusable,
}
"""The most particular class of an error decides."""
