"""A SOAP service description: fetched by us, parsed by zeep, turned into ready envelopes.

Nothing of zeep touches the network. The description and what it imports come through our own client, from the same host
only; their references are rewritten to names that zeep asks us for, so that it may be told to refuse everything else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from lxml import etree

from adapters.kit import xmlrows
from adapters.kit.errors import SourceMalformed

DOCUMENTS: Final = 40
"""Files one description may consist of."""

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


class Service:
    """A parsed description; thread-safe. zeep builds each shape of call once, then only its values change."""

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        """Parses.

        Raises:
            SourceMalformed: WSDL_INVALID.
        """
        # zeep and requests take a third of a second to import; sources without SOAP do not pay it.
        from zeep import Client, Settings
        from zeep.exceptions import Error

        settings = Settings(
            raw_response=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, force_https=False
        )
        self._desk = _Desk(documents)
        self._templates: dict[tuple[str, ...], tuple[str, Mapping[str, str], Any]] = {}
        self._lock = threading.Lock()
        try:
            self._client: Any = Client(  # type: ignore[no-untyped-call] # zeep is untyped
                FIRST, transport=self._desk, settings=settings
            )
            self._binding = self._client.service._binding  # noqa: SLF001 # zeep has no public door to the chosen port
        except (Error, ValueError, KeyError, AttributeError, etree.Error) as error:
            raise SourceMalformed("WSDL_INVALID", "服务描述无法解析") from error

    @property
    def operations(self) -> list[str]:
        return sorted(self._binding.all())

    def call(self, operation: str, arguments: Mapping[str, str]) -> Call:
        """The call with these arguments.

        Raises:
            SourceMalformed: SCHEMA_DRIFT, the description has no such operation or parameter.
        """
        with self._lock:
            key = (operation, *arguments)
            if key not in self._templates:
                self._templates[key] = self._build(operation, arguments)
            address, headers, template = self._templates[key]
            envelope = deepcopy(template)
        for name, value in arguments.items():
            next(envelope.iter(f"{{*}}{name}")).text = value
        return Call(address, headers, etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))

    def _build(self, operation: str, arguments: Mapping[str, str]) -> tuple[str, Mapping[str, str], Any]:
        from zeep.exceptions import Error

        try:
            self._client.service[operation](**arguments)
        except (Error, AttributeError, TypeError, ValueError) as error:
            sentence = "服务描述与约定不符：操作 {operation}（参数 {parameters}）。现有的操作：{operations}"
            raise SourceMalformed(
                "SCHEMA_DRIFT",
                sentence,
                operation=operation,
                parameters="、".join(arguments),
                operations="、".join(self.operations),
            ) from error
        return self._desk.posted

    def fault(self, root: Any) -> tuple[list[str], str]:
        """Codes (local names, the nearest first) and text of a SOAP fault, as zeep reads them; blanks if it holds none."""
        from zeep.exceptions import Fault

        try:
            self._binding.process_error(root, None)
        except Fault as fault:
            codes = [str(fault.code or "").rpartition(":")[2], *(name.localname for name in fault.subcodes or ())]
            return codes[::-1], str(fault.message or "")
        return [""], ""


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
