"""The SOAP that vendors really speak (china-facts §1.3), reached by declaration: settings and a stream, no code."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest
from lxml import etree
from pydantic import TypeAdapter, ValidationError

from adapters.kit import (
    Http,
    InnerXml,
    PageNumber,
    Ports,
    SoapAdapter,
    SoapSettings,
    SoapStream,
    SourceDenied,
    SourceMalformed,
    SourceUnavailable,
    Stream,
)
from adapters.kit.nested import Nested, element, fill, leaves, nest
from adapters.kit.walk import SLICE_ROWS
from mock_agencies import soap_desk

pytestmark = pytest.mark.sockets

LIST: Mapping[str, Any] = {"operation": "Query", "row": "record", "params": {"region.qxdm": "{county}"}, "mapping": {}}
SESSION: Mapping[str, Any] = {
    "operation": "Login",
    "params": {"user": "{secret.username}", "password": "{secret.password}"},
    "token": "LoginResponse/token",
    "expired": ["E003"],
}
CARRIED = {"{urn:soap-desk:1}Session": {"token": "{session}"}}


@pytest.fixture
def desk() -> Iterator[tuple[Any, str]]:
    with soap_desk.start() as (desk, url):
        yield desk, url


@pytest.fixture
def adapter(http: Http, desk: Any, build_ports: Callable[..., Ports]) -> Callable[..., SoapAdapter]:
    def build(path: str, stream: Mapping[str, Any], ports: Ports | None = None, **settings: Any) -> SoapAdapter:
        class Desk(SoapAdapter):
            name = "desk"
            title = "柜台"
            streams: ClassVar[Mapping[str, SoapStream]] = {"homestead": SoapStream(**stream)}

        told = SoapSettings.model_validate({"wsdl": f"{desk[1]}/{path}?wsdl", **settings})
        return Desk(ports or build_ports(http, dict(soap_desk.SECRETS)), told, "360981")

    return build


def units(page: Any) -> list[str]:
    return [item["BDCDYH"] for item in page.rows.decode()]


def test_rows_whose_data_are_attributes(adapter: Any) -> None:
    stream = {**LIST, "row": "Message/QLF_QL_JSYDSYQ", "code": "Message/@code", "total": "@total"}
    page = adapter("attributes", stream).fetch("homestead", None)
    assert (page.declared, page.last) == (3, True)
    (row,) = page.rows.decode([1])
    assert (row["YSDM"], row["BDCDYH"], row["QLLX"]) == ("6003010300", soap_desk.unit(1), "5")
    assert [holder["QLRMC"] for holder in row["ZTT_GY_QLR"]] == ["赵一", "钱一"]


def test_nested_parameters_are_built_as_the_types_are(adapter: Any, desk: Any) -> None:
    params = {"region": {"@level": "3", "town": ["剑光", "河洲"]}, "region.qxdm": "{county}"}
    stream = {**LIST, "params": params, "paging": PageNumber("page.no", "page.size", limit=500)}
    reader = adapter("endless", stream)
    assert len(units(reader.fetch("homestead", None))) == 3
    query = desk[0].heard[-1].find("{*}Body/*")
    region = query.find("{*}region")
    assert (region.get("level"), [(etree.QName(e).localname, e.text) for e in region]) == (
        "3", [("qxdm", "360981"), ("town", "剑光"), ("town", "河洲")],
    )  # fmt: skip
    assert [e.text for e in query.find("{*}page")] == ["1", "500"]


def test_a_parameter_the_types_do_not_have_is_named(adapter: Any) -> None:
    with pytest.raises(SourceMalformed) as caught:
        adapter("endless", {**LIST, "params": {"region.county": "{county}"}}).fetch("homestead", None)
    assert caught.value.code == "SCHEMA_DRIFT"
    assert "region" in str(caught.value)


def test_a_session_is_logged_in_to_carried_and_renewed_when_it_ends(adapter: Any, desk: Any) -> None:
    reader = adapter("session", LIST, session=SESSION, headers=CARRIED)
    for _ in range(2):
        assert len(units(reader.fetch("homestead", None))) == 3
    assert desk[0].logins == 1
    desk[0].sessions.clear()
    assert len(units(reader.fetch("homestead", None))) == 3
    assert desk[0].logins == 2


def test_workers_that_meet_an_ended_session_log_in_once(adapter: Any, desk: Any) -> None:
    reader = adapter("session", LIST, session=SESSION, headers=CARRIED)
    reader.fetch("homestead", None)
    desk[0].sessions.clear()
    refused, denied = reader.caller.sign("Query"), SourceDenied("AUTH_EXPIRED", "")
    threads = [threading.Thread(target=reader.caller.renew, args=(refused, denied)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk[0].logins == 2


def test_a_log_in_that_gives_no_token_stops_the_account(adapter: Any, http: Http, build_ports: Any) -> None:
    ports = build_ports(http, {**soap_desk.SECRETS, "password": "wrong"})
    reader = adapter("session", LIST, ports, session=SESSION, headers=CARRIED)
    with pytest.raises(SourceDenied) as caught:
        reader.fetch("homestead", None)
    assert (caught.value.code, ports.budget.state.stopped) == ("CREDENTIAL_REFUSED", "CREDENTIAL_REFUSED")
    assert "wrong" not in str(caught.value)
    assert [layer.layer for layer in reader.probe() if not layer.ok] == ["auth"]


@pytest.mark.parametrize(("action", "code"), [(None, None), ("urn:soap-desk:1/Query", None), ("Query", "SOAP_FAULT")])
def test_dotnet_wants_its_own_action(adapter: Any, action: str | None, code: str | None) -> None:
    reader = adapter("dotnet", {**LIST, "action": action})
    if code is None:
        assert len(units(reader.fetch("homestead", None))) == 3
        return
    with pytest.raises(SourceMalformed) as caught:
        reader.fetch("homestead", None)
    assert caught.value.code == code


def test_axis_is_spoken_to_without_prefixes(adapter: Any, desk: Any) -> None:
    with pytest.raises(SourceUnavailable):
        adapter("axis", LIST).fetch("homestead", None)
    headers = {"{urn:h}Auth": {"{}key": "1"}}
    assert len(units(adapter("axis", LIST, prefixes=False, headers=headers).fetch("homestead", None))) == 3
    assert desk[0].heard[-1].findtext("{*}Header/{urn:h}Auth/key") == "1"


def test_a_port_decides_between_soap_11_and_12(adapter: Any) -> None:
    assert len(units(adapter("modern", LIST, port="Desk12").fetch("homestead", None))) == 3
    with pytest.raises(SourceMalformed) as caught:
        adapter("modern", LIST, port="Desk13").fetch("homestead", None)
    assert caught.value.code == "PORT_UNKNOWN"
    assert "Desk11、Desk12" in str(caught.value)
    reader = adapter("modern", {**LIST, "action": "urn:other"}, port="Desk12")
    assert len(units(reader.fetch("homestead", None))) == 3


def test_a_package_has_a_head_an_officer_and_numbered_records(adapter: Any, desk: Any) -> None:
    stream = {
        **LIST,
        "operation": "QueryXml",
        "row": "DATA/RECORD",
        "code": "CODE",
        "total": "TOTAL",
        "params": {
            "PACKAGEHEAD": {"JLS": "1", "QQRGMSFHM": "{secret.officer_id}"},
            "DATA.RECORD": {"@no": "1", "QXDM": "{county}"},
        },
        "xml_in_xml": InnerXml(
            result="return", request="request", root="PACKAGE", encoding="GBK", beside={"user": "数桥"}
        ),
    }
    page = adapter("package", stream).fetch("homestead", None)
    assert (units(page), page.declared) == ([soap_desk.unit(n) for n in range(3)], 3)
    call = desk[0].heard[-1].find("{*}Body/*")
    assert call.findtext("{*}user") == "数桥"
    assert call.findtext("{*}request").startswith('<?xml version="1.0" encoding="GBK"?><PACKAGE>')
    assert soap_desk.SECRETS["officer_id"] not in page.answer.request


@pytest.mark.parametrize("form", ["attachment", "packed", "inline"])
def test_rows_in_a_document_beside_the_answer_or_inside_it(adapter: Any, desk: Any, form: str) -> None:
    desk[0].form = form
    stream = {**LIST, "operation": "QueryFile", "params": {"qxdm": "{county}"}, "xml_in_xml": InnerXml(result="return")}
    page = adapter("file", stream).fetch("homestead", None)
    assert [item["ZL"] for item in page.rows.decode()] == ["䶮坊0号", "䶮坊1号", "䶮坊2号"]
    assert page.declared == 3


def test_a_document_inside_an_answer_may_be_larger_than_a_text_usually_is(adapter: Any, desk: Any) -> None:
    desk[0].form, desk[0].rows = "inline", 120_000
    stream = {**LIST, "operation": "QueryFile", "params": {"qxdm": "{county}"}, "xml_in_xml": InnerXml(result="return")}
    page = adapter("file", stream).fetch("homestead", None)
    assert (page.declared, len(page.rows.raw)) == (120_000, SLICE_ROWS)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body[:-20], "TRUNCATED"),
        (lambda body: body.replace(b"<rows@soap-desk>", b"<other>"), "ATTACHMENT_MISSING"),
        (lambda body: body.replace(b"<d><code>", b"<!DOCTYPE d [<!ENTITY a 'ha'>]><d><code>"), "DTD"),
        (lambda body: body.replace("䶮".encode("gb18030"), b"\x81\x20"), "DECODE"),
    ],
)  # fmt: skip
def test_what_comes_beside_is_trusted_no_more(adapter: Any, desk: Any, change: Any, code: str) -> None:
    whole = desk[0]._file

    def changed(*asked: Any) -> Any:
        answer = whole(*asked)
        answer.body = change(answer.body)
        return answer

    desk[0]._file = changed
    stream = {**LIST, "operation": "QueryFile", "params": {"qxdm": "{county}"}, "xml_in_xml": InnerXml(result="return")}
    with pytest.raises(SourceMalformed) as caught:
        adapter("file", stream).fetch("homestead", None)
    assert caught.value.code == code


def test_a_packed_bomb_is_not_opened(adapter: Any, desk: Any) -> None:
    desk[0].form, desk[0].rows = "packed", 40_000
    stream = {**LIST, "operation": "QueryFile", "params": {"qxdm": "{county}"}, "xml_in_xml": InnerXml(result="return")}
    with pytest.raises(SourceMalformed) as caught:
        adapter("file", stream, max_mb=1).fetch("homestead", None)
    assert caught.value.code == "TOO_LARGE"


def test_a_fault_with_status_200_is_a_fault(adapter: Any) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        adapter("rude", LIST).fetch("homestead", None)
    assert caught.value.code == "THROTTLED"


def test_a_large_answer_comes_in_pages_and_a_killed_run_goes_on(adapter: Any, desk: Any) -> None:
    desk[0].rows = 2 * SLICE_ROWS + 5
    stream = {**LIST, "paging": PageNumber("page.no", "page.size", limit=500)}
    reader, seen = adapter("endless", stream), []
    page = reader.fetch("homestead", None)
    assert (len(page.rows.raw), page.declared, page.last) == (SLICE_ROWS, 2 * SLICE_ROWS + 5, False)
    assert page.answer.request == f"SOAP Query [1-{SLICE_ROWS}]"
    assert len(page.answer.body) < 2 << 20
    seen += units(page)
    seen += units(page := reader.fetch("homestead", page.after(None)))
    assert len(desk[0].heard) == 1
    cursor = page.after(None)
    reader = adapter("endless", stream)
    page = reader.fetch("homestead", cursor)
    assert (len(desk[0].heard), len(page.rows.raw), page.last) == (2, 5, True)
    assert seen + units(page) == [soap_desk.unit(n) for n in range(2 * SLICE_ROWS + 5)]
    assert page.after(None) == {"rest": True}


def test_a_large_answer_that_is_another_when_asked_again_is_read_from_its_first_row(adapter: Any, desk: Any) -> None:
    desk[0].rows = 2 * SLICE_ROWS
    cursor = adapter("endless", LIST).fetch("homestead", None).after(None)
    desk[0].rows += 1
    page = adapter("endless", LIST).fetch("homestead", cursor)
    assert units(page)[0] == soap_desk.unit(0)


READ: str = """
import re, sys
from pathlib import Path
from adapters.kit import Http, Ports, SoapStream
from adapters.kit.recording import FreeBudget, ReplaySecrets
from adapters.soap import Soap
from datetime import UTC, date, datetime

stream = {"operation": "Query", "row": "QLF_QL_JSYDSYQ", "code": "@code", "total": "@total",
          "params": {"region.qxdm": "{county}"}, "mapping": {}}
ports = Ports(Http(), ReplaySecrets(), FreeBudget(), lambda: datetime.now(UTC), date.today)
source = Soap(ports, Soap.Settings.model_validate({"wsdl": sys.argv[1], "datasets": {"homestead": stream}}), "360981")
source.service
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

before, cursor, last, count = peak(), None, False, 0
while not last:
    page = source.fetch("homestead", cursor)
    cursor, last, count = page.after(None), page.last, count + len(page.rows.decode())
print(count, peak() - before >> 10)
"""


def test_a_large_answer_costs_memory_for_its_bytes_and_one_page(desk: Any) -> None:
    """Attribute rows, which a byte split does not take: 30 MB, which as one tree and as items would be ten times as much."""
    desk[0].rows = 100_000
    answer = desk[0]._attributes(None, None, None)
    desk[0]._attributes = lambda *asked: answer
    done = subprocess.run(
        [sys.executable, "-c", READ, f"{desk[1]}/attributes?wsdl"], capture_output=True, text=True, check=True
    )
    count, grown = map(int, done.stdout.split())
    assert count == 100_000
    assert grown < 6 * (len(answer.body) >> 20)


def test_a_stream_is_told_as_data() -> None:
    told = {
        "operation": "Query",
        "row": "DATA/RECORD",
        "params": {"region": {"town": ["a"]}},
        "headers": CARRIED,
        "xml_in_xml": {"result": "return"},
        "mapping": {"unit_no": "BDCDYH"},
    }
    stream = TypeAdapter(SoapStream).validate_python(told)
    assert isinstance(stream, Stream)
    assert stream.xml_in_xml == InnerXml(result="return")


def test_dotted_names_are_paths() -> None:
    assert nest({"a.b": "1", "a": {"c": "2"}, "{urn:x.y}n": "3"}) == {"a": {"b": "1", "c": "2"}, "{urn:x.y}n": "3"}
    assert nest({"a": {"b.c": "1"}, "a.b.d": "2"}) == {"a": {"b": {"c": "1", "d": "2"}}}
    assert list(leaves(fill({"a": [{"b": "{county}"}, "x"]}, {"county": "360981"}))) == [
        (("a", 0, "b"), "360981"), (("a", 1), "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"a": [{"b": 1}]}, "a.0.b 请写成文字，数字要加引号"),
        (1, "请写成文字，数字要加引号"),
        ("{token}", "花括号里不能写 token。可用的有：county、today、month、session、secret.…"),
        ("{county", "花括号没有成对"),
    ],
)
def test_a_value_that_cannot_be_sent_is_named(told: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Nested).validate_python(told)
    assert said in str(caught.value)


def test_an_element_is_in_the_namespace_its_name_says() -> None:
    made = element("{urn:x}A", {"@k": "v", "B": ["1", {"#text": "2", "@n": "3"}], "{}C": "4"})
    assert etree.tostring(made) == (
        b'<ns0:A xmlns:ns0="urn:x" k="v"><ns0:B>1</ns0:B><ns0:B n="3">2</ns0:B><C>4</C></ns0:A>'
    )
