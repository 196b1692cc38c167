"""Rows of an XML answer, split by bytes where that is safe and by lxml where it is not.

A byte split is right only if the body holds no `<!` (CDATA, comment, DOCTYPE), one prefix is used for the row element, rows
do not nest and nothing stands between them, and what is left without the rows is well-formed. It costs a tenth of a parse,
and an unchanged row is then never parsed (speed.md, SOAP). Values are found by tag, never by position. Where bytes would
mislead, lxml walks the document and lets go of each row once it was read, so that memory does not grow with the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from lxml import etree

from adapters.kit.base import Item
from adapters.kit.errors import SourceMalformed
from adapters.kit.verdicts import EVIDENCE_BYTES

XOP_INCLUDE: Final = "{http://www.w3.org/2004/08/xop/include}Include"
"""Stands in an element for bytes that travel beside the document (MTOM); of a row they are none of our business."""

_DECLARATION: Final = re.compile(rb"\A\s*<\?xml([^>]*)\?>")
_ENCODING: Final = re.compile(rb"""encoding\s*=\s*["']([\w.-]+)["']""")
_CHARSET: Final = re.compile(rb"""charset\s*=\s*["']?([\w.-]+)""", re.IGNORECASE)
_CHINESE: Final = frozenset({b"gbk", b"gb2312", b"gb18030", b"cp936", b"gb_2312-80"})
_WRONG_ENCODING: Final = frozenset(
    {
        etree.ErrorTypes.ERR_INVALID_ENCODING,
        etree.ErrorTypes.ERR_UNKNOWN_ENCODING,
        etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING,
    }
)
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
        items = [_item(row) for row in _parse_rows(self._around(chosen), self._tag)]
        if len(items) != len(chosen):
            raise _malformed("DECODE", "数据行与报文结构不符", chosen[0])
        return items

    def part(self, start: int, end: int) -> tuple[XmlRows, bytes]:
        """Some of the rows, and the document that holds these and no others."""
        rows = XmlRows(self.raw[start:end], self._header, self._footer, self._tag)
        return rows, self._around(rows.raw)

    def _around(self, rows: Sequence[bytes]) -> bytes:
        return self._header + b"".join(rows) + self._footer


def parse(body: bytes, *, huge: bool = False) -> Any:
    """The root of an untrusted document: no DTD, no entities, no network.

    `huge` admits texts above 10 MB: a whole answer inside one element.

    Raises:
        SourceMalformed: DTD, TRUNCATED, DECODE, NON_XML.
    """
    _refuse_doctype(body)
    try:
        root = etree.fromstring(body, etree.XMLParser(**_SAFE, huge_tree=huge))
    except etree.XMLSyntaxError as error:
        raise _syntax(error, body) from error
    _refuse_doctype_of(root, body)
    return root


_SAFE: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "remove_comments": True,
    "remove_pis": True,
}


def _refuse_doctype(body: bytes) -> None:
    if b"<!DOCTYPE" in body:
        raise _malformed("DTD", "答复带有 DTD，出于安全拒收", body)


def _refuse_doctype_of(root: Any, body: bytes) -> None:
    """One in an encoding in which its bytes look different."""
    if root.getroottree().docinfo.doctype:
        raise _malformed("DTD", "答复带有 DTD，出于安全拒收", body)


def _syntax(error: etree.XMLSyntaxError, body: bytes) -> SourceMalformed:
    log: Any = error.error_log
    last = log.last_error
    if last is not None and last.type in _TRUNCATED and body.lstrip()[:1] == b"<":
        return _malformed("TRUNCATED", "答复没有传完就断了", body)
    if last is not None and last.type in _WRONG_ENCODING:
        return _malformed("DECODE", "答复的文字编码与声明不符", body)
    return _malformed("NON_XML", "答复不是合格的 XML", body)


def split(body: bytes, row: str) -> tuple[Any, XmlRows]:
    """The answer's root without its rows, and the rows. `row` is a local name, or a path of them that ends there: `DATA/RECORD`.

    Raises as `parse`.
    """
    body = utf8(body)
    *above, tag = row.split("/")
    return (None if above else _split_bytes(body, tag)) or _split_tree(body, tag, above)


def utf8(body: bytes, media: str = "") -> bytes:
    """A document in a Chinese encoding as UTF-8 without the declaration; others as they are.

    What it declares itself counts; where it says nothing, what its content type says.
    """
    declaration = _DECLARATION.match(body[:200])
    encoding = _ENCODING.search(declaration[1]) if declaration else None
    encoding = encoding or _CHARSET.search(media.encode())
    if encoding is None or encoding[1].lower() not in _CHINESE:
        return body
    try:
        return body[declaration.end() if declaration else 0 :].decode("gb18030").encode()
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


def text(root: Any, path: str) -> str:
    """The stripped text at the first place of this path; "" if there is none.

    A path is a local name or several: `QueryResponse/total`. Its last step may be an attribute, `@total`; a document inside
    a text is gone into.
    """
    *above, last = path.split("/")
    if last[:1] == "@":
        holder = find(root, above) if above else next((e for e in root.iter("*") if last[1:] in e.attrib), None)
        return holder.get(last[1:], "").strip() if holder is not None else ""
    found = find(root, [*above, last])
    return (found.text or "").strip() if found is not None else ""


def find(root: Any, path: Sequence[str]) -> Any:
    """The first element of these local names, each below the one before; None if there is none."""
    here = root
    for step in path:
        if not len(here) and (here.text or "").lstrip("\ufeff \t\r\n")[:1] == "<":
            here = parse(inner(here.text), huge=True)
        here = next(here.iter(f"{{*}}{step}"), None)
        if here is None:
            return None
    return here


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


def _split_tree(body: bytes, tag: str, above: Sequence[str]) -> tuple[Any, XmlRows]:
    """A row is read at its end and let go of when the next one ends: until then the parser still stands on it."""
    _refuse_doctype(body)
    walk = etree.iterparse(BytesIO(body), events=("start", "end"), tag=f"{{*}}{tag}", **_SAFE)
    raw: list[bytes] = []
    outer: Any = None
    read: Any = None
    try:
        for event, element in walk:
            if outer is None and event == "start" and _stands_in(element, above):
                outer = element
            elif event == "end" and element is outer:
                raw.append(etree.tostring(element, encoding="utf-8", with_tail=False))
                _let_go(read)
                outer, read = None, element
                read.clear(keep_tail=True)
        root = walk.root
    except etree.XMLSyntaxError as error:
        raise _syntax(error, body) from error
    _let_go(read)
    _refuse_doctype_of(root, body)
    return root, XmlRows(raw, b"<rows>", b"</rows>", tag)


def _stands_in(element: Any, above: Sequence[str]) -> bool:
    ancestors = [etree.QName(ancestor).localname for ancestor in element.iterancestors()]
    return ancestors[: len(above)] == [*reversed(above)]


def _let_go(row: Any) -> None:
    if row is not None and row.getparent() is not None:
        row.getparent().remove(row)


def _parse_rows(body: bytes, tag: str) -> list[Any]:
    return [row for row in parse(body).iter(f"{{*}}{tag}") if next(row.iterancestors(f"{{*}}{tag}"), None) is None]


def _item(row: Any) -> Item:
    """Elements that come more than once are a list, elements that hold elements an item.

    In a row whose data are all in attributes, so are those of what it holds.
    """
    bare = bool(row.attrib) and not any(cell.text for cell in row)
    item: Item = {_local(name): value for name, value in row.attrib.items()}
    cells = [(_local(cell.tag), _cell(cell, bare)) for cell in row]
    if len(found := dict(cells)) == len(cells):
        item.update(found)
        return item
    for name in found:
        same = [value for other, value in cells if other == name]
        item[name] = same if len(same) > 1 else same[0]
    return item


def _cell(cell: Any, bare: bool) -> Any:
    if len(cell):
        return "" if cell[0].tag == XOP_INCLUDE else _item(cell)
    if bare and cell.attrib and not cell.text:
        return _item(cell)
    return cell.text or ""


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _malformed(code: str, sentence: str, body: bytes) -> SourceMalformed:
    return SourceMalformed(code, sentence, evidence=body[:EVIDENCE_BYTES])
