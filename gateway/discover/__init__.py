"""`discover`: from what vendors really send to a stanza for a county's file. Pure: nothing is sent, nothing is stored.

Documents are Word, Excel and PDF interface descriptions, a table's header, and pasted answers (JSON, XML). Several about
one system are read together: the titles of one, the values of another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from lxml import etree

from gateway.discover.columns import Found
from gateway.discover.office import read_docx, read_pdf, read_xlsx
from gateway.discover.proposal import Line, Proposal
from gateway.discover.proposal import propose as _propose
from gateway.discover.sample import read_sample
from gateway.discover.stanza import FILL
from gateway.discover.stanza import write as _write
from gateway.errors import Usage
from schemas import DATASETS
from schemas.divisions import name_of

__all__ = ["FILL", "MAX_MB", "Line", "Proposal", "propose", "write"]

MAX_MB: Final = 20
"""Of one document."""


def propose(documents: Sequence[bytes], dataset: str = "") -> Proposal:
    """Raises Usage: nothing could be read, a document is too large, or there is no such dataset."""
    if dataset and dataset not in DATASETS:
        raise Usage("没有数据资源 {dataset}。可用的有：{names}", dataset=dataset, names="、".join(DATASETS))
    together = Found()
    for body in documents:
        if len(body) > MAX_MB << 20:
            raise Usage("文件超过 {limit} MB", limit=MAX_MB)
        together.add(_read(body))
    if not together.columns:
        raise Usage("文件里找不到字段表，也不是样例应答。能读的有：Word（.docx）、Excel、PDF、JSON、XML")
    return _propose(together, dataset)


def write(proposal: Proposal, source: str = "", account: str = "", county: str = "") -> str:
    """YAML for a county's file, or with its code the whole file; what is not known is marked. Raises Usage: no such county."""
    if county and name_of(county) is None:
        raise Usage("没有区划代码 {code}，县（市、区）的代码是六位", code=county)
    return _write(proposal, source, account, county)


def _read(body: bytes) -> Found:
    """By content: names of files are not looked at."""
    if body.startswith(b"%PDF"):
        return read_pdf(body)
    if body.startswith(b"PK") and b"word/document.xml" in body:
        return read_docx(body)
    if body.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return read_xlsx(body)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("gb18030", "replace")
    try:
        return read_sample(text)
    except (ValueError, msgspec.DecodeError, etree.XMLSyntaxError) as error:
        raise Usage("文件里找不到字段表，也不是样例应答。能读的有：Word（.docx）、Excel、PDF、JSON、XML") from error
