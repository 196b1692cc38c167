"""A SOAP service description: fetched by us, parsed by zeep, turned into ready envelopes.

Nothing of zeep touches the network. The description and what it imports come through our own client, from the same host
only; their references are rewritten to names that zeep asks us for, so that it may be told to refuse everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from adapters.kit import xmlrows
from adapters.kit.errors import SourceMalformed
from adapters.kit.nested import TEXT, Path, leaves

DOCUMENTS: Final = 40
"""Files one description may consist of."""

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

FIRST: Final = "/description/0"


def collect(fetch: Callable[[str], bytes], url: str) -> dict[str, bytes]:
    """The description at `url` and everything it imports, under names; `FIRST` is the description itself.

    Raises:
        SourceMalformed: WSDL_FOREIGN, an import leads to another host; WSDL_TOO_LARGE; DTD; NON_XML.
    """
    names = {url: FIRST}
    documents: dict[str, bytes] = {}
    waiting = [url]
    while waiting:
        address = waiting.pop()
        root = xmlrows.parse(fetch(address))
        for reference in root.iter("{*}import", "{*}include", "{*}redefine"):
            for attribute in ("schemaLocation", "location"):
                if not reference.get(attribute):
                    continue
                target = urljoin(address, reference.get(attribute))
                if target not in names:
                    _admit(target, url, len(names))
                    names[target] = f"/description/{len(names)}"
                    waiting.append(target)
                reference.set(attribute, names[target])
        documents[names[address]] = etree.tostring(root)
    return documents


def _admit(target: str, origin: str, known: int) -> None:
    if urlsplit(target)[:2] != urlsplit(origin)[:2]:
        sentence = "服务描述引用了别的主机 {host}，出于安全拒收"
        raise SourceMalformed("WSDL_FOREIGN", sentence, host=urlsplit(target).hostname or "?")
    if known >= DOCUMENTS:
        raise SourceMalformed("WSDL_TOO_LARGE", "服务描述引用的文件超过 {limit} 个", limit=DOCUMENTS)


@dataclass(frozen=True, slots=True)
class Call:
    """What zeep would have sent."""

    address: str
    headers: Mapping[str, str]
    body: bytes


class _Desk:
    """Stands in for zeep's transport: hands it the documents and keeps what it would have posted."""

    posted: tuple[str, Mapping[str, str], Any]

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        self._documents = documents

    def load(self, url: str) -> bytes:
        return self._documents[url]

    def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> None:
        self.posted = (address, dict(headers), envelope)


def service(documents: Mapping[str, bytes], port: str | None = None) -> Service:
    """The parsed description, kept for the next run that pins the same bytes. Raises as `Service`."""
    return _parsed(tuple(documents.items()), port)


@lru_cache(32)
def _parsed(documents: tuple[tuple[str, bytes], ...], port: str | None) -> Service:
    return Service(dict(documents), port)


class Service:
    """A parsed description; thread-safe. zeep builds each shape of call once, then only its values change."""

    def __init__(self, documents: Mapping[str, bytes], port: str | None = None) -> None:
        """Parses. None is the first port of the first service that speaks SOAP.

        Raises:
            SourceMalformed: WSDL_INVALID, PORT_UNKNOWN.
        """
        # zeep and requests take a third of a second to import; sources without SOAP do not pay it.
        from zeep import Client, Settings
        from zeep.exceptions import Error

        settings = Settings(
            raw_response=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, force_https=False
        )
        self._desk = _Desk(documents)
        self._templates: dict[tuple[str, tuple[Path, ...]], tuple[str, Mapping[str, str], Any]] = {}
        self._lock = threading.Lock()
        try:
            self._client: Any = Client(  # type: ignore[no-untyped-call] # zeep is untyped
                FIRST, transport=self._desk, settings=settings
            )
            self._proxy = self._bound(port)
            self._binding = self._proxy._binding  # noqa: SLF001 # zeep has no public door to the chosen port
        except (Error, ValueError, KeyError, AttributeError, etree.Error) as error:
            raise SourceMalformed("WSDL_INVALID", "服务描述无法解析") from error

    def _bound(self, port: str | None) -> Any:
        from zeep.wsdl.bindings.soap import SoapBinding

        services = self._client.wsdl.services.items()
        known = [
            (service, name)
            for service, told in services
            for name, found in told.ports.items()
            if isinstance(found.binding, SoapBinding)
        ]
        for service, name in known:
            if port in (None, name):
                return self._client.bind(service, name)
        if not known:
            raise SourceMalformed("WSDL_INVALID", "服务描述无法解析")
        names = "、".join(name for _, name in known)
        sentence = "服务描述里没有 SOAP 端口 {port}。现有的端口：{ports}"
        raise SourceMalformed("PORT_UNKNOWN", sentence, port=port or "", ports=names)

    @property
    def operations(self) -> list[str]:
        return sorted(self._binding.all())

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Call:
        """The call with these arguments (`nested.Nested`, names told apart and filled in).

        Raises:
            SourceMalformed: SCHEMA_DRIFT, the description has no such operation or parameter.
        """
        told = list(leaves(arguments))
        with self._lock:
            key = (operation, tuple(path for path, _ in told))
            if key not in self._templates:
                self._templates[key] = self._build(operation, arguments)
            address, headers, template = self._templates[key]
            envelope = deepcopy(template)
        body = envelope.find("{*}Body")
        for path, value in told:
            self._put(operation, body, path, value)
        return Call(address, headers, etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))

    def _put(self, operation: str, body: Any, path: Path, value: str) -> None:
        """Writes a value where zeep wrote that of the first call: elements of one name stand in the order of their list."""
        here, names = body, [step for step in path if step != TEXT]
        for step, following in zip(names, (*names[1:], ""), strict=True):
            if isinstance(step, int) or here is None:
                continue
            if step[:1] == "@":
                here.set(step[1:], value)
                return
            place = following if isinstance(following, int) else 0
            here = _nth(here, step, place, anywhere=here is body)
        if here is None:
            raise self._drift(operation, [str(path[0])])
        here.text = value

    def _build(self, operation: str, arguments: Mapping[str, Any]) -> tuple[str, Mapping[str, str], Any]:
        from zeep.exceptions import Error

        try:
            self._proxy[operation](**_for_zeep(arguments))
        except (Error, AttributeError, TypeError, ValueError) as error:
            raise self._drift(operation, arguments) from error
        return self._desk.posted

    def _drift(self, operation: str, parameters: Iterable[str]) -> SourceMalformed:
        sentence = "服务描述与约定不符：操作 {operation}（参数 {parameters}）。现有的操作：{operations}"
        return SourceMalformed(
            "SCHEMA_DRIFT",
            sentence,
            operation=operation,
            parameters="、".join(parameters),
            operations="、".join(self.operations),
        )

    def fault(self, root: Any) -> tuple[list[str], str]:
        """Codes (local names, the nearest first) and text of a SOAP fault, as zeep reads them; blanks if it holds none."""
        from zeep.exceptions import Fault

        try:
            self._binding.process_error(root, None)
        except Fault as fault:
            codes = [str(fault.code or "").rpartition(":")[2], *(name.localname for name in fault.subcodes or ())]
            return codes[::-1], str(fault.message or "")
        return [""], ""


def _nth(within: Any, name: str, place: int, *, anywhere: bool) -> Any:
    """The element of this name and place; in the body it is a child of what is called, or that itself."""
    found = list((within[0] if anywhere else within).iterchildren(f"{{*}}{name}"))
    if anywhere and not found:
        found = list(within.iter(f"{{*}}{name}"))
    return found[place] if place < len(found) else None


def _for_zeep(value: Any) -> Any:
    """What zeep is called with: it knows an attribute by its bare name, and the text of an element that has some as `_value_1`."""
    if isinstance(value, Mapping):
        return {"_value_1" if name == TEXT else name.removeprefix("@"): _for_zeep(v) for name, v in value.items()}
    return [_for_zeep(one) for one in value] if isinstance(value, list) else value


def with_header(body: bytes, elements: Sequence[str]) -> bytes:
    """The envelope with these elements, given as XML, in its header."""
    if not elements:
        return body
    envelope = etree.fromstring(body)
    header = envelope.find("{*}Header")
    if header is None:
        header = etree.Element(etree.QName(etree.QName(envelope).namespace, "Header"))
        envelope.insert(0, header)
    header.extend(etree.fromstring(element) for element in elements)
    return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")


def without_prefixes(body: bytes) -> bytes:
    """The same envelope as `soapenv:`, what it holds without any prefix: Axis 1 services know no other (china-facts §1.3)."""
    envelope = etree.fromstring(body)
    namespace = etree.QName(envelope).namespace
    parts = "".join(
        f"<soapenv:{etree.QName(part).localname}>{''.join(_plain(child, '') for child in part)}"
        f"</soapenv:{etree.QName(part).localname}>"
        for part in envelope
    )
    opening = f"<soapenv:Envelope xmlns:soapenv={quoteattr(str(namespace))} xmlns:xsi={quoteattr(_XSI)}>"
    return f'<?xml version="1.0" encoding="utf-8"?>{opening}{parts}</soapenv:Envelope>'.encode()


def _plain(element: Any, outer: str) -> str:
    """Lxml leaves out `xmlns=""`, so this is written by hand."""
    name = etree.QName(element)
    told = "" if (name.namespace or "") == outer else f" xmlns={quoteattr(name.namespace or '')}"
    for key, value in element.attrib.items():
        attribute = etree.QName(key)
        prefix = "xsi:" if attribute.namespace == _XSI else ""
        told += f" {prefix}{attribute.localname}={quoteattr(value)}"
    inside = "".join(_plain(child, name.namespace or "") for child in element)
    return f"<{name.localname}{told}>{escape(element.text or '')}{inside}</{name.localname}>"
