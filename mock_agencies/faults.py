"""Switchable faults: what a client meets instead of, or inside, an agency's answer (mock_agencies/README.md)."""

import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import repeat
from typing import Final

from mock_agencies.server import JSON, XML, Agency, Interceptor, Request, Response

SLOW_SECONDS: Final = 2.0
STALL_SECONDS: Final = 60.0
HUGE_BYTES: Final = 100_000_000
BOMB_BYTES: Final = 200_000_000

TWISTS: Final = frozenset({"repeat", "capped", "shift", "partial", "dictionary"})
"""Faults of the rows themselves, which the agency works into its page."""
INSTEAD: Final[dict[str, Callable[[Agency], Response]]] = {}
"""Faults that stand in an answer's place."""
NAMES: Final = (
    *("slow", "stall", "truncated", "dtd"),
    *("500", "503", "auth500", "login", "entities", "huge", "bomb"),
    *sorted(TWISTS),
)

_AUTH: Final = "鉴权失败，鉴权信息有误。"
_LOGIN: Final = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>统一身份认证</title></head>
<body><form action="/login" method="post"><input name="username"><input name="password" type="password"></form></body></html>
"""
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>'
_DTD: Final = b'<!DOCTYPE data SYSTEM "http://127.0.0.1:9/data.dtd">'


def soap_fault(text: str, code: str = "soap:Server") -> Response:
    body = (
        f'{_DECLARATION.decode()}<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        f"<soap:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></soap:Fault></soap:Body></soap:Envelope>"
    )
    return Response(body.encode(), 500, XML)


def _instead(name: str) -> Callable[[Callable[[Agency], Response]], Callable[[Agency], Response]]:
    def register(make: Callable[[Agency], Response]) -> Callable[[Agency], Response]:
        INSTEAD[name] = make
        return make

    return register


@_instead("500")
def _broken(_: Agency) -> Response:
    return Response(b"Internal Server Error", 500, "text/plain")


@_instead("503")
def _unavailable(_: Agency) -> Response:
    return Response(b"Service Unavailable", 503, "text/plain", {"Retry-After": "7"})


@_instead("auth500")
def _denied(agency: Agency) -> Response:
    return soap_fault(_AUTH) if agency.xml else Response(f'{{"code":400001,"msg":"{_AUTH}"}}'.encode(), 500)


@_instead("login")
def _login(_: Agency) -> Response:
    return Response(_LOGIN.encode(), media="text/html;charset=UTF-8")


@_instead("entities")
def _entities(_: Agency) -> Response:
    """Billion laughs."""
    levels = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    return Response(_DECLARATION + f'<!DOCTYPE data [<!ENTITY l0 "哈">{levels}]><data>&l9;</data>'.encode(), media=XML)


@_instead("huge")
def _huge(agency: Agency) -> Response:
    chunk = b"a" * 100_000
    head = b"<data>" if agency.xml else b'{"code":"0","data":"'
    return Response(
        head,
        media=XML if agency.xml else JSON,
        chunks=repeat(chunk, HUGE_BYTES // len(chunk)),
        length=len(head) + HUGE_BYTES,
    )


def _zeros() -> Iterator[bytes]:
    yield from repeat(bytes(1_000_000), BOMB_BYTES // 1_000_000)


@cache
def _bomb_body() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(zeros) for zeros in _zeros()) + packer.flush()


@_instead("bomb")
def _bomb(agency: Agency) -> Response:
    return Response(_bomb_body(), media=XML if agency.xml else JSON, headers={"Content-Encoding": "gzip"})


@dataclass
class Fault:
    """One standing order. `times` counts down; 0 stands until cleared."""

    agency: str
    name: str
    times: int
    match: str


class Faults(Interceptor):
    """The standing orders of all agencies, oldest first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._guard:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._guard:
            self._faults.clear()

    def _take(self, agency: Agency, request: Request) -> str | None:
        with self._guard:
            for fault in self._faults:
                if fault.agency == agency.name and (
                    fault.match in request.path or fault.match in agency.service(request)
                ):
                    if fault.times == 1:
                        self._faults.remove(fault)
                    elif fault.times:
                        fault.times -= 1
                    return fault.name
        return None

    def intercept(self, agency: Agency, request: Request, closing: threading.Event) -> Response | None:
        fault = self._take(agency, request)
        if fault in INSTEAD:
            return INSTEAD[fault](agency)
        if fault == "stall":
            closing.wait(STALL_SECONDS)
            return None
        if fault == "slow":
            closing.wait(SLOW_SECONDS)
        response = agency.answer(request, fault if fault in TWISTS else None)
        if fault == "truncated":
            return replace(response, body=response.body[: len(response.body) // 2])
        if fault == "dtd":
            body = response.body.removeprefix(_DECLARATION) if agency.xml else b"<data/>"
            return replace(response, body=_DECLARATION + _DTD + body, media=XML)
        return response
