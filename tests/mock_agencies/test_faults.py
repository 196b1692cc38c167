"""Faults: each is seen by a client, and the servers survive clients that leave."""

import json
import socket
import time
import zlib
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import etree

from tests.mock_agencies.conftest import Client


def marriage(client: Client, **parameters) -> dict:
    return client.civil("/api/marriage", **parameters).json()


def certificates(client: Client, **parameters) -> list:
    return [row["cert_no"] for row in marriage(client, **parameters)["data"]["list"]]


@pytest.fixture
def ready(client) -> Client:
    """A client that has its token and secret, so that a fault hits the call that is meant."""
    client.log_in()
    client.renew()
    return client


def test_times_and_match(ready):
    ready.mocks.fault("civil", "500", times=2, match="marriage")
    assert ready.civil("/api/assistance", month="2026-03").status_code == 200
    assert [ready.civil("/api/marriage").status_code for _ in range(3)] == [500, 500, 200]
    ready.mocks.fault("civil", "500", times=0)
    assert {ready.civil("/api/marriage").status_code for _ in range(4)} == {500}
    ready.mocks.clear_faults()
    assert ready.civil("/api/marriage").status_code == 200


def test_match_by_service_and_operation(ready):
    ready.mocks.fault("provincial", "500", match="_0002")
    assert ready.members(pageSize=1)["rows"]
    assert ready.payments("2026-02-10").status_code == 500
    ready.mocks.fault("real_estate", "503", match="QueryHomesteadsXml")
    assert ready.homesteads(1, 1).status_code == 200
    assert ready.soap("QueryHomesteadsXml", "<request/>").status_code == 503


def test_503_says_when_to_come_back(ready):
    ready.mocks.fault("civil", "503")
    answer = ready.civil("/api/marriage")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_auth500(ready):
    ready.mocks.fault("provincial", "auth500")
    answer = ready.provincial("/httpproxy", "s_3609810000000_0001", {})
    assert (answer.status_code, answer.json()) == (500, {"code": 400001, "msg": "鉴权失败，鉴权信息有误。"})
    ready.mocks.fault("real_estate", "auth500")
    answer = ready.homesteads()
    assert answer.status_code == 500
    assert etree.fromstring(answer.content).findtext(".//faultstring") == "鉴权失败，鉴权信息有误。"


def test_login_page(ready):
    ready.mocks.fault("civil", "login")
    answer = ready.civil("/api/marriage")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<form" in answer.text


def test_slow(ready, monkeypatch):
    monkeypatch.setattr("mock_agencies.faults.SLOW_SECONDS", 0.3)
    ready.mocks.fault("civil", "slow")
    began = time.monotonic()
    assert marriage(ready)["code"] == 200
    assert time.monotonic() - began >= 0.3


def test_stall_never_answers_and_hangs_up(ready, monkeypatch):
    ready.mocks.fault("civil", "stall", times=1)
    with pytest.raises(httpx.ReadTimeout):
        ready.http.get(ready.mocks.urls["civil"] + "/api/marriage", timeout=0.3)
    monkeypatch.setattr("mock_agencies.faults.STALL_SECONDS", 0.2)
    ready.mocks.fault("civil", "stall", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        ready.civil("/api/marriage")


def test_truncated(ready):
    whole = ready.civil("/api/marriage").content
    ready.mocks.fault("civil", "truncated")
    half = ready.civil("/api/marriage").content
    assert half == whole[: len(whole) // 2]


def test_repeat(ready):
    first = certificates(ready, offset=0, limit=50)
    ready.mocks.fault("civil", "repeat")
    assert certificates(ready, offset=50, limit=50) == first
    assert certificates(ready, offset=50, limit=50) != first


def test_capped(ready):
    total = marriage(ready)["data"]["total"]
    ready.mocks.fault("civil", "capped", times=0)
    data = marriage(ready, offset=0, limit=200)["data"]
    assert (len(data["list"]), data["total"]) == (50, total)
    ready.mocks.fault("provincial", "capped", times=0)
    second = ready.members(pageNum=2, pageSize=500)
    assert second["rows"] == [item.raw for item in ready.mocks.world.items("household_member")[50:100]]
    assert len(ready.payments("2026-02-10").json()) == 50


def test_shift_moves_rows_while_pages_are_read(ready):
    """The total grows with each page, a row comes twice at each border, and a patient reader misses nothing."""
    true = [item.raw["cert_no"] for item in ready.mocks.world.items("marriage")]
    ready.mocks.fault("civil", "shift", times=0)
    got, totals = [], []
    for offset in range(0, 10_000, 50):
        data = marriage(ready, offset=offset, limit=50)["data"]
        rows = [row["cert_no"] for row in data["list"]]
        assert not got or rows[:1] == got[-1:]
        got += rows
        totals.append(data["total"])
        if len(got) >= data["total"]:
            break
    assert totals == [len(true) + n for n in range(len(totals))]
    assert len(totals) > 2
    assert set(got) == set(true)


def test_partial(ready):
    every = certificates(ready, limit=20)
    ready.mocks.fault("civil", "partial", times=2)
    answer = marriage(ready, limit=20)
    assert answer["errItems"] == 1
    assert [row["cert_no"] for row in answer["data"]["list"]] == every[:10] + every[11:]
    assert ready.civil("/api/assistance", month="2026-03").json()["errItems"] == 1
    ready.mocks.fault("provincial", "partial")
    assert ready.members(pageSize=10)["errItems"] == 1
    ready.mocks.fault("real_estate", "partial")
    document = etree.fromstring(ready.homesteads(1, 10).content)
    assert document.findtext(".//{*}errItems") == "1"
    assert len(document.findall(".//{*}record")) == 9


@pytest.mark.parametrize("fault", ["dtd", "entities"])
def test_hostile_xml(ready, fault):
    ready.mocks.fault("real_estate", fault)
    assert b"<!DOCTYPE" in ready.homesteads().content
    ready.mocks.fault("civil", fault)
    answer = ready.civil("/api/marriage")
    assert b"<!DOCTYPE" in answer.content
    assert answer.headers["Content-Type"].startswith("text/xml")


def test_dtd_keeps_the_answer_behind_the_doctype(ready):
    whole = etree.fromstring(ready.homesteads(1, 5).content)
    ready.mocks.fault("real_estate", "dtd")
    parser = etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False)
    document = etree.fromstring(ready.homesteads(1, 5).content, parser)
    assert document.getroottree().docinfo.system_url.startswith("http")
    assert etree.tostring(document) == etree.tostring(whole)


def test_entities_would_grow_a_billionfold(ready):
    ready.mocks.fault("real_estate", "entities")
    body = ready.homesteads().text
    assert len(body) < 2000
    assert body.count("<!ENTITY") == 10
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(body.encode())


def test_huge_is_streamed(ready):
    ready.mocks.fault("civil", "huge")
    with ready.http.stream("GET", ready.mocks.urls["civil"] + "/api/marriage") as answer:
        assert int(answer.headers["Content-Length"]) >= 100_000_000
        assert next(answer.iter_raw(1000)).startswith(b'{"code":"0","data":"aaa')
    assert ready.civil("/api/marriage").status_code == 200


def test_bomb_is_small_and_inflates(ready):
    ready.mocks.fault("civil", "bomb")
    headers = {"Accept-Encoding": "identity"}
    with ready.http.stream("GET", ready.mocks.urls["civil"] + "/api/marriage", headers=headers) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 250_000
    inflater, size = zlib.decompressobj(wbits=31), 0
    while packed:
        size += len(inflater.decompress(packed, 1_000_000))
        packed = inflater.unconsumed_tail
    assert size == 200_000_000


def test_clients_may_leave_at_any_time(ready, capsys):
    address = urlsplit(ready.mocks.urls["civil"])
    for sent in (
        b"",
        b"GET /api/marr",
        b"POST /auth/token HTTP/1.1\r\nContent-Length: 50\r\n\r\n{",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(sent)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    ready.mocks.fault("civil", "huge")
    with ready.http.stream("GET", ready.mocks.urls["civil"] + "/api/marriage") as answer:
        next(answer.iter_raw())
    assert marriage(ready)["code"] == 200
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


def test_connections_are_kept(ready):
    with ready.http.stream("GET", ready.mocks.urls["civil"] + "/api/marriage") as answer:
        answer.read()
        before = answer.extensions["network_stream"].get_extra_info("client_addr")
    with ready.http.stream("GET", ready.mocks.urls["civil"] + "/api/marriage") as answer:
        assert json.loads(answer.read())["code"] == 401
        assert answer.extensions["network_stream"].get_extra_info("client_addr") == before
