"""Rows of an XML answer, split by bytes where that is safe and by lxml where it is not.

A byte split is right only if the body holds no `<!` (CDATA, comment, DOCTYPE), one prefix is used for the row element, rows
do not nest and nothing stands between them, and what is left without the rows is well-formed. It costs a tenth of a parse,
and an unchanged row is then never parsed (speed.md, SOAP). Values are found by tag, never by position.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from adapters.kit.base import Item
from adapters.kit.errors import SourceMalformed
from adapters.kit.verdicts import EVIDENCE_BYTES

_DECLARATION: Final = re.compile(rb"\A\s*<\?xml([^>]*)\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([\w.-]+)["']""")
_CHINESE: Final = frozenset({b"gbk", b"gb2312", b"gb18030", b"cp936", b"gb_2312-80"})
_TRUNCATED: Final = frozenset(
    {
        etree.ErrorTypes.ERR_TAG_NOT_FINISHED,
        etree.ErrorTypes.ERR_DOCUMENT_END,
        etree.ErrorTypes.ERR_DOCUMENT_EMPTY,
        etree.ErrorTypes.ERR_GT_REQUIRED,
    }
)


class XmlRows:
    """Rows as bytes, each a whole element; only the wanted ones are parsed, inside the answer's own header and footer."""

    __slots__ = ("_footer", "_header", "_tag", "raw")

    def __init__(self, raw: Sequence[bytes], header: bytes, footer: bytes, tag: str) -> None:
        self.raw = raw
        self._header, self._footer, self._tag = header, footer, tag

    def decode(self, wanted: Sequence[int] | None = None) -> list[Item]:
        """An absent element is a missing key, an empty one is "". Attributes of the row are columns too (§1.3)."""
        chosen = self.raw if wanted is None else [self.raw[i] for i in wanted]
        if not chosen:
            return []
        items = [_item(row) for row in _parse_rows(self._header + b"".join(chosen) + self._footer, self._tag)]
        if len(items) != len(chosen):
            raise _malformed("DECODE", "数据行与报文结构不符", chosen[0])
        return items


def parse(body: bytes) -> Any:
    """The root of an untrusted document: no DTD, no entities, no network, no huge tree.

    Raises:
        SourceMalformed: DTD, TRUNCATED, NON_XML.
    """
    if b"<!DOCTYPE" in body:
        raise _malformed("DTD", "答复带有 DTD，出于安全拒收", body)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        log: Any = error.error_log
        last = log.last_error
        if last is not None and last.type in _TRUNCATED and body.lstrip()[:1] == b"<":
            raise _malformed("TRUNCATED", "答复没有传完就断了", body) from error
        raise _malformed("NON_XML", "答复不是合格的 XML", body) from error
    document: Any = root.getroottree()
    if document.docinfo.doctype:  # an encoding in which the bytes above look different
        raise _malformed("DTD", "答复带有 DTD，出于安全拒收", body)
    return root


def split(body: bytes, tag: str) -> tuple[Any, XmlRows]:
    """The answer's root without (or still with) its rows, and the rows. Raises as `parse`."""
    body = utf8(body)
    return _split_bytes(body, tag) or _split_tree(body, tag)


def utf8(body: bytes) -> bytes:
    """A document declared as a Chinese encoding, as UTF-8 without the declaration; others as they are."""
    declaration = _DECLARATION.match(body[:200])
    encoding = declaration and _ENCODING.search(declaration[1])
    if not declaration or not encoding or encoding[1].lower() not in _CHINESE:
        return body
    try:
        return body[declaration.end() :].decode("gb18030").encode()
    except UnicodeDecodeError as error:
        raise _malformed("DECODE", "答复的文字编码与声明不符", body) from error


def inner(text: str) -> bytes:
    """XML out of an XML text: its declaration names an encoding the text no longer has (§1.3), so it goes."""
    body = text.lstrip("\ufeff \t\r\n").encode()
    declaration = _DECLARATION.match(body)
    return body[declaration.end() :] if declaration else body


def decode_xml_row(raw: bytes) -> Item:
    """One kept row without its answer around it; prefixes it used there are given a meaning.

    Raises:
        SourceMalformed: NON_XML.
    """
    prefixes = sorted(set(re.findall(rb"[<\s/]([A-Za-z_][\w.-]*):(?=[A-Za-z_])", raw)) - {b"xml", b"xmlns"})
    names = b"".join(b' xmlns:%s="urn:any:%s"' % (prefix, prefix) for prefix in prefixes)
    return _item(parse(b"<rows" + names + b">" + raw + b"</rows>")[0])


def text(root: Any, tag: str) -> str:
    """The stripped text of the first element of this local name; "" if there is none."""
    found = next(root.iter(f"{{*}}{tag}"), None)
    return (found.text or "").strip() if found is not None else ""


def _split_bytes(body: bytes, tag: str) -> tuple[Any, XmlRows] | None:
    if b"<!" in body:
        return None
    first = re.search(rb"<((?:[\w.-]+:)?" + tag.encode() + rb")[ >]", body)
    if first is None:
        return None
    name = first[1]
    opening, close = b"<" + name, b"</" + name + b">"
    start, last = first.start(), body.rfind(close)
    if last < start:
        return None
    header, middle, footer = body[:start], body[start:last], body[last + len(close) :]
    rows = [part.lstrip() + close for part in middle.split(close)]
    plain = middle.count(opening + b">")
    alone = middle.count(opening) == len(rows) and middle.count(tag.encode() + b">") == plain + len(rows) - 1
    if not alone or not all(row.startswith((opening + b">", opening + b" ")) for row in rows):
        return None
    if opening + b"/" in header or opening + b"/" in footer or _other_prefix(header + footer, tag):
        return None
    return parse(header + footer), XmlRows(rows, header, footer, tag)


def _other_prefix(shell: bytes, tag: str) -> bool:
    """Rows under another prefix stand before or after those that were split."""
    return re.search(rb"</(?:[\w.-]+:)?" + tag.encode() + rb"\s*>", shell) is not None


def _split_tree(body: bytes, tag: str) -> tuple[Any, XmlRows]:
    root = parse(body)
    rows = [row for row in root.iter(f"{{*}}{tag}") if next(row.iterancestors(f"{{*}}{tag}"), None) is None]
    raw = [etree.tostring(row, encoding="utf-8", with_tail=False) for row in rows]
    return root, XmlRows(raw, b"<rows>", b"</rows>", tag)


def _parse_rows(body: bytes, tag: str) -> list[Any]:
    return [row for row in parse(body).iter(f"{{*}}{tag}") if next(row.iterancestors(f"{{*}}{tag}"), None) is None]


def _item(row: Any) -> Item:
    item: Item = {_local(name): value for name, value in row.attrib.items()}
    item.update({_local(cell.tag): cell.text or "" for cell in row})
    return item


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _malformed(code: str, sentence: str, body: bytes) -> SourceMalformed:
    return SourceMalformed(code, sentence, evidence=body[:EVIDENCE_BYTES])
