"""Sources that answer SOAP: zeep builds the call and reads faults, lxml reads the rows (speed.md: 6 to 12 times faster).

What a stream declares is enough: names of elements are local names, whatever prefix a server likes today.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final

from lxml import etree
from pydantic import AfterValidator, BeforeValidator, Field

from adapters.kit import xmlrows
from adapters.kit.attachments import Parts
from adapters.kit.auth import Auth, exchange
from adapters.kit.base import Answer, Cursor, Page, Ports, Probe, Rows, SourceSettings, Stream
from adapters.kit.described import Described
from adapters.kit.envelope import JsonRows, Opened
from adapters.kit.errors import SourceError, SourceMalformed
from adapters.kit.http import Response, failure
from adapters.kit.nested import Headers, Nested, element, fill, nest, secrets_in
from adapters.kit.paging import Paging, Params, Since, Single
from adapters.kit.persons import unnumbered
from adapters.kit.rest import WebAdapter, WebSettings
from adapters.kit.session import Session, SessionAuth
from adapters.kit.signed import Signed
from adapters.kit.values import Text, WithoutPassword
from adapters.kit.verdicts import EVIDENCE_BYTES, refusal, verdict
from adapters.kit.wsdl import Call, Service, with_header, without_prefixes
from adapters.kit.wsdl import service as parsed

_FAULT: Final = re.compile(rb"<(?:[\w.-]+:)?Fault[\s>]")
_FILE: Final = re.compile(r"[\w.-]+(?:/[\w.-]+)*")


def _described_at(value: Any) -> Any:
    """`{file: wsdl/police.wsdl}` says the same as `wsdl/police.wsdl`."""
    return value["file"] if isinstance(value, Mapping) and value.keys() == {"file"} else value


def _address(value: str) -> str:
    if not value.startswith(("http://", "https://")) and (not _FILE.fullmatch(value) or ".." in value.split("/")):
        raise ValueError("请写 http(s):// 开头的地址，或配置目录里的文件，如 wsdl/police.wsdl")
    return value


class SoapSettings(WebSettings):
    wsdl: Annotated[str, BeforeValidator(_described_at), WithoutPassword, AfterValidator(_address)]
    """Address of the description, or a file below the configuration's directory."""
    endpoint: Annotated[str, WithoutPassword] | None = Field(default=None, pattern=r"^https?://")
    """Where calls go, if not where the description says (it often names a host inside the agency)."""
    port: str | None = None
    """Which of the description's ports, if not its first that speaks SOAP; a port decides between SOAP 1.1 and 1.2."""
    headers: Headers = Field(default_factory=dict)
    """Elements of the SOAP header of every call, by `{namespace}name`."""
    session: Session | None = None
    prefixes: bool = True
    """False: what is called stands in the envelope without any prefix, for Axis 1 services."""

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        session = self.session
        return (
            *super().secrets_needed,
            *secrets_in(self.headers, *([session.params, session.headers] if session else [])),
        )


@dataclass(frozen=True, slots=True)
class InnerXml:
    """XML inside XML (§1.3): the answer is one element's text, base64 or attachment; the request may be one text parameter."""

    result: str
    request: str | None = None
    """The parameter whose text is the document `root` with the stream's `params` in it."""
    root: str = "REQUEST"
    encoding: str | None = None
    """What the document inside declares itself to be, where a service insists; the text is part of the call's own UTF-8."""
    beside: Mapping[str, Nested] = field(default_factory=dict)
    """Parameters of the operation besides that text."""


@dataclass(frozen=True, kw_only=True)
class SoapStream(Stream):
    """One operation. Names of elements are local names, or paths of them: `DATA/RECORD`, `Response/@total`.

    Texts of `params` and `headers` may hold `{county}`, `{today}`, `{month}`, `{secret.NAME}` (one of the account's) and
    `{session}` (the token of the source's `session`).
    """

    operation: str
    row: str
    service: Text = ""
    """What the auth profile signs for, if not the operation; may hold `{county}` too."""
    action: str | None = None
    """The SOAPAction, if not what the description says; .NET services compare it letter by letter."""
    headers: Headers = field(default_factory=dict)
    """Elements of the SOAP header, by `{namespace}name`, besides those of the source."""
    params: Mapping[str, Nested] = field(default_factory=dict)
    """Parameters of the operation, nested as its types are; a dotted name is a path."""
    total: str | None = "total"
    code: str | None = "code"
    success: tuple[str, ...] = ("0",)
    message: str = "msg"
    errors: str | None = None
    next_token: str | None = None
    """Element with which the page that follows is asked for (`NextToken`)."""
    paging: Paging = field(default_factory=Single)
    since: Since | None = None
    xml_in_xml: InnerXml | None = None

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        """Names of the account's secrets that its calls ask for."""
        return secrets_in(self.params, self.headers, self.xml_in_xml.beside if self.xml_in_xml else {})

    def arguments(self, params: Params, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the operation is called with: the parameters, or the one text that holds them."""
        told: dict[str, Any] = fill(nest({**self.params, **params}), values)
        inside = self.xml_in_xml
        if inside is None or inside.request is None:
            return told
        text = etree.tostring(element(inside.root, told), encoding="unicode")
        declaration = f'<?xml version="1.0" encoding="{inside.encoding}"?>' if inside.encoding else ""
        beside: dict[str, Any] = fill(inside.beside, values)
        return nest({**beside, inside.request: declaration + text})

    def open(self, parts: Parts, label: str, limit: int, expired: Sequence[str] = ()) -> Opened:
        """The rows of an answer; what it holds packed may unpack to `limit` bytes.

        `expired` are codes and texts that mean an expired session.

        Raises:
            SourceDenied, SourceUnavailable: what the error text means (china-facts §1.1).
            SourceMalformed: NON_XML, TRUNCATED, DTD, DECODE, ENVELOPE_UNKNOWN, BUSINESS_ERROR, ATTACHMENT_MISSING, TOO_LARGE.
        """
        body = parts.envelope
        if self.xml_in_xml is not None:
            result = xmlrows.find(xmlrows.parse(body, huge=True), self.xml_in_xml.result.split("/"))
            if result is None:
                raise _malformed("ENVELOPE_UNKNOWN", "{label}：答复的结构与约定不符", label, body)
            body = parts.content(result, limit)
        shell, rows = xmlrows.split(body, self.row)
        if self.code is not None and (code := xmlrows.text(shell, self.code)) not in self.success:
            return self._refused(code, xmlrows.text(shell, self.message), label, body, expired)
        total = _count(shell, self.total)
        dropped = _count(shell, self.errors) or 0
        empty = not rows.raw and not dropped and (total == 0 or self._says_empty(shell))
        token = xmlrows.text(shell, self.next_token) if self.next_token else ""
        return Opened(rows, total, empty, dropped, ("PARTIAL",) if dropped else (), token)

    def _says_empty(self, shell: Any) -> bool:
        return verdict(xmlrows.text(shell, self.message)) == "NO_DATA"

    def _refused(self, code: str, message: str, label: str, body: bytes, expired: Sequence[str]) -> Opened:
        found = meaning(code, message, expired)
        if found == "NO_DATA":
            return Opened(JsonRows(()), None, empty_confirmed=True)
        if not code and found is None:
            raise _malformed("ENVELOPE_UNKNOWN", "{label}：答复的结构与约定不符", label, body)
        raise refusal(found or "BUSINESS_ERROR", label, body)


def meaning(code: str, message: str, expired: Sequence[str]) -> str | None:
    """As `verdict`, after what this source itself says with an expired session: a code, or part of a text."""
    said = any(told == code.strip() or told in message for told in expired)
    return "AUTH_EXPIRED" if said else verdict(message, code)


def _count(shell: Any, tag: str | None) -> int | None:
    text = xmlrows.text(shell, tag) if tag else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _malformed(code: str, sentence: str, label: str, body: bytes, **facts: object) -> SourceMalformed:
    return SourceMalformed(code, sentence, evidence=body[:EVIDENCE_BYTES], label=label, **facts)


class SoapAdapter(WebAdapter):
    """A source whose streams are `SoapStream`s. The service description is loaded at the first call, once."""

    Settings: ClassVar[type[SourceSettings]] = SoapSettings
    settings: SoapSettings
    streams: ClassVar[Mapping[str, SoapStream]]

    def __init__(self, ports: Ports, settings: Any, county: str) -> None:
        super().__init__(ports, settings, county)
        self._lock = threading.Lock()
        self._loaded: Service | None = None

    def stream(self, dataset: str) -> SoapStream:
        """The stream as this source's settings want it."""
        stream: SoapStream = self.offers[dataset]
        return stream

    @cached_property
    def caller(self) -> Auth:
        """Signs calls: as `auth` does, and with the source's session if it has one."""
        session = self.settings.session
        if session is None:
            return self.auth
        name = f"session:{self.settings.wsdl}#{session.operation}"
        return SessionAuth(self.ports, self.auth, name, session, self._log_in)

    @property
    def values(self) -> dict[str, Any]:
        return {**super().values, "secret": _Named(self.ports)}

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        stream = self.stream(dataset)
        walk = self.walk(stream.paging, stream.since, cursor)
        signed_for = stream.service.format_map(self.values) or stream.operation
        service = self.service  # loaded by a call of its own: inside another it would wait for its account's only place
        return self.page(
            walk,
            lambda: exchange(
                self.ports, self.caller, signed_for, lambda signed: self._ask(service, stream, walk.params, signed)
            ),
        )

    def reopen(self, dataset: str, answer: Answer) -> Rows:
        stream, parts = self.stream(dataset), parts_of(answer.body, answer.media)
        try:
            rows: Rows = stream.open(parts, answer.request, self.settings.max_mb << 20).rows
        except SourceMalformed:  # a slice of an answer that was too large for one page
            rows = xmlrows.split(parts.envelope, stream.row)[1]
        return unnumbered(rows) if self.asks else rows

    def probe(self) -> list[Probe]:
        layers = [*super().probe(), *self.described.probe()]
        if all(layer.ok or not layer.stops for layer in layers):
            try:
                operations = "、".join(self.service.operations)
                layers.append(Probe("wsdl", ok=True, sentence=f"服务提供的操作：{operations}"))
                self.caller.sign("")
            except SourceError as error:
                layers.append(Probe("auth" if self._loaded else "wsdl", ok=False, sentence=str(error), code=error.code))
        return layers

    @cached_property
    def described(self) -> Described:
        """The description, as the gateway keeps it and as it is at the source."""
        return Described(self.ports, self.settings.wsdl, self._document, self.settings.port)

    @property
    def service(self) -> Service:
        """The parsed description.

        Raises:
            SourceUnavailable, SourceDenied, SourceMalformed: it could not be read; the next call tries again.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = parsed(self.described.pinned(), self.settings.port)
            return self._loaded

    def _document(self, url: str) -> bytes:
        if not url.startswith("http"):
            return self.ports.documents.file(url)
        return exchange(
            self.ports,
            self.auth,
            "wsdl",
            lambda signed: self.ports.http.request("GET", url, label="GET WSDL", signed=signed).body,
        )

    def _ask(self, service: Service, stream: SoapStream, paging: Params, signed: Signed) -> tuple[Opened, Answer]:
        label, limit = f"SOAP {stream.operation}", self.settings.max_mb << 20
        values = {**self.values, "session": signed.credential}
        call = service.call(stream.operation, stream.arguments(paging, values))
        answer = self._send(
            call, label, signed, fill({**self.settings.headers, **stream.headers}, values), stream.action
        )
        expired = self.settings.session.expired if self.settings.session else ()
        parts = parts_of(answer.body, answer.media)
        if self._is_fault(answer.status, parts):
            opened = self._fault(answer, parts, label, expired)
        else:
            opened = stream.open(parts, label, limit, expired)
        return opened, Answer(label, answer.status, answer.media, answer.body, self.ports.now())

    def _send(
        self, call: Call, label: str, signed: Signed, headers: Mapping[str, Any], action: str | None = None
    ) -> Response:
        told = [etree.tostring(element(name, value), encoding="unicode") for name, value in headers.items()]
        body = with_header(call.body, [*signed.soap, *told])
        return self.ports.http.request(
            "POST",
            self.settings.endpoint or call.address,
            label=label,
            signed=signed,
            headers=call.headers if action is None else _with_action(call.headers, action),
            content=body if self.settings.prefixes else without_prefixes(body),
            deadline=self.settings.deadline,
            max_bytes=self.settings.max_mb << 20,
            faults=(400, 500),
        )

    def _log_in(self, session: Session, signed: Signed) -> str:
        """The token that the session's own call gives; blank if it gives none."""
        label = f"SOAP {session.operation}"
        call = self.service.call(session.operation, fill(nest(session.params), self.values))
        answer = self._send(call, label, signed, fill(session.headers, self.values))
        parts = parts_of(answer.body, answer.media)
        if self._is_fault(answer.status, parts):
            self._fault(answer, parts, label, ())
            return ""
        return xmlrows.text(xmlrows.parse(parts.envelope), session.token)

    def _is_fault(self, status: int, parts: Parts) -> bool:
        if status >= 400:
            return True
        if not _FAULT.search(parts.envelope[:8192]):
            return False
        return xmlrows.parse(parts.envelope).find("{*}Body/{*}Fault") is not None

    def _fault(self, answer: Response, parts: Parts, label: str, expired: Sequence[str]) -> Opened:
        """What a fault means: its text decides first, then whose fault it says it is."""
        try:
            codes, message = self.service.fault(xmlrows.parse(parts.envelope))
        except SourceMalformed:
            raise failure(answer, label) from None
        found = next(filter(None, (meaning(code, message, expired) for code in codes)), None)
        if found == "NO_DATA":
            return Opened(JsonRows(()), None, empty_confirmed=True)
        if found is not None:
            raise refusal(found, label, answer.body)
        if not {"Client", "Sender"}.isdisjoint(codes):
            raise _malformed("SOAP_FAULT", "{label}：对方说请求有误，请核对接口约定", label, answer.body)
        raise failure(answer, label)


class _Named:
    """An account's secrets, as `{secret.NAME}` asks for them."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def __getattr__(self, name: str) -> str:
        return self._ports.secrets.get(name)


def parts_of(body: bytes, media: str) -> Parts:
    parts = Parts.of(body, media)
    return replace(parts, envelope=xmlrows.utf8(parts.envelope, "" if parts.beside else media))


def _with_action(headers: Mapping[str, str], action: str) -> dict[str, str]:
    """SOAP 1.1 says the action in a header of its own, 1.2 in the content type."""
    if "SOAPAction" in headers:
        return {**headers, "SOAPAction": f'"{action}"'}
    media = re.sub(r';\s*action="[^"]*"', "", headers["Content-Type"])
    return {**headers, "Content-Type": f'{media}; action="{action}"'}
