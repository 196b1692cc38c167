"""省政务数据共享交换平台: profile GJ with signed headers and a secret that rotates (china-facts §1.1 P3)."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from mock_agencies.counties import County
from mock_agencies.server import Agency, Request, Response, capped
from mock_agencies.wording import Served, pick

RID: Final = "demo-rid@36"
APP_KEY: Final = "demo-app-key-360981"
CATALOGUE_SID: Final = "s_3600000000000_0000"
_SID: Final = re.compile(r"s_([0-9]{6})0000000_000([12])")
"""A county's household members are its first service, its payments the second."""

_FOUR: Final = ("gjgxjhpt_rid", "gjgxjhpt_sid", "gjgxjhpt_rtime", "gjgxjhpt_sign")
PAGE_CAP: Final = 500
LIFETIME_MS: Final = 15 * 60 * 1000
SKEW_MS: Final = 180 * 1000
_OLD_SECRETS: Final = 32

NO_DATA: Final = "没有数据或者时间格式错误"

_MEMBER_ITEMS: Final = [
    "GMSFHM",
    "公民身份号码",
    "XM",
    "姓名",
    "CYM",
    "曾用名",
    "XB",
    "性别",
    "MZ",
    "民族",
    "CSRQ",
    "出生日期",
    "HH",
    "户号",
    "PCSDM",
    "派出所代码",
    "YHZGX",
    "与户主关系",
    "HJDXZ",
    "户籍地址",
    "HJDQH",
    "户籍地区划",
    "HKXZ",
    "户口性质",
    "HZSFZH",
    "户主身份证号",
    "HZXM",
    "户主姓名",
    "HYZK",
    "婚姻状况",
    "QRRQ",
    "迁入日期",
    "QCRQ",
    "迁出日期",
    "SWRQ",
    "死亡日期",
    "ZXSJ",
    "注销日期",
    "GXSJ",
    "更新时间",
]
_PAYMENT_ITEMS: Final = [
    "MXID",
    "批次明细ID",
    "PCH",
    "批次号",
    "ND",
    "年度",
    "BTXMBM",
    "补贴项目编码",
    "BTXMMC",
    "补贴项目名称",
    "ZGBM",
    "主管部门",
    "ZJWH",
    "资金文号",
    "XM",
    "姓名",
    "SFZH",
    "身份证号",
    "YHZH",
    "银行账号",
    "YFJE",
    "应发金额",
    "SFJE",
    "实发金额",
    "FFRQ",
    "发放日期",
    "FFZT",
    "发放状态",
    "SBYY",
    "失败原因",
    "QHDM",
    "区划代码",
    "GXSJ",
    "更新时间",
]


def _entry(sid: str, name: str, provider: str, cycle: str, items: list[str]) -> dict[str, Any]:
    titles = zip(items[::2], items[1::2], strict=True)
    return {
        "sid": sid,
        "name": name,
        "provider": provider,
        "updateCycle": cycle,
        "items": [{"name": column, "title": title, "type": "string"} for column, title in titles],
    }


def _services(county: County) -> list[dict[str, Any]]:
    first, second = (f"s_{county.code}0000000_000{n}" for n in (1, 2))
    return [
        _entry(first, "户籍成员信息", f"{county.name}公安局", "每日", _MEMBER_ITEMS),
        _entry(second, "惠民惠农财政补贴资金一卡通发放明细", f"{county.name}财政局", "每月", _PAYMENT_ITEMS),
    ]


def sign(secret: str, sid: str, rid: str, rtime: str) -> str:
    digest = hmac.new(secret.encode(), f"{sid}{rid}{rtime}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def encrypt(secret: str, app_key: str) -> str:
    """AES-128/ECB/PKCS5 under the key that Java's SHA1PRNG makes of the app key."""
    key = hashlib.sha1(hashlib.sha1(app_key.encode()).digest()).digest()[:16]
    padder = PKCS7(128).padder()
    padded = padder.update(secret.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 # the platform's own choice
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def _envelope(data: Any, *, code: str = "0", message: str = "", errors: int = 0) -> Response:
    body = {"code": code, "data": data, "message": message} | ({"errItems": errors} if errors else {})
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


_FAILED: Final = ("-1", "接口调用失败")
_BAD_SIGN: Final = ("-1", "验签失败")
_OUTDATED: Final = ("E-106", "密钥已过期")


def _refusal(reason: tuple[str, str]) -> Response:
    return _envelope("", code=reason[0], message=reason[1])


class Provincial(Agency):
    """Household members and one-card payments behind one proxy."""

    name = "provincial"

    def __init__(self, served: Mapping[str, Served]) -> None:
        super().__init__()
        self._served = served
        self._guard = threading.Lock()
        self._secret: str | None = None
        self._ends = 0
        self._outdated: deque[str] = deque(maxlen=_OLD_SECRETS)

    def service(self, request: Request) -> str:
        return request.headers.get("gjgxjhpt_sid") or request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        try:
            parameters = json.loads(request.body or b"{}")
        except ValueError:
            return _refusal(_FAILED)
        if not isinstance(parameters, dict):
            return _refusal(_FAILED)
        if request.path == "/sysapi/auth/refreshappsecret":
            return self._renew(parameters)
        refused = self._check({name: request.headers.get(name) for name in _FOUR})
        if refused is not None:
            return _refusal(refused)
        if request.path == "/sysapi/service/getlist":
            return _envelope([entry for served in self._served.values() for entry in _services(served.county)])
        asked = _SID.fullmatch(self.service(request))
        if request.path != "/httpproxy" or asked is None or asked[1] not in self._served:
            return _refusal(_FAILED)
        serve = self._members if asked[2] == "1" else self._payments
        return serve(self._served[asked[1]], parameters, twist)

    def _renew(self, four: Mapping[str, Any]) -> Response:
        """A new secret, encrypted; the one before it is worth nothing from now on."""
        if not _signed(four, APP_KEY):
            return _refusal(_BAD_SIGN)
        with self._guard:
            if self._secret is not None:
                self._outdated.append(self._secret)
            self._secret, self._ends = secrets.token_hex(16), _now_ms() + LIFETIME_MS
            return _envelope({"secret": encrypt(self._secret, APP_KEY), "secretEndTime": str(self._ends)})

    def expire(self) -> None:
        """Lets the current secret's time run out."""
        with self._guard:
            self._ends = 0

    def _check(self, four: Mapping[str, Any]) -> tuple[str, str] | None:
        with self._guard:
            current, valid, outdated = self._secret, _now_ms() < self._ends, list(self._outdated)
        if current is not None and _signed(four, current):
            return None if valid else _OUTDATED
        return _OUTDATED if any(_signed(four, old) for old in outdated) else _BAD_SIGN

    def _members(self, served: Served, asked: Mapping[str, Any], twist: str | None) -> Response:
        try:
            number, size = int(asked.get("pageNum", 1)), int(asked.get("pageSize", PAGE_CAP))
        except (TypeError, ValueError):
            return _refusal(_FAILED)
        items = served.items("household_member", unannounced=twist == "dictionary")
        rows = pick(items, str(asked.get("gxsj_start") or ""))
        size = capped(size, PAGE_CAP, twist)
        page = self.cut(rows, max(0, number - 1) * size, size, twist, f"{served.county.code}/members")
        text = f'{{"total":"{page.total}","rows":[{",".join(item.json for item in page.rows)}]}}'
        return _envelope(text, errors=page.errors)

    def _payments(self, served: Served, asked: Mapping[str, Any], twist: str | None) -> Response:
        if (asked.get("table_id"), asked.get("cd_source")) != ("yktffmx", served.county.code):
            return _refusal(_FAILED)
        rows = served.submitted(str(asked.get("submitted_date")))
        if not rows:
            return Response(NO_DATA.encode(), media="text/plain;charset=UTF-8")
        # A bare array has nowhere to say that a row was dropped, nor pages to shift.
        rows = rows[: capped(len(rows), len(rows), twist)]
        return Response(f"[{','.join(item.json for item in rows)}]".encode())


def _now_ms() -> int:
    return int(time.time() * 1000)


def _signed(four: Mapping[str, Any], secret: str) -> bool:
    """Whether requester, time and signature hold under this secret."""
    rid, sid, rtime, given = (str(four.get(name) or "") for name in _FOUR)
    if rid != RID or not rtime.isdigit() or abs(_now_ms() - int(rtime)) > SKEW_MS:
        return False
    return hmac.compare_digest(sign(secret, sid, rid, rtime).encode(), given.encode())
