"""Documents beside a SOAP answer (MTOM/XOP, and SOAP with attachments): found by the name the answer gives them.

Bytes that an element holds itself come as base64; a gzip is opened whichever way it came.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from typing import Any, Final
from urllib.parse import unquote

from adapters.kit.errors import SourceMalformed
from adapters.kit.verdicts import EVIDENCE_BYTES
from adapters.kit.xmlrows import XOP_INCLUDE, inner, utf8

_GZIP: Final = b"\x1f\x8b"
_HEADERS: Final = BytesHeaderParser()


@dataclass(frozen=True, slots=True)
class Parts:
    """An answer taken apart: the envelope, and by content id what came beside it."""

    envelope: bytes
    beside: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, body: bytes, media: str) -> Parts:
        """Raises SourceMalformed: TRUNCATED, ENVELOPE_UNKNOWN, DECODE."""
        if not media.lower().startswith("multipart/"):
            return cls(body)
        told = EmailMessage()
        told["Content-Type"] = media
        boundary, start = told.get_param("boundary"), str(told.get_param("start") or "").strip("<>")
        if not boundary:
            raise _malformed("ENVELOPE_UNKNOWN", "分段的答复没有写明分隔符", body)
        found = _pieces(body, b"--" + str(boundary).encode())
        parts = {head.get("Content-ID", f"#{i}").strip(" <>"): content for i, (head, content) in enumerate(found)}
        root = start if start in parts else next(iter(parts))
        return cls(parts.pop(root), parts)

    def content(self, element: Any, limit: int) -> bytes:
        """The document that an element holds as text, as base64, or by reference to what came beside it.

        Raises:
            SourceMalformed: ENVELOPE_UNKNOWN, ATTACHMENT_MISSING, DECODE, TOO_LARGE.
        """
        include = next(element.iter(XOP_INCLUDE), element)
        reference = include.get("href")
        if reference is not None:
            name = unquote(reference.removeprefix("cid:"))
            if name not in self.beside:
                raise _malformed("ATTACHMENT_MISSING", "答复提到的附件没有一起送来", self.envelope)
            return utf8(_inflated(self.beside[name], limit))
        text = "".join(element.itertext())
        if text.lstrip("\ufeff \t\r\n")[:1] in {"<", ""}:
            return inner(text)
        try:
            return utf8(_inflated(base64.b64decode("".join(text.split()), validate=True), limit))
        except ValueError as error:  # binascii.Error, or a text that is not even ASCII
            raise _malformed("ENVELOPE_UNKNOWN", "答复里既不是 XML，也不是 base64", self.envelope) from error


def _pieces(body: bytes, boundary: bytes) -> list[tuple[Message, bytes]]:
    """Headers and content of each part.

    Raises:
        SourceMalformed: TRUNCATED, the closing boundary is missing; DECODE.
    """
    *pieces, end = (b"\r\n" + body).split(b"\r\n" + boundary)
    if not end.startswith(b"--") or len(pieces) < 2:
        raise _malformed("TRUNCATED", "答复没有传完就断了", body)
    out = []
    for piece in pieces[1:]:
        head, _, content = piece.partition(b"\r\n\r\n")
        told = _HEADERS.parsebytes(head.lstrip())
        out.append((told, _decoded(told.get("Content-Transfer-Encoding", "binary").strip().lower(), content, body)))
    return out


def _decoded(encoding: str, content: bytes, body: bytes) -> bytes:
    if encoding in {"binary", "8bit", "7bit"}:
        return content
    try:
        if encoding == "base64":
            return base64.b64decode(content)
    except binascii.Error as error:
        raise _malformed("DECODE", "附件的编码无法识别", body) from error
    if encoding == "quoted-printable":
        return binascii.a2b_qp(content)
    raise _malformed("DECODE", "附件的编码无法识别", body)


def _inflated(content: bytes, limit: int) -> bytes:
    if not content.startswith(_GZIP):
        return content
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        out = inflater.decompress(content, limit)
    except zlib.error as error:
        raise _malformed("DECODE", "压缩的附件无法解开", content) from error
    if inflater.unconsumed_tail:
        raise SourceMalformed("TOO_LARGE", "附件解开后超过 {limit_mb} MB 上限", limit_mb=limit >> 20)
    if not inflater.eof:
        raise _malformed("TRUNCATED", "答复没有传完就断了", content)
    return out


def _malformed(code: str, sentence: str, body: bytes) -> SourceMalformed:
    return SourceMalformed(code, sentence, evidence=body[:EVIDENCE_BYTES])
