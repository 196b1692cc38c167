"""What a source wraps its rows in (china-facts §1.2), opened without decoding the rows.

`data` may be a list, one object, a JSON text up to three levels deep, "", null, "null" or "[]"; the whole answer may be a
bare array or a plain text that says 没有数据. The levels above the rows are scanned with msgspec.Raw, so that an
unchanged row is never decoded.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final, Protocol

import msgspec

from adapters.kit.base import Item, Rows
from adapters.kit.errors import SourceMalformed
from adapters.kit.http import text_of
from adapters.kit.values import Charset, charset
from adapters.kit.verdicts import EVIDENCE_BYTES, refusal, verdict

LEVELS: Final = 3
"""How often JSON may be wrapped in a JSON text."""

_BLANK: Final = b" \t\r\n\xef\xbb\xbf\x00"
_NOTHING: Final = frozenset({b"", b"null", b'""', b"[]", b"{}"})
_SAMPLE: Final = 8192

_items = msgspec.json.Decoder(list[dict[str, Any]])


class AnswerRows(Rows, Protocol):
    """Rows of one answer, which can be cut."""

    def part(self, start: int, end: int) -> tuple[Rows, bytes]:
        """The rows at these positions, and a document that holds them and no others."""
        ...


class JsonRows:
    """Rows as the bytes they came in; only the wanted ones are decoded, in one call."""

    __slots__ = ("raw",)

    def __init__(self, raw: Sequence[bytes]) -> None:
        self.raw = raw

    def decode(self, wanted: Sequence[int] | None = None) -> list[Item]:
        body = _listed(self.raw if wanted is None else [self.raw[i] for i in wanted])
        try:
            return _items.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceMalformed("DECODE", "数据行不是约定的 JSON 对象", evidence=body[:EVIDENCE_BYTES]) from error

    def part(self, start: int, end: int) -> tuple[JsonRows, bytes]:
        raw = self.raw[start:end]
        return JsonRows(raw), _listed(raw)


def list_rows(body: bytes) -> JsonRows:
    """The rows of a bare JSON list, as they stand in it.

    Raises:
        SourceMalformed: it is none.
    """
    try:
        return JsonRows([bytes(raw) for raw in msgspec.json.decode(body, type=list[msgspec.Raw])])
    except msgspec.DecodeError as error:
        raise SourceMalformed("DECODE", "数据行不是约定的 JSON 对象", evidence=body[:EVIDENCE_BYTES]) from error


def _listed(rows: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer that was understood."""

    rows: AnswerRows
    total: int | None
    """Items the source says the whole slice holds."""
    empty_confirmed: bool = False
    dropped: int = 0
    """Items of this page the source itself could not give; they count in its total and its paging."""
    notes: tuple[str, ...] = ()
    next_token: str = ""
    """What the source gave to ask for the page that follows; blank if it gave nothing."""


@dataclass(frozen=True)
class Envelope:
    """Where an answer keeps what: dotted paths from the top. `rows=""` is a bare array."""

    rows: str = "data.list"
    total: str | None = "data.total"
    success: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"code": ("0", "00", "000000", "200")})
    """Member -> the values that mean success, compared as stripped text; configured per source, never guessed."""
    message: str = "msg"
    errors: str | None = None
    """Member that counts items the source dropped (degraded success)."""
    next_token: str | None = None
    """Member with which the page that follows is asked for (`NextToken`)."""
    empty_texts: tuple[str, ...] = ()
    """Texts that mean an empty success here, besides those of china-facts §1.1."""
    charset: Charset | None = None
    """What the answer is written in; not told: UTF-8, else GB18030, as its first 8 kB show."""

    @cached_property
    def _wanted(self) -> tuple[str, ...]:
        told = (self.rows, self.total, self.message, self.errors, self.next_token, *self.success)
        return tuple(path for path in told if path)

    def unwrap(self, body: bytes, label: str = "") -> Opened:
        """The rows of an answer.

        Raises:
            SourceDenied, SourceUnavailable: what the error text means (china-facts §1.1).
            SourceMalformed: NON_JSON, TRUNCATED, ENVELOPE_UNKNOWN, BUSINESS_ERROR.
        """
        return _Reading(self, body, label).open()

    def payload(self, body: bytes, label: str = "") -> Any:
        """The decoded value at the rows path of a successful answer that is no list (a token, a secret). Raises as `unwrap`."""
        return _Reading(self, body, label).payload()


class _Reading:
    """One answer being opened."""

    def __init__(self, envelope: Envelope, body: bytes, label: str) -> None:
        self._envelope, self._body, self._label = envelope, body, label

    def open(self) -> Opened:
        envelope = self._envelope
        text = self._unpack(self._utf8().strip(_BLANK))
        if text[:1] == b"[":
            return self._opened(text, {})
        if text in _NOTHING and not envelope.success:
            return self._opened(text, {})
        if text[:1] != b"{":
            return self._plain(text)
        members = self._members(text)
        if not self._succeeded(members):
            return self._failed(members)
        raw = members.get(envelope.rows) if envelope.rows else text
        if raw is None:
            return self._absent(members)
        return self._opened(self._unpack(raw), members)

    def payload(self) -> Any:
        text = self._unpack(self._utf8().strip(_BLANK))
        if text[:1] != b"{":
            self._plain(text)
            raise self._unknown()
        members = self._members(text)
        if not self._succeeded(members):
            self._failed(members)
            raise self._unknown()
        raw = members.get(self._envelope.rows)
        if raw is None:
            raise self._unknown()
        try:
            return msgspec.json.decode(self._unpack(raw))
        except msgspec.DecodeError as error:
            raise self._unknown() from error

    def _utf8(self) -> bytes:
        declared = self._envelope.charset
        if declared is None:
            return _utf8(self._body)
        try:
            return self._body.decode(charset(declared)).encode()
        except UnicodeDecodeError as error:
            raise self._malformed("DECODE", "{label}：答复不是约定的文字编码") from error

    def _unpack(self, raw: bytes) -> bytes:
        """JSON out of JSON texts; a text that holds no JSON stays as it is, without its quotes."""
        for _ in range(LEVELS):
            if raw[:1] != b'"':
                break
            raw = self._decode(raw, str).encode().strip(_BLANK)
        return raw

    def _members(self, top: bytes) -> dict[str, bytes]:
        """The wanted members by path, as bytes. A level that is itself a JSON text is unpacked on the way."""
        found: dict[str, bytes] = {}
        self._descend(top, "", self._envelope._wanted, found)  # noqa: SLF001 # one class in two halves
        return found

    def _descend(self, raw: bytes, prefix: str, paths: tuple[str, ...], found: dict[str, bytes]) -> None:
        heads = tuple(dict.fromkeys(path.partition(".")[0] for path in paths))
        level = self._decode(raw, _level(heads))
        for name, value in zip(heads, msgspec.structs.astuple(level), strict=True):
            inner = bytes(value)
            if not inner:
                continue
            found[prefix + name] = inner
            below = tuple(path.partition(".")[2] for path in paths if path.startswith(f"{name}."))
            if below and (inner := self._unpack(inner))[:1] == b"{":
                self._descend(inner, f"{prefix}{name}.", below, found)

    def _decode(self, raw: bytes, kind: Any) -> Any:
        try:
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            truncated = "truncated" in str(error)
            sentence = "{label}：答复没有传完就断了" if truncated else "{label}：答复不是 JSON"
            raise self._malformed("TRUNCATED" if truncated else "NON_JSON", sentence) from error

    def _malformed(self, code: str, sentence: str) -> SourceMalformed:
        return SourceMalformed(code, sentence, evidence=self._body[:EVIDENCE_BYTES], label=self._label)

    def _unknown(self) -> SourceMalformed:
        return self._malformed("ENVELOPE_UNKNOWN", "{label}：答复的结构与约定不符")

    def _succeeded(self, members: Mapping[str, bytes]) -> bool:
        success = self._envelope.success
        if success and not any(path in members for path in success):
            raise self._unknown()
        return all(_text(members.get(path, b"")) in accepted for path, accepted in success.items())

    def _failed(self, members: Mapping[str, bytes]) -> Opened:
        """Some sources put the message where the data would be (china-facts §1.2)."""
        envelope = self._envelope
        message = _text(members.get(envelope.message, b""))
        data = self._unpack(members.get(envelope.rows.partition(".")[0], b""))
        if data[:1] not in {b"{", b"["}:
            message = f"{message} {text_of(data)}"
        code = next((_text(members[path]) for path in envelope.success if path in members), "")
        return self._said(message, code)

    def _absent(self, members: Mapping[str, bytes]) -> Opened:
        """Success without the rows: nothing, if the level above is empty or the message says so."""
        head = members.get(self._envelope.rows.partition(".")[0])
        if head is None:
            if self._says_empty(members):
                return Opened(JsonRows(()), None, empty_confirmed=True)
            raise self._unknown()
        above = self._unpack(head)
        if above in _NOTHING or above[:1] == b"[":
            return self._opened(above, members)
        raise self._unknown()

    def _plain(self, text: bytes) -> Opened:
        message = text_of(text)
        if verdict(message) is None and not self._is_empty_text(message):
            raise self._malformed("NON_JSON", "{label}：答复不是 JSON")
        return self._said(message, "")

    def _said(self, message: str, code: str) -> Opened:
        found = "NO_DATA" if self._is_empty_text(message) else verdict(message, code)
        if found == "NO_DATA":
            return Opened(JsonRows(()), None, empty_confirmed=True)
        raise refusal(found or "BUSINESS_ERROR", self._label, self._body)

    def _says_empty(self, members: Mapping[str, bytes]) -> bool:
        message = _text(members.get(self._envelope.message, b""))
        return self._is_empty_text(message) or verdict(message) == "NO_DATA"

    def _is_empty_text(self, message: str) -> bool:
        return any(text in message for text in self._envelope.empty_texts)

    def _opened(self, raw: bytes, members: Mapping[str, bytes]) -> Opened:
        envelope = self._envelope
        if raw in _NOTHING:
            rows: Sequence[bytes] = ()
        elif raw[:1] == b"{":
            rows = [raw]
        elif raw[:1] == b"[":
            rows = [bytes(row) for row in self._decode(raw, list[msgspec.Raw])]
        else:
            return self._plain(raw)
        total = _count(members.get(envelope.total or "", b""))
        if total is not None and total < len(rows):
            total = None  # not a count of rows: some sources put the number of pages there (§1.7)
        dropped = _count(members.get(envelope.errors or "", b"")) or 0
        empty = not rows and not dropped and (total == 0 or self._says_empty(members))
        token = _text(members.get(envelope.next_token or "", b""))
        return Opened(JsonRows(rows), total, empty, dropped, ("PARTIAL",) if dropped else (), token)


@lru_cache(maxsize=256)
def _level(heads: tuple[str, ...]) -> type[msgspec.Struct]:
    """A struct that keeps these members of an object as bytes and skips the rest."""
    names = {f"m{i}": head for i, head in enumerate(heads)}
    fields = [(name, msgspec.Raw, msgspec.Raw()) for name in names]
    return msgspec.defstruct("Level", fields, rename=names)


def _text(raw: bytes) -> str:
    """A scalar member as stripped text; "" for null and anything that is no scalar."""
    if raw[:1] != b'"':
        return "" if raw == b"null" or raw[:1] in {b"{", b"["} else text_of(raw)
    try:
        return msgspec.json.decode(raw, type=str).strip()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _count(raw: bytes) -> int | None:
    text = _text(raw)
    return int(text) if text.isascii() and text.isdigit() else None


def _utf8(body: bytes) -> bytes:
    """GB18030 answers as UTF-8. Judged by the first 8 kB; what goes wrong later is refused when a row is decoded."""
    for encoding, sample in (("utf-8", body[:_SAMPLE]), ("gb18030", body)):
        try:
            text = codecs.getincrementaldecoder(encoding)().decode(sample)
        except UnicodeDecodeError:
            continue
        return body if encoding == "utf-8" else text.encode()
    return body
