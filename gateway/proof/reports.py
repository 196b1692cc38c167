"""Checking a report without us: every value back to a proof, every proof up to the chain (docs/report-format.md). Pure.

A report is JSON text with the gateway's signature over it; a PDF carries both as its one attachment.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.proof.document import Trust, verify_document
from gateway.proof.errors import ProofError, ProofInvalid

FORMAT: Final = "shuqiao-report/2"
READ: Final = frozenset({"shuqiao-report/1", FORMAT})
"""Formats that were ever given out: a bank checks what it archived years ago."""
PURPOSE: Final = "report"
MAX_BYTES: Final = 64 << 20
_EMBEDDED = re.compile(rb"/Type\s*/EmbeddedFile\b")
_STREAM = re.compile(rb"stream\r?\n")
_LENGTH = re.compile(rb"/Length\s+(\d+)\b(?!\s+\d+\s+R)")


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a report travels as."""

    report: str
    signature: str


@dataclass(slots=True)
class Checked:
    """What a report is worth: facts that are proven, facts whose batch no chain had confirmed when it was made, and the
    first thing that does not hold.
    """

    number: str
    document: dict[str, Any]
    proven: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    broken: list[tuple[str, str, str]] = field(default_factory=list)
    """(fact, code, sentence)"""

    @property
    def ok(self) -> bool:
        return not self.broken


def verify_report(file: bytes, trust: Trust) -> Checked:
    """Checks a PDF or the JSON that it carries.

    Raises:
        ProofInvalid: REPORT, it is no report; SIGNATURE, the pinned key did not sign it: then nothing in it is looked at.
    """
    envelope = _envelope(attached(file) if file.startswith(b"%PDF") else file)
    text = envelope.report.encode()
    if not trust.signer.verify(PURPOSE, text, _unhex(envelope.signature)):
        raise ProofInvalid("SIGNATURE", "报告不是由钉住的签名公钥签署，或内容被改动")
    try:
        document = msgspec.json.decode(text, type=dict[str, Any])
        facts, proofs = document["facts"], document["proofs"]
        checked = Checked(str(document["number"]), document)
        if document["format"] not in READ:
            raise KeyError(FORMAT)
        for fact in facts:
            _check(fact, proofs, trust, checked)
    except (msgspec.DecodeError, KeyError, IndexError, TypeError, ValueError):
        raise ProofInvalid("REPORT", "报告的结构不是 {format}", format=FORMAT) from None
    return checked


def _check(fact: Mapping[str, Any], proofs: list[Any], trust: Trust, checked: Checked) -> None:
    if fact["proof"] is None:
        checked.waiting.append(fact["id"])
        return
    try:
        verified = verify_document(proofs[int(fact["proof"])], trust)
        for name in ("handle", "version", "dataset", "county", "channel", "as_of"):
            if verified.envelope[name] != fact[name]:
                raise ProofInvalid("FACT", "{name} 与证明不符", name=name)
        for shown in fact["fields"]:
            values = verified.groups.get(shown["group"], {})
            leaf = shown["path"].rpartition(".")[2]
            if leaf not in values or values[leaf] != shown["value"]:
                raise ProofInvalid("FACT", "{name} 的值与证明不符", name=shown["title"])
    except ProofError as error:
        checked.broken.append((fact["id"], error.code, str(error)))
        return
    checked.proven.append(fact["id"])


def attached(pdf: bytes) -> bytes:
    """The one file that a report's PDF carries. Raises ProofInvalid REPORT: none, several, or too large."""
    found = []
    for at in (m.start() for m in _EMBEDDED.finditer(pdf)):
        opened = _STREAM.search(pdf, at)
        head = pdf[pdf.rfind(b"obj", 0, at) : opened.start() if opened else at]
        length = _LENGTH.search(head)
        if opened is None or length is None:
            continue
        body = pdf[opened.end() : opened.end() + int(length[1])]
        found.append(_inflated(body) if b"/FlateDecode" in head else body)
    if len(found) != 1:
        raise ProofInvalid("REPORT", "PDF 里应有一个附件，找到 {count} 个", count=len(found))
    return found[0]


def _inflated(body: bytes) -> bytes:
    engine = zlib.decompressobj()
    try:
        out = engine.decompress(body, MAX_BYTES)
    except zlib.error:
        raise ProofInvalid("REPORT", "PDF 的附件已损坏") from None
    if engine.unconsumed_tail:
        raise ProofInvalid("REPORT", "PDF 的附件过大")
    return out


def _envelope(text: bytes) -> Envelope:
    try:
        return msgspec.json.decode(text, type=Envelope)
    except msgspec.DecodeError:
        raise ProofInvalid("REPORT", "附件不是报告") from None


def _unhex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
