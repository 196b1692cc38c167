"""自然资源: approvals of homesteads behind a Tencent TIF gateway, profile P1 (china-facts §1.1): refusals are HTTP 500."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, Final

from mock_agencies.counties import PILOT
from mock_agencies.server import Agency, Request, Response, capped, mounted
from mock_agencies.wording import Served, pick

PAAS_ID: Final = "demo-natural-resources"
TOKEN: Final = "demo-natural-resources-token"
PATH: Final = "/ebus/zrzy/homestead-approval"
PAGE_CAP: Final = 100
SKEW_SECONDS: Final = 180

_HEADERS: Final = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature")


def sign(token: str, timestamp: str, nonce: str) -> str:
    return hashlib.sha256(f"{timestamp}{token}{nonce}{timestamp}".encode()).hexdigest().upper()


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), status)


class NaturalResources(Agency):
    """Approvals, newest last."""

    name = "natural_resources"

    def __init__(self, served: Mapping[str, Served]) -> None:
        super().__init__()
        self._served = served

    def service(self, request: Request) -> str:
        return request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        if refused := _refusal(request):
            return _json({"code": 400001, "msg": refused}, 500)
        county, path = mounted(request.path, self._served, PILOT)
        if path != PATH:
            return _json({"code": 404, "msg": "接口不存在", "data": None})
        try:
            number, size = int(request.query.get("current", 1)), int(request.query.get("size", PAGE_CAP))
        except ValueError:
            return _json({"code": 400, "msg": "参数错误", "data": None})
        rows = pick(self._served[county].items("homestead_approval"), request.query.get("gxsj", ""))
        size = capped(size, PAGE_CAP, twist)
        page = self.cut(rows, max(0, number - 1) * size, size, twist, request.path)
        records = ",".join(item.json for item in page.rows)
        counts = f'"total":"{page.total}","size":{size},"current":{number},"pages":{-(-page.total // size)}'
        errors = f',"errItems":{page.errors}' if page.errors else ""
        data = f'{{"records":[{records}],{counts}}}'
        return Response(f'{{"code":200,"msg":"操作成功","data":{data}{errors}}}'.encode())


def _refusal(request: Request) -> str | None:
    paas_id, timestamp, nonce, given = (request.headers.get(name) or "" for name in _HEADERS)
    if not (paas_id and timestamp and nonce and given):
        return "鉴权参数不完整，请求不合法。"
    fresh = timestamp.isdigit() and abs(time.time() - int(timestamp)) <= SKEW_SECONDS
    held = hmac.compare_digest(sign(TOKEN, timestamp, nonce).encode(), given.upper().encode())
    return None if fresh and held and paas_id == PAAS_ID else "鉴权失败，鉴权信息有误。"
