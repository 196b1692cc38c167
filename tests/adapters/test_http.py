"""Every way a source can misbehave below the envelope: bounded, and named by what to do next."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from adapters.kit import Certificate, Http, Signed, SourceDenied, SourceError, SourceMalformed, SourceUnavailable

pytestmark = pytest.mark.sockets

SECRET = "do-not-show-me"


def get(http: Http, server: Any, **more: Any) -> Any:
    return http.request("GET", f"{server.url}/rows", label="GET /rows", params={"id": SECRET}, **more)


def refused(http: Http, server: Any, kind: type[SourceError], **more: Any) -> SourceError:
    with pytest.raises(kind) as caught:
        get(http, server, **more)
    assert SECRET not in str(caught.value) + repr(caught.value)
    return caught.value


def test_an_answer_comes_whole(http: Http, server: Any) -> None:
    server.answer = lambda call: (200, {"Content-Type": "application/json"}, b'{"code":0}')
    answer = get(http, server)
    assert (answer.status, answer.media, answer.body) == (200, "application/json", b'{"code":0}')
    assert server.calls[0].headers["accept-encoding"] == "identity"
    assert server.calls[0].path == f"/rows?id={SECRET}"


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "code"),
    [
        (500, {}, "oops", SourceUnavailable, "SOURCE_5XX"),
        (502, {}, "", SourceUnavailable, "SOURCE_5XX"),
        (503, {"Retry-After": "7"}, "", SourceUnavailable, "SOURCE_5XX"),
        (429, {"Retry-After": "7"}, "", SourceUnavailable, "THROTTLED"),
        (500, {}, '{"code":400001,"msg":"鉴权失败，鉴权信息有误。"}', SourceDenied, "AUTH_CONFIG"),
        (500, {}, '{"msg":"token已失效"}', SourceDenied, "AUTH_EXPIRED"),
        (500, {}, '{"msg":"今日调用已达上限"}', SourceUnavailable, "THROTTLED"),
        (401, {}, "", SourceDenied, "AUTH_EXPIRED"),
        (401, {}, "应用不存在", SourceDenied, "AUTH_CONFIG"),
        (403, {}, "IP不在白名单", SourceDenied, "AUTH_CONFIG"),
        (404, {}, "", SourceMalformed, "HTTP_4XX"),
        (200, {}, "\n<!DOCTYPE HTML><title>统一登录</title>", SourceMalformed, "LOGIN_PAGE"),
        (302, {"Location": "http://127.0.0.2:9/login"}, "", SourceMalformed, "REDIRECT"),
    ],
)
def test_a_failure_is_named_by_what_to_do_next(  # one column of the table each
    http: Http, server: Any, status: int, headers: dict[str, str], body: str, kind: type[SourceError], code: str
) -> None:
    server.answer = lambda call: (status, headers, body.encode())
    error = refused(http, server, kind)
    assert error.code == code
    if "Retry-After" in headers:
        assert isinstance(error, SourceUnavailable)
        assert error.retry_after == 7.0


def test_gb18030_text_is_read_for_its_meaning(http: Http, server: Any) -> None:
    server.answer = lambda call: (500, {}, "签名错误".encode("gb18030"))
    assert refused(http, server, SourceDenied).code == "AUTH_CONFIG"


def test_a_status_that_the_caller_reads_itself_is_handed_back(http: Http, server: Any) -> None:
    server.answer = lambda call: (500, {}, b"<Fault/>")
    assert get(http, server, faults=(500,)).status == 500


def test_a_redirect_inside_the_source_is_followed(http: Http, server: Any) -> None:
    def answer(call: Any) -> Any:
        return (200, {}, b"[]") if call.path == "/new" else (301, {"Location": "/new"}, b"")

    server.answer = answer
    assert get(http, server).body == b"[]"


def test_a_redirect_loop_ends(http: Http, server: Any) -> None:
    server.answer = lambda call: (302, {"Location": "/again"}, b"")
    assert refused(http, server, SourceMalformed).code == "REDIRECT"
    assert len(server.calls) == 4


def test_nobody_listens(http: Http) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        http.request("GET", "http://127.0.0.1:9/rows", label="GET /rows")
    assert caught.value.code == "NETWORK"
    assert str(caught.value).startswith("GET /rows：")


def test_a_silent_source_is_left_at_the_deadline(http: Http, server: Any) -> None:
    server.raw = lambda out: time.sleep(1.5)
    started = time.monotonic()
    assert refused(http, server, SourceUnavailable, deadline=0.3).code == "NETWORK"
    assert time.monotonic() - started < 1.0


def test_a_deadline_that_has_passed_sends_nothing(http: Http, server: Any) -> None:
    assert refused(http, server, SourceUnavailable, deadline=1e-9).code == "NETWORK"
    assert server.calls == []


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_dripping_source_is_left_at_the_deadline(http: Http, server: Any, head: bytes) -> None:
    """Every read succeeds in time, in the headers or in the body; only the whole takes for ever."""

    def drip(out: Any) -> None:
        out.write(head)
        for _ in range(40):
            out.write(b"x")
            out.flush()
            time.sleep(0.05)

    server.raw = drip
    started = time.monotonic()
    assert refused(http, server, SourceUnavailable, deadline=0.4).code == "NETWORK"
    assert time.monotonic() - started < 1.2


def test_an_answer_cut_short_is_truncated(http: Http, server: Any) -> None:
    server.raw = lambda out: out.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"[1,2")
    error = refused(http, server, SourceMalformed)
    assert (error.code, error.evidence) == ("TRUNCATED", b"[1,2")


def test_gzip_cut_short_is_truncated(http: Http, server: Any) -> None:
    body = gzip.compress(b"[" + b"1," * 5000 + b"1]")[:-12]
    server.answer = lambda call: (200, {"Content-Encoding": "gzip"}, body)
    assert refused(http, server, SourceMalformed).code == "TRUNCATED"


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compression_nobody_asked_for_is_inflated(http: Http, server: Any, pack: Any) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    server.answer = lambda call: (200, {"Content-Encoding": encoding}, pack(b"[" + b"1," * 50_000 + b"1]"))
    assert len(get(http, server).body) == 100_003


def test_an_unknown_compression_is_refused(http: Http, server: Any) -> None:
    server.answer = lambda call: (200, {"Content-Encoding": "br"}, b"abc")
    assert refused(http, server, SourceMalformed).code == "DECODE"


def test_garbage_that_claims_to_be_gzip_is_refused(http: Http, server: Any) -> None:
    server.answer = lambda call: (200, {"Content-Encoding": "gzip"}, b"not gzip at all")
    assert refused(http, server, SourceMalformed).code == "DECODE"


def huge_declared(server: Any) -> None:
    server.answer = lambda call: (200, {"Content-Length": str(100 << 20)}, b"x" * 1024)


def huge_undeclared(server: Any) -> None:
    def pour(out: Any) -> None:
        out.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1600):
            out.write(bytes(65_536))

    server.raw = pour


def bomb(server: Any) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    body = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    server.answer = lambda call: (200, {"Content-Encoding": "gzip"}, body)


@pytest.mark.parametrize("attack", [huge_declared, huge_undeclared, bomb])
def test_refusing_too_much_costs_little(server: Any, attack: Any) -> None:
    attack(server)
    http = Http()
    tracemalloc.start()
    try:
        assert refused(http, server, SourceMalformed, deadline=20).code == "TOO_LARGE"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        http.close()
    assert peak < 64 << 20


def test_the_cap_is_the_sources_own(http: Http, server: Any) -> None:
    server.answer = lambda call: (200, {}, b"x" * 2000)
    assert len(get(http, server, max_bytes=2000).body) == 2000
    assert refused(http, server, SourceMalformed, max_bytes=1999).code == "TOO_LARGE"


def test_a_connection_is_used_again_even_after_a_refusal(http: Http, server: Any) -> None:
    server.answer = lambda call: (200, {}, b"[]")
    get(http, server)
    server.answer = lambda call: (500, {}, b"")
    refused(http, server, SourceUnavailable)
    server.answer = lambda call: (200, {}, b"[]")
    assert get(http, server).body == b"[]"


@pytest.mark.parametrize(
    ("url", "params", "sent"),
    [
        ("/soap?wsdl", None, "/soap?wsdl&key=a%26b"),
        ("/soap?xsd=1", None, "/soap?xsd=1&key=a%26b"),
        ("/rows", None, "/rows?key=a%26b"),
        ("/rows", {"page": 1}, "/rows?page=1&key=a%26b"),
    ],
)
def test_a_signature_in_the_query_leaves_the_rest_as_it_is(
    http: Http, server: Any, url: str, params: Any, sent: str
) -> None:
    http.request("GET", server.url + url, label="GET /rows", params=params, signed=Signed(params={"key": "a&b"}))
    assert server.calls[0].path == sent


def test_what_is_signed_for_a_request_is_signed_again_after_a_redirect(http: Http, server: Any) -> None:
    def answer(call: Any) -> Any:
        return (200, {}, b"[]") if call.path == "/new?a=1" else (301, {"Location": "/new?a=1"}, b"")

    server.answer = answer
    get(http, server, signed=Signed({"X-Key": "k"}, authorize=lambda method, target: f"{method} {target}"))
    assert [(call.headers["authorization"], call.headers["x-key"]) for call in server.calls] == [
        (f"GET /rows?id={SECRET}", "k"),
        ("GET /new?a=1", "k"),
    ]


def test_a_signature_shows_nothing_of_itself() -> None:
    given = Certificate(SECRET, SECRET, SECRET)
    signed = Signed({"a": SECRET}, {"b": SECRET}, (SECRET,), str, given, SECRET)
    assert SECRET not in repr(signed)


@pytest.mark.parametrize(
    ("status", "challenge", "code", "kept"),
    [
        (401, 'Digest realm="r", nonce="n"', "AUTH_EXPIRED", True),
        (401, 'Basic realm="b", Digest realm="r"', "AUTH_EXPIRED", True),
        (401, 'Basic realm="a digest"', "AUTH_CONFIG", True),
        (401, "", "AUTH_CONFIG", True),
        (403, 'Digest realm="r", nonce="n"', "AUTH_CONFIG", False),
    ],
)
def test_a_challenge_goes_before_the_text_and_comes_along(
    http: Http, server: Any, status: int, challenge: str, code: str, kept: bool
) -> None:
    server.answer = lambda call: (status, {"WWW-Authenticate": challenge}, "未授权".encode())
    error = refused(http, server, SourceDenied)
    assert isinstance(error, SourceDenied)
    assert (error.code, error.challenge) == (code, challenge if kept else "")
