"""`check`: layer by layer from the configuration to one mapped row, each with what to do (DESIGN §10)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from adapters.kit import MappingError, Probe, SourceError
from gateway.config import Feed, Problem
from gateway.errors import GatewayError
from gateway.sorter import FeedWork

CONNECT_SECONDS: Final = 5.0
Note: TypeAlias = Callable[[str, datetime], None]
ADDRESSES: Final = ("base_url", "endpoint", "wsdl", "url", "directory")
"""Settings that say where a source is."""
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


def check_feed(
    feed: Feed, prepare: Callable[[], FeedWork], problems: Sequence[Problem], note: Note = lambda _host, _ends: None
) -> list[Probe]:
    """Stops at the first layer that does not hold: what lies above it could not hold either.

    `note` is told of each server's certificate and when it ends.
    """
    out: list[Probe] = []
    for probe in _layers(feed, prepare, problems, note):
        out.append(probe)
        if not probe.ok and probe.stops:
            break
    return out


def _layers(feed: Feed, prepare: Callable[[], FeedWork], problems: Sequence[Problem], note: Note) -> Iterator[Probe]:
    mine = [p for p in problems if feed.county.code in p.file or not p.file.count("counties/")]
    yield Probe("配置", not mine, str(mine[0]) if mine else "配置没有问题")
    told = (str(feed.source.settings.get(key, "")) for key in ADDRESSES)
    address = next((address for address in told if "://" in address or address.startswith("/")), "")
    parts = urlsplit(address)
    if parts.hostname:
        port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
        yield from _network(parts.hostname, port, parts.scheme == "https", note)
    try:
        work = prepare()
    except (MappingError, GatewayError, SourceError) as error:
        yield Probe("映射", False, str(error))
        return
    try:
        yield from work.adapter.probe()
        yield from _read(work)
    finally:
        work.adapter.close()


def _network(host: str, port: int | None, tls: bool, note: Note) -> Iterator[Probe]:
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        yield Probe("域名", False, f"{host} 解析不了；请核对地址，或找网络管理员")
        return
    yield Probe("域名", True, f"{host} → {'、'.join(map(str, sorted(addresses)))}")
    if port is None:
        return
    try:
        with socket.create_connection((host, port), CONNECT_SECONDS) as plain:
            yield Probe("端口", True, f"{port} 能连上")
            if tls:
                yield _tls(plain, host, note)
    except OSError:
        yield Probe("端口", False, f"{host}:{port} 连不上；请核对端口，或请部门放行本机地址")


def _tls(plain: socket.socket, host: str, note: Note) -> Probe:
    try:
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
            certificate = secured.getpeercert() or {}
    except ssl.SSLError as error:
        return Probe("TLS", False, f"证书不被信任：{error.reason}")
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    note(host, ends)
    days = (ends - datetime.now(UTC)).days
    return Probe("TLS", days > 0, f"证书还有 {days} 天到期")


def _read(work: FeedWork) -> Iterator[Probe]:
    try:
        page = work.adapter.fetch(work.dataset.name, None)
        items = page.rows.decode()
    except SourceError as error:
        yield Probe("试读", False, str(error))
        return
    total = "未声明总数" if page.declared is None else f"来源声明共 {page.declared} 条"
    yield Probe("试读", True, f"取得 {len(items)} 条，{total}")
    t = work.translator.translate(items)
    good, bad = len(t.records), len(t.rejected)
    yield Probe(
        "映射",
        bool(good or not items),
        f"可采纳 {good} 条，忽略 {sum(map(len, t.ignored.values()))} 条，需隔离 {bad} 条",
    )
    for record in t.records:
        work.dataset.record.model_validate(record)
    yield Probe("字段约束", True, f"{good} 条全部符合 {work.dataset.title} 的字段约束")
