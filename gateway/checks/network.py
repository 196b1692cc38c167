"""From an address to a connection: the name, the port, and who answers there."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from adapters.kit import Probe, tls_context
from gateway.checks.remedies import remedy

CONNECT_SECONDS: Final = 5.0
SOON_DAYS: Final = 30
"""A certificate that ends within these is told of; it stops nothing yet."""
Note: TypeAlias = Callable[[str, datetime], None]
PORTS: Final[Mapping[str, int]] = {
    "http": 80,
    "https": 443,
    "sftp": 22,
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "oracle": 1521,
    "dm": 5236,
    "kingbase": 54321,
}
"""Where an address that names no port means; a database that is not listed has its driver's own."""
_EXPIRED: Final = 10
_STRANGER: Final = (18, 19, 20, 21)
_ANOTHER: Final = (62, 64)
"""OpenSSL's codes (x509_vfy.h): over; issued by nobody known; for another name or another address."""


def network(address: str, authority: str, note: Note) -> Iterator[Probe]:
    """Nothing where the address names no host. `authority`: PEM of the CA to trust beside those of the system."""
    parts = urlsplit(address)
    if not parts.hostname:
        return
    host, port = parts.hostname, parts.port or PORTS.get(parts.scheme.partition("+")[0])
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        yield Probe("dns", False, f"{host} 解析不了")
        return
    yield Probe("dns", True, f"{host} → {'、'.join(map(str, sorted(found)))}")
    if port is None:
        return
    try:
        plain = socket.create_connection((host, port), CONNECT_SECONDS)
    except TimeoutError:
        yield Probe("tcp", False, f"{host}:{port} 连不上：没有回音", remedy=remedy("tcp", "SILENT"))
        return
    except OSError:
        yield Probe("tcp", False, f"{host}:{port} 连不上：对方拒绝连接")
        return
    with plain:
        yield Probe("tcp", True, f"{port} 能连上")
        if parts.scheme == "https":
            yield _tls(plain, host, authority, note)


def _tls(plain: socket.socket, host: str, authority: str, note: Note) -> Probe:
    context = tls_context()
    try:
        if authority:
            context.load_verify_locations(cadata=authority)
        with context.wrap_socket(plain, server_hostname=host) as secured:
            certificate = secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return _distrusted(host, error)
    except (ssl.SSLError, OSError):
        return Probe("tls", False, f"{host} 在这个端口上不按 TLS 应答", remedy=remedy("tls", "PLAIN"))
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    note(host, ends)
    days = (ends - datetime.now(UTC)).days
    if days < SOON_DAYS:
        return Probe("tls", False, f"证书还有 {days} 天到期", stops=False, remedy=remedy("tls", "SOON"))
    return Probe("tls", True, f"证书可信，还有 {days} 天到期")


def _distrusted(host: str, error: ssl.SSLCertVerificationError) -> Probe:
    if error.verify_code == _EXPIRED:
        return Probe("tls", False, f"{host} 的证书已经过期", remedy=remedy("tls", "SOON"))
    if error.verify_code in _STRANGER:
        return Probe("tls", False, f"{host} 的证书由不认识的机构签发", remedy=remedy("tls", "STRANGER"))
    if error.verify_code in _ANOTHER:
        return Probe("tls", False, f"对方的证书不是发给 {host} 的")
    return Probe("tls", False, f"{host} 的证书不被信任：{error.verify_message}")
