"""Where an agency drops its files: a folder, seen as a list of names and as files that can be read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from adapters.kit.errors import SourceDenied, SourceUnavailable
from adapters.kit.files.names import Entry


class Drop(Protocol):
    """A folder that we only read: nothing is moved, renamed or deleted in it."""

    def list(self) -> list[Entry]:
        """The plain files of the folder, without those of folders in it.

        Raises:
            SourceUnavailable: NETWORK, FOLDER_MISSING.
            SourceDenied: AUTH_CONFIG.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """A file of the list, from its beginning: seekable, with a descriptor. Raises as `list`; FILE_GONE."""
        ...

    def close(self) -> None:
        """Lets go of the connection."""
        ...


class FolderDrop:
    """A directory of this machine, or one mounted on it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def list(self) -> list[Entry]:
        with _explained(), os.scandir(self._path) as found:
            return [_entry(item) for item in found if item.is_file(follow_symlinks=False)]

    def open(self, name: str) -> BinaryIO:
        # A link may lead out of the drop, and a pipe would hold us for ever.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with _explained():
            try:
                descriptor = os.open(self._path / name, flags)
            except FileNotFoundError as error:
                raise SourceUnavailable("FILE_GONE", "文件在列出之后不见了") from error
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise SourceDenied("AUTH_CONFIG", "投放目录里的名字不再是普通文件")
            return os.fdopen(descriptor, "rb")

    def close(self) -> None:
        """There is no connection."""


def _entry(item: os.DirEntry[str]) -> Entry:
    found = item.stat(follow_symlinks=False)
    return Entry(item.name, found.st_size, found.st_mtime)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise SourceDenied("AUTH_CONFIG", "网关无权读取投放目录，请核对目录权限") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceUnavailable("FOLDER_MISSING", "投放目录不存在或没有挂载") from error
    except OSError as error:
        raise SourceUnavailable("NETWORK", "投放目录读不了，请检查磁盘与挂载") from error
