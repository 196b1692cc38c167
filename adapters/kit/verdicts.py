"""What a source means by its own error text or code (china-facts §1.1 end, §1.2, §6): status alone is never trusted."""

from __future__ import annotations

import re
from typing import Final

from adapters.kit.errors import SourceDenied, SourceError, SourceMalformed, SourceUnavailable

_TEXTS: Final = (
    (
        "AUTH_CONFIG",
        re.compile(
            r"签名错误|验签失败|鉴权失败|鉴权参数不完整|未授权|无权访问|没有权限|应用不存在|appkey\s*无效|无效的?\s*appkey|服务已停用|授权已过期"
            r"|IP.{0,40}?不在.{0,8}?白名单|不在.{0,4}?IP.{0,4}?白名单"
            r"|No required SSL certificate was sent|The SSL certificate error",  # nginx, with status 400
            re.IGNORECASE,
        ),
    ),
    (
        "AUTH_EXPIRED",
        re.compile(
            r"(?:token|令牌|密钥|时间戳|登录|会话|session)\s*(?:已经?)?\s*(?:失效|过期|超时)"
            r"|(?:token|令牌|时间戳)\s*(?:无效|不合法)|时间戳?.{0,12}?(?:有效期|相差|误差|偏差)",
            re.IGNORECASE,
        ),
    ),
    ("THROTTLED", re.compile(r"调用次数超限|超出访问频率|流量控制|今日调用已达上限|请求过于频繁")),
    ("SOURCE_5XX", re.compile(r"系统繁忙|服务繁忙|稍后再试|稍后重试|服务不可用|接口调用失败")),
    ("NO_DATA", re.compile(r"未查询到数据|查无此人|无数据|没有数据|记录不存在|查询结果为空")),
)
_CODES: Final = {
    "401": "AUTH_EXPIRED",
    "403": "AUTH_CONFIG",
    "E-106": "AUTH_CONFIG",
    "429": "THROTTLED",
    "500": "SOURCE_5XX",
    "503": "SOURCE_5XX",
    "FailedAuthentication": "AUTH_CONFIG",  # from here on the fault codes of WS-Security
    "InvalidSecurity": "AUTH_CONFIG",
    "InvalidSecurityToken": "AUTH_CONFIG",
    "FailedCheck": "AUTH_CONFIG",
    "SecurityTokenUnavailable": "AUTH_CONFIG",
    "MessageExpired": "AUTH_EXPIRED",
}
_SENTENCES: Final = {
    "AUTH_CONFIG": "{label}：对方拒绝了本账号，请核对账号、密钥与授权范围",
    "AUTH_EXPIRED": "{label}：凭证已过期",
    "THROTTLED": "{label}：调用次数或频率超限",
    "SOURCE_5XX": "{label}：对方系统暂时不可用",
    "BUSINESS_ERROR": "{label}：对方报告业务错误，原文见证据",
}

EVIDENCE_BYTES: Final = 65_536
"""How much of an offending answer an error carries."""


def verdict(text: str, code: str = "") -> str | None:
    """The code of china-facts §6 that an error text means, else what its business code means; None if neither says."""
    return next((name for name, pattern in _TEXTS if pattern.search(text)), _CODES.get(code.strip()))


def refusal(code: str, label: str, evidence: bytes, **facts: object) -> SourceError:
    """The error to raise for a verdict; anything unknown is a business error, which stops the run and keeps the evidence."""
    kind: type[SourceError] = SourceMalformed
    if code in {"AUTH_CONFIG", "AUTH_EXPIRED"}:
        kind = SourceDenied
    elif code in {"THROTTLED", "SOURCE_5XX"}:
        kind = SourceUnavailable
    sentence = _SENTENCES.get(code, _SENTENCES["BUSINESS_ERROR"])
    return kind(code, sentence, evidence=evidence[:EVIDENCE_BYTES], label=label, **facts)
