"""A ZIP of tables: member names in GBK, nothing unpacked to a path, nothing inflated beyond a limit (china-facts §1.5)."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import IO, BinaryIO, Final

from adapters.kit.errors import SourceMalformed
from adapters.kit.files.workbook import DAMAGED, broken, inflated

TABLES: Final = ("*.csv", "*.txt", "*.xls", "*.xlsx")
CHUNK: Final = 1 << 20

_LITTER: Final = ("__macosx/*", "*/.ds_store", ".ds_store", "*thumbs.db", "*desktop.ini")
_UTF8_NAME: Final = 0x800
_ENCRYPTED: Final = 0x1


def members(file: BinaryIO, shown: str, *, wanted: tuple[str, ...], limit_mb: int) -> Iterator[tuple[str, BinaryIO]]:
    """Names and contents of the tables in a ZIP, in its own order; each content is gone when the next one is asked for.

    `wanted`: patterns of the members to read, all others are left; none given: whatever is no table is refused.

    Raises:
        SourceMalformed: BROKEN_FILE, TOO_LARGE, ENCRYPTED, UNSAFE_NAME, NO_TABLE.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            chosen = [m for m in packed.infolist() if _is_chosen(m, shown, wanted)]
            inflated(packed, chosen, shown, limit_mb)
            for member in chosen:
                with packed.open(member) as unpacking, _copy(unpacking) as content:
                    yield name_of(member), content
    except DAMAGED as error:
        raise broken(shown) from error


def name_of(member: zipfile.ZipInfo) -> str:
    """The member's name: GB18030 where the archive does not say that it is UTF-8."""
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    raw = member.orig_filename.encode("cp437", "replace")
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _is_chosen(member: zipfile.ZipInfo, shown: str, wanted: tuple[str, ...]) -> bool:
    name = name_of(member).replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in PurePosixPath(name).parts:
        raise SourceMalformed("UNSAFE_NAME", "压缩包 {file} 里有指向包外的文件名，已整包拒收", file=shown)
    folded = name.lower()
    if name.endswith("/") or any(fnmatch(folded, pattern) for pattern in _LITTER):
        return False
    if not any(fnmatch(folded, pattern.lower()) for pattern in wanted or TABLES):
        if wanted:
            return False
        sentence = "压缩包 {file} 里有不是表格的文件（{kind}），请部门只放表格，或用 members 写明要读哪些"
        raise SourceMalformed("NO_TABLE", sentence, file=shown, kind=PurePosixPath(folded).suffix[:8] or "?")
    if member.flag_bits & _ENCRYPTED:
        sentence = "压缩包 {file} 带有密码，请部门取消密码后重新投放"
        raise SourceMalformed("ENCRYPTED", sentence, file=shown)
    return True


@contextmanager
def _copy(unpacking: IO[bytes]) -> Iterator[BinaryIO]:
    """Seekable, with a descriptor, without a name: nobody else can open it, and it is gone with us."""
    with tempfile.TemporaryFile() as copy:
        while chunk := unpacking.read(CHUNK):
            copy.write(chunk)
        copy.seek(0)
        yield copy
