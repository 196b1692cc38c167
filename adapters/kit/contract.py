"""What every adapter promises, as named checks over its recording; a new adapter gets all of them for nothing.

Each check raises `Broken` with one sentence. Each has been seen to fail: tests/adapters/test_contract.py holds, for every
check, an adapter broken in just that way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Final

import msgspec

from adapters.kit.base import Adapter, Cursor, Item, Page, Stream
from adapters.kit.errors import SourceError
from adapters.kit.hostile import hostile, nothing, private
from adapters.kit.recording import Recording, newest, replay, run
from adapters.kit.rules import columns_read, moment
from schemas import DATASETS

PAGES: Final = 200
"""More pages than any recording has: a run that is longer does not end."""


class Broken(AssertionError):
    """An adapter does not keep a promise."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    run: Callable[[], None]


def checks(kind: type[Adapter], recording: Recording) -> list[Check]:
    """Every check, ready to run over this recording."""
    subject = _Subject(kind, recording)
    return [Check(check.__name__, partial(_kept, check, subject)) for check in CHECKS]


def _kept(check: Callable[[_Subject], None], subject: _Subject) -> None:
    try:
        check(subject)
    except Broken:
        raise
    except Exception as error:
        raise Broken(f"raised {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class _Subject:
    kind: type[Adapter]
    recording: Recording

    @cached_property
    def streams(self) -> Mapping[str, Stream]:
        return self.adapter().offers

    def adapter(self) -> Adapter:
        return replay(self.recording, self.kind)

    def absent(self, dataset: str) -> tuple[str, ...]:
        """Columns that this source is known not to have."""
        choose = getattr(self.adapter(), "stream", None)
        return tuple(getattr(choose(dataset), "absent", ())) if choose else ()

    @cached_property
    def runs(self) -> dict[str, tuple[list[Page], Cursor | None]]:
        """One run of each stream that was recorded to its end."""
        complete = [dataset for dataset in self.streams if self.recording.complete.get(dataset)]
        return {dataset: run(self.adapter(), dataset, None, PAGES) for dataset in complete}

    @cached_property
    def items(self) -> dict[str, list[Item]]:
        return {dataset: [i for page in pages for i in page.rows.decode()] for dataset, (pages, _) in self.runs.items()}


def _require(held: bool, sentence: str) -> None:
    if not held:
        raise Broken(sentence)


def name_is_its_module(subject: _Subject) -> None:
    kind = subject.kind
    _require(kind.__module__.rpartition(".")[2] == kind.name, f"name {kind.name!r} is not the module's")
    _require(bool(kind.title.strip()), "title is blank")
    _require(subject.recording.adapter == kind.name, "the recording is another adapter's")


def mapping_fits_the_schema(subject: _Subject) -> None:
    for dataset, stream in subject.streams.items():
        _require(dataset in DATASETS, f"{dataset}: no such dataset")
        schema = DATASETS[dataset]
        covered = set()
        for path, rule in stream.mapping.items():
            leaf = ".".join(part for part in path.split(".") if not part.isdigit())
            _require(leaf in schema.fields, f"{dataset}: no field {path}")
            _require(
                isinstance(rule, str) or rule.given == 1,
                f"{dataset}: {path} has no source",
            )
            covered.add(leaf)
        needed = {spec.path for spec in schema.fields.values() if spec.of.required}
        _require(needed <= covered, f"{dataset}: nothing feeds {', '.join(sorted(needed - covered))}")
        keyed = any(covered.issuperset(alternative) for alternative in schema.record_key)
        _require(keyed, f"{dataset}: nothing feeds its record key")


def source_time_dates_the_rows(subject: _Subject) -> None:
    """An incremental stream that cannot date its rows would never move its watermark."""
    for dataset, stream in subject.streams.items():
        incremental = getattr(stream, "since", None) is not None
        _require(
            isinstance(stream.source_time, str) or not incremental, f"{dataset}: incremental without a source time"
        )
        if isinstance(stream.source_time, str) and subject.items.get(dataset):
            dated = any(moment(item.get(stream.source_time)) for item in subject.items[dataset])
            _require(dated, f"{dataset}: {stream.source_time} dates no row")


def a_run_ends_and_rests(subject: _Subject) -> None:
    for dataset, (pages, cursor) in subject.runs.items():
        _require(pages[-1].last, f"{dataset}: no last page after {len(pages)}")
        _require(isinstance(cursor, Mapping), f"{dataset}: the cursor after the last page is {cursor!r}")
        _require(all(not page.last for page in pages[:-1]), f"{dataset}: pages after the last")


def cursors_are_json_and_resume(subject: _Subject) -> None:
    """A cursor that went through the store, read by another process, leads to the page that would have come."""
    for dataset, (pages, _) in subject.runs.items():
        cursor: Cursor | None = None
        for page, following in pairwise(pages):
            stamp = newest(page, _time(subject.streams[dataset]))
            cursor = page.after(stamp)
            _require(cursor is not None, f"{dataset}: no cursor after a page")
            try:
                kept = json.loads(json.dumps(dict(cursor)))
            except TypeError as error:
                raise Broken(f"{dataset}: the cursor is not JSON") from error
            again = subject.adapter().fetch(dataset, kept)
            _require(list(again.rows.raw) == list(following.rows.raw), f"{dataset}: the cursor leads elsewhere")


def a_resting_cursor_may_be_used_twice(subject: _Subject) -> None:
    for dataset, (pages, resting) in subject.runs.items():
        adapter = subject.adapter()
        first, after_first = run(adapter, dataset, resting, PAGES)
        second, after_second = run(adapter, dataset, after_first, PAGES)
        _require(bool(first[-1].last and second[-1].last), f"{dataset}: a run from rest does not end")
        _require(after_first == after_second == resting, f"{dataset}: the resting cursor drifts though nothing changed")
        stream = subject.streams[dataset]
        # A table is read again over its overlap, which may hold all of a recording.
        most = max(2, len(pages)) if getattr(stream, "overlap", None) else 2
        _require(stream.snapshot or len(first) <= most, f"{dataset}: {len(first)} calls though nothing changed")


def rows_decode_to_the_mapped_columns(subject: _Subject) -> None:
    for dataset, (pages, _) in subject.runs.items():
        for page in pages:
            items = page.rows.decode()
            _require(all(isinstance(item, dict) for item in items), f"{dataset}: an item is no dict")
            _require(len(items) == len(page.rows.raw), f"{dataset}: {len(page.rows.raw)} rows gave {len(items)} items")
            picked = list(range(0, len(items), 3))
            _require(page.rows.decode(picked) == [items[i] for i in picked], f"{dataset}: decode(wanted) picks others")
        seen = {column for item in subject.items[dataset] for column in item}
        wanted = columns_read(subject.streams[dataset].mapping.values()) - set(subject.absent(dataset))
        missing = ", ".join(sorted(wanted - seen))
        _require(not missing or not seen, f"{dataset}: no row has {missing}")


def equal_items_have_equal_bytes(subject: _Subject) -> None:
    """Unchanged rows are recognised by their bytes; a stamp or a counter in them would make every row new."""
    for dataset, (pages, _) in subject.runs.items():
        again, _ = run(subject.adapter(), dataset, None, PAGES)
        raw = [[bytes(row) for row in page.rows.raw] for page in pages]
        _require(
            raw == [[bytes(row) for row in page.rows.raw] for page in again], f"{dataset}: the same answer, other bytes"
        )
        met: dict[bytes, bytes] = {}
        for page in pages:
            for item, row in zip(page.rows.decode(), page.rows.raw, strict=True):
                key = msgspec.json.encode(item, order="sorted")
                _require(met.setdefault(key, bytes(row)) == row, f"{dataset}: an item sent twice has other bytes")


def places_are_in_step(subject: _Subject) -> None:
    """Where a source's rows have places, each item has its own: a clerk who looks there finds the row in question."""
    for dataset, (pages, _) in subject.runs.items():
        told = [place for page in pages for place in page.places]
        rows = [len(page.rows.raw) for page in pages if page.places]
        _require(len(told) == sum(rows), f"{dataset}: {len(told)} places for {sum(rows)} rows")
        _require(len(set(told)) == len(told), f"{dataset}: two rows in one place")


def nothing_is_lost_on_the_way(subject: _Subject) -> None:
    for dataset, (pages, _) in subject.runs.items():
        declared = pages[-1].declared
        fetched = sum(len(page.rows.raw) for page in pages)
        dropped = any("PARTIAL" in page.notes for page in pages)
        _require(declared is None or dropped or fetched >= declared, f"{dataset}: {fetched} of {declared} items")


def nothing_is_confirmed(subject: _Subject) -> None:
    """An empty answer in the source's own form, its total 0 or its text 没有数据, is a confirmed empty page."""
    for dataset in subject.streams:
        page = nothing(subject.recording, subject.kind, dataset).fetch(dataset, None)
        _require(
            list(page.rows.raw) == [] and page.empty_confirmed, f"{dataset}: a confirmed nothing is not understood"
        )


def failures_are_named(subject: _Subject) -> None:
    """What is wrong with an answer becomes one of the three source errors, of the right kind."""
    for dataset in subject.streams:
        for treatment in hostile(subject.recording, subject.kind, dataset):
            try:
                treatment.adapter().fetch(dataset, None)
            except treatment.error:
                continue
            except Exception as error:
                raise Broken(f"{dataset}: {treatment.what} became {type(error).__name__}") from error
            raise Broken(f"{dataset}: {treatment.what} went unnoticed")


def strange_cursors_are_refused_or_read(subject: _Subject) -> None:
    for dataset in subject.streams:
        for cursor in _STRANGE:
            try:
                subject.adapter().fetch(dataset, cursor)
            except SourceError:
                continue
            except Exception as error:
                raise Broken(f"{dataset}: {cursor} became {type(error).__name__}") from error


def nothing_private_is_said(subject: _Subject) -> None:
    """Labels and messages hold neither a secret nor a value of the request or of a person."""
    forbidden = private(subject.recording, subject.kind)
    for dataset in subject.streams:
        said = []
        for treatment in hostile(subject.recording, subject.kind, dataset):
            try:
                treatment.adapter().fetch(dataset, None)
            except SourceError as error:
                said.append(f"{error} {error.facts}")
        said += [page.answer.request for page in subject.runs.get(dataset, ([], None))[0]]
        for text in said:
            found = next((value for value in forbidden if value in text), None)
            _require(found is None and "?" not in text, f"{dataset}: says {found or 'a query'}")


CHECKS: Final = (
    name_is_its_module,
    mapping_fits_the_schema,
    source_time_dates_the_rows,
    a_run_ends_and_rests,
    cursors_are_json_and_resume,
    a_resting_cursor_may_be_used_twice,
    rows_decode_to_the_mapped_columns,
    equal_items_have_equal_bytes,
    places_are_in_step,
    nothing_is_lost_on_the_way,
    nothing_is_confirmed,
    failures_are_named,
    strange_cursors_are_refused_or_read,
    nothing_private_is_said,
)

_STRANGE: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"at": None},
    {"at": {"n": "x", "o": "x", "day": "x"}},
    {"at": {}, "since": 7, "high": []},
    {"rest": True, "since": "not a time", "day": "not a day"},
    {"rest": True, "since": "2999-12-31T23:59:59", "day": "2999-12-31"},
    {"done": 7, "at": {}},
    {"done": {}, "at": {"file": None}},
    {"done": {"x": 1}, "generation": 3, "at": {"file": "x", "digest": "y", "row": 10**9}},
    {"phase": "timed", "at": [{}], "since": None, "high": None, "count": 0},
    {"phase": "x", "at": None, "since": None, "high": 7, "count": "x"},
    {"at": {"n": 10**6, "o": 10**9, "k": 1, "day": "2999-12-31"}, "since": None, "high": None, "prev": None},
)


def _time(stream: Stream) -> str | None:
    return stream.source_time if isinstance(stream.source_time, str) else None
