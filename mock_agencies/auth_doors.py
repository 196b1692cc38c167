"""Doors of Chinese platforms (china-facts §1.1 P1 to P5, P8), each with its own tolerances and in its own words."""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from mock_agencies.faults import soap_fault
from mock_agencies.provincial import encrypt
from mock_agencies.provincial import sign as gj_sign
from mock_agencies.server import Request, Response

ROWS: Final = [{"ID": str(n)} for n in range(1, 8)]
COUNTY: Final = "360981"
RID: Final = "demo-rid@36"
SIDS: Final = ("s_36_0000", "s_360981_0001")
SECRETS: Final[Mapping[str, Mapping[str, str]]] = {
    "tif": {"paasid": "demo-paas", "token": "demo-tif-token"},
    "zj": {"app_key": "demo-zj-key", "app_secret": "demo-zj-app-secret"},
    "gj": {"app_key": "demo-gj-app-key"},
    "xclient": {"client_id": "demo-client", "token_secret": "demo-xclient-secret"},
    "sha1": {"app_key": "demo-sha1-key", "app_secret": "demo-sha1-secret"},
    "login": {"app_id": "demo-app", "app_secret": "demo-login-secret"},
    "fixed": {"token": "demo-fixed-token", "api_key": "demo-api-key"},
    "basic": {"username": "演示", "password": "demo:basic:password"},
    "digest": {"username": "演示", "password": "demo-digest-password"},
    "wsse": {"username": "demo-user", "password": "demo-wsse-password"},
    "mutual": {},
}
"""Door -> what was handed out for it."""

_DENIED: Final = "鉴权失败，鉴权信息有误。"


def as_json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body, ensure_ascii=False).encode(), status, headers=headers or {})


def refused(code: Any, msg: str, status: int = 200) -> Response:
    return as_json({"code": code, "msg": msg, "data": None}, status)


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def off(given: str, unit: float = 1000) -> float:
    """How many seconds a caller's clock is off."""
    return abs(time.time() - int(given) / unit) if given.isdigit() else float("inf")


class Door(ABC):
    """One profile's checks."""

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        """`keys`: what was handed out, if not the desk's own."""
        self.name, self.keys = name, SECRETS[name] if keys is None else keys
        self.asked: Counter[str] = Counter()
        self.guard = threading.Lock()

    @abstractmethod
    def check(self, request: Request) -> Response | None:
        """What turns a caller away, or None."""

    def serve(self, request: Request) -> Response:
        """The rows. Their page is `STARTNUM` + `PAGENUM`, `PAGE` + `PAGENUM` (a size), or all."""
        size = int(request.query.get("PAGENUM", len(ROWS)))
        start = int(request.query.get("STARTNUM", (int(request.query.get("PAGE", 1)) - 1) * size))
        data = {"total": len(ROWS), "list": ROWS[start : start + size]}
        return as_json({"code": "0", "msg": "成功", "data": data})


class Tif(Door):
    """P1: refuses with HTTP 500."""

    def check(self, request: Request) -> Response | None:
        given = [request.headers.get(f"x-tif-{name}") or "" for name in ("paasid", "timestamp", "nonce", "signature")]
        if not all(given):
            return refused(400001, "鉴权参数不完整，请求不合法。", 500)
        paasid, timestamp, nonce, signature = given
        right = hashlib.sha256((timestamp + self.keys["token"] + nonce + timestamp).encode()).hexdigest()
        held = paasid == self.keys["paasid"] and off(timestamp, 1) <= 180 and same(right, signature.lower())
        return None if held else refused(400001, _DENIED, 500)


class Zj(Door):
    """P2: two secrets; each renewal makes both former ones worthless."""

    lifetimes: Final = {"request": 15 * 60, "refresh": 48 * 3600}

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(name, keys)
        self.place = "headers"
        """Where a call must carry the three members; a renewal has them in the query."""
        self._now: dict[str, tuple[str, float]] = {}
        self._former: deque[str] = deque(maxlen=32)

    def expire(self, kind: str) -> None:
        """Lets the time of the request or the refresh secret run out."""
        with self.guard:
            self._now[kind] = (self._now[kind][0], 0.0)

    def forget(self) -> None:
        """Somebody else has renewed: what was given before is worth nothing."""
        with self.guard:
            self._former += [text for text, _ in self._now.values()]
            self._now = {kind: (secrets.token_hex(16), time.time() + s) for kind, s in self.lifetimes.items()}

    def check(self, request: Request) -> Response | None:
        if "/gateway/app/" in request.path:
            return self._renew(request)
        with self.guard:
            secret, ends = self._now.get("request", ("", 0.0))
            former = list(self._former)
        if any(self._signed(request, old) for old in former) or ends < time.time():
            return refused("99", "请求密钥失效")
        return None if self._signed(request, secret) else refused("99", "签名错误")

    def _renew(self, request: Request) -> Response:
        call = request.path.rpartition("/")[2].removesuffix(".htm")
        self.asked[call] += 1
        with self.guard:
            secret, ends = self._now.get("refresh", ("", 0.0))
        if call == "refreshTokenByKey":
            secret, ends = self.keys["app_secret"], float("inf")
        if ends < time.time():
            return refused("99", "密钥已过期")
        if not self._signed(request, secret):
            return refused("99", "签名错误")
        self.forget()
        datas: dict[str, Any] = {}
        for kind, (text, until) in self._now.items():
            datas |= {f"{kind}Secret": text, f"{kind}SecretEndTime": int(until * 1000)}
        return as_json({"code": "00", "msg": "成功", "data": "", "datas": datas, "dataCount": 0, "requestId": None})

    def _signed(self, request: Request, secret: str) -> bool:
        inside = request.query if self.place == "query" or "/app/" in request.path else request.headers
        given = {name: inside.get(name) or "" for name in ("appKey", "sign", "requestTime")}
        right = hashlib.md5((self.keys["app_key"] + secret + given["requestTime"]).encode()).hexdigest()
        held = given["appKey"] == self.keys["app_key"] and off(given["requestTime"]) <= 900
        return bool(secret) and held and same(right, given["sign"])


class Gj(Door):
    """P3, by REST and, under /wsproxy, as elements of the SOAP header."""

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(name, keys)
        self._secret = ""

    def check(self, request: Request) -> Response | None:
        if request.path.endswith("refreshappsecret"):
            return self._renew(json.loads(request.body))
        if request.path.endswith("/wsproxy"):
            held = request.method == "GET" or self._signed(_bus_header(request), self._secret, "jsjhpt_sign")
            return None if held else soap_fault("验签失败")
        held = self._signed(dict(request.headers.items()), self._secret)
        return None if held else as_json({"code": "-1", "data": "", "message": "验签失败"})

    def _renew(self, given: Mapping[str, str]) -> Response:
        self.asked["renewals"] += 1
        signs = {"gjgxjhpt_sign": given.get("jsjhpt_sign", ""), **given}
        if not self._signed(signs, self.keys["app_key"]):
            return as_json({"code": "-1", "data": "", "message": "验签失败"})
        self._secret = secrets.token_hex(16)
        ends = str(int((time.time() + 900) * 1000))
        data = {"secret": encrypt(self._secret, self.keys["app_key"]), "secretEndTime": ends}
        return as_json({"code": "0", "data": data, "message": ""})

    def _signed(self, given: Mapping[str, str], secret: str, sign: str = "gjgxjhpt_sign") -> bool:
        rid, sid, rtime = (given.get(f"gjgxjhpt_{name}", "") for name in ("rid", "sid", "rtime"))
        held = bool(secret) and rid == RID and sid in SIDS and off(rtime) <= 180
        return held and same(gj_sign(secret, sid, rid, rtime), given.get(sign, ""))


class Xclient(Door):
    """P4: ten minutes, and no nonce twice."""

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(name, keys)
        self._nonces: set[str] = set()

    def check(self, request: Request) -> Response | None:
        client, stamp, nonce, signature = (
            request.headers.get(f"X-{name}") or "" for name in ("Client-Id", "Timestamp", "Nonce", "Signature")
        )
        digest = hmac.new(
            self.keys["token_secret"].encode(), (client + stamp + nonce).encode(), hashlib.sha256
        ).digest()
        if client != self.keys["client_id"]:
            return refused("401", "应用不存在")
        if not same(base64.b64encode(digest).decode(), signature) or nonce in self._nonces:
            return refused("401", "验签失败")
        self._nonces.add(nonce)
        return None if off(stamp) <= 600 else refused("401", "时间戳已过期")


class Sha1(Door):
    """P5: one hour."""

    def check(self, request: Request) -> Response | None:
        key, given, stamp = (request.headers.get(name) or "" for name in ("appKey", "signature", "timestamp"))
        if key != self.keys["app_key"]:
            return refused("98", "无效的appKey")
        if not same(hashlib.sha1((key + self.keys["app_secret"] + stamp).encode()).hexdigest(), given):
            return refused("98", "签名错误")
        return None if off(stamp) <= 3600 else refused("98", "请求时间与服务器时间相差过大")


class Login(Door):
    """P8: a token for two hours, taken from `Authorization`, a header `token` or the query."""

    def __init__(self, name: str, keys: Mapping[str, str] | None = None) -> None:
        super().__init__(name, keys)
        self.tokens: set[str] = set()
        self.members = ("appId", "appSecret", "token", "expires_in")
        """What it calls id, secret, token and lifetime; a blank lifetime is not told."""

    def check(self, request: Request) -> Response | None:
        if request.path.endswith("/auth"):
            return self._log_in(json.loads(request.body))
        bearer = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
        given = bearer or request.headers.get("token") or request.query.get("access_token", "")
        return None if given in self.tokens else refused(401, "token失效")

    def _log_in(self, given: Mapping[str, str]) -> Response:
        self.asked["log-ins"] += 1
        app_id, app_secret, named, lifetime = self.members
        if given != {app_id: self.keys["app_id"], app_secret: self.keys["app_secret"]}:
            return refused(401, "appId或appSecret错误")
        token = secrets.token_urlsafe(24)
        self.tokens.add(token)
        return as_json({"code": 200, "data": {named: token} | ({lifetime: 7200} if lifetime else {})})


class Fixed(Door):
    """A token or a key that was handed out once."""

    def check(self, request: Request) -> Response | None:
        headers, query = request.headers, request.query
        token = headers.get("Authorization", "").removeprefix("Bearer ") or query.get("access_token", "")
        key = headers.get("X-Api-Key") or query.get("key", "")
        held = (token and token == self.keys.get("token")) or (key and key == self.keys.get("api_key"))
        return None if held else refused(403, "接口未授权", 403)


def _bus_header(request: Request) -> dict[str, str]:
    """What 东方通's bus reads from `<tongtechheader>`."""
    wrapper = etree.fromstring(request.body).find("{*}Header/tongtechheader")
    return {} if wrapper is None else {str(member.tag): member.text or "" for member in wrapper}
