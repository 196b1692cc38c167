"""农业农村: a public-data platform of the Zhejiang kind, profile ZJ with a pair of secrets that rotates (china-facts §1.1 P2).

The platform's interfaces do not agree on their envelope: a list, a list inside a string, and an older form with `recode`.
"""

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
from urllib.parse import parse_qsl

from mock_agencies.server import Agency, Cut, Request, Response, capped
from mock_agencies.wording import Served, pick

APP_KEY: Final = "demo-agriculture-key"
APP_SECRET: Final = "demo-agriculture-secret"
SUBSIDIES: Final = "nybtffmx0001"
CONTRACTS: Final = "cbhtxx0002"
ENTITIES: Final = "xxnyjyzt0003"

PAGE_CAPS: Final = {SUBSIDIES: 500, CONTRACTS: 100, ENTITIES: 200}
REQUEST_LIFETIME_MS: Final = 15 * 60 * 1000
REFRESH_LIFETIME_MS: Final = 48 * 60 * 60 * 1000
SKEW_MS: Final = 10 * 60 * 1000
_OLD_SECRETS: Final = 32

_API: Final = re.compile(r"/gateway/api/([^/]+)/dataSharing/([^/]+)\.htm")
_DATASETS: Final = {SUBSIDIES: "subsidy", CONTRACTS: "contracted_land", ENTITIES: "agri_entity"}
_SIGNED: Final = ("appKey", "sign", "requestTime")


def sign(app_key: str, secret: str, request_time: str) -> str:
    return hashlib.md5(f"{app_key}{secret}{request_time}".encode()).hexdigest()


class _Secret:
    """One secret and those before it. Not thread-safe."""

    def __init__(self, lifetime: int) -> None:
        self._lifetime = lifetime
        self._current: str | None = None
        self.ends = 0
        self._outdated: deque[str] = deque(maxlen=_OLD_SECRETS)

    def renew(self) -> str:
        """A new one; the one before it is worth nothing from now on."""
        if self._current is not None:
            self._outdated.append(self._current)
        self._current, self.ends = secrets.token_hex(16), _now_ms() + self._lifetime
        return self._current

    def verdict(self, asked: Mapping[str, str]) -> bool | None:
        """Whether a signature holds; None: it was made with a secret whose time is up."""
        if self._current is not None and _signed(asked, self._current):
            return True if _now_ms() < self.ends else None
        return None if any(_signed(asked, old) for old in self._outdated) else False


class Agriculture(Agency):
    """Subsidies, contracts of land and directories of entities."""

    name = "agriculture"

    def __init__(self, served: Mapping[str, Served]) -> None:
        super().__init__()
        self._served = served
        self._guard = threading.RLock()
        self._request, self._refresh = _Secret(REQUEST_LIFETIME_MS), _Secret(REFRESH_LIFETIME_MS)

    def service(self, request: Request) -> str:
        found = _API.fullmatch(request.path)
        return found[2] if found else request.path

    def expire(self, *, refresh: bool = False) -> None:
        """Lets the request secret's time run out; `refresh`: that of both."""
        with self._guard:
            self._request.ends = 0
            if refresh:
                self._refresh.ends = 0

    def answer(self, request: Request, twist: str | None) -> Response:
        asked = _parameters(request)
        if refused := _incomplete(asked):
            return refused
        if request.path == "/gateway/app/refreshTokenByKey.htm":
            return self._renewed() if _signed(asked, APP_SECRET) else _failed("99", "签名错误")
        if request.path == "/gateway/app/refreshTokenBySec.htm":
            return self._renewed_by_refresh(asked)
        with self._guard:
            by_request = self._request.verdict(asked)
        if not by_request:
            return _failed("99", "签名错误" if by_request is False else "请求密钥失效")
        found = _API.fullmatch(request.path)
        if found is None or found[1] not in self._served or found[2] not in _DATASETS:
            return _failed("99", "接口不存在")
        return self._rows(self._served[found[1]], found[2], asked, twist)

    def _renewed_by_refresh(self, asked: Mapping[str, str]) -> Response:
        """Of two that come at once with one secret, one is too late."""
        with self._guard:
            held = self._refresh.verdict(asked)
            return self._renewed() if held else _failed("99", "签名错误" if held is False else "刷新密钥失效")

    def _renewed(self) -> Response:
        with self._guard:
            datas = {
                "refreshSecret": self._refresh.renew(),
                "refreshSecretEndTime": self._refresh.ends,
                "requestSecret": self._request.renew(),
                "requestSecretEndTime": self._request.ends,
            }
        return _envelope(datas=datas, dataCount=0, totalDataCount=0, totalPage=1, requestId=None, interfaces=None)

    def _rows(self, served: Served, code: str, asked: Mapping[str, str], twist: str | None) -> Response:
        cap, page = PAGE_CAPS[code], "pageNo" if code == ENTITIES else "pageNum"
        try:
            number, size = int(asked.get(page, 1)), int(asked.get("pageSize", cap))
        except ValueError:
            return _failed("98", "参数类型错误")
        since = "" if code == ENTITIES else asked.get("gxsj", "")
        rows = pick(served.items(_DATASETS[code], unannounced=twist == "dictionary"), since)
        size = capped(size, cap, twist)
        return _page(code, self.cut(rows, max(0, number - 1) * size, size, twist, f"{served.county.code}/{code}"), size)


def _page(code: str, page: Cut, size: int) -> Response:
    text = f"[{','.join(item.json for item in page.rows)}]"
    counts = f'"totalDataCount":{page.total},"totalPage":{-(-page.total // size)},"requestId":"{secrets.token_hex(16)}"'
    if page.errors:
        counts += f',"errItems":{page.errors}'
    if code == ENTITIES:
        return Response(f'{{"recode":"000000","msg":"成功","datas":{text},{counts}}}'.encode())
    datas = json.dumps(text, ensure_ascii=False) if code == CONTRACTS else text
    head = f'"code":"00","msg":"成功","data":"","datas":{datas},"dataCount":{len(page.rows)}'
    return Response(f"{{{head},{counts}}}".encode())


def _envelope(**members: Any) -> Response:
    body = {"code": "00", "msg": "成功", "data": ""} | members
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def _failed(code: str, message: str) -> Response:
    return _envelope(code=code, msg=message, datas="", dataCount=0, totalDataCount=0, totalPage=0, requestId=None)


def _parameters(request: Request) -> dict[str, str]:
    """From the query, a form, a JSON body or one form field `data`; the three that sign also from headers."""
    asked = {name: request.headers.get(name) or "" for name in _SIGNED} | request.query
    body = request.body.decode(errors="replace")
    if body.startswith("{"):
        return asked | _members(body)
    form = dict(parse_qsl(body, keep_blank_values=True))
    return asked | (_members(form["data"]) if "data" in form else form)


def _members(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _incomplete(asked: Mapping[str, str]) -> Response | None:
    if not all(asked[name] for name in _SIGNED):
        return _failed("97", "参数缺失")
    if not asked["requestTime"].isdigit():
        return _failed("98", "参数类型错误")
    if asked["appKey"] != APP_KEY:
        return _failed("99", "appKey无效")
    return _failed("99", "时间戳过期") if abs(_now_ms() - int(asked["requestTime"])) > SKEW_MS else None


def _signed(asked: Mapping[str, str], secret: str) -> bool:
    expected = sign(asked["appKey"], secret, asked["requestTime"])
    return hmac.compare_digest(expected.encode(), asked["sign"].encode())


def _now_ms() -> int:
    return int(time.time() * 1000)
