"""Auth profiles (china-facts §1.1): printed vectors, what is written, and one renewal however many workers ask for it."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree
from zeep.wsse import username

from adapters.kit import (
    GJ,
    Allowance,
    Bearer,
    Http,
    LocalBudget,
    LoginBearer,
    NoAuth,
    Ports,
    Rotating,
    SourceDenied,
    SourceError,
    SourceMalformed,
    UsernameToken,
    exchange,
)
from adapters.kit.auth.digest import Challenge, first_known
from adapters.kit.auth.gj import gj_decrypt, gj_sign
from adapters.kit.auth.stamped import sha1_sign, tif_sign, xclient_sign
from adapters.kit.auth.wsse import wsse_digest
from adapters.kit.auth.zj import zj_sign
from adapters.kit.wsdl import with_header

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
APP_KEY = "demo-app-key"


def encrypt(secret: str, app_key: str = APP_KEY) -> str:
    key = hashlib.sha1(hashlib.sha1(app_key.encode()).digest()).digest()[:16]
    padding = 16 - len(secret) % 16
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    padded = secret.encode() + bytes([padding]) * padding
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


TIME = "1690000000000"


@pytest.mark.parametrize(
    ("made", "printed"),
    [
        (
            tif_sign("DEMO_TOKEN_0123456789", "1690000000", "nonce-abc"),
            "8480B431A483A26203655E64227B093F69AD1DA2143524C3F745E6A6BBE3327E",
        ),
        (zj_sign("demoAppKey", "demoRequestSecret", TIME), "3a70515396934f6626f64ad4a38cc125"),
        (
            gj_sign("demoAppSecret", "s_3600000000000_0001", "demo-rid@36", TIME),
            "g9Iy8LOmmp/fQ07gy7N5X8G0/uIuEcvtc9k71Y0c19Q=",
        ),
        (
            xclient_sign("demoSecret", "demoClientId", TIME, "nonce-abc"),
            "0jzceUnFUr/p1nEsytuaM0BH8GsofcoMbOlKi5xChBU=",
        ),
        (
            sha1_sign("testOnlyAppKey", "testOnlyappSecret", "1635478320000"),
            "89037df84706b6e4ebb58fde9d8f0cf94560b438",
        ),
    ],
    ids=["P1", "P2", "P3", "P4", "P5"],
)
def test_the_printed_vectors(made: str, printed: str) -> None:
    assert made == printed


MUFASA = Challenge("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v")
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_vectors_of_rfc_7616(algorithm: str, response: str) -> None:
    opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"
    challenge = Challenge(MUFASA.realm, MUFASA.nonce, algorithm, opaque)
    given = challenge.answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", CNONCE)
    assert given == (
        'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", '
        f'algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
        f'cnonce="{CNONCE}", qop=auth, response="{response}", opaque="{opaque}"'
    )


def test_a_username_is_written_so_that_a_header_holds_it() -> None:
    assert MUFASA.answer('a"b\\', "p", "GET", "/").startswith('Digest username="a\\"b\\\\", realm')
    assert MUFASA.answer("Jäsøn Doe", "p", "GET", "/").startswith("Digest username*=UTF-8''J%C3%A4s%C3%B8n%20Doe, ")


OFFERS = [
    f'Digest realm="r", nonce="{n}", qop="auth", opaque="o", algorithm={algorithm}'
    for n, algorithm in enumerate(("SHA-512-256", "SHA-256", "MD5"), start=1)
]


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ('Digest realm="r", qop="auth", nonce="n"', Challenge("r", "n")),
        ('digest realm="r, Digest", nonce="n,=", qop=auth,algorithm=md5', Challenge("r, Digest", "n,=")),
        ('Basic realm="b", Digest realm="r",nonce="n",qop="auth-int, auth"', Challenge("r", "n")),
        ('Digest realm="r", nonce="n", qop="auth", Basic realm="b"', Challenge("r", "n")),
        (", ".join(OFFERS), Challenge("r", "2", "SHA-256", "o")),
    ],
)
def test_a_challenge_is_found_among_others(header: str, known: Challenge) -> None:
    assert first_known(header) == known


@pytest.mark.parametrize(
    "header",
    ["", "Digest", 'Basic realm="r"', 'Digest realm="r", nonce="n"', 'Digest realm="r", nonce="n", qop="auth-int"',
     'Digest nonce="n", qop="auth"', 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5-sess'],
)  # fmt: skip
def test_a_challenge_nobody_can_answer_is_malformed(header: str) -> None:
    with pytest.raises(SourceMalformed) as caught:
        first_known(header)
    assert caught.value.code == "CHALLENGE_UNKNOWN"


@pytest.mark.parametrize("form", ["digest", "text"])
def test_a_username_token_is_what_zeep_would_write(
    build_ports: Callable[..., Ports], monkeypatch: pytest.MonkeyPatch, form: Any
) -> None:
    monkeypatch.setattr("secrets.token_bytes", lambda size: b"n" * size)
    (ours,) = UsernameToken(build_ports(None, {"username": "演示", "password": "p&w"}), form).sign("").soap
    envelope = etree.fromstring(
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'
    )
    zeeps = username.UsernameToken("演示", "p&w", nonce="n" * 16, created=NOW, use_digest=form == "digest")
    zeeps.apply(envelope, {})
    theirs = envelope[0][0]
    if form == "text":
        assert etree.fromstring(ours).find(".//{*}Nonce") is None
    else:
        created = theirs.find(".//{*}Created")
        assert created.text == NOW.isoformat()
        digest = wsse_digest(b"n" * 16, created.text, "p&w")
        assert theirs.find(".//{*}Password").text == digest
    said = [(e.tag, dict(e.attrib)) for e in etree.fromstring(ours).iter()]
    assert [(e.tag, dict(e.attrib)) for e in theirs.iter()] == said


def test_a_signed_header_joins_the_one_there_is() -> None:
    bare = b'<s:Envelope xmlns:s="urn:soap"><s:Body/></s:Envelope>'
    had = b'<s:Envelope xmlns:s="urn:soap"><s:Header><a/></s:Header><s:Body/></s:Envelope>'
    assert with_header(bare, ()) is bare
    for body, tags in ((bare, ["b", "c"]), (had, ["a", "b", "c"])):
        header, rest = etree.fromstring(with_header(body, ("<b/>", "<c>1</c>")))
        assert [header.tag, rest.tag] == ["{urn:soap}Header", "{urn:soap}Body"]
        assert [element.tag for element in header] == tags


def test_a_secret_of_32_characters_travels_in_64() -> None:
    """The one length the facts print; the cipher itself is checked against an independent encryption."""
    secret = "0123456789abcdef0123456789abcdef"
    assert len(encrypt(secret)) == 64
    assert gj_decrypt(encrypt(secret), APP_KEY) == secret
    for ciphertext, key in ((encrypt(secret), "another"), ("%%%", APP_KEY)):
        with pytest.raises(ValueError):
            gj_decrypt(ciphertext, key)


class Platform:
    """Renewal and log-in on one URL; remembers which secret is in force and how often it was asked."""

    def __init__(self, server: Any) -> None:
        self.serial = 0
        self.asked: dict[str, str] = {}
        server.answer = self.answer

    @property
    def secret(self) -> str:
        return f"secret-number-{self.serial}"

    def answer(self, call: Any) -> Any:
        self.serial += 1
        self.asked = json.loads(call.body)
        until = int((NOW + timedelta(minutes=15)).timestamp() * 1000)
        if call.path.endswith("refreshappsecret"):
            data = {"secret": encrypt(self.secret), "secretEndTime": str(until)}
            return 200, {}, json.dumps({"code": "0", "data": data, "message": ""}).encode()
        return 200, {}, json.dumps({"code": 200, "data": {"token": self.secret, "expires_in": 7200}}).encode()


SECRETS = {"app_key": APP_KEY, "app_id": "id", "app_secret": "hidden", "token": "printed"}


@pytest.fixture
def signed_ports(http: Http, build_ports: Callable[..., Ports]) -> Ports:
    return build_ports(http, SECRETS)


def profiles(ports: Ports, server: Any) -> list[Any]:
    return [GJ(ports, server.url, "rid@36", "s_36_0000"), LoginBearer(ports, f"{server.url}/auth/token")]


@pytest.fixture(params=[0, 1], ids=["GJ", "LoginBearer"])
def profile(request: pytest.FixtureRequest, signed_ports: Ports, server: Any) -> Any:
    return profiles(signed_ports, server)[request.param]


@pytest.mark.sockets
def test_a_renewal_is_signed_with_the_app_key(signed_ports: Ports, server: Any) -> None:
    platform = Platform(server)
    signed = profiles(signed_ports, server)[0].sign("s_36_0001")
    sent = platform.asked
    rtime = str(int(NOW.timestamp() * 1000))
    assert sent["gjgxjhpt_sign"] == gj_sign(APP_KEY, "s_36_0000", "rid@36", rtime)
    assert dict(signed.headers) == {
        "gjgxjhpt_rid": "rid@36",
        "gjgxjhpt_sid": "s_36_0001",
        "gjgxjhpt_rtime": rtime,
        "gjgxjhpt_sign": gj_sign("secret-number-1", "s_36_0001", "rid@36", rtime),
    }
    assert "secret-number" not in repr(signed)


@pytest.mark.sockets
def test_a_log_in_gives_a_bearer_token(signed_ports: Ports, server: Any) -> None:
    platform = Platform(server)
    signed = profiles(signed_ports, server)[1].sign("")
    assert platform.asked == {"appId": "id", "appSecret": "hidden"}
    assert dict(signed.headers) == {"Authorization": "Bearer secret-number-1"}
    kept = signed_ports.secrets.rotating("token")
    assert kept == Rotating("secret-number-1", NOW + timedelta(hours=2))


@pytest.mark.sockets
def test_a_credential_is_used_until_shortly_before_its_end(profile: Any, signed_ports: Ports, server: Any) -> None:
    platform = Platform(server)
    profile.sign("x")
    profile.sign("x")
    assert platform.serial == 1
    kept = signed_ports.secrets.rotating(profile._name)
    assert kept is not None
    signed_ports.secrets.store(profile._name, Rotating(kept.text, NOW + timedelta(seconds=30)))
    profile.sign("x")
    assert platform.serial == 2


@pytest.mark.sockets
def test_workers_that_meet_one_expiry_renew_once(profile: Any, server: Any) -> None:
    platform = Platform(server)
    refused = profile.sign("x")
    start = threading.Barrier(4)

    def worker() -> None:
        start.wait()
        profile.renew(refused, SourceDenied("AUTH_EXPIRED", "过期"))

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert platform.serial == 2


@pytest.mark.sockets
def test_an_expired_credential_is_renewed_once_and_the_call_repeated_once(
    profile: Any, signed_ports: Ports, server: Any
) -> None:
    platform = Platform(server)
    sent: list[dict[str, str]] = []

    def send(signed: Any) -> str:
        sent.append(dict(signed.headers))
        if len(sent) == 1:
            raise SourceDenied("AUTH_EXPIRED", "过期")
        return "rows"

    assert exchange(signed_ports, profile, "x", send) == "rows"
    assert platform.serial == 2
    assert sent[0] != sent[1]
    budget = signed_ports.budget
    assert isinstance(budget, LocalBudget)
    assert budget.state.stopped is None


@pytest.mark.sockets
def test_refused_again_a_person_must_act(profile: Any, signed_ports: Ports, server: Any) -> None:
    platform = Platform(server)

    def send(signed: Any) -> str:
        raise SourceDenied("AUTH_EXPIRED", "过期", evidence=b"{}")

    with pytest.raises(SourceDenied) as caught:
        exchange(signed_ports, profile, "x", send)
    assert (caught.value.code, caught.value.evidence) == ("CREDENTIAL_REFUSED", b"{}")
    assert platform.serial == 2
    with pytest.raises(SourceDenied) as caught:
        exchange(signed_ports, profile, "x", lambda signed: "rows")
    assert caught.value.code == "ACCOUNT_STOPPED"


@pytest.mark.sockets
def test_a_refusal_of_another_kind_renews_nothing(profile: Any, signed_ports: Ports, server: Any) -> None:
    platform = Platform(server)

    def send(signed: Any) -> str:
        raise SourceDenied("AUTH_CONFIG", "未授权")

    with pytest.raises(SourceDenied) as caught:
        exchange(signed_ports, profile, "x", send)
    assert (caught.value.code, platform.serial) == ("AUTH_CONFIG", 1)


def test_a_token_that_cannot_be_renewed_is_tried_once(signed_ports: Ports) -> None:
    sent: list[dict[str, str]] = []

    def send(signed: Any) -> str:
        sent.append(dict(signed.headers))
        raise SourceDenied("AUTH_EXPIRED", "过期")

    with pytest.raises(SourceDenied) as caught:
        exchange(signed_ports, Bearer(signed_ports), "x", send)
    assert caught.value.code == "CREDENTIAL_REFUSED"
    assert sent == [{"Authorization": "Bearer printed"}]


def test_a_missing_secret_is_named(build_ports: Callable[..., Ports]) -> None:
    with pytest.raises(SourceDenied, match="token"):
        Bearer(build_ports(None)).sign("x")


def test_no_auth_adds_nothing() -> None:
    assert dict(NoAuth().sign("x").headers) == {}


@pytest.mark.sockets
@pytest.mark.parametrize(
    "data", ["null", "{}", '{"secret":"x","secretEndTime":"soon","token":1,"expires_in":[]}', "[]"]
)
def test_a_renewal_that_gives_nothing_usable_is_malformed(profile: Any, server: Any, data: str) -> None:
    server.answer = lambda call: (200, {}, f'{{"code":"0","data":{data}}}'.encode())
    with pytest.raises(SourceError) as caught:
        profile.sign("x")
    assert isinstance(caught.value, SourceMalformed)
    assert APP_KEY not in str(caught.value)


@pytest.mark.sockets
def test_a_renewal_counts_against_the_budget(http: Http, server: Any, build_ports: Callable[..., Ports]) -> None:
    Platform(server)
    budget = LocalBudget(Allowance(per_minute=10, concurrency=1), lambda: NOW)
    ports = build_ports(http, SECRETS, budget=budget)
    assert exchange(ports, profiles(ports, server)[0], "x", lambda signed: "rows") == "rows"
    assert (budget.state.minute_calls, budget.state.running) == (2, ())
