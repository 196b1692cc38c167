"""Delimited text, streamed: encoding found by trying (china-facts §3.10), separators of one character or several."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from typing import IO, Final

from adapters.kit.errors import SourceMalformed
from adapters.kit.files.sheets import Line, Sheet
from adapters.kit.values import charset

CHUNK: Final = 1 << 18
LINE_CHARS: Final = 1 << 20
"""A line longer than this is no line of a table."""
MARK: Final = "\udc80"
"""Stands for bytes that are not of the encoding. A lone surrogate: no readable text has one."""
FEW: Final = 20
"""So many characters that UTF-8 can read, for one that it cannot, and the text is UTF-8 with a flaw; GBK is nothing like it."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (b"\x84\x31\x95\x33", "gb18030"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_STAND_IN: Final = "\x1f"
"""Unit separator: csv takes one character, `|!|` is three."""
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f]")


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return MARK, error.end


codecs.register_error("shuqiao.mark", _mark)


def encoding_of(file: IO[bytes], declared: str | None) -> str:
    """BOM, else the declared encoding if all of the file is in it, else UTF-8 if (nearly) all is, else GB18030.

    Leaves the file anywhere. What is not of the encoding becomes `MARK` when the text is read.
    """
    file.seek(0)
    head = file.read(4)
    if bom := next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None):
        return bom
    if declared is not None and _count(file, charset(declared))[1] == 0:
        return charset(declared)
    wide, strange = _count(file, "utf-8")
    return "utf-8" if strange * FEW <= wide else "gb18030"


def _count(file: IO[bytes], encoding: str) -> tuple[int, int]:
    """Characters beyond ASCII, and places where the bytes are not of the encoding."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors="shuqiao.mark")
    wide = strange = 0
    while chunk := file.read(CHUNK):
        text = decoder.decode(chunk)
        strange += text.count(MARK)
        wide += len(text) - len(text.encode("ascii", "ignore"))
    strange += decoder.decode(b"", final=True).count(MARK)
    return wide - strange, strange


def text_sheet(
    file: IO[bytes], shown: str, *, encoding: str | None, separator: str, quoted: bool, member: str = ""
) -> Sheet:
    """The file as one sheet, decoded while it is read.

    Raises:
        SourceMalformed: while it is read: LINE_TOO_LONG, QUOTES (the last quote of the file is never closed).
    """
    found = encoding_of(file, encoding)
    file.seek(0)
    return Sheet("", _lines(file, found, separator, quoted, shown), ragged=True, member=member, encoding=found)


class _Source:
    """Lines for csv, which remembers what it took for the row under way."""

    def __init__(self, file: IO[bytes], encoding: str, separator: str, shown: str) -> None:
        self._text = io.TextIOWrapper(file, encoding, "shuqiao.mark", newline="")
        self._separator, self._shown = separator, shown
        self.taken = ""

    def __iter__(self) -> Iterator[str]:
        while line := self._text.readline(LINE_CHARS):
            if len(line) == LINE_CHARS:
                sentence = "文件 {file} 有一行超过 {limit} 个字符，不是约定的表格，请部门重新投放"
                raise SourceMalformed("LINE_TOO_LONG", sentence, file=self._shown, limit=LINE_CHARS)
            line = _CONTROL.sub("", line)
            self.taken += line
            yield line if len(self._separator) == 1 else line.replace(self._separator, _STAND_IN)

    def close(self) -> None:
        if not self._text.closed:
            self._text.detach()


def _lines(file: IO[bytes], encoding: str, separator: str, quoted: bool, shown: str) -> Iterator[Line]:
    source = _Source(file, encoding, separator, shown)
    reader = csv.reader(
        source,
        delimiter=separator if len(separator) == 1 else _STAND_IN,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        strict=True,
    )
    try:
        while True:
            number, source.taken = reader.line_num + 1, ""
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error) or "field limit" in str(error):
                    sentence = "文件 {file} 从第 {row} 行起引号没有收尾，请部门重新投放"
                    raise SourceMalformed("QUOTES", sentence, file=shown, row=number) from error
                yield Line(number, [source.taken.replace(MARK, "\ufffd").strip("\r\n")], "ROW_QUOTES")
                continue
            if MARK in source.taken:
                yield Line(number, [cell.replace(MARK, "\ufffd") for cell in cells], "ROW_ENCODING")
            else:
                yield Line(number, cells)
    finally:
        source.close()
