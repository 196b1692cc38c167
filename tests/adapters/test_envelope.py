"""china-facts §1.2: every wrapping that was seen, and what an error text means (§1.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.kit import Envelope, SourceDenied, SourceError, SourceMalformed, SourceUnavailable

ROWS = [{"XM": "张三", "N": 1}, {"XM": "李四", "N": 2}]
LISTED = Envelope(errors="errItems")
STRINGED = Envelope(rows="data.rows", total="data.total", message="message")
BARE = Envelope(rows="", total=None, message="message")


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def wrapped(levels: int) -> str:
    text = dump({"total": "2", "rows": ROWS})
    for _ in range(levels):
        text = dump(text)
    return f'{{"code":"0","data":{text},"message":""}}'


@pytest.mark.parametrize(
    ("envelope", "body", "total"),
    [
        (LISTED, dump({"code": 200, "msg": "ok", "data": {"total": 2, "list": ROWS}}), 2),
        (LISTED, dump({"code": " 00 ", "data": {"list": ROWS}}), None),
        (LISTED, dump({"data": {"list": dump(ROWS), "total": " 7 "}, "code": "0"}), 7),
        (STRINGED, wrapped(0), 2),
        (STRINGED, wrapped(1), 2),
        (STRINGED, wrapped(2), 2),
        (STRINGED, wrapped(3), 2),
        (BARE, dump(ROWS), None),
        (BARE, dump(dump(ROWS)), None),
        (LISTED, "\ufeff" + dump(ROWS), None),
        (LISTED, dump({"code": 0, "data": ROWS}), None),
        (Envelope(rows="datas", total="totalDataCount", success={"recode": ("000000",)}),
         dump({"recode": "000000", "datas": ROWS, "totalDataCount": 2}), 2),
        (Envelope(rows="data", total="totalPage"), dump({"code": 0, "data": ROWS, "totalPage": 1}), None),
        (Envelope(rows="data", total=None, success={"isSuccessful": ("查询成功",), "ok": ("true",)}),
         dump({"isSuccessful": "查询成功", "ok": True, "data": ROWS}), None),
    ],
)  # fmt: skip
def test_rows_come_out_of_any_wrapping(envelope: Envelope, body: str, total: int | None) -> None:
    opened = envelope.unwrap(body.encode())
    assert opened.rows.decode() == ROWS
    assert opened.rows.decode([1]) == ROWS[1:]
    assert (opened.total, opened.empty_confirmed, opened.notes) == (total, False, ())


def test_a_fourth_level_of_text_is_none_of_ours() -> None:
    with pytest.raises(SourceMalformed):
        STRINGED.unwrap(wrapped(4).encode())


def test_raw_rows_are_the_bytes_that_came() -> None:
    opened = LISTED.unwrap(b'{"code":0,"data":{"list":[ {"a": 1} ,{"a":2}]}}')
    assert list(opened.rows.raw) == [b'{"a": 1}', b'{"a":2}']


def test_rows_are_not_decoded_until_wanted() -> None:
    opened = LISTED.unwrap(b'{"code":0,"data":{"list":[{"a":1},{"a":"\xff"},[]]}}')
    assert opened.rows.decode([0]) == [{"a": 1}]
    for bad in (1, 2):
        with pytest.raises(SourceMalformed) as caught:
            opened.rows.decode([bad])
        assert caught.value.code == "DECODE"


def test_one_object_is_one_row() -> None:
    assert Envelope(rows="data").unwrap(b'{"code":"0","data":{"XM":"x"}}').rows.decode() == [{"XM": "x"}]


def test_gb18030_is_read() -> None:
    opened = LISTED.unwrap(dump({"code": 0, "data": {"list": ROWS}}).encode("gb18030"))
    assert opened.rows.decode() == ROWS


@pytest.mark.parametrize(
    ("envelope", "body", "confirmed"),
    [
        (BARE, "没有数据或者时间格式错误", True),
        (BARE, '"没有数据"', True),
        (BARE, "[]", False),
        (LISTED, '{"code":200,"data":{"total":0,"list":[]}}', True),
        (LISTED, '{"code":200,"data":{"total":"0","list":null}}', True),
        (LISTED, '{"code":200,"data":null}', False),
        (LISTED, '{"code":200,"data":"null"}', False),
        (LISTED, '{"code":200,"data":"[]"}', False),
        (LISTED, '{"code":200,"data":""}', False),
        (LISTED, '{"code":200,"msg":"未查询到数据","data":null}', True),
        (LISTED, '{"code":"99","msg":"查无此人"}', True),
        (LISTED, '{"code":200,"data":{"total":3,"list":[]}}', False),
        (Envelope(empty_texts=("本期未产生",)), '{"code":"7","msg":"本期未产生"}', True),
    ],
)
def test_nothing_is_confirmed_only_by_the_source(envelope: Envelope, body: str, confirmed: bool) -> None:
    opened = envelope.unwrap(body.encode())
    assert (list(opened.rows.raw), opened.empty_confirmed) == ([], confirmed)


def test_a_partial_answer_is_a_success_with_a_note() -> None:
    opened = LISTED.unwrap(b'{"code":0,"errItems":1,"data":{"total":2,"list":[{"a":1}]}}')
    assert (len(opened.rows.raw), opened.dropped, opened.notes) == (1, 1, ("PARTIAL",))
    opened = LISTED.unwrap(b'{"code":0,"errItems":2,"data":{"total":0,"list":[]}}')
    assert not opened.empty_confirmed


@pytest.mark.parametrize(
    ("message", "business", "kind", "code"),
    [
        ("验签失败", "-1", SourceDenied, "AUTH_CONFIG"),
        ("IP不在白名单", 500, SourceDenied, "AUTH_CONFIG"),
        ("APPKEY 无效", 1, SourceDenied, "AUTH_CONFIG"),
        ("密钥已过期", "E-106", SourceDenied, "AUTH_EXPIRED"),
        ("token失效", 401, SourceDenied, "AUTH_EXPIRED"),
        ("Token 已经过期", 1, SourceDenied, "AUTH_EXPIRED"),
        ("请求密钥失效", 1, SourceDenied, "AUTH_EXPIRED"),
        ("时间戳超时", 1, SourceDenied, "AUTH_EXPIRED"),
        ("", 401, SourceDenied, "AUTH_EXPIRED"),
        ("", "E-106", SourceDenied, "AUTH_CONFIG"),
        ("今日调用已达上限", 1, SourceUnavailable, "THROTTLED"),
        ("系统繁忙，请稍后再试", 1, SourceUnavailable, "SOURCE_5XX"),
        ("接口调用失败", "-1", SourceUnavailable, "SOURCE_5XX"),
        ("身份证号 360999198001010016 参数缺失", 97, SourceMalformed, "BUSINESS_ERROR"),
    ],
)
def test_an_error_text_decides_before_its_code(message: str, business: Any, kind: type[SourceError], code: str) -> None:
    body = dump({"code": business, "msg": message, "data": None}).encode()
    with pytest.raises(kind) as caught:
        LISTED.unwrap(body, "GET /x")
    assert caught.value.code == code
    assert caught.value.evidence == body
    assert "36099919" not in str(caught.value)


def test_a_message_in_the_place_of_the_data_is_read() -> None:
    envelope = Envelope(rows="data.fwxx", total=None, success={"type": ("success",)})
    with pytest.raises(SourceDenied):
        envelope.unwrap('{"type":"fail","data":"接口未授权"}'.encode())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "NON_JSON"),
        ("<RESPONSE/>", "NON_JSON"),
        ("操作成功完成", "NON_JSON"),
        ('{"code":0,"data":{"list":[{"a":1},{"a"', "TRUNCATED"),
        ('{"code":0,"data":{"list":[{"a":1}', "TRUNCATED"),
        ('{"code":0,,}', "NON_JSON"),
        ('{"code":0,"data":{"rows":[]}}', "ENVELOPE_UNKNOWN"),
        ('{"code":0}', "ENVELOPE_UNKNOWN"),
        ('{"data":{"list":[]}}', "ENVELOPE_UNKNOWN"),
        ('{"code":0,"data":{"list":"操作成功完成"}}', "NON_JSON"),
    ],
)
def test_what_was_not_agreed_stops_the_run(body: str, code: str) -> None:
    with pytest.raises(SourceMalformed) as caught:
        LISTED.unwrap(body.encode())
    assert caught.value.code == code
    assert caught.value.evidence == body.encode()


def test_a_payload_is_decoded_where_it_is_wanted() -> None:
    assert Envelope(rows="data", total=None).payload(b'{"code":200,"data":{"token":"t"}}') == {"token": "t"}
    for body in (b'{"code":200}', '{"code":1,"msg":"没有数据"}'.encode(), "没有数据".encode()):
        with pytest.raises(SourceMalformed) as caught:
            Envelope(rows="data").payload(body)
        assert caught.value.code == "ENVELOPE_UNKNOWN"


@pytest.mark.parametrize(("member", "token"), [('"a b"', "a b"), ("7", "7"), ("null", ""), ('""', ""), ("{}", "")])
def test_the_next_page_is_asked_for_with_a_member_of_this_one(member: str, token: str) -> None:
    body = f'{{"code":"0","data":{{"list":[{{"a":1}}],"cursor":{{"next":{member}}}}}}}'.encode()
    opened = Envelope(total=None, next_token="data.cursor.next").unwrap(body)
    assert (opened.next_token, list(opened.rows.raw)) == (token, [b'{"a":1}'])
    assert Envelope(total=None).unwrap(body).next_token == ""
