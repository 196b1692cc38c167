"""A service description that was read once and is kept: what runs use, and what has changed at the source since.

A run never follows a changed description by itself: what changed is told, and a person takes it over. Told is what a caller
would notice (`outline`); white space, comments, the order of definitions and the name of a host are nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from adapters.kit import xmlrows
from adapters.kit.base import Ports, Probe
from adapters.kit.errors import SourceError
from adapters.kit.wsdl import Service, collect

SHOWN: Final = 12
"""Changes that one sentence lists."""


class Described:
    """The description at one address (or in one file), through the gateway's store."""

    def __init__(self, ports: Ports, address: str, read: Callable[[str], bytes], port: str | None = None) -> None:
        self._ports, self._address, self._read, self._port = ports, address, read, port

    def pinned(self) -> Mapping[str, bytes]:
        """What is kept; read and kept at the first use. Raises as `collect` and as reading does."""
        kept = self._ports.documents.get(self._address)
        return kept or self._ports.documents.keep(self._address, self._live())

    def changes(self) -> list[str]:
        """What is different at the source, a sentence each. Raises as `pinned`."""
        return differences(outline(self.pinned()), outline(self._live()))

    def accept(self) -> list[str]:
        """Keeps what is at the source now, if it can be called at all; answers what that changes.

        Raises:
            SourceMalformed: WSDL_INVALID, PORT_UNKNOWN; as `pinned`.
        """
        live = self._live()
        Service(live, self._port)
        told = differences(outline(self.pinned()), outline(live))
        self._ports.documents.keep(self._address, live, anew=True)
        return told

    def probe(self) -> list[Probe]:
        """Whether it could be read, and whether what is kept is still what the source says; a change stops no run."""
        kept = self._ports.documents.get(self._address)
        try:
            changes = self.changes()
        except SourceError as error:
            if kept is None:
                return [Probe("wsdl", ok=False, sentence=str(error), code=error.code)]
            return [Probe("wsdl", ok=True, sentence=f"对方的服务描述现在取不到（{error}），沿用已存的")]
        if not changes:
            return []
        listed = "；".join(changes[:SHOWN])
        count = len(changes)
        sentence = f"对方的服务描述变了 {count} 处：{listed}。采集仍按已存的进行；核对后用 shuqiao wsdl accept 采用新的"
        return [Probe("wsdl", ok=False, sentence=sentence, stops=False)]

    def _live(self) -> dict[str, bytes]:
        return collect(self._read, self._address)


def outline(documents: Mapping[str, bytes]) -> dict[str, str]:
    """What a caller depends on: name of a thing -> what it is."""
    found: dict[str, str] = {}
    for document in documents.values():
        root = xmlrows.parse(document)
        for schema in root.iter("{*}schema"):
            found[f"命名空间 {schema.get('targetNamespace', '')}"] = ""
            for child in schema.iterchildren("*"):
                if child.get("name"):
                    _walk(child, "", found)
        for message in root.iterfind("{*}message"):
            for part in message.iterfind("{*}part"):
                kind = _local(part.get("element") or part.get("type") or "")
                found[f"参数 {message.get('name')}.{part.get('name')}"] = kind
        for operation in root.iterfind("{*}portType/{*}operation"):
            ends = [_local(operation.find(f"{{*}}{end}").get("message", "")) for end in ("input", "output")
                    if operation.find(f"{{*}}{end}") is not None]  # fmt: skip
            found[f"操作 {operation.get('name')}"] = " → ".join(ends)
        for operation in root.iterfind("{*}binding/{*}operation"):
            action = next((e.get("soapAction") for e in operation if e.get("soapAction") is not None), None)
            if action is not None:
                found[f"操作 {operation.get('name')} 的 SOAPAction"] = action
        for port in root.iterfind("{*}service/{*}port"):
            address = next((e.get("location", "") for e in port if e.get("location")), "")
            found[f"端口 {port.get('name')}"] = urlsplit(address).path
    return found


def _walk(node: Any, above: str, found: dict[str, str]) -> None:
    """An element, attribute or type of a schema, and what is inside it."""
    kind, name = _local(node.tag), node.get("name") or _local(node.get("ref", ""))
    here = above
    if name:
        here = f"{above}.{'@' if kind == 'attribute' else ''}{name}" if above else name
        bounds = [node.get(bound) for bound in ("minOccurs", "maxOccurs", "use", "nillable", "default", "fixed")]
        told = [_local(node.get("type", "")), *(f"{bound}" for bound in bounds if bound is not None)]
        label = "字段" if above else "类型"
        found[f"{label} {here}"] = " ".join(filter(None, told))
    elif kind in {"extension", "restriction"}:
        found[f"类型 {here} 的基础"] = _local(node.get("base", ""))
    elif kind in {"enumeration", "pattern", "length", "minLength", "maxLength", "totalDigits", "fractionDigits"}:
        key = f"取值 {here}"
        found[key] = " ".join(sorted({*found.get(key, "").split(), node.get("value", "")}))
    for child in node.iterchildren("*"):
        if _local(child.tag) not in {"annotation", "documentation"}:
            _walk(child, here, found)


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """One sentence for each thing that is gone, new or another: what is gone first."""
    gone = [f"删除{name}" for name in before if name not in after]
    new = [f"新增{name}（{after[name]}）" if after[name] else f"新增{name}" for name in after if name not in before]
    other = [
        f"{name}：{before[name]} 改为 {after[name]}" for name in before if name in after and before[name] != after[name]
    ]
    return [*gone, *new, *other]


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]
