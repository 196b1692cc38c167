"""What the servers share: HTTP/1.1 with keep-alive, a log of calls, faults around and inside every answer."""

import socket
import ssl
import sys
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

JSON: Final = "application/json;charset=UTF-8"
XML: Final = "text/xml; charset=utf-8"
CALLS_KEPT: Final = 1000
_CAPPED: Final = 50

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """One request, its body read."""

    method: str
    target: str
    headers: "Message[str, str]"
    body: bytes
    client: str = ""
    """The caller's address."""
    certified: bool = False
    """Whether the caller showed a certificate that we trust."""

    @cached_property
    def path(self) -> str:
        return urlsplit(self.target).path

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


@dataclass
class Response:
    """One answer. `chunks` with a stated `length` is a body that is never built."""

    body: bytes = b""
    status: int = 200
    media: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] = ()
    length: int | None = None


@dataclass(frozen=True)
class Cut:
    """A page: the rows of a slice from some position on, what the source claims the slice to hold, rows it dropped."""

    rows: Sequence[Any]
    total: int
    errors: int = 0


class Agency(ABC):
    """One server's side of the protocol."""

    name: ClassVar[str]
    xml: ClassVar[bool] = False
    """Whether answers are SOAP."""

    def __init__(self) -> None:
        self.calls: deque[dict[str, str]] = deque(maxlen=CALLS_KEPT)
        self._shifts: dict[str, int] = {}

    @abstractmethod
    def service(self, request: Request) -> str:
        """What is asked for: a service id, a SOAP operation, else the path."""

    @abstractmethod
    def answer(self, request: Request, twist: str | None) -> Response:
        """The answer; `twist` is a fault of the rows themselves, for `cut`."""

    def log(self, request: Request) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.calls.append({"path": request.path, "service": self.service(request), "at": at})

    def cut(self, rows: Sequence[T], start: int, size: int, twist: str | None, walk: str) -> Cut:
        """The page of `size` rows from `start`, spoilt by `twist`; `walk` names what is paged through."""
        total = len(rows)
        if twist == "repeat":
            start = max(0, start - size)
        elif twist == "shift":
            # As if a row were written in front before each call: everything moves back by one.
            self._shifts[walk] = self._shifts.get(walk, -1) + 1 if start else 0
            total += self._shifts[walk]
            start -= start // size
        page = rows[start : start + size]
        if twist == "partial" and page:
            middle = len(page) // 2
            return Cut([*page[:middle], *page[middle + 1 :]], total, 1)
        return Cut(page, total)


def mounted(path: str, counties: Container[str], usual: str) -> tuple[str, str]:
    """The county that a path begins with, if it does, and the path behind it; a vendor serves several from one address."""
    first, _, rest = path.removeprefix("/").partition("/")
    return (first, f"/{rest}") if first in counties else (usual, path)


def capped(size: int, cap: int, twist: str | None) -> int:
    """The page size really served: silently no more than the cap."""
    return max(1, min(size, _CAPPED if twist == "capped" else cap))


class Interceptor(ABC):
    """What stands between a request and its agency."""

    @abstractmethod
    def intercept(self, agency: Agency, request: Request, closing: threading.Event) -> Response | None:
        """The answer, or None to hang up without one."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    server: "Host"

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        certified = isinstance(self.connection, ssl.SSLSocket) and bool(self.connection.getpeercert())
        body = self.rfile.read(size)
        request = Request(self.command, self.path, self.headers, body, self.client_address[0], certified)
        self.server.agency.log(request)
        response = self.server.interceptor.intercept(self.server.agency, request, self.server.closing)
        if response is None:
            self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.media)
        self.send_header("Content-Length", str(len(response.body) if response.length is None else response.length))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)
        for chunk in response.chunks:
            self.wfile.write(chunk)
        self.wfile.flush()

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 # the names are http.server's

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            # The client is gone with an answer still in the buffer: give the rest up, but let go of the files.
            self.rfile.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the name is http.server's
        """Says nothing: the log of calls is for asking."""


class Host(ThreadingHTTPServer):
    """One agency on one loopback port."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, agency: Agency, interceptor: Interceptor, port: int) -> None:
        self.agency, self.interceptor = agency, interceptor
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name=agency.name)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection and waits for its thread."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error; anything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
