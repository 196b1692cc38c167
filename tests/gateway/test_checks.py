"""`check` on loopback, each layer failing in its turn: what is said, what to do, and that nothing above it is tried."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI

from gateway.app import Gateway
from gateway.app.collecting import NOBODY
from gateway.checks import remedies
from gateway.errors import ConfigInvalid
from gateway.settings import Settings
from gateway.web import build
from tests.support.house import copy_config
from tests.support.web import visit

pytestmark = pytest.mark.sockets

FEED = "360981/paid"
ROW = {"id": "Y1", "nd": "2026", "xm": "王某", "sfz": "360999199001010010", "je": "1.50", "mc": "稻谷补贴", "zt": "1"}
COUNTY = """\
county: {{code: "360981", name: 丰城市, bureau: 丰城市数据局}}
sources:
  front:
    adapter: rest
    account: checked
    base_url: {base}
    auth: {{profile: bearer}}
    datasets:
      payment:
        path: /rows
        envelope: {{rows: data, total: total, success: {{code: ["0"]}}, message: msg}}
        mapping:
          detail_id: id
          year: nd
          payee_name: xm
          payee_id_no: sfz
          amount_paid: {{from: je, unit: 元}}
          item_name: mc
          status: {{from: zt, codes: {{"1": paid}}}}
feeds:
  paid: {{source: front, dataset: payment, {poll}}}
"""


@dataclass
class Agency:
    """What the server says next: a status and a body."""

    status: int = 200
    body: Any = field(default_factory=lambda: {"code": "0", "data": [ROW], "total": 1})


class Handler(BaseHTTPRequestHandler):
    agency: Agency

    def do_GET(self) -> None:
        told = self.agency.body
        body = told.encode() if isinstance(told, str) else json.dumps(told).encode()
        self.send_response(self.agency.status)
        self.send_header("Content-Type", "text/html" if isinstance(told, str) else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@dataclass
class Desk:
    """An installation whose only county asks one server, and that server."""

    settings: Settings
    agency: Agency
    port: int

    @cached_property
    def gateway(self) -> Gateway:
        made = Gateway(self.settings)
        _ = made.config
        return made

    def write(self, base: str = "", poll: str = "poll: 1h", text: str = COUNTY) -> None:
        base = base or f"http://127.0.0.1:{self.port}"
        (self.settings.config / "counties/360981.yaml").write_text(text.format(base=base, poll=poll), "utf-8")

    def last(self) -> tuple[str, bool, str, str]:
        """The last layer that was tried."""
        probe = self.gateway.check(FEED, NOBODY, draft=True)[-1]
        return probe.layer, probe.ok, probe.sentence, probe.remedy


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    config = copy_config(tmp_path_factory.mktemp("checked"), ())
    with (config / "accounts.yaml").open("a", encoding="utf-8") as file:
        file.write("  checked: {secrets: {token: {file: secrets/checked}}, budget: {failures: 1000}}\n")
    (config / "secrets/checked").write_text("t\n", "ascii")
    agency = Agency()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Handler,), {"agency": agency}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    desk = Desk(Settings(config=config, data=config.parent / "data"), agency, server.server_address[1])
    desk.write()
    yield desk
    desk.gateway.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def desk(served: Desk) -> Desk:
    served.agency.__init__()  # type: ignore[misc] # says again what it says at first
    with served.gateway.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM account")
    served.write()
    return served


def test_every_layer_holds_and_says_so(desk: Desk) -> None:
    probes = desk.gateway.check(FEED, NOBODY, draft=True)
    assert [(p.layer, p.ok) for p in probes] == [
        *((layer, True) for layer in ("config", "dns", "tcp", "auth", "read", "mapping", "schema", "duty"))
    ]
    assert [p.remedy for p in probes if p.remedy] == []
    assert probes[4].sentence == "取得 1 条，来源声明共 1 条"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://127.0.0.1:1", ("tcp", "127.0.0.1:1 连不上：对方拒绝连接")),
        ("http://nowhere.invalid", ("dns", "nowhere.invalid 解析不了")),
        ("https://127.0.0.1:{port}", ("tls", "127.0.0.1 在这个端口上不按 TLS 应答")),
    ],
)
def test_it_stops_where_nobody_answers(desk: Desk, address: str, told: tuple[str, str]) -> None:
    desk.write(address.format(port=desk.port))
    layer, ok, sentence, remedy = desk.last()
    assert ((layer, sentence), ok) == (told, False)
    assert remedy


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, {"code": "1", "msg": "签名错误"}, ("auth", "AUTH_CONFIG")),
        (401, {"code": "401", "msg": "token已过期"}, ("auth", "AUTH_CONFIG")),
        (200, "<html><form>登录</form></html>", ("read", "LOGIN_PAGE")),
        (503, "", ("read", "SOURCE_5XX")),
        (404, "", ("read", "HTTP_4XX")),
        (200, {"rows": []}, ("read", "ENVELOPE_UNKNOWN")),
    ],
)
def test_an_answer_that_is_none_names_its_layer(desk: Desk, status: int, body: Any, told: tuple[str, str]) -> None:
    desk.agency.status, desk.agency.body = status, body
    layer, ok, sentence, remedy = desk.last()
    assert (layer, ok) == (told[0], False), sentence
    assert remedy == remedies.CODES.get(told[1], remedies.LAYERS[layer])


def test_rows_that_do_not_fit_say_which_column_and_why(desk: Desk) -> None:
    rows = {"code": "0", "total": 2}
    desk.agency.body = {**rows, "data": [{**ROW, "xm": ""}, {k: v for k, v in ROW.items() if k != "xm"}]}
    assert desk.last()[:3] == ("mapping", False, "取到的 2 条里，payee_name 要的列 xm 一次也没有值")
    desk.agency.body = {**rows, "data": [{**ROW, "je": "很多"}, {**ROW, "id": "Y2", "je": "不少"}]}
    layer, ok, sentence, remedy = desk.last()
    assert (layer, ok, remedy) == ("schema", False, remedies.LAYERS["schema"])
    assert sentence.startswith("可采纳 0 条，2 条要进隔离区：amount_paid ")
    desk.agency.body = {**rows, "data": [{**ROW, "je": "很多"}, {**ROW, "id": "Y2"}]}
    probes = {probe.layer: probe for probe in desk.gateway.check(FEED, NOBODY, draft=True)}
    assert probes["schema"].sentence.startswith("可采纳 1 条，1 条要进隔离区：amount_paid ")


def test_a_draft_is_checked_before_it_is_published(desk: Desk) -> None:
    """Its faults first; a duty that its interval makes impossible last."""
    desk.write(poll='cron: "0 6 1 1 *"')
    layer, ok, sentence, remedy = desk.last()
    assert (layer, ok, remedy) == ("duty", False, remedies.LAYERS["duty"])
    assert "才采集一次" in sentence
    desk.write(text=COUNTY.replace("detail_id: id", "detail_no: id"))
    with pytest.raises(ConfigInvalid) as refused:
        desk.gateway.check(FEED, NOBODY, draft=True)
    assert "detail_no" in str(refused.value.problems[0])
    desk.write(text=COUNTY.replace("  paid: {{", "  given: {{"))
    told = visit(application(desk), "/api/v1/feeds/360981/given/check?draft=true", "POST", grant="system").json()
    assert [probe["layer"] for probe in told][-1] == "duty"
    shown = visit(application(desk), "/api/v1/feeds/360981/given/preview?draft=true", "POST", grant="operator")
    assert shown.json()["rows"][0]["verdict"] == "ok"
    assert ROW["sfz"] not in shown.text


def application(desk: Desk) -> FastAPI:
    return build(desk.gateway, lambda: True)


@pytest.mark.parametrize(
    ("days", "trusted", "told", "stops"),
    [
        (90, True, "证书可信，还有 89 天到期", False),
        (5, True, "证书还有 4 天到期", False),
        (-1, True, "127.0.0.1 的证书已经过期", True),
        (90, False, "127.0.0.1 的证书由不认识的机构签发", True),
    ],
)
def test_a_certificate_is_looked_at(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, *, trusted: bool, told: str, stops: bool
) -> None:
    """Days left are said; nearly over is told and stops nothing; over, or issued by nobody known, stops."""
    pem = certificate(tmp_path / "server.pem", datetime.now(UTC) + timedelta(days=days))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Asked", (Handler,), {"agency": desk.agency}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        desk.write(f"https://127.0.0.1:{server.server_address[1]}")
        probes = {probe.layer: probe for probe in desk.gateway.check(FEED, NOBODY, draft=True)}
    finally:
        server.shutdown()
        server.server_close()
    assert probes["tls"].sentence == told
    assert ("read" not in probes) == stops
    assert bool(probes["tls"].remedy) == (not probes["tls"].ok)
    with desk.gateway.store.read() as tx:
        noted = {row.name: row.expires_at[:10] for row in tx.all("expiries")}
    assert stops or noted == {"127.0.0.1": (datetime.now(UTC) + timedelta(days=days)).isoformat()[:10]}


def certificate(path: Path, ends: datetime) -> Path:
    """One of its own making for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agency")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=9))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path
