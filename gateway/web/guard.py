"""What stands before every route: who asks, how often and how much they may, and the headers that every answer carries."""

from __future__ import annotations

import time
from typing import Final

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.app import Gateway
from gateway.i18n import _
from gateway.web.bounds import bounded, limit_of
from gateway.web.common import problem
from gateway.web.session import BACKGROUND, FORM, SAFE, Who, cookies_of, recognise

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Everything from here, nothing inline (Content-Security-Policy)."""
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS: Final = "max-age=31536000"
LOG_IN: Final = "/login"
DOOR: Final = "/push/"
OPEN: Final = (DOOR, LOG_IN)
"""Where something may be sent by who has not signed in; each judges for itself."""
LIMITS: Final = {"login": 10, "key": 30, "anybody": 300, "known": 1200}
"""Requests a minute: log-ins and wrong keys by address, the rest by address or by who asks. The push door has its own."""
MINUTE: Final = 60


class Meter:
    """Counts by minute, in this process: there is one web process."""

    def __init__(self) -> None:
        self._minute, self._counts = 0, dict[tuple[str, str], int]()

    def over(self, kind: str, who: str) -> bool:
        """Counts one more; whether it is one too many."""
        minute = int(time.monotonic()) // MINUTE
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        count = self._counts[kind, who] = self._counts.get((kind, who), 0) + 1
        return count > LIMITS[kind]


class Guard:
    """The ASGI middleware. Afterwards `request.state.who` says who asks, and may still say: nobody."""

    def __init__(self, app: ASGIApp, gateway: Gateway) -> None:
        self._app, self._gateway, self._meter = app, gateway, Meter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        cookies = cookies_of(request.headers.get("cookie", ""))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._clothe(request, cookies, MutableHeaders(scope=message))
            await send(message)

        refused = await self._refuse(request, cookies)
        path = request.url.path
        if refused is None and request.method not in SAFE and not path.startswith(DOOR):
            receive = bounded(receive, request.headers, limit_of(path, self._gateway.config))
        await (refused or self._app)(scope, receive, guarded)

    async def _refuse(self, request: Request, cookies: dict[str, str]) -> Response | None:
        """Finds out who asks; an answer only where nothing of the request needs to be read."""
        address, path = request.client.host if request.client else "", request.url.path
        headers, changes = request.headers, request.method not in SAFE
        who = await run_in_threadpool(
            recognise, self._gateway, headers.get("authorization", ""), cookies, used=BACKGROUND not in headers
        )
        request.state.who = who or Who()
        if who is None:
            told = _("接口密钥无效，或已撤销、过期")
            return _often() if self._meter.over("key", address) else _unknown(told)
        if path.startswith(DOOR):
            return None
        kind = "known" if who.actor.kind != "anybody" else "anybody"
        if self._meter.over(kind, str(who.actor) if kind == "known" else address):
            return _often()
        if changes and path == LOG_IN and self._meter.over("login", address):
            return _often()
        if changes and kind == "anybody" and not path.startswith(OPEN):
            return signed_out(headers)
        return None

    def _clothe(self, request: Request, cookies: dict[str, str], headers: MutableHeaders) -> None:
        secure = request.url.scheme == "https"
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if secure:
            headers.setdefault("Strict-Transport-Security", HSTS)
        who: Who = request.state.who
        if (
            getattr(request.state, "form_shown", False)
            and not (who.session or who.link)
            and cookies.get(FORM) != who.form
        ):
            made = Response()
            made.set_cookie(FORM, who.form, httponly=True, samesite="strict", secure=secure, path="/")
            headers.append("Set-Cookie", made.headers["Set-Cookie"])


def signed_out(headers: Headers, back: str = "") -> Response:
    """To the log-in page for who reads pages, a problem for programs."""
    address = f"{LOG_IN}?{back}" if back else LOG_IN
    if "hx-request" in headers:
        return Response(status_code=401, headers={"HX-Redirect": LOG_IN})
    if "text/html" in headers.get("accept", ""):
        return RedirectResponse(address, 303)
    return _unknown(_("请先登录，或带上接口密钥"))


def _unknown(sentence: str) -> Response:
    return problem(401, _("没有登录"), sentence, {"WWW-Authenticate": "Bearer"})


def _often() -> Response:
    return problem(429, _("太频繁"), _("请求太频繁，请一分钟后再试"), {"Retry-After": str(MINUTE)})
