"""XLS and XLSX as sheets, read by python-calamine in a process of its own (`workbook_child` says why)."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

import msgspec

from adapters.kit.errors import SourceMalformed
from adapters.kit.files.sheets import Line, Merge, Sheet

CHILD: Final = Path(__file__).with_name("workbook_child.py")
MEMORY_MB: Final = 2048
"""Address space of the reading process."""
CHUNK: Final = 1 << 20
OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP: Final = b"PK"
DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, UnicodeError, NotImplementedError, RuntimeError)
"""What zipfile raises for an archive that is damaged, encrypted or packed in a way it does not know."""


def is_workbook(file: BinaryIO) -> bool:
    """By content: an OLE file, or a ZIP with a workbook in it. Names lie: many an .xls is a web page."""
    file.seek(0)
    head = file.read(len(OLE))
    if head == OLE:
        return True
    if not head.startswith(ZIP):
        return False
    try:
        with zipfile.ZipFile(file) as packed:
            return any(name.lower() in {"[content_types].xml", "content.xml"} for name in packed.namelist())
    except DAMAGED:
        return False


def sheets(
    file: BinaryIO, shown: str, *, limit_mb: int, member: str = "", memory_mb: int = MEMORY_MB
) -> Iterator[Sheet]:
    """The sheets of a workbook in their order. Charts and macros are none.

    Raises:
        SourceMalformed: TOO_LARGE, ENCRYPTED, BROKEN_FILE; also while a sheet's lines are read.
    """
    _measure(file, shown, limit_mb)
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # the child shares the descriptor, not our buffer
    command = [sys.executable, "-I", str(CHILD), str(memory_mb)]
    child = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: S603 # our own
    assert child.stdout is not None
    try:
        yield from _told(_Telling(child.stdout, shown), member)
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


class _Telling:
    """What the child says, one line ahead."""

    def __init__(self, out: IO[bytes], shown: str) -> None:
        self._out, self._shown = out, shown
        self.said: Any = None
        self.step()

    def step(self) -> None:
        line = self._out.readline()
        if not line.endswith(b"\n"):
            sentence = "文件 {file} 打开时超出内存或时间上限，可能在很远的格子里有内容，请部门清理后重新投放"
            raise SourceMalformed("TOO_LARGE", sentence, file=self._shown)
        self.said = msgspec.json.decode(line)
        error = self.said.get("error") if isinstance(self.said, dict) else None
        if error == "PASSWORD":
            sentence = "文件 {file} 带有打开密码，请部门取消密码后重新投放"
            raise SourceMalformed("ENCRYPTED", sentence, file=self._shown)
        if error is not None:
            raise broken(self._shown)


def _told(telling: _Telling, member: str) -> Iterator[Sheet]:
    while "end" not in telling.said:
        about = telling.said
        telling.step()
        merged = tuple(Merge(*ends) for ends in about["merged"])
        lines = _lines(telling)
        yield Sheet(about["sheet"], lines, merged, hidden=about["hidden"], member=member)
        for _ in lines:
            """What the caller left of the sheet stands before the next one."""


def _lines(telling: _Telling) -> Iterator[Line]:
    number = 0
    while isinstance(telling.said, list):
        number += 1
        cells = telling.said
        telling.step()
        yield Line(number, cells)


def _measure(file: BinaryIO, shown: str, limit_mb: int) -> None:
    """Refuses an XLSX whose members inflate to more than the limit, whatever sizes its directory declares."""
    file.seek(0)
    if file.read(2) != ZIP:
        return
    try:
        with zipfile.ZipFile(file) as packed:
            inflated(packed, packed.infolist(), shown, limit_mb)
    except DAMAGED as error:
        raise broken(shown) from error


def inflated(packed: zipfile.ZipFile, members: list[zipfile.ZipInfo], shown: str, limit_mb: int) -> None:
    """Inflates every member once, counting.

    Raises:
        SourceMalformed: TOO_LARGE, before more than the limit was inflated.
        zipfile.BadZipFile, zlib.error, EOFError: a member is damaged.
    """
    left = limit_mb << 20
    if sum(member.file_size for member in members) > left:
        raise too_large(shown, limit_mb)
    for member in members:
        declared = member.file_size
        member.file_size = left + 2 * CHUNK  # else the reader stops where the directory says that the member ends
        try:
            with packed.open(member) as unpacking:
                while chunk := unpacking.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise too_large(shown, limit_mb)
        finally:
            member.file_size = declared


def too_large(shown: str, limit_mb: int) -> SourceMalformed:
    sentence = "文件 {file} 解压后超过 {limit_mb} MB 上限，请部门拆分，或放宽 max_inflated_mb"
    return SourceMalformed("TOO_LARGE", sentence, file=shown, limit_mb=limit_mb)


def broken(shown: str) -> SourceMalformed:
    return SourceMalformed("BROKEN_FILE", "文件 {file} 已损坏，或不是约定的格式，请部门重新投放", file=shown)
