"""The payload store that the gateway and the members share: whole files, put once, never changed."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path
from typing import Protocol

from gateway.proof.errors import PayloadAltered, PayloadMissing

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)*")


def payload_name(digest: str) -> str:
    """The name of the payload that a manifest anchors."""
    return f"payloads/{digest}"


class PayloadStore(Protocol):
    """Names are folders and lower-case words: `payloads/<digest>`, `keys/<batch>/<member>/<issue>-<digest>`."""

    def put(self, name: str, content: bytes) -> None:
        """Stores the whole file durably; again with the same bytes changes nothing.

        Raises PayloadAltered when other bytes already have that name.
        """

    def get(self, name: str) -> bytes:
        """Raises PayloadMissing."""

    def names(self, folder: str) -> list[str]:
        """Full names of the files directly in a folder, sorted; none if there is no such folder."""

    def remove(self, name: str) -> None:
        """Withdraws a file; one that is not there is withdrawn already."""


class DirectoryPayloadStore:
    """A payload store in a directory. A crash leaves a file whole or absent; hidden drafts are ignored."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, name: str, content: bytes) -> None:
        target = self._at(name)
        if target.exists():
            if target.read_bytes() != content:
                raise PayloadAltered("共享目录里已有同名而内容不同的文件：{name}", name=name)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{uuid.uuid4().hex}")
        try:
            with draft.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        _fsync_folders(target.parent, self.path)

    def get(self, name: str) -> bytes:
        try:
            return self._at(name).read_bytes()
        except FileNotFoundError:
            raise PayloadMissing("共享目录里没有 {name}", name=name) from None

    def names(self, folder: str) -> list[str]:
        place = self._at(folder)
        found = sorted(p.name for p in place.iterdir()) if place.is_dir() else []
        return [f"{folder}/{name}" for name in found if _NAME.fullmatch(name)]

    def remove(self, name: str) -> None:
        self._at(name).unlink(missing_ok=True)

    def _at(self, name: str) -> Path:
        """Raises ValueError for a name that could leave the directory."""
        if not _NAME.fullmatch(name):
            raise ValueError("not a name of a payload store")
        return self.path / name


def _fsync_folders(folder: Path, top: Path) -> None:
    """A new name is durable once its folder is, and a new folder once its parent is."""
    while True:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if folder == top:
            return
        folder = folder.parent
