"""REST sources: what is sent for each position of a walk, and what a page says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import ValidationError

from adapters.civil_affairs import CivilAffairs
from adapters.kit import Http, Ports, RestAdapter, RestStream, Rotating, SourceMalformed, SourceUnavailable, registry
from adapters.provincial_exchange import ProvincialExchange

FAR = Rotating("in-force", datetime(2027, 1, 1, tzinfo=UTC))


@pytest.fixture
def build(http: Http, server: Any, build_ports: Callable[..., Ports]) -> Callable[..., RestAdapter]:
    def build(kind: type[RestAdapter], **settings: Any) -> RestAdapter:
        ports = build_ports(http)
        for name in ("request_secret", "token"):
            ports.secrets.store(name, FAR)
        return kind(ports, kind.Settings.model_validate({"base_url": server.url, **settings}), "360981")

    return build


def reply(server: Any, *bodies: Any) -> None:
    left = [body if isinstance(body, str) else json.dumps(body, ensure_ascii=False) for body in bodies]
    server.answer = lambda call: (200, {"Content-Type": "application/json"}, left.pop(0).encode())


@pytest.mark.sockets
def test_a_get_carries_its_values_in_the_query(build: Any, server: Any) -> None:
    row = {"cert_no": "J360981-2026-000001"}
    reply(
        server,
        {"code": 200, "data": {"total": 3, "list": [row, row]}},
        {"code": 200, "data": {"total": 3, "list": [row]}},
        {"code": 200, "data": {"total": 3, "list": [row, row]}},
    )
    civil = build(CivilAffairs, page_size=2)
    first = civil.fetch("marriage", {"rest": True, "since": "2026-03-01T18:00:00"})
    second = civil.fetch("marriage", first.after("2026-03-02T09:00:00"))
    third = civil.fetch("marriage", second.after(None))
    asked = [dict(parse_qsl(urlsplit(call.path).query)) for call in server.calls]
    assert asked == [{"offset": o, "limit": "2", "since": "2026-03-01 18:00:00"} for o in ("0", "2", "0")]
    assert server.calls[0].headers["authorization"] == "Bearer in-force"
    assert [page.last for page in (first, second, third)] == [False, False, True]
    assert (first.declared, first.answer.request) == (3, "GET /api/marriage")
    assert third.after(None) == {"rest": True, "since": "2026-03-02T09:00:00"}
    assert first.answer.received_at == civil.ports.now()


@pytest.mark.sockets
def test_a_month_is_the_business_month(build: Any, server: Any) -> None:
    reply(server, {"state": 200, "message": "success", "data": [{"JZZH": "1"}], "totalItems": 2, "errItems": 1})
    page = build(CivilAffairs).fetch("assistance", None)
    assert dict(parse_qsl(urlsplit(server.calls[0].path).query)) == {"month": "2026-03", "offset": "0", "limit": "200"}
    assert (page.notes, page.last, page.declared) == (("PARTIAL",), True, 2)
    assert CivilAffairs.streams["assistance"].snapshot


@pytest.mark.sockets
def test_a_post_carries_its_values_in_the_body_as_numbers(build: Any, server: Any) -> None:
    reply(server, {"code": "0", "data": json.dumps({"total": "1", "rows": [{"XM": "张三"}]}), "message": ""})
    exchange = build(ProvincialExchange, rid="rid@36", services={"household_member": "s_9_9999"})
    page = exchange.fetch("household_member", {"rest": True, "since": "2026-03-01T18:00:00"})
    call = server.calls[0]
    assert json.loads(call.body) == {"pageNum": 1, "pageSize": 500, "gxsj_start": "2026-03-01 18:00:00"}
    assert call.headers["gjgxjhpt_sid"] == "s_9_9999"
    assert page.answer.request == "POST /httpproxy s_…9999"
    assert page.rows.decode() == [{"XM": "张三"}]


@pytest.mark.sockets
def test_a_path_may_name_the_county_and_a_label_does_not(build: Any, server: Any) -> None:
    class Regional(RestAdapter):
        name = "regional"
        title = "按区划分路径"
        streams: ClassVar[Mapping[str, RestStream]] = {
            "marriage": RestStream(path="/api/{county}/marriage.htm", mapping=CivilAffairs.streams["marriage"].mapping)
        }

    reply(server, {"code": "00", "data": {"total": 1, "list": [{"cert_no": "J360981-2026-000001"}]}})
    page = build(Regional).fetch("marriage", None)
    assert server.calls[0].path == "/api/360981/marriage.htm"
    assert page.answer.request == "GET /api/{county}/marriage.htm"


@pytest.mark.sockets
def test_days_are_pulled_one_by_one(build: Any, server: Any) -> None:
    reply(server, "没有数据或者时间格式错误", [{"MXID": "1"}], "没有数据或者时间格式错误")
    exchange = build(ProvincialExchange, rid="rid@36", payments_from="2026-03-01")
    empty = exchange.fetch("payment", None)
    today = exchange.fetch("payment", empty.after(None))
    again = exchange.fetch("payment", today.after(None))
    bodies = [json.loads(call.body) for call in server.calls]
    assert bodies[0] == {"submitted_date": "2026-03-01", "table_id": "yktffmx", "cd_source": "360981"}
    assert [body["submitted_date"] for body in bodies] == ["2026-03-01", "2026-03-02", "2026-03-02"]
    assert [call.headers["gjgxjhpt_sid"] for call in server.calls] == ["s_3609810000000_0002"] * 3
    assert [(p.empty_confirmed, p.last) for p in (empty, today, again)] == [(True, False), (False, True), (True, True)]


def test_a_year_of_payments_is_the_first_reading() -> None:
    paging = ProvincialExchange.streams["payment"].paging
    today = datetime(2026, 3, 2, tzinfo=UTC).date()
    assert paging.begin({"rest": True}, None, today) == {"day": (today - timedelta(days=366)).isoformat()}


@pytest.mark.sockets
def test_the_catalogue_is_listed(build: Any, server: Any) -> None:
    entry = {"sid": "s_1", "name": "户籍成员", "provider": "公安局", "updateCycle": "每日", "items": []}
    reply(server, {"code": "0", "data": [entry], "message": ""}, {"code": "0", "data": [entry]}, {"code": "-1"})
    exchange = build(ProvincialExchange, rid="rid@36")
    assert exchange.catalogue() == [entry]
    assert [(layer.layer, layer.ok) for layer in exchange.probe()] == [("auth", True), ("catalogue", True)]
    assert [(layer.layer, layer.ok) for layer in exchange.probe()] == [("auth", True), ("catalogue", False)]


@pytest.mark.sockets
def test_a_refused_log_in_is_a_probe_that_failed(http: Http, server: Any, build_ports: Callable[..., Ports]) -> None:
    ports = build_ports(http)
    civil = CivilAffairs(ports, CivilAffairs.Settings.model_validate({"base_url": server.url}), "360981")
    (layer,) = civil.probe()
    assert (layer.layer, layer.ok) == ("auth", False)
    assert "app_id" in layer.sentence


@pytest.mark.sockets
def test_time_and_size_are_the_sources_own(build: Any, server: Any) -> None:
    server.answer = lambda call: (200, {}, b"x" * (2 << 20))
    with pytest.raises(SourceMalformed) as caught:
        build(CivilAffairs, max_mb=1).fetch("marriage", None)
    assert caught.value.code == "TOO_LARGE"
    server.raw = lambda out: time.sleep(1)
    started = time.monotonic()
    with pytest.raises(SourceUnavailable):
        build(CivilAffairs, deadline=0.2).fetch("marriage", None)
    assert time.monotonic() - started < 0.8


def test_a_restart_goes_through_the_adapter(build: Any) -> None:
    civil = build(CivilAffairs)
    assert civil.restart({"rest": True, "since": "2026-01-01T00:00:00"})["high"] == "2026-01-01T00:00:00"


@pytest.mark.parametrize("base_url", ["ftp://x", "http://x/", "http://x?a=1", "x", "http://"])
def test_a_base_url_is_checked(base_url: str) -> None:
    with pytest.raises(ValidationError):
        CivilAffairs.Settings.model_validate({"base_url": base_url})


def test_an_unknown_adapter_is_answered_with_those_there_are() -> None:
    assert set(registry.names()) >= {"civil_affairs", "provincial_exchange", "real_estate"}
    assert registry.find("civil_affairs") is CivilAffairs
    with pytest.raises(ValueError, match=r"可用的有：.*civil_affairs.*real_estate"):
        registry.find("civil_afairs")
