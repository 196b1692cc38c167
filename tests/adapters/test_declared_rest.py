"""What a file may say of a REST source, against servers that speak so: envelopes of china-facts §1.2, pagings of §1.7, bodies, charsets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.kit import Adapter, Http, Ports, Rotating, SourceDenied, SourceError, SourceMalformed
from adapters.kit.recording import record, replay, run
from adapters.rest import Rest

ROWS = [{"ID": f"{n:03d}", "GXSJ": f"2026-02-{n // 20 + 1:02d} 08:00:00"} for n in range(1, 251)]
CAP = 50

Build = Callable[..., Rest]


@pytest.fixture
def build(http: Http, server: Any, build_ports: Callable[..., Ports]) -> Build:
    """A source whose stream is declared with these words."""

    def build(auth: dict[str, Any] | None = None, **said: Any) -> Rest:
        stream = {"path": "/api/x", "mapping": {"detail_id": "ID"}, **said}
        told = {"base_url": server.url, "datasets": {"payment": stream}} | ({"auth": auth} if auth else {})
        ports = build_ports(http, {"token": "t-1"})
        ports.secrets.store("token", Rotating("t-1", datetime(2027, 1, 1, tzinfo=UTC)))
        return Rest(ports, Rest.Settings.model_validate(told), "360981")

    return build


def sent(call: Any) -> dict[str, str]:
    """Parameters of the query and members of the body together."""
    found = dict(parse_qsl(urlsplit(call.path).query, keep_blank_values=True))
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return found | dict(parse_qsl(call.body.decode(), keep_blank_values=True))
    return found | (json.loads(call.body) if call.body else {})


def answers(server: Any, answer: Callable[[dict[str, str]], Any]) -> None:
    def reply(call: Any) -> tuple[int, dict[str, str], bytes]:
        body = answer(sent(call))
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        return 200, {"Content-Type": "application/json"}, text.encode()

    server.answer = reply


def enveloped(rows: list[Any], **total: Any) -> dict[str, Any]:
    return {"code": "0", "data": {"list": rows, **total}}


def read(rest: Adapter) -> list[str]:
    pages, cursor = run(rest, "payment", None, 100)
    assert cursor is not None
    assert cursor["rest"]
    return [item["ID"] for page in pages for item in page.rows.decode()]


ALL = [row["ID"] for row in ROWS]


def numbered(first: int, total: Callable[[int], Any]) -> Callable[[dict[str, str]], Any]:
    def answer(asked: dict[str, str]) -> Any:
        size = min(int(asked["rows"]), CAP)
        start = (int(asked["page"]) - first) * size
        return enveloped(
            ROWS[start : start + size], **{k: v for k, v in {"total": total(size)}.items() if v is not None}
        )

    return answer


TOTALS: dict[str, Callable[[int], Any]] = {
    "number": lambda _: len(ROWS),
    "text": lambda _: str(len(ROWS)),
    "missing": lambda _: None,
}


@pytest.mark.sockets
@pytest.mark.parametrize("total", TOTALS)
@pytest.mark.parametrize("first", [0, 1])
def test_pages_are_numbered_from_0_or_1_under_a_silent_cap(build: Build, server: Any, first: int, total: str) -> None:
    answers(server, numbered(first, TOTALS[total]))
    paging = {"kind": "page_number", "page": "page", "size": "rows", "limit": 100, "first": first}
    assert read(build(paging=paging)) == ALL
    assert int(sent(server.calls[0])["page"]) == first


@pytest.mark.sockets
@pytest.mark.parametrize("said", [{}, {"envelope": {"total": None}}])
def test_a_total_that_counts_pages_ends_nothing(build: Build, server: Any, said: dict[str, Any]) -> None:
    answers(server, numbered(1, lambda size: -(-len(ROWS) // size)))
    paging = {"kind": "page_number", "page": "page", "size": "rows", "limit": 50}
    assert read(build(paging=paging, **said)) == ALL


@pytest.mark.sockets
@pytest.mark.parametrize("first", [0, 1])
def test_an_offset_goes_on_from_what_came(build: Build, server: Any, first: int) -> None:
    def answer(asked: dict[str, str]) -> Any:
        start = int(asked["STARTNUM"]) - first
        return enveloped(ROWS[start : start + min(int(asked["PAGENUM"]), CAP)], total=str(len(ROWS)))

    answers(server, answer)
    assert read(build(paging={"kind": "offset", "start": "STARTNUM", "size": "PAGENUM", "first": first})) == ALL


@pytest.mark.sockets
def test_the_last_page_over_and_over_is_the_end(build: Build, server: Any) -> None:
    def answer(asked: dict[str, str]) -> Any:
        start = min((int(asked["pageNum"]) - 1) * CAP, len(ROWS) - CAP)
        return enveloped(ROWS[start : start + CAP])

    answers(server, answer)
    assert read(build(paging={"kind": "page_number", "limit": CAP}, envelope={"total": None})) == [*ALL, *ALL[-CAP:]]


@pytest.mark.sockets
def test_the_rows_after_the_last_one(build: Build, server: Any) -> None:
    def answer(asked: dict[str, str]) -> Any:
        return enveloped([row for row in ROWS if row["ID"] > asked["lastId"]][:CAP])

    answers(server, answer)
    assert read(build(paging={"kind": "after_key", "keys": {"lastId": "ID"}, "start": {"lastId": "0"}})) == ALL


@pytest.mark.sockets
def test_the_token_of_the_page_before(build: Build, server: Any) -> None:
    def answer(asked: dict[str, str]) -> Any:
        start = int(asked["scroll"])
        return enveloped(ROWS[start : start + CAP], next=str(start + CAP) if start + CAP < len(ROWS) else "-1")

    answers(server, answer)
    paging = {"kind": "next_token", "token": "scroll", "start": "0", "ends": ["-1"]}
    assert read(build(paging=paging, envelope={"next_token": "data.next", "total": None})) == ALL


@pytest.mark.sockets
def test_a_recording_keeps_what_was_declared_and_no_host(build: Build, server: Any) -> None:
    answers(server, lambda _: enveloped(ROWS[:1], next=""))
    auth = {"profile": "login", "url": f"{server.url}/login"}
    paging = {"kind": "next_token", "token": "scroll"}
    rest = build(auth, paging=paging, envelope={"next_token": "data.next", "total": None}, source_time="GXSJ")
    recorded = record(Rest, rest.ports, rest.settings, "360981")
    assert recorded.settings["datasets"]["payment"]["paging"]["token"] == "scroll"
    assert recorded.settings["datasets"]["payment"]["envelope"]["next_token"] == "data.next"
    assert server.url not in str(recorded.settings)
    assert read(replay(recorded, Rest)) == ["001"]


@pytest.mark.sockets
def test_a_day_at_a_time_and_plain_words_for_nothing(build: Build, server: Any) -> None:
    answers(server, lambda asked: [ROWS[0]] if asked["submitted"] == "20260301" else "没有数据或者时间格式错误")
    paging = {"kind": "day_slice", "param": "submitted", "start": "2026-02-27", "format": "%Y%m%d"}
    rest = build(paging=paging, envelope={"rows": "", "total": None, "success": {}})
    assert read(rest) == ["001"]
    assert [sent(call)["submitted"] for call in server.calls] == ["20260227", "20260228", "20260301", "20260302"]


TWICE = json.dumps(json.dumps([ROWS[0]]))


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("envelope", "body"),
    [
        ({"rows": "data", "success": {"code": ["00"]}}, {"code": "00", "data": [ROWS[0]]}),
        ({"rows": "data", "success": {"code": ["200"]}}, {"code": 200, "data": ROWS[0]}),
        ({"rows": "datas", "success": {"recode": ["000000"]}}, {"recode": "000000", "datas": json.dumps([ROWS[0]])}),
        ({"rows": "datas", "success": {"recode": ["000000"]}}, {"recode": "000000", "datas": TWICE}),
        ({"rows": "datas", "success": {"recode": ["000000"]}}, {"recode": "000000", "datas": json.dumps(TWICE)}),
        ({"rows": "data.fwxx", "success": {"type": ["success"]}}, {"type": "success", "data": {"fwxx": [ROWS[0]]}}),
        ({"rows": "data.Types.asset.Items", "success": {"state": ["200"]}}, {"state": 200, "data": {"Types": {"asset": {"Items": [ROWS[0]]}}}}),
        ({"rows": "result.records", "success": {"code": ["1"]}}, json.dumps({"code": 1, "result": {"records": [ROWS[0]]}})),
        ({"rows": "", "success": {}}, [ROWS[0]]),
    ],
)  # fmt: skip
def test_every_envelope_can_be_said(build: Build, server: Any, envelope: dict[str, Any], body: Any) -> None:
    answers(server, lambda _: body)
    assert read(build(envelope=envelope)) == ["001"]


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("envelope", "body", "code"),
    [
        ({"success": {"type": ["success"]}}, {"type": "fail", "data": "签名错误"}, "AUTH_CONFIG"),
        ({"success": {"code": ["00"]}}, {"code": "96", "msg": "数据错误"}, "BUSINESS_ERROR"),
        ({"success": {"state": ["200"]}}, {"code": "0", "data": {"list": []}}, "ENVELOPE_UNKNOWN"),
        ({"success": {}, "rows": ""}, "<html>", "LOGIN_PAGE"),
    ],
)
def test_what_is_no_success_is_named(build: Build, server: Any, envelope: Any, body: Any, code: str) -> None:
    answers(server, lambda _: body)
    with pytest.raises(SourceError) as caught:
        read(build(envelope=envelope))
    assert caught.value.code == code


@pytest.mark.sockets
@pytest.mark.parametrize(
    "body",
    ["没有数据", {"code": "0", "msg": "查询结果为空", "data": ""}, {"code": "0", "data": {"list": [], "total": "0"}}],
)
def test_nothing_is_confirmed_in_any_words(build: Build, server: Any, body: Any) -> None:
    answers(server, lambda _: body)
    page = build().fetch("payment", None)
    assert (len(page.rows.raw), page.empty_confirmed, page.last) == (0, True, True)


@pytest.mark.sockets
def test_items_the_source_drops_are_counted(build: Build, server: Any) -> None:
    answers(server, lambda _: {"state": 200, "Items": ROWS[:2], "totalItems": 3, "errItems": 1})
    page = build(
        envelope={"rows": "Items", "total": "totalItems", "errors": "errItems", "success": {"state": ["200"]}}
    ).fetch("payment", None)
    assert (page.notes, page.declared, page.last) == (("PARTIAL",), 3, True)


@pytest.mark.sockets
def test_a_form_is_posted_with_its_paging_and_watermark(build: Build, server: Any) -> None:
    answers(server, lambda _: enveloped(ROWS[:1], total=1))
    rest = build(
        method="POST", body="form", params={"v": "1"}, body_params={"QXDM": "{county}", "rq": "{today:%Y%m%d}"},
        paging={"kind": "offset"}, since={"param": "gxsj", "format": "epoch_ms", "overlap": "1m"}, source_time="GXSJ",
    )  # fmt: skip
    rest.fetch("payment", {"rest": True, "since": "2026-03-01T08:01:00"})
    (call,) = server.calls
    assert call.headers["content-type"] == "application/x-www-form-urlencoded"
    assert urlsplit(call.path).query == "v=1"
    moment = int(datetime(2026, 3, 1, 0, 0, tzinfo=UTC).timestamp()) * 1000
    assert dict(parse_qsl(call.body.decode())) == {
        "QXDM": "360981", "rq": "20260302", "offset": "0", "limit": "200", "gxsj": str(moment)
    }  # fmt: skip


@pytest.mark.sockets
def test_dotted_names_are_members_of_members(build: Build, server: Any) -> None:
    answers(server, lambda _: enveloped(ROWS[:1], total=1))
    paging = {"kind": "page_number", "page": "page.current", "size": "page.size", "limit": 10}
    build(method="POST", body_params={"query.qxdm": "{county}", "month": "{month}"}, paging=paging).fetch(
        "payment", None
    )
    told = {"query": {"qxdm": "360981"}, "month": "2026-03", "page": {"current": 1, "size": 10}}
    assert json.loads(server.calls[0].body) == told


@pytest.mark.sockets
def test_a_charset_that_only_shows_late_is_declared(build: Build, server: Any) -> None:
    rows = [*({"ID": f"{n:09d}"} for n in range(1000)), {"ID": "䶮"}]
    body = json.dumps(enveloped(rows), ensure_ascii=False).encode("gb18030")
    server.answer = lambda call: (200, {}, body)
    assert read(build(envelope={"charset": "GBK"}))[-1] == "䶮"
    with pytest.raises(SourceMalformed):
        read(build())
    with pytest.raises(SourceMalformed) as caught:
        read(build(envelope={"charset": "utf-8"}))
    assert caught.value.code == "DECODE"


@pytest.mark.sockets
def test_it_signs_as_it_says(build: Build, server: Any) -> None:
    answers(server, lambda _: enveloped(ROWS[:1], total=1))
    build({"profile": "bearer", "query": "access_token"}).fetch("payment", None)
    assert sent(server.calls[0])["access_token"] == "t-1"
    build({"profile": "bearer"}).fetch("payment", None)
    assert server.calls[1].headers["authorization"] == "Bearer t-1"
    with pytest.raises(SourceDenied):
        build({"profile": "tif"}).fetch("payment", None)
