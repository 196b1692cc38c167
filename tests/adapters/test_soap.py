"""SOAP: the envelope zeep builds, the answers and faults we read, and what a service description may not do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.kit import (
    Http,
    NextToken,
    Ports,
    SoapAdapter,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnavailable,
)
from adapters.kit.wsdl import DOCUMENTS
from adapters.real_estate import LIST, RealEstate

pytestmark = pytest.mark.sockets

DOCS = Path(__file__).parent / "documents"
WSDL, XSD = (DOCS / "homestead.wsdl").read_text("utf-8"), (DOCS / "homestead.xsd").read_bytes()
ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    "{body}</s:Body></s:Envelope>"
)
FAULT = ENVELOPE.format(body="<s:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring></s:Fault>")
ROWS = "<r:record><r:BDCDYH>A</r:BDCDYH></r:record><r:record><r:BDCDYH>B</r:BDCDYH><r:GXSJ>2026-01-01 00:00:00</r:GXSJ></r:record>"


def listed(rows: str, total: int | str, code: str = "0", msg: str = "") -> bytes:
    body = f"<r:code>{code}</r:code><r:msg>{msg}</r:msg><r:total>{total}</r:total>{rows}"
    return ENVELOPE.format(
        body=f'<r:QueryHomesteadsResponse xmlns:r="urn:test:bdc">{body}</r:QueryHomesteadsResponse>'
    ).encode()


def inner(text: str) -> bytes:
    body = f'<r:QueryHomesteadsXmlResponse xmlns:r="urn:test:bdc"><r:return>{text}</r:return></r:QueryHomesteadsXmlResponse>'
    return ENVELOPE.format(body=body).encode()


def serve(server: Any, reply: Any, status: int = 200) -> None:
    """Describes itself truthfully and answers every call with `reply`."""

    def answer(call: Any) -> Any:
        if call.method == "GET":
            return (
                200,
                {"Content-Type": "text/xml"},
                XSD if "xsd" in call.path else WSDL.format(url=server.url).encode(),
            )
        return status, {"Content-Type": "text/xml"}, reply(call) if callable(reply) else reply

    server.answer = answer


@pytest.fixture
def adapter(http: Http, server: Any, build_ports: Callable[..., Ports]) -> Callable[..., SoapAdapter]:
    def build(**settings: Any) -> SoapAdapter:
        found = RealEstate.Settings.model_validate({"wsdl": f"{server.url}/services/RealEstate?wsdl", **settings})
        return RealEstate(build_ports(http, {"token": "t0ken"}), found, "360981")

    return build


def posted(server: Any) -> Any:
    return next(call for call in server.calls if call.method == "POST")


def refused(adapter: SoapAdapter, kind: type[SourceError]) -> SourceError:
    with pytest.raises(kind) as caught:
        adapter.fetch("homestead", None)
    return caught.value


def test_a_call_says_what_the_description_wants(adapter: Any, server: Any) -> None:
    serve(server, listed(ROWS, 2))
    page = adapter().fetch("homestead", {"rest": True, "since": "2026-01-01T00:00:00"})
    call = posted(server)
    assert call.path == "/soap"
    assert call.headers["soapaction"] == '"urn:test:bdc/QueryHomesteads"'
    assert call.headers["authorization"] == "Bearer t0ken"
    body = etree.fromstring(call.body)[0][0]
    assert [(etree.QName(e).localname, e.text) for e in body] == [
        ("pageNo", "1"), ("pageSize", "500"), ("updatedSince", "2026-01-01 00:00:00"), ("qxdm", "360981"),
    ]  # fmt: skip
    assert page.rows.decode() == [{"BDCDYH": "A"}, {"BDCDYH": "B", "GXSJ": "2026-01-01 00:00:00"}]
    assert (page.declared, page.last, page.answer.request) == (2, True, "SOAP QueryHomesteads")


def test_the_description_is_read_once_and_values_change(adapter: Any, server: Any) -> None:
    serve(server, listed(ROWS, 4))
    real_estate = adapter(page_size=2)
    cursor = real_estate.fetch("homestead", None).after(None)
    serve(server, listed(ROWS.replace("A", "C"), 4))
    assert len(real_estate.fetch("homestead", cursor).rows.raw) == 2
    assert [call.method for call in server.calls] == ["GET", "GET", "POST", "POST"]
    assert b"<ns0:pageNo>2</ns0:pageNo>" in server.calls[-1].body
    assert b"updatedSince" not in server.calls[-1].body


def test_workers_that_share_a_description_do_not_mix_their_values(adapter: Any, server: Any) -> None:
    serve(server, listed(ROWS, 2))
    service = adapter().service
    mixed: list[int] = []

    def worker(number: int) -> None:
        arguments = {"pageNo": str(number), "pageSize": str(number), "qxdm": str(number)}
        for _ in range(300):
            body = service.call("QueryHomesteads", arguments).body
            if body.count(b">%d<" % number) != 3:
                mixed.append(number)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=worker, args=(number,)) for number in (111, 222, 333, 444)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert mixed == []


def test_an_endpoint_of_ours_goes_before_the_descriptions(adapter: Any, server: Any) -> None:
    serve(server, listed(ROWS, 2))
    adapter(endpoint=f"{server.url}/through-the-proxy").fetch("homestead", None)
    assert posted(server).path == "/through-the-proxy"


@pytest.mark.parametrize("wrap", [escape, lambda text: f"<![CDATA[{text}]]>"])
def test_xml_inside_xml_is_unwrapped(adapter: Any, server: Any, wrap: Any) -> None:
    text = (
        '<?xml version="1.0" encoding="GBK"?><RESPONSE><CODE>0</CODE><MSG/><TOTAL>7</TOTAL><DATA><RECORD><QLRMC>张三&amp;䶮'
        "</QLRMC></RECORD></DATA></RESPONSE>"
    )
    serve(server, inner(wrap(text)))
    page = adapter(form="xml").fetch("homestead", None)
    request = etree.fromstring(etree.fromstring(posted(server).body)[0][0][0].text or "")
    assert [(e.tag, e.text) for e in request] == [("QXDM", "360981"), ("PAGENUM", "1"), ("PAGESIZE", "500")]
    assert page.rows.decode() == [{"QLRMC": "张三&䶮"}]
    assert page.declared == 7


@pytest.mark.parametrize(
    ("body", "empty"),
    [(listed("", 0), True), (listed("", ""), False), (listed("", "", msg="没有数据"), True),
     (listed("", "", code="9", msg="未查询到数据"), True)],
)  # fmt: skip
def test_nothing_is_confirmed_only_by_the_source(adapter: Any, server: Any, body: bytes, empty: bool) -> None:
    serve(server, body)
    page = adapter().fetch("homestead", None)
    assert (list(page.rows.raw), page.empty_confirmed, page.last) == ([], empty, True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (500, FAULT.format(code="s:Server", text="鉴权失败，鉴权信息有误。"), SourceDenied, "AUTH_CONFIG"),
        (500, FAULT.format(code="s:Server", text="今日调用已达上限"), SourceUnavailable, "THROTTLED"),
        (500, FAULT.format(code="s:Server", text="空指针"), SourceUnavailable, "SOURCE_5XX"),
        (500, FAULT.format(code="s:Client", text="参数 pageNo 缺失"), SourceMalformed, "SOAP_FAULT"),
        (200, FAULT.format(code="s:Client", text="参数 pageNo 缺失"), SourceMalformed, "SOAP_FAULT"),
        (500, '{"code":400001,"msg":"鉴权失败，鉴权信息有误。"}', SourceDenied, "AUTH_CONFIG"),
        (500, "<html>tomcat</html>", SourceUnavailable, "SOURCE_5XX"),
        (502, "", SourceUnavailable, "SOURCE_5XX"),
        (200, "<html>登录</html>", SourceMalformed, "LOGIN_PAGE"),
        (200, listed("", 0, code="-1", msg="验签失败").decode(), SourceDenied, "AUTH_CONFIG"),
        (200, listed("", 0, code="-1", msg="别的").decode(), SourceMalformed, "BUSINESS_ERROR"),
        (200, ENVELOPE.format(body="<hello/>"), SourceMalformed, "ENVELOPE_UNKNOWN"),
        (200, listed(ROWS, 2).decode()[:-90], SourceMalformed, "TRUNCATED"),
        (200, f'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x">{listed(ROWS, 2).decode()[38:]}', SourceMalformed, "DTD"),
    ],
)
def test_a_failure_is_named_by_what_to_do_next(  # one column of the table each
    adapter: Any, server: Any, status: int, body: str, kind: type[SourceError], code: str
) -> None:
    serve(server, body.encode(), status)
    error = refused(adapter(), kind)
    assert error.code == code
    assert error.evidence is not None


def test_an_answer_without_the_inner_document_is_unknown(adapter: Any, server: Any) -> None:
    serve(server, listed("", 0))
    assert refused(adapter(form="xml"), SourceMalformed).code == "ENVELOPE_UNKNOWN"


def test_a_fault_that_says_there_is_nothing_is_an_empty_success(adapter: Any, server: Any) -> None:
    serve(server, FAULT.format(code="s:Server", text="没有数据").encode(), 500)
    assert adapter().fetch("homestead", None).empty_confirmed


SOAP12 = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:w="urn:wsse"><s:Body><s:Fault><s:Code>
<s:Value>s:Sender</s:Value>{subcode}</s:Code><s:Reason><s:Text>denied</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>"""


@pytest.mark.parametrize(
    ("subcode", "kind", "code"),
    [
        ("<s:Subcode><s:Value>w:FailedAuthentication</s:Value></s:Subcode>", SourceDenied, "AUTH_CONFIG"),
        ("<s:Subcode><s:Value>w:Other</s:Value></s:Subcode>", SourceMalformed, "SOAP_FAULT"),
        ("", SourceMalformed, "SOAP_FAULT"),
    ],
)
def test_a_fault_of_soap_12_is_read_to_its_subcode(
    adapter: Any, server: Any, subcode: str, kind: type[SourceError], code: str
) -> None:
    described = WSDL.replace("schemas.xmlsoap.org/wsdl/soap/", "schemas.xmlsoap.org/wsdl/soap12/")
    fault = SOAP12.format(subcode=subcode).encode()

    def answer(call: Any) -> Any:
        if call.method == "POST":
            return 500, {"Content-Type": "application/soap+xml"}, fault
        return 200, {}, XSD if "xsd" in call.path else described.format(url=server.url).encode()

    server.answer = answer
    assert refused(adapter(), kind).code == code


def described(server: Any, wsdl: str, xsd: bytes = XSD) -> None:
    server.answer = lambda call: (200, {}, xsd if "xsd" in call.path else wsdl.encode())


@pytest.mark.parametrize(
    ("wsdl", "code"),
    [
        (WSDL.replace("?xsd=1", "http://127.0.0.2:9/evil.xsd"), "WSDL_FOREIGN"),
        (WSDL.replace("?xsd=1", "file:///etc/hostname"), "WSDL_FOREIGN"),
        ('<!DOCTYPE x [<!ENTITY a "b">]>' + WSDL.split("?>", 1)[1], "DTD"),
        ("<html/>", "LOGIN_PAGE"),
        ("{}", "NON_XML"),
        ("<nothing/>", "WSDL_INVALID"),
        (WSDL.replace("QueryHomesteads", "Other"), "SCHEMA_DRIFT"),
    ],
)
def test_a_description_may_not_lead_us_astray(adapter: Any, server: Any, wsdl: str, code: str) -> None:
    described(server, wsdl, XSD.replace(b"QueryHomesteads", b"Other") if code == "SCHEMA_DRIFT" else XSD)
    error = refused(adapter(), SourceMalformed)
    assert error.code == code
    if code == "SCHEMA_DRIFT":
        assert "OtherXml" in str(error)


def test_a_description_without_end_is_refused(adapter: Any, server: Any) -> None:
    def answer(call: Any) -> Any:
        deeper = f'<a xmlns="urn:x"><import schemaLocation="?xsd={len(server.calls)}"/></a>'
        return 200, {}, deeper.encode()

    server.answer = answer
    assert refused(adapter(), SourceMalformed).code == "WSDL_TOO_LARGE"
    assert len(server.calls) == DOCUMENTS


def test_a_description_that_failed_is_asked_for_again(adapter: Any, server: Any) -> None:
    real_estate = adapter()
    server.answer = lambda call: (503, {}, b"")
    refused(real_estate, SourceUnavailable)
    assert not real_estate.probe()[-1].ok
    serve(server, listed(ROWS, 2))
    assert real_estate.fetch("homestead", None).declared == 2
    assert [(layer.layer, layer.ok) for layer in real_estate.probe()] == [("auth", True), ("wsdl", True)]
    assert "QueryHomesteadsXml" in real_estate.probe()[-1].sentence


def test_an_element_of_the_answer_asks_for_the_next_page(adapter: Any, server: Any) -> None:
    real_estate = adapter(page_size=2)
    stream = replace(LIST, paging=NextToken("pageNo", start="0"), total=None, next_token="msg", since=None)
    real_estate.stream = lambda dataset: stream
    serve(server, listed(ROWS, "", msg="t&amp;2"))
    page = real_estate.fetch("homestead", None)
    assert not page.last
    serve(server, listed(ROWS, ""))
    assert real_estate.fetch("homestead", page.after(None)).last
    assert b">t&amp;2</ns0:pageNo>" in server.calls[-1].body
