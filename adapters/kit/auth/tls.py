"""Mutual TLS: the server knows us by a certificate; whatever else it wants comes on top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from adapters.kit.auth.base import Auth, NoAuth
from adapters.kit.base import Ports
from adapters.kit.errors import SourceDenied
from adapters.kit.signed import Certificate, Signed


class MutualTls:
    """Shows a certificate, also when another profile logs in or renews. PEM texts, the key without a passphrase.

    The account keeps `client_cert` (ours first, then who issued it) and `client_key`; with `private_ca` also `server_ca`,
    for a server whose certificate no public authority has issued. They are read once: a run sees one certificate.
    """

    def __init__(
        self, ports: Ports, also: Callable[[Ports], Auth] = lambda _: NoAuth(), *, private_ca: bool = False
    ) -> None:
        self._ports, self._also, self._private_ca = ports, also, private_ca

    @property
    def renewable(self) -> bool:
        return self._inner.renewable

    def sign(self, service: str) -> Signed:
        return replace(self._inner.sign(service), certificate=self._certificate)

    def renew(self, refused: Signed, denied: SourceDenied) -> None:
        self._inner.renew(refused, denied)

    @cached_property
    def _certificate(self) -> Certificate:
        get = self._ports.secrets.get
        authority = get("server_ca") if self._private_ca else ""
        return Certificate(get("client_cert"), get("client_key"), authority)

    @cached_property
    def _inner(self) -> Auth:
        return self._also(replace(self._ports, http=self._ports.http.with_client_cert(self._certificate)))
