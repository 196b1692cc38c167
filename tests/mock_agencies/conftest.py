"""One small dirty world for the tests that only read, and clients that speak each agency's protocol."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

import mock_agencies
from mock_agencies import Mocks

RID = "demo-rid@36"
APP_KEY = "demo-app-key-360981"
CATALOGUE = "s_3600000000000_0000"
MEMBERS = "s_3609810000000_0001"
PAYMENTS = "s_3609810000000_0002"
ZJ_KEY = "demo-agriculture-key"
SUBSIDIES, CONTRACTS, ENTITIES = "nybtffmx0001", "cbhtxx0002", "xxnyjyzt0003"
TIF_TOKEN = "demo-natural-resources-token"


def four(secret: str, sid: str, *, rtime: int | None = None) -> dict[str, str]:
    """The four members of profile GJ, signed."""
    at = str(int(time.time() * 1000) if rtime is None else rtime)
    digest = hmac.new(secret.encode(), (sid + RID + at).encode(), hashlib.sha256).digest()
    return {
        "gjgxjhpt_rid": RID,
        "gjgxjhpt_sid": sid,
        "gjgxjhpt_rtime": at,
        "gjgxjhpt_sign": base64.b64encode(digest).decode(),
    }


def signed(secret: str, *, at: int | None = None) -> dict[str, str]:
    """The three members of profile ZJ."""
    now = str(int(time.time() * 1000) if at is None else at)
    return {
        "appKey": ZJ_KEY,
        "requestTime": now,
        "sign": hashlib.md5((ZJ_KEY + secret + now).encode()).hexdigest(),
    }


def tif(token: str = TIF_TOKEN, *, at: int | None = None, nonce: str = "n0nce") -> dict[str, str]:
    """The four headers of profile TIF."""
    now = str(int(time.time()) if at is None else at)
    return {
        "x-tif-paasid": "demo-natural-resources",
        "x-tif-timestamp": now,
        "x-tif-nonce": nonce,
        "x-tif-signature": hashlib.sha256((now + token + nonce + now).encode()).hexdigest().upper(),
    }


@dataclass
class Client:
    """What an honest caller does, written apart from the servers."""

    mocks: Mocks
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))
    token: str = ""
    secret: str = ""
    request_secret: str = ""

    def renew(self) -> str:
        answer = self.http.post(
            self.mocks.urls["provincial"] + "/sysapi/auth/refreshappsecret", json=four(APP_KEY, CATALOGUE)
        ).json()
        key = hashlib.sha1(hashlib.sha1(APP_KEY.encode()).digest()).digest()[:16]
        decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        padded = decryptor.update(base64.b64decode(answer["data"]["secret"])) + decryptor.finalize()
        self.secret = padded[: -padded[-1]].decode()
        return self.secret

    def provincial(self, path: str, sid: str, body: Any, **signing: Any) -> httpx.Response:
        secret = signing.pop("secret", None) or self.secret or self.renew()
        return self.http.post(self.mocks.urls["provincial"] + path, json=body, headers=four(secret, sid, **signing))

    def members(self, **parameters: Any) -> dict[str, Any]:
        answer = self.provincial("/httpproxy", MEMBERS, parameters).json()
        return json.loads(answer["data"]) | {"errItems": answer.get("errItems", 0)}

    def payments(self, day: str) -> httpx.Response:
        asked = {"submitted_date": day, "table_id": "yktffmx", "cd_source": "360981"}
        return self.provincial("/httpproxy", PAYMENTS, asked)

    def log_in(self) -> str:
        asked = {"appId": "demo-civil", "appSecret": "demo-civil-secret"}
        self.token = self.http.post(self.mocks.urls["civil"] + "/auth/token", json=asked).json()["data"]["token"]
        return self.token

    def civil(self, path: str, **parameters: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token or self.log_in()}"}
        return self.http.get(self.mocks.urls["civil"] + path, params=parameters, headers=headers)

    def zj_renew(self, by: str = "Key", secret: str = "demo-agriculture-secret") -> dict[str, Any]:
        """Both secrets anew."""
        url = f"{self.mocks.urls['agriculture']}/gateway/app/refreshTokenBy{by}.htm"
        answer = self.http.get(url, params=signed(secret)).json()
        if answer["code"] == "00":
            self.request_secret = answer["datas"]["requestSecret"]
        return answer

    def agriculture(self, code: str, *, region: str = "360981", secret: str = "", **parameters: Any) -> httpx.Response:
        if not (secret or self.request_secret):
            self.zj_renew()
        url = f"{self.mocks.urls['agriculture']}/gateway/api/{region}/dataSharing/{code}.htm"
        return self.http.get(url, params=signed(secret or self.request_secret) | parameters)

    def approvals(self, headers: dict[str, str] | None = None, **parameters: Any) -> httpx.Response:
        url = f"{self.mocks.urls['natural_resources']}/ebus/zrzy/homestead-approval"
        return self.http.get(url, params=parameters, headers=tif() if headers is None else headers)

    def soap(self, operation: str, body: str, *, token: str = "demo-real-estate-token") -> httpx.Response:
        envelope = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<{operation} xmlns="urn:fengcheng:bdc:1">{body}</{operation}></s:Body></s:Envelope>'
        )
        return self.http.post(
            self.mocks.urls["real_estate"] + "/services/RealEstate",
            content=envelope.encode(),
            headers={
                "Content-Type": "text/xml; charset=utf-8",
                "SOAPAction": f'"urn:fengcheng:bdc:1/{operation}"',
                "Authorization": f"Bearer {token}",
            },
        )

    def homesteads(self, page: int = 1, size: int = 500, since: str = "") -> httpx.Response:
        body = (
            f"<pageNo>{page}</pageNo><pageSize>{size}</pageSize><updatedSince>{since}</updatedSince><qxdm>360981</qxdm>"
        )
        return self.soap("QueryHomesteads", body)


@pytest.fixture(scope="session")
def _mocks() -> Iterator[Mocks]:
    with mock_agencies.start(households=300, seed=5, dirt=0.3) as mocks:
        yield mocks


@pytest.fixture
def mocks(_mocks: Mocks) -> Iterator[Mocks]:
    """Shared by all tests that neither advance it nor count on what others left; faults are cleared."""
    yield _mocks
    _mocks.clear_faults()


@pytest.fixture
def client(mocks: Mocks) -> Iterator[Client]:
    made = Client(mocks)
    yield made
    made.http.close()
