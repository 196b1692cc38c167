"""Client certificates: shown to whom asks, with a private CA, under another profile, and what refusals become."""

from __future__ import annotations

import ssl
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import TypeAdapter

from adapters.kit import (
    AuthModel,
    Http,
    Ports,
    SourceDenied,
    SourceUnavailable,
    exchange,
    make_auth,
)
from adapters.kit.recording import record
from adapters.rest import Rest
from mock_agencies import auth_desk
from mock_agencies.auth_doors import SECRETS

pytestmark = pytest.mark.sockets

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


@dataclass(frozen=True)
class Authority:
    """A throw-away CA."""

    cert: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(certificate(name, key, None, key), key)

    @property
    def pem(self) -> str:
        return self.cert.public_bytes(PEM).decode()

    def issue(self, name: str, password: bytes | None = None) -> tuple[str, str]:
        """Certificate and key as PEM texts."""
        key = ec.generate_private_key(ec.SECP256R1())
        sealed = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        cert = certificate(name, key, self.cert, self.key)
        return cert.public_bytes(PEM).decode(), key.private_bytes(PEM, PKCS8, sealed).decode()


def certificate(name: str, key: Any, issuer: x509.Certificate | None, signer: Any) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, issuer is None, issuer is None, False, False), critical=True
        )
        .sign(signer, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("throw-away")


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def context(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    """The desk's side: wants a certificate and answers as nginx does if it gets none."""
    file = tmp_path / "server.pem"
    file.write_text("".join(authority.issue("desk")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = request.param
    context.load_cert_chain(file)
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@pytest.fixture
def desk(context: ssl.SSLContext) -> Iterator[tuple[Any, str]]:
    with auth_desk.start(context) as (desk, url):
        yield desk, url


MTLS = {"profile": "mutual_tls", "private_ca": True}


def account(authority: Authority, issuer: Authority | None = None, **more: str) -> dict[str, str]:
    cert, key = (issuer or authority).issue("gateway")
    return {"client_cert": cert, "client_key": key, "server_ca": authority.pem, **more}


def call(ports: Ports, model: Mapping[str, Any], url: str) -> int:
    auth = make_auth(TypeAdapter(AuthModel).validate_python(model), ports)
    http = ports.http
    return exchange(ports, auth, "s", lambda signed: http.request("GET", url, label="GET /rows", signed=signed).status)


def refused(ports: Ports, model: Mapping[str, Any], url: str) -> SourceDenied:
    with pytest.raises(SourceDenied) as caught:
        call(ports, model, url)
    told = "".join(traceback.format_exception(caught.value))
    assert "PRIVATE KEY" not in told
    assert "CERTIFICATE-----" not in told
    return caught.value


@pytest.fixture
def ported(http: Http, build_ports: Callable[..., Ports]) -> Callable[[Mapping[str, str]], Ports]:
    return lambda secrets: build_ports(http, dict(secrets), now=lambda: datetime.now(UTC))


def test_a_certificate_opens_the_door(desk: Any, authority: Authority, ported: Any) -> None:
    ports = ported(account(authority))
    assert call(ports, MTLS, f"{desk[1]}/mutual/rows") == 200
    assert ports.budget.state.stopped is None


@pytest.mark.parametrize(
    "also",
    [
        {"profile": "zj", "base_url": "{url}/zj"},
        {"profile": "login", "url": "{url}/login/auth"},
        {"profile": "digest"},
        {"profile": "bearer"},
    ],
)
def test_another_profile_comes_on_top_and_logs_in_with_the_certificate(
    desk: Any, authority: Authority, ported: Any, also: dict[str, str]
) -> None:
    """The private CA is trusted only where the certificate is shown: a log-in without it would not even connect."""
    door = {"bearer": "fixed"}.get(also["profile"], also["profile"])
    also = {name: text.replace("{url}", desk[1]) for name, text in also.items()}
    ports = ported(account(authority, **SECRETS[door]))
    assert call(ports, {**MTLS, "also": also}, f"{desk[1]}/{door}/rows") == 200
    if door == "login":
        desk[0].login.tokens.clear()
        assert call(ports, {**MTLS, "also": also}, f"{desk[1]}/{door}/rows") == 200


def test_without_a_certificate_nginx_says_400_and_the_account_stops(
    desk: Any, authority: Authority, http: Http, ported: Any
) -> None:
    ports = ported({})
    http._clients[None] = httpx.Client(verify=ssl.create_default_context(cadata=authority.pem), trust_env=False)
    assert refused(ports, {"profile": "none"}, f"{desk[1]}/mutual/rows").code == "AUTH_CONFIG"
    assert ports.budget.state.stopped == "AUTH_CONFIG"


def test_a_certificate_of_somebody_elses_stops_the_account(desk: Any, authority: Authority, ported: Any) -> None:
    ports = ported(account(authority, issuer=Authority.make("stranger")))
    error = refused(ports, MTLS, f"{desk[1]}/mutual/rows")
    assert (error.code, ports.budget.state.stopped) == ("AUTH_CONFIG", "AUTH_CONFIG")
    assert "证书" in str(error)


def test_a_server_we_do_not_trust_is_not_told_anything(desk: Any, authority: Authority, ported: Any) -> None:
    ports = ported({**account(authority), "server_ca": Authority.make("another").pem})
    with pytest.raises(SourceUnavailable) as caught:
        call(ports, MTLS, f"{desk[1]}/mutual/rows")
    assert caught.value.code == "NETWORK"
    assert ports.budget.state.stopped is None


@pytest.mark.parametrize("broken", ["client_cert", "client_key", "server_ca", "sealed", "swapped"])
def test_texts_that_are_no_certificate_are_named_and_not_quoted(authority: Authority, ported: Any, broken: str) -> None:
    """A key under a passphrase must not make OpenSSL ask for it at the terminal."""
    secrets = account(authority)
    if broken == "sealed":
        secrets["client_cert"], secrets["client_key"] = authority.issue("gateway", b"passphrase")
    elif broken == "swapped":
        secrets["client_key"] = authority.issue("another")[1]
    else:
        secrets[broken] = "-----BEGIN NOTHING-----"
    ports = ported(secrets)
    error = refused(ports, MTLS, "https://127.0.0.1:9/rows")
    assert (error.code, ports.budget.state.stopped) == ("AUTH_CONFIG", "AUTH_CONFIG")


def test_connections_are_kept_for_each_certificate_and_closed_together(
    desk: Any, authority: Authority, http: Http, ported: Any
) -> None:
    one, other = account(authority), account(authority)
    for secrets in (one, one, other):
        call(ported(secrets), MTLS, f"{desk[1]}/mutual/rows")
    assert len(http._clients) == 2
    clients = list(http._clients.values())
    http.close()
    assert all(client.is_closed for client in clients)


def test_a_recording_is_made_with_the_certificate(desk: Any, authority: Authority, ported: Any) -> None:
    secrets = account(authority)
    stream = {"path": "/mutual/rows", "envelope": {"rows": "data.list"}, "mapping": {}}
    told = {"base_url": desk[1], "auth": MTLS, "datasets": {"marriage": stream}}
    ports = ported(secrets)
    recording = record(Rest, ports, Rest.Settings.model_validate(told), "360981", secrets=secrets)
    assert [(e.path, e.status) for e in recording.exchanges] == [("/mutual/rows", 200)] * 2
    assert "CERTIFICATE" not in str(recording)
