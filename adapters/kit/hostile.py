"""What a source can do to its adapter, by kind: the ill treatment of the contract suite (`adapters.kit.contract`).

An HTTP source answers something else, a drop holds something else, a table is something else. Each treatment names the
error it must become.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NoReturn

import httpx
import msgspec
import sqlalchemy as sa
from lxml import etree

from adapters.kit.base import Adapter
from adapters.kit.errors import SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.files.adapter import FilesAdapter
from adapters.kit.files.names import Entry
from adapters.kit.files.recorded import RecordedDrop, RecordedFile, emptied
from adapters.kit.nested import element, nest
from adapters.kit.recordedrows import NOWHERE, RecordedRows, recorded_engine
from adapters.kit.recording import Recording, Replayer, replay, reply
from adapters.kit.rest import RestStream
from adapters.kit.scrub import columns
from adapters.kit.soap import SoapStream
from adapters.kit.table import TableAdapter


@dataclass(frozen=True, slots=True)
class Treatment:
    """One ill treatment: what it is, what it must become, and the adapter that meets it."""

    what: str
    error: type[SourceError]
    adapter: Callable[[], Adapter]


def hostile(recording: Recording, kind: type[Adapter], dataset: str) -> Iterator[Treatment]:
    """Every ill treatment that this kind of source is capable of."""
    if issubclass(kind, FilesAdapter):
        yield from _hostile_drops(recording, kind, dataset)
        return
    if issubclass(kind, TableAdapter):
        yield from _hostile_tables(recording, kind, dataset)
        return
    for what, error, answer in _ANSWERS:
        yield Treatment(what, error, partial(replay, recording, kind, _Replaced(recording, answer)))


def nothing(recording: Recording, kind: type[Adapter], dataset: str) -> Adapter:
    """The adapter before a source that says, in its own form, that it has nothing."""
    if issubclass(kind, FilesAdapter):
        adapter = _files(recording, kind)
        stream = adapter.stream(dataset)
        adapter.drop = RecordedDrop(adapter, [emptied(f, stream) for f in _of(adapter, dataset)], recording.now)
        return adapter
    if issubclass(kind, TableAdapter):
        empty = [msgspec.structs.replace(recorded, rows=[]) for recorded in recording.rows]
        return _over(recording, kind, recorded_engine(empty))
    return replay(recording, kind, _Replaced(recording, partial(_empty_answer, replay(recording, kind), dataset)))


def private(recording: Recording, kind: type[Adapter]) -> set[str]:
    """What no label or message may hold. Names of files and tables are agreed, and hold the county and the day."""
    if not issubclass(kind, (FilesAdapter, TableAdapter)):
        return {"replayed-", recording.today.isoformat(), recording.county}
    adapter = replay(recording, kind)
    personal = {column for column, how in columns(adapter.offers.items()).items() if how != "keep"}
    found = {"replayed-"}
    for dataset in adapter.offers:
        page = adapter.fetch(dataset, None)
        found |= {str(v) for item in page.rows.decode() for k, v in item.items() if k in personal and len(str(v)) > 1}
    adapter.close()
    return found


def _raise(error: Exception) -> NoReturn:
    raise error


# HTTP: REST and SOAP.

_ANSWERS: Final[tuple[tuple[str, type[SourceError], Callable[[], httpx.Response]], ...]] = (
    ("a dead network", SourceUnavailable, lambda: _raise(httpx.ConnectError("replayed-network"))),
    ("a time-out", SourceUnavailable, lambda: _raise(httpx.ReadTimeout("replayed-network"))),
    ("HTTP 503", SourceUnavailable, lambda: reply(503, b"", {"Retry-After": "7"})),
    ("HTTP 403", SourceDenied, lambda: reply(403)),
    (
        "a bad signature sent with 500",
        SourceDenied,
        lambda: reply(500, '{"code":400001,"msg":"鉴权失败"}'.encode()),
    ),
    ("a log-in page sent with 200", SourceMalformed, lambda: reply(200, "<!doctype html><title>登录".encode())),
    ("garbage", SourceMalformed, lambda: reply(200, b"\x00\xff\xfe\x01")),
    ("an empty body", SourceMalformed, lambda: reply(200)),
    (
        "half of a JSON answer",
        SourceMalformed,
        lambda: reply(200, b'{"code":"0","state":200,"data":[{"a":'),
    ),
    ("half of an XML answer", SourceMalformed, lambda: reply(200, b"<a><b>1</b>")),
    ("an XML answer with a DTD", SourceMalformed, lambda: reply(200, b'<!DOCTYPE a SYSTEM "x"><a/>')),
    ("an answer of another form", SourceMalformed, lambda: reply(200, b'{"hello":"world"}')),
)


class _Replaced(Replayer):
    """Serves service descriptions from the recording and everything else from `answer`."""

    def __init__(self, recording: Recording, answer: Callable[[], httpx.Response]) -> None:
        super().__init__(recording)
        self._answer = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and b"<" in (described := super().handle_request(request)).read()[:64]:
            return reply(described.status_code, described.content)
        return self._answer()


def _empty_answer(adapter: Adapter, dataset: str) -> httpx.Response:
    """An empty success as this stream's declaration says the source would write it."""
    choose = getattr(adapter, "stream", None)
    stream = choose(dataset) if choose else adapter.offers[dataset]
    if isinstance(stream, SoapStream):
        body = _at({stream.code: stream.success[0], stream.total: "0"})
        if stream.xml_in_xml:
            body = _at({stream.xml_in_xml.result: body})
        return reply(200, f"<Envelope><Body>{body}</Body></Envelope>".encode())
    assert isinstance(stream, RestStream)
    envelope = stream.envelope
    if envelope.total is None:
        return reply(200, next(iter(envelope.empty_texts), "没有数据").encode())
    answer: dict[str, Any] = {}
    holders: dict[str, Any] = {path: accepted[0] for path, accepted in envelope.success.items()}
    holders |= {envelope.rows: [], envelope.total: 0}
    for path, value in holders.items():
        *above, leaf = path.split(".")
        level = answer
        for name in above:
            level = level.setdefault(name, {})
        level[leaf] = value
    return reply(200, msgspec.json.encode(answer))


def _at(texts: Mapping[str | None, str]) -> str:
    """An element that holds each text at its path."""
    told = {path.replace("/", "."): text for path, text in texts.items() if path}
    return etree.tostring(element("R", nest(told)), encoding="unicode")


# File drops.


def _files(recording: Recording, kind: type[FilesAdapter]) -> FilesAdapter:
    adapter = replay(recording, kind)
    assert isinstance(adapter, FilesAdapter)
    return adapter


def _of(adapter: FilesAdapter, dataset: str) -> list[RecordedFile]:
    """The recorded files of one dataset."""
    own = adapter.names(dataset)
    assert isinstance(adapter.drop, RecordedDrop)
    return [file for file in adapter.drop.files if own.knows(file.name)]


class _Unreadable(RecordedDrop):
    """A drop that cannot even be listed."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def list(self) -> list[Entry]:
        raise self._error


def _hostile_drops(recording: Recording, kind: type[FilesAdapter], dataset: str) -> Iterator[Treatment]:
    def before(make: Callable[[FilesAdapter, list[RecordedFile]], RecordedDrop]) -> Callable[[], Adapter]:
        def build() -> Adapter:
            adapter = _files(recording, kind)
            adapter.drop = make(adapter, _of(adapter, dataset))
            return adapter

        return build

    def holding(change: Callable[[bytes], bytes], *, flagged_after: bool = True) -> Callable[[], Adapter]:
        return before(lambda a, files: RecordedDrop(a, files, recording.now, change, flagged_after=flagged_after))

    flag = _files(recording, kind).stream(dataset).flag
    dead = SourceUnavailable("NETWORK", "unreachable")
    yield Treatment("a dead network", SourceUnavailable, before(lambda _a, _f: _Unreadable(dead)))
    refused = SourceDenied("AUTH_CONFIG", "refused")
    yield Treatment("a refused log-in", SourceDenied, before(lambda _a, _f: _Unreadable(refused)))
    yield Treatment("garbage", SourceMalformed, holding(lambda _: b"\x00\xff\xfe\x01" * 99))
    yield Treatment("the first bytes of a file", SourceMalformed, holding(lambda body: body[:8]))
    yield Treatment("a web page", SourceMalformed, holding(lambda _: b"<!doctype html><title>404</title>"))
    yield Treatment("a ZIP that is none", SourceMalformed, holding(lambda _: b"PK\x03\x04" + bytes(64)))
    if flag != "none":
        without = before(lambda a, files: RecordedDrop(a, files, recording.now).without(f".{flag}"))
        yield Treatment("files without their flags", SourceMalformed, without)
        alone = before(lambda a, files: RecordedDrop(a, files, recording.now).only(f".{flag}"))
        yield Treatment("flags without their files", SourceMalformed, alone)
    if flag not in {"none", "ok"}:
        altered = holding(lambda body: body + b" ", flagged_after=False)
        yield Treatment("a file altered after its digest", SourceMalformed, altered)


# Front-end tables.


def _over(recording: Recording, kind: type[TableAdapter], engine: sa.Engine) -> Adapter:
    adapter = replay(recording, kind)
    assert isinstance(adapter, TableAdapter)
    adapter.engine.dispose()
    adapter.engine = engine
    return adapter


def _hostile_tables(recording: Recording, kind: type[TableAdapter], dataset: str) -> Iterator[Treatment]:
    adapter = replay(recording, kind)
    assert isinstance(adapter, TableAdapter)
    table = adapter.stream(dataset).table
    own = next(recorded for recorded in recording.rows if recorded.table == table)
    others = [recorded for recorded in recording.rows if recorded.table != table]
    name = table.rpartition(".")[2]

    def refuse(action: int, first: str | None, *_: Any) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_READ and first == name else sqlite3.SQLITE_OK

    def holding(*tables: RecordedRows, prepare: Callable[[sqlite3.Connection], object] = bool) -> Callable[[], Adapter]:
        return lambda: _over(recording, kind, recorded_engine(tables, prepare))

    def unreachable() -> sqlite3.Connection:
        raise sqlite3.OperationalError("unable to open database file")

    dead = partial(sa.create_engine, NOWHERE, creator=unreachable)
    yield Treatment("a dead network", SourceUnavailable, lambda: _over(recording, kind, dead()))
    denied = holding(own, *others, prepare=lambda opened: opened.set_authorizer(refuse))
    yield Treatment("an account without the right", SourceDenied, denied)
    yield Treatment("a table that is not there", SourceMalformed, holding(*others))
    keys = [i for i, column in enumerate(own.columns) if column.key]
    bare = RecordedRows(table, [own.columns[i] for i in keys], [[row[i] for i in keys] for row in own.rows])
    yield Treatment("a table without its columns", SourceMalformed, holding(bare, *others))
    keyless = [msgspec.structs.replace(column, key=False) for column in own.columns]
    twice = RecordedRows(table, keyless, [own.rows[0]] * 2)
    yield Treatment("two rows under one key", SourceMalformed, holding(twice, *others))
