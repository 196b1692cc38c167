"""Records what an adapter read of its source, scrubbed, and serves it back, so that it runs offline: exchanges, files, rows or messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import msgspec
from lxml import etree

from adapters.kit.base import (
    Adapter,
    Cursor,
    Documents,
    NoDocuments,
    Page,
    Ports,
    Rotating,
    SourceSettings,
)
from adapters.kit.files.adapter import FilesAdapter
from adapters.kit.files.recorded import RecordedDrop, RecordedFile, Remembering, placeless, recorded_files
from adapters.kit.http import SIGNED_PARAMS, Http, text_of
from adapters.kit.push import InboxAdapter, RecordedInbox
from adapters.kit.recordedpersons import RecordedPerson, RecordedWorklist, RememberingWorklist
from adapters.kit.recordedrows import NOWHERE, RecordedRows, recorded_engine, recorded_rows
from adapters.kit.rules import moment
from adapters.kit.scrub import SCRUBBED, SECRET_NAME, Scrubber, columns
from adapters.kit.table import TableAdapter
from adapters.kit.upload import UploadAdapter, as_csv
from adapters.kit.xmlrows import inner, parse

HOST: Final = "http://source.invalid"
"""Stands for every host in a recording."""

_KEPT_HEADERS: Final = ("gjgxjhpt_sid", "soapaction")
"""Request headers that tell two calls of one address apart."""


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request and its answer, as text."""

    method: str
    path: str
    """Path and query, secrets out."""
    headers: dict[str, str]
    sent: str
    status: int
    media: str
    body: str

    @property
    def key(self) -> tuple[str, ...]:
        return (self.method, self.path, self.sent, *sorted(self.headers.values()))


class Recording(msgspec.Struct, frozen=True):
    """What one adapter said and heard."""

    adapter: str
    county: str
    settings: dict[str, Any]
    now: datetime
    today: date
    complete: dict[str, bool]
    """dataset -> whether its run was recorded to the end, and once more from its resting cursor."""
    exchanges: list[Exchange]
    files: list[RecordedFile] = []
    """What a drop held."""
    rows: list[RecordedRows] = []
    """What a front-end database held."""
    messages: dict[str, list[str]] = {}
    """dataset -> what was pushed or handed in."""
    persons: list[RecordedPerson] = []
    """Whom a source was asked about that answers only about a named person."""
    documents: dict[str, dict[str, str]] = {}
    """Service descriptions that came as files, as they are kept (`base.Documents`)."""

    def save(self, path: Path) -> None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Raises msgspec.DecodeError: not a recording."""
        return msgspec.json.decode(path.read_bytes(), type=cls)


class Recorder(httpx.BaseTransport):
    """Passes calls on and keeps them."""

    def __init__(self, onward: httpx.BaseTransport, exchanges: list[Exchange]) -> None:
        self._onward, self._exchanges = onward, exchanges

    def close(self) -> None:
        self._onward.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._onward.handle_request(request)
        body = response.read()
        response.close()
        media = response.headers.get("content-type", "")
        self._exchanges.append(Exchange(*_asked(request), status=response.status_code, media=media, body=text_of(body)))
        return reply(response.status_code, body, {"Content-Type": media})


class Replayer(httpx.BaseTransport):
    """Answers from a recording. The same request again gets the answers in the order recorded, then the last one again;
    a request nobody recorded gets 404.
    """

    def __init__(self, recording: Recording) -> None:
        self._answers: dict[tuple[str, ...], list[Exchange]] = {}
        for exchange in recording.exchanges:
            self._answers.setdefault(exchange.key, []).append(exchange)
        self.calls = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        asked = _asked(request)
        key = (asked[0], asked[1], asked[3], *sorted(asked[2].values()))
        answers = self._answers.get(key)
        if answers is None:
            return reply(404)
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return reply(found.status, found.body.encode(), {"Content-Type": found.media.partition(";")[0]})


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """An answer that can be streamed like one from the network."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


def _asked(request: httpx.Request) -> tuple[str, str, dict[str, str], str]:
    """What identifies a request, without its secrets."""
    path, _, query = request.url.raw_path.decode().partition("?")
    signed = request.extensions.get(SIGNED_PARAMS, ())
    members = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k not in signed]
    query = urlencode([(k, SCRUBBED if SECRET_NAME.search(k) else v) for k, v in members])
    headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
    return request.method, f"{path}?{query}" if query else path, headers, _plain(text_of(request.read()))


def _plain(sent: str) -> str:
    """A request body as the scrubber would write it, so that a replayed request finds its recorded answer.

    A SOAP header is the signature's, a PACKAGEHEAD says when and who asks (china-facts §1.3): both stay out.
    """
    if not sent.startswith("<"):
        return sent
    envelope = parse(inner(sent))
    for header in (*envelope.findall("{*}Header"), *envelope.findall("PACKAGEHEAD")):
        envelope.remove(header)
    for element in envelope.iter("*"):
        if (element.text or "").startswith("<"):
            element.text = _plain(element.text)
    return etree.tostring(envelope, encoding="unicode")


class ReplaySecrets:
    """Secrets of a replay: everything is there, nothing expires."""

    def get(self, name: str) -> str:
        return f"replayed-{name}"

    def rotating(self, name: str) -> Rotating | None:
        return Rotating(f"replayed-{name}", datetime(9999, 1, 1, tzinfo=UTC))

    def store(self, name: str, secret: Rotating) -> None:
        """Kept nowhere."""

    @contextmanager
    def renewal(self, name: str) -> Iterator[None]:
        yield


class FreeBudget:
    """A budget without limits."""

    def call(self) -> nullcontext[None]:
        return nullcontext()


def replay(recording: Recording, kind: type[Adapter], transport: httpx.BaseTransport | None = None) -> Adapter:
    """The adapter over its recording, or over another transport in the same circumstances."""
    ports = Ports(
        http=Http(transport=transport or Replayer(recording)),
        secrets=ReplaySecrets(),
        budget=FreeBudget(),
        now=lambda: recording.now,
        today=lambda: recording.today,
        worklist=RecordedWorklist(recording.persons),
    )
    for name, kept in recording.documents.items():
        ports.documents.keep(name, {member: text.encode() for member, text in kept.items()})
    adapter = kind(ports, kind.Settings.model_validate(recording.settings), recording.county)
    if isinstance(adapter, FilesAdapter):
        adapter.drop = RecordedDrop(adapter, recording.files, recording.now)
    if isinstance(adapter, TableAdapter):
        adapter.engine = recorded_engine(recording.rows)
    if isinstance(adapter, InboxAdapter):
        adapter.inbox_of = lambda dataset: RecordedInbox(recording.messages[dataset], recording.now)
    return adapter


def newest(page: Page, source_time: str | None) -> str | None:
    """The newest source time on a page, as the pipeline finds it."""
    if source_time is None:
        return None
    return max((t for item in page.rows.decode() if (t := moment(item.get(source_time)))), default=None)


def run(adapter: Adapter, dataset: str, cursor: Cursor | None, pages: int) -> tuple[list[Page], Cursor | None]:
    """One run of at most so many pages, and the cursor after it."""
    source_time = adapter.offers[dataset].source_time
    assert source_time is None or isinstance(source_time, str)
    read: list[Page] = []
    while len(read) < pages:
        page = adapter.fetch(dataset, cursor)
        read.append(page)
        cursor = page.after(newest(page, source_time))
        if page.last:
            break
    return read, cursor


def record(
    kind: type[Adapter],
    ports: Ports,
    settings: SourceSettings,
    county: str,
    *,
    pages: int = 1000,
    secrets: Mapping[str, str] | None = None,
    onward: httpx.BaseTransport | None = None,
) -> Recording:
    """Runs every stream once, and once more from where it rests; logs in beforehand, so that no log-in is recorded.

    `secrets` are values to sweep out wherever they appear. Raises what `Adapter.fetch` raises.
    """
    kind(ports, settings, county).probe()
    exchanges: list[Exchange] = []
    http = Http(transport=onward, around=lambda transport: Recorder(transport, exchanges))
    worklist, complete = RememberingWorklist(ports.worklist), {}
    try:
        documents = _Afresh(ports.documents)
        adapter = kind(replace(ports, http=http, documents=documents, worklist=worklist), settings, county)
        if isinstance(adapter, FilesAdapter):
            adapter.drop = Remembering(adapter.drop)
        for dataset in adapter.offers:
            read, cursor = run(adapter, dataset, None, pages)
            complete[dataset] = read[-1].last
            if read[-1].last:
                run(adapter, dataset, cursor, pages)
        scrubber = Scrubber(columns(adapter.offers.items()), (secrets or {}).values())
        persons = [RecordedPerson(*scrubber.person(p.id_no, p.name)) for p in worklist.persons.values()]
        files, rows = _files(adapter, scrubber, pages), _rows(adapter, scrubber, pages)
        messages = _messages(adapter, scrubber, pages)
        adapter.close()
    finally:
        http.close()
    told = settings.model_dump(mode="json", by_alias=True)
    if isinstance(adapter, FilesAdapter):
        told = placeless(told)
    if isinstance(adapter, TableAdapter):
        told |= {"url": NOWHERE}
    hosts = {_host(value) for value in _texts(told) if value.startswith(("http://", "https://"))}
    return Recording(
        adapter=kind.name,
        county=county,
        settings={name: _told(name, value, scrubber, hosts) for name, value in told.items()},
        now=ports.now(),
        today=ports.today(),
        complete=complete,
        exchanges=_scrubbed(exchanges, scrubber, hosts),
        files=files,
        rows=rows,
        messages=messages,
        persons=persons,
        documents={
            name: {member: scrubber.sweep(text.decode()) for member, text in kept.items()}
            for name, kept in documents.kept.items()
            if not name.startswith("http")
        },
    )


def _messages(adapter: Adapter, scrubber: Scrubber, pages: int) -> dict[str, list[str]]:
    """Notifications as they came; of files that were handed in, their rows as CSV."""
    out: dict[str, list[str]] = {}
    for dataset in adapter.offers if isinstance(adapter, InboxAdapter) else ():
        assert isinstance(adapter, InboxAdapter)
        for message in adapter.inbox_of(dataset).after(0, pages):
            text = text_of(message.body)
            if isinstance(adapter, UploadAdapter):
                items = msgspec.json.decode(
                    scrubber.body(f"[{b','.join(adapter.opened(dataset, message)[0]).decode()}]")
                )
                text = as_csv(items)
            else:
                text = scrubber.body(text)
            out.setdefault(dataset, []).append(scrubber.sweep(text))
    return out


class _Afresh(NoDocuments):
    """Descriptions are read again, so that reading them is recorded; files are where they were."""

    def __init__(self, real: Documents) -> None:
        super().__init__()
        self._real = real

    def file(self, path: str) -> bytes:
        return self._real.file(path)


def _files(adapter: Adapter, scrubber: Scrubber, pages: int) -> list[RecordedFile]:
    if not isinstance(adapter, FilesAdapter):
        return []
    assert isinstance(adapter.drop, Remembering)
    return recorded_files(adapter, adapter.drop.opened, scrubber, pages * adapter.settings.page_size)


def _rows(adapter: Adapter, scrubber: Scrubber, pages: int) -> list[RecordedRows]:
    if not isinstance(adapter, TableAdapter):
        return []
    return recorded_rows(adapter, scrubber, pages * adapter.settings.page_size)


def _scrubbed(exchanges: list[Exchange], scrubber: Scrubber, hosts: set[str]) -> list[Exchange]:
    once = [msgspec.structs.replace(e, sent=scrubber.body(e.sent), body=scrubber.body(e.body)) for e in exchanges]
    return [
        msgspec.structs.replace(
            e,
            path=scrubber.sweep(e.path),
            sent=_unhosted(scrubber.sweep(e.sent), hosts),
            body=_unhosted(scrubber.sweep(e.body), hosts),
        )
        for e in once
    ]


def _told(name: str, value: Any, scrubber: Scrubber, hosts: set[str]) -> Any:
    """A setting as a recording may say it. What is declared under `datasets` names members (`next_token`), no secrets."""
    if isinstance(value, dict):
        inner_name = name if name == "datasets" else ""
        return {key: _told(inner_name or key, inner, scrubber, hosts) for key, inner in value.items()}
    if not isinstance(value, str):
        return value
    return SCRUBBED if SECRET_NAME.search(name) else _unhosted(scrubber.sweep(value), hosts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else ():
        yield from _texts(part)


def _host(url: str) -> str:
    return urlunsplit((*urlsplit(url)[:2], "", "", ""))


def _unhosted(text: str, hosts: set[str]) -> str:
    for host in hosts:
        text = text.replace(host, HOST)
    return text
