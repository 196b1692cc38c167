"""One HTTP call with a floor under it: bounded time, bounded memory, and a failure named by what to do next.

The kit never retries (DESIGN §4) and never trusts a status alone (china-facts §6): 200 may be a log-in page, 500 may
say "signature wrong". An answer is read as it comes; what is refused is refused before it is held.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from tempfile import NamedTemporaryFile
from typing import Any, Final
from urllib.parse import urlencode

import httpcore
import httpx

from adapters.kit.errors import SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.signed import UNSIGNED, Certificate, Signed
from adapters.kit.verdicts import EVIDENCE_BYTES, refusal, verdict

MAX_BYTES: Final = 32 << 20
DEADLINE: Final = 60.0
CONNECT: Final = 10.0
REDIRECTS: Final = 3

SIGNED_PARAMS: Final = "signed_params"
"""Extension of a request that names the query parameters of its signature, so that nobody keeps them."""

_UNSENDABLE: Final = re.compile(r"[^\x20-\x7e]")
_CERTIFICATE_ALERT: Final = re.compile(r"ALERT_(?:\w*CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
_DIGEST: Final = re.compile(r"(?:^|,)\s*Digest\s", re.IGNORECASE)
_HTML: Final = (b"<!doctype html", b"<html")
_UNREACHABLE: Final = "{label}：连接失败或超时，请检查网络、地址与对方服务"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, inflated. `media` is the content type as sent; header names are lower-case."""

    status: int
    media: str
    body: bytes
    headers: Mapping[str, str]


class _Clock(threading.local):
    """When the call this thread is making must be over (monotonic seconds)."""

    deadline: float = float("inf")

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late("deadline")
        return left if timeout is None else min(left, timeout)


class _ClockedStream(httpcore.NetworkStream):
    """httpx times out per read; a source that drips one byte a minute would hold us for ever."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        return _ClockedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _ClockedBackend(httpcore.SyncBackend):
    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        return _ClockedStream(super().connect_tcp(host, port, left, local_address, socket_options), self._clock)


class _ClockedTransport(httpx.HTTPTransport):
    def __init__(self, clock: _Clock, context: ssl.SSLContext) -> None:
        super().__init__(verify=context)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=64,
            max_keepalive_connections=32,
            keepalive_expiry=30.0,
            network_backend=_ClockedBackend(clock),
        )


class Http:
    """One client for all sources of a process; thread-safe. Credentials and values never enter a message: `label` does."""

    def __init__(
        self,
        *,
        max_bytes: int = MAX_BYTES,
        deadline: float = DEADLINE,
        connect: float = CONNECT,
        transport: httpx.BaseTransport | None = None,
        around: Callable[[httpx.BaseTransport], httpx.BaseTransport] = lambda transport: transport,
    ) -> None:
        """One that listens to every call stands `around` what would make it, certificate and all."""
        self._max_bytes, self._deadline, self._connect, self._transport = max_bytes, deadline, connect, transport
        self._around = around
        self._clock = _Clock()
        self._guard = threading.Lock()
        self._clients: dict[Certificate | None, httpx.Client] = {}
        self._certificate: Certificate | None = None

    def close(self) -> None:
        """Lets go of every connection."""
        with self._guard:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def with_client_cert(self, certificate: Certificate) -> Http:
        """This client, showing a certificate to every server; connections stay warm and are closed with this one's."""
        other = copy(self)
        other._certificate = certificate  # noqa: SLF001 # a copy of ourselves
        return other

    def _client(self, certificate: Certificate | None) -> httpx.Client:
        with self._guard:
            if certificate not in self._clients:
                self._clients[certificate] = httpx.Client(
                    transport=self._around(self._transport or _ClockedTransport(self._clock, tls_context(certificate))),
                    timeout=httpx.Timeout(self._deadline, connect=self._connect),
                    trust_env=False,
                    headers={"Accept-Encoding": "identity", "User-Agent": "shuqiao"},
                )
            return self._clients[certificate]

    def request(
        self,
        method: str,
        url: str,
        *,
        label: str,
        signed: Signed = UNSIGNED,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        form: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        deadline: float | None = None,
        max_bytes: int | None = None,
        faults: Collection[int] = (),
    ) -> Response:
        """The answer, whole. A status in `faults` is handed back for the caller to read (a SOAP fault comes with 500).

        Raises:
            SourceUnavailable: NETWORK; THROTTLED; SOURCE_5XX.
            SourceDenied: AUTH_CONFIG (a credential that cannot be sent, too), AUTH_EXPIRED with its `challenge`.
            SourceMalformed: TOO_LARGE, TRUNCATED, DECODE, LOGIN_PAGE, REDIRECT, HTTP_4XX.
        """
        client = self._client(signed.certificate or self._certificate)
        with self._bounded(deadline or self._deadline, label):
            request = client.build_request(
                method, url, headers=headers, params=params or None, json=json, data=form, content=content
            )
            _add(signed, request, label)
            answer = self._exchange(client, request, signed, max_bytes or self._max_bytes, label)
        if answer.status not in faults:
            _classify(answer, label)
        return answer

    @contextmanager
    def _bounded(self, seconds: float, label: str) -> Iterator[None]:
        self._clock.deadline = time.monotonic() + seconds
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL, httpcore.TimeoutException) as error:
            if _refuses_certificate(error):
                sentence = "{label}：对方没有认可本机的客户端证书，请核对证书是否有效、是否已登记"
                raise SourceDenied("AUTH_CONFIG", sentence, label=label) from error
            raise SourceUnavailable("NETWORK", _UNREACHABLE, label=label) from error
        finally:
            self._clock.deadline = float("inf")

    def _exchange(self, client: httpx.Client, request: httpx.Request, signed: Signed, cap: int, label: str) -> Response:
        for _ in range(REDIRECTS + 1):
            if signed.authorize is not None:
                answer = signed.authorize(request.method, request.url.raw_path.decode())
                request.headers["Authorization"] = _sendable(answer, label)
            response = client.send(request, stream=True)
            try:
                if not response.has_redirect_location:
                    body = _read(response, cap, label)
                    media = response.headers.get("content-type", "")
                    return Response(response.status_code, media, body, response.headers)
                target = request.url.join(response.headers["location"])
            finally:
                response.close()
            if request.method != "GET" or not _same_origin(target, request.url):
                break
            request = client.build_request("GET", target, headers=request.headers)
        raise SourceMalformed("REDIRECT", "{label}：对方要求转到别的地址，可能需要重新登录或地址有误", label=label)


def tls_context(certificate: Certificate | None = None) -> ssl.SSLContext:
    """Trusts the public authorities (or those of SSL_CERT_FILE in the environment), and the one the certificate names.

    Raises:
        SourceDenied: AUTH_CONFIG, the texts are no certificate and its key.
    """
    context = httpx.create_ssl_context(trust_env=True)
    if certificate is None:
        return context
    try:
        if certificate.authority:
            context.load_verify_locations(cadata=certificate.authority)
        with NamedTemporaryFile("w", suffix=".pem") as file:  # OpenSSL reads no other way; only we may read it
            file.write(f"{certificate.chain}\n{certificate.key}\n")
            file.flush()
            context.load_cert_chain(file.name, password=str)
    except (OSError, ValueError) as error:
        raise SourceDenied(
            "AUTH_CONFIG", "客户端证书或私钥无法读取，请核对账号里的证书、私钥（不加口令）与 CA"
        ) from error
    return context


def _refuses_certificate(error: BaseException | None) -> bool:
    """Whether a TLS alert about our certificate is behind a failed call."""
    while error is not None:
        if isinstance(error, ssl.SSLError) and _CERTIFICATE_ALERT.search(error.reason or ""):
            return True
        error = error.__cause__ or error.__context__
    return False


def _add(signed: Signed, request: httpx.Request, label: str) -> None:
    """The query is extended by hand: httpx would replace what a URL has (`?wsdl`) or write it anew."""
    request.headers.update({name: _sendable(value, label) for name, value in signed.headers.items()})
    if signed.params:
        query = "&".join(filter(None, (request.url.query.decode(), urlencode(signed.params))))
        request.url = request.url.copy_with(query=query.encode())
        request.extensions[SIGNED_PARAMS] = frozenset(signed.params)


def _sendable(value: str, label: str) -> str:
    """What httpx would refuse in a header, it refuses by quoting it."""
    if _UNSENDABLE.search(value):
        raise SourceDenied("AUTH_CONFIG", "{label}：凭证里有不能放进请求头的字符，请核对密钥", label=label)
    return value


def _same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _read(response: httpx.Response, cap: int, label: str) -> bytes:
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > cap:
        raise _too_large(cap, label, b"")
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise SourceMalformed("DECODE", "{label}：答复使用了不支持的压缩方式", label=label)
    chunks = response.iter_raw() if encoding in {"", "identity"} else _inflate(response.iter_raw(), cap, label)
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > cap:
                raise _too_large(cap, label, b"".join(parts[:16]))
            parts.append(chunk)
    except httpx.RemoteProtocolError as error:
        raise _truncated(label, b"".join(parts)) from error
    return b"".join(parts)


def _inflate(chunks: Iterable[bytes], cap: int, label: str) -> Iterator[bytes]:
    """Inflates in steps that never exceed what the cap leaves: 20 kB that hold 200 MB cost 64 kB at a time."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        for chunk in chunks:
            rest = chunk
            while rest and not inflater.eof:
                yield inflater.decompress(rest, min(cap + 1, 65_536))
                rest = inflater.unconsumed_tail
    except zlib.error as error:
        raise SourceMalformed("DECODE", "{label}：压缩的答复无法解开", label=label) from error
    if not inflater.eof:
        raise _truncated(label, b"")


def _too_large(cap: int, label: str, evidence: bytes) -> SourceMalformed:
    sentence = "{label}：答复超过 {limit_mb} MB 上限，请减小每页条数或放宽上限"
    return SourceMalformed("TOO_LARGE", sentence, evidence=evidence[:EVIDENCE_BYTES], label=label, limit_mb=cap >> 20)


def _truncated(label: str, evidence: bytes) -> SourceMalformed:
    return SourceMalformed("TRUNCATED", "{label}：答复没有传完就断了", evidence=evidence[:EVIDENCE_BYTES], label=label)


def _classify(answer: Response, label: str) -> None:
    head = answer.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if answer.status < 400:
        if head.startswith(_HTML):
            sentence = "{label}：对方返回了网页而不是数据，多半是登录页"
            raise SourceMalformed("LOGIN_PAGE", sentence, evidence=answer.body[:EVIDENCE_BYTES], label=label)
        return
    raise failure(answer, label)


def failure(answer: Response, label: str) -> SourceError:
    """The error that an answer with a failing status is, its text read first.

    Where a digest is asked for (RFC 7616) the text says nothing: the first call of all is refused to be asked.
    """
    status, evidence = answer.status, answer.body[:EVIDENCE_BYTES]
    challenge = answer.headers.get("www-authenticate", "") if status == 401 else ""
    found = "AUTH_EXPIRED" if _DIGEST.search(challenge) else verdict(text_of(evidence))
    if found in {"AUTH_CONFIG", "AUTH_EXPIRED", "THROTTLED"}:
        error = refusal(found, label, evidence, status=status)
    elif status in {401, 403}:
        error = refusal("AUTH_EXPIRED" if status == 401 else "AUTH_CONFIG", label, evidence, status=status)
    elif status == 429:
        error = refusal("THROTTLED", label, evidence, status=status)
    elif status >= 500 or status == 408:
        sentence = "{label}：对方系统出错（HTTP {status}）"
        error = SourceUnavailable("SOURCE_5XX", sentence, evidence=evidence, label=label, status=status)
    else:
        sentence = "{label}：对方不接受这个请求（HTTP {status}），请核对地址与参数"
        error = SourceMalformed("HTTP_4XX", sentence, evidence=evidence, label=label, status=status)
    if isinstance(error, SourceUnavailable):
        error.retry_after = _seconds(answer.headers.get("retry-after", ""))
    if isinstance(error, SourceDenied):
        error.challenge = challenge
    return error


def text_of(body: bytes) -> str:
    """A body as text for classifying only: UTF-8, else GB18030, never failing."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("gb18030", errors="replace")


def _seconds(retry_after: str) -> float | None:
    """`Retry-After` in seconds: a number or a date."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
