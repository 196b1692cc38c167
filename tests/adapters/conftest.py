"""A scripted server on loopback and ports without a gateway behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adapters.kit import Allowance, Http, LocalBudget, Ports, Rotating, SourceDenied

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)


class MemorySecrets:
    """Secrets in a dict; counts renewals."""

    def __init__(self, fixed: dict[str, str] | None = None) -> None:
        self.fixed = fixed or {}
        self.kept: dict[str, Rotating] = {}
        self.renewals = 0
        self._lock = threading.RLock()

    def get(self, name: str) -> str:
        if name not in self.fixed:
            raise SourceDenied("AUTH_CONFIG", "没有配置密钥 {secret}", secret=name)
        return self.fixed[name]

    def rotating(self, name: str) -> Rotating | None:
        return self.kept.get(name)

    def store(self, name: str, secret: Rotating) -> None:
        self.kept[name] = secret
        self.renewals += 1

    @contextmanager
    def renewal(self, name: str) -> Iterator[None]:
        with self._lock:
            yield


def make_ports(http: Http | None = None, secrets: dict[str, str] | None = None, **changes: Any) -> Ports:
    ports = Ports(
        http=http or Http(),
        secrets=MemorySecrets(secrets),
        budget=LocalBudget(Allowance(), lambda: NOW),
        now=lambda: NOW,
        today=lambda: TODAY,
    )
    return replace(ports, **changes)


@dataclass
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Server:
    """Answers every call with `answer(call)`; `raw` instead writes to the socket itself."""

    url: str = ""
    answer: Callable[[Call], Reply] = lambda call: (200, {}, b"{}")
    raw: Callable[[Any], None] | None = None
    calls: list[Call] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            call = Call(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            state.calls.append(call)
            if state.raw is not None:
                self.close_connection = True
                state.raw(self.wfile)
                return
            status, headers, content = state.answer(call)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up early is what many of these tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as listener:
        state.url = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield state
        listener.shutdown()
        thread.join()


@pytest.fixture
def http() -> Iterator[Http]:
    client = Http(deadline=5, connect=2)
    yield client
    client.close()


@pytest.fixture
def ports(http: Http) -> Ports:
    return make_ports(http)


@pytest.fixture
def build_ports() -> Callable[..., Ports]:
    return make_ports
