"""民政: REST with a token got by logging in."""

import json
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from mock_agencies.counties import PILOT
from mock_agencies.items import Item
from mock_agencies.server import Agency, Request, Response, capped, mounted
from mock_agencies.wording import Served, pick

APP_ID: Final = "demo-civil"
APP_SECRET: Final = "demo-civil-secret"
PAGE_CAP: Final = 200
TOKEN_SECONDS: Final = 7200


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


class Civil(Agency):
    """Marriage acts and monthly assistance."""

    name = "civil"

    def __init__(self, served: Mapping[str, Served]) -> None:
        super().__init__()
        self._served = served
        self._guard = threading.Lock()
        self._tokens: dict[str, float] = {}

    def service(self, request: Request) -> str:
        return request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        county, path = mounted(request.path, self._served, PILOT)
        served = self._served[county]
        if path == "/auth/token":
            return self._log_in(request)
        if not self._known(request.headers.get("Authorization") or ""):
            return _json({"code": 401, "msg": "token失效", "data": None})
        try:
            offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", PAGE_CAP))
        except ValueError:
            return _json({"code": 400, "msg": "参数错误", "data": None})
        size = capped(limit, PAGE_CAP, twist)
        if path == "/api/marriage":
            rows = pick(served.items("marriage"), request.query.get("since", ""))
            page = self.cut(rows, max(0, offset), size, twist, request.path)
            data = f'{{"total":{page.total},"list":{_array(page.rows)}}}'
            errors = f',"errItems":{page.errors}' if page.errors else ""
            return Response(f'{{"code":200,"msg":"success","data":{data}{errors}}}'.encode())
        if path == "/api/assistance":
            page = self.cut(served.assisted(request.query.get("month", "")), max(0, offset), size, twist, request.path)
            counts = f'"totalItems":{page.total},"errItems":{page.errors}'
            return Response(f'{{"state":200,"message":"success","data":{_array(page.rows)},{counts}}}'.encode())
        return _json({"code": 404, "msg": "接口不存在", "data": None})

    def _log_in(self, request: Request) -> Response:
        try:
            asked = json.loads(request.body)
        except ValueError:
            asked = None
        if asked != {"appId": APP_ID, "appSecret": APP_SECRET}:
            return _json({"code": 401, "msg": "appId或appSecret错误", "data": None})
        token = secrets.token_urlsafe(24)
        with self._guard:
            self._tokens[token] = time.monotonic() + TOKEN_SECONDS
        return _json({"code": 200, "data": {"token": token, "expires_in": TOKEN_SECONDS}, "msg": "ok"})

    def forget_tokens(self) -> None:
        """Lets every token be unknown, as after a restart of the agency."""
        with self._guard:
            self._tokens.clear()

    def _known(self, authorization: str) -> bool:
        with self._guard:
            return self._tokens.get(authorization.removeprefix("Bearer "), 0.0) > time.monotonic()


def _array(rows: Any) -> str:
    items: list[Item] = rows
    return f"[{','.join(item.json for item in items)}]"
