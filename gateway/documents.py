"""What agencies describe their services by, kept in the store so that every process calls the same (ADR 0010).

A description holds no personal data and lies there readable; its digest goes into the audit log when a person changes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from adapters.kit import SourceMalformed
from gateway.clock import Clock
from gateway.store import Store

FILE_BYTES: Final = 4 << 20


class StoreDocuments:
    """The kit's `Documents` over the store and the configuration's directory."""

    def __init__(self, store: Store, clock: Clock, root: Path) -> None:
        self._store, self._clock, self._root = store, clock, root

    def get(self, name: str) -> Mapping[str, bytes] | None:
        with self._store.read() as tx:
            row = tx.one("document_get", name=name)
        return None if row is None else msgspec.msgpack.decode(row.body, type=dict[str, bytes])

    def keep(self, name: str, documents: Mapping[str, bytes], *, anew: bool = False) -> Mapping[str, bytes]:
        told = {"name": name, "at": self._clock.stamp(), "digest": digest(documents), "body": _packed(documents)}
        with self._store.write() as tx:
            if anew:
                tx.run("document_put", **told)
            else:
                tx.run("document_add", **told)
        return self.get(name) or documents

    def file(self, path: str) -> bytes:
        found = (self._root / path).resolve()
        if not found.is_relative_to(self._root.resolve()) or not found.is_file():
            raise SourceMalformed("FILE_MISSING", "配置目录里没有文件 {path}", path=path)
        if found.stat().st_size > FILE_BYTES:
            sentence = "文件 {path} 超过 {limit_mb} MB，不像是服务描述"
            raise SourceMalformed("TOO_LARGE", sentence, path=path, limit_mb=FILE_BYTES >> 20)
        return found.read_bytes()


def digest(documents: Mapping[str, bytes]) -> str:
    """64 hex digits."""
    return hashlib.sha256(_packed(documents)).hexdigest()


def _packed(documents: Mapping[str, bytes]) -> bytes:
    return msgspec.msgpack.encode(documents, order="sorted")
