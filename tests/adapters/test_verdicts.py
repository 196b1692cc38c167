"""Every text and code of china-facts §1.1, and what the gateway does next about it."""

from __future__ import annotations

import pytest

from adapters.kit import SourceDenied, SourceMalformed, SourceUnavailable
from adapters.kit.verdicts import refusal, verdict

AUTH_CONFIG = (
    "签名错误、验签失败、鉴权失败、鉴权参数不完整，请求不合法。、未授权、无权访问、接口未授权、应用不存在、appKey无效、AppKey 无效、"
    "无效的appKey、IP不在白名单、服务已停用、授权已过期、请求IP[10.1.2.3]不在白名单内、IP地址不在白名单、不在IP白名单、"
    "客户端ip 10.1.2.3 不在该应用的白名单、400 No required SSL certificate was sent、400 The SSL certificate error"
)
AUTH_EXPIRED = (
    "token失效、token过期、Token已过期、令牌无效、请求密钥失效、密钥已过期、登录超时、时间戳过期、时间戳超时、时间戳已经过期、"
    "时间戳不合法、时间戳不在有效期内、请求时间与服务器时间相差过大、时间误差超过3分钟"
)
THROTTLED = "调用次数超限、超出访问频率、流量控制、今日调用已达上限"
NO_DATA = "未查询到数据、查无此人、无数据、没有数据、没有数据或者时间格式错误、记录不存在、查询结果为空"
TEXTS = [
    (code, text)
    for code, texts in (
        ("AUTH_CONFIG", AUTH_CONFIG),
        ("AUTH_EXPIRED", AUTH_EXPIRED),
        ("THROTTLED", THROTTLED),
        ("NO_DATA", NO_DATA),
    )
    for text in texts.split("、")
]


@pytest.mark.parametrize(("code", "text"), TEXTS)
def test_a_text_means_what_the_facts_say(code: str, text: str) -> None:
    assert verdict(f'{{"code":"99","msg":"{text}"}}') == code


@pytest.mark.parametrize(
    "text", ["", "参数缺失", "数据更新时间 2026-03-02", "失败", "身份证有效期至 2030", "查询时间格式错误"]
)
def test_other_texts_mean_nothing(text: str) -> None:
    assert verdict(text) is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("401", "AUTH_EXPIRED"),
        ("E-106", "AUTH_CONFIG"),
        ("FailedAuthentication", "AUTH_CONFIG"),
        ("InvalidSecurity", "AUTH_CONFIG"),
        ("MessageExpired", "AUTH_EXPIRED"),
        ("99", None),
    ],
)
def test_a_code_speaks_where_the_text_says_nothing(given: str, code: str | None) -> None:
    assert verdict("失败", given) == code
    assert verdict("没有数据", given) == "NO_DATA"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AUTH_CONFIG", SourceDenied),
        ("AUTH_EXPIRED", SourceDenied),
        ("THROTTLED", SourceUnavailable),
        ("SOURCE_5XX", SourceUnavailable),
        ("BUSINESS_ERROR", SourceMalformed),
    ],
)
def test_a_verdict_is_an_instruction(code: str, kind: type[Exception]) -> None:
    assert type(refusal(code, "GET /a", b"")) is kind
