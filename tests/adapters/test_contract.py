"""The contract suite over every adapter there is, and for every check an adapter that is broken in just that way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters.civil_affairs import CivilAffairs
from adapters.kit import Cursor, Envelope, FieldRule, Item, Page, RestStream, SourceMalformed, registry
from adapters.kit.contract import CHECKS, Broken, checks
from adapters.kit.recording import Recording, replay

RECORDINGS = Path(__file__).parent / "recordings"
NAMES = [check.__name__ for check in CHECKS]


def recording(name: str) -> Recording:
    return Recording.load(RECORDINGS / f"{name}.json")


@pytest.mark.parametrize("name", registry.names())
def test_every_adapter_has_a_recording_of_whole_runs(name: str) -> None:
    recorded = recording(name)
    assert recorded.complete == dict.fromkeys(replay(recorded, registry.find(name)).offers, True)


@pytest.mark.parametrize("check", NAMES)
@pytest.mark.parametrize("name", registry.names())
def test_adapter(name: str, check: str) -> None:
    next(c for c in checks(registry.find(name), recording(name)) if c.name == check).run()


class Twin(CivilAffairs):
    """A whole adapter; each twin below breaks one thing."""

    __module__ = "adapters.civil_affairs"
    change: ClassVar[Any] = staticmethod(lambda page: page)

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        changed: Page = self.change(super().fetch(dataset, cursor))
        return changed


def streams(**changes: Any) -> Mapping[str, RestStream]:
    """Both streams, the marriage one changed."""
    whole = CivilAffairs.streams
    return {**whole, "marriage": replace(whole["marriage"], **changes)}


MAPPING = CivilAffairs.streams["marriage"].mapping


class Rows:
    """Rows changed on their way."""

    def __init__(
        self,
        page: Page,
        raw: Callable[[bytes], bytes] = bytes,
        decode: Callable[[list[Item]], list[Any]] = lambda items: items,
    ) -> None:
        self.raw: Sequence[bytes] = [raw(row) for row in page.rows.raw]
        self._page, self._decode = page, decode

    def decode(self, wanted: Sequence[int] | None = None) -> list[Any]:
        return self._decode(self._page.rows.decode(wanted))


def after(change: Callable[[dict[str, Any]], Any]) -> Any:
    """Pages whose cursors are changed."""
    return staticmethod(lambda page: replace(page, after=lambda newest: change(dict(page.after(newest)))))


counter = itertools.count()


class BadName(Twin):
    name = "civil"


class NoTitle(Twin):
    title = " "


class UnknownField(Twin):
    streams = streams(mapping={**MAPPING, "bride": "name_woman"})


class RequiredFieldUnfed(Twin):
    streams = streams(mapping={path: rule for path, rule in MAPPING.items() if path != "cert_no"})


class FieldFromNowhere(Twin):
    streams = streams(mapping={**MAPPING, "dept_name": FieldRule()})


class Undated(Twin):
    streams = streams(source_time=None)


class DatedByTheWrongColumn(Twin):
    streams = streams(source_time="dept_name")


class Endless(Twin):
    change = staticmethod(lambda page: replace(page, last=False, after=lambda newest: {"rest": True}))


class CursorNone(Twin):
    change = staticmethod(lambda page: replace(page, after=lambda newest: None if page.last else page.after(newest)))


class CursorNotJson(Twin):
    change = after(lambda cursor: {**cursor, "day": date(2026, 3, 2)})


class CursorForgets(Twin):
    """In-process state instead of a cursor: another process would begin again."""

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        kept = self.__dict__.setdefault("kept", {})
        page = super().fetch(dataset, kept.get(dataset))

        def remember(newest: str | None) -> Cursor:
            kept[dataset] = page.after(newest)
            return {"rest": True}

        return replace(page, after=remember)


class Drifting(Twin):
    change = after(lambda cursor: {**cursor, "run": next(counter)})


class TuplesForItems(Twin):
    change = staticmethod(lambda page: replace(page, rows=Rows(page, decode=lambda items: [tuple(i) for i in items])))


class LosesAnItem(Twin):
    change = staticmethod(lambda page: replace(page, rows=Rows(page, decode=lambda items: items[1:])))


class AlwaysTheFirstItems(Twin):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        page = super().fetch(dataset, cursor)
        rows = Rows(page)
        rows.decode = lambda wanted=None: page.rows.decode()[: len(wanted) if wanted is not None else None]  # type: ignore[method-assign]
        return replace(page, rows=rows)


class MapsAColumnNobodySends(Twin):
    streams = streams(mapping={**MAPPING, "dept_code": "DEPT"})


class Stamped(Twin):
    change = staticmethod(
        lambda page: replace(page, rows=Rows(page, raw=lambda row: row[:-1] + b" " * next(counter) + b"}"))
    )


class OnePlaceForAll(Twin):
    change = staticmethod(lambda page: replace(page, places=["row 1"] * len(page.rows.raw)))


class PlacesOutOfStep(Twin):
    change = staticmethod(lambda page: replace(page, places=["row 1"]))


class Shrinking(Twin):
    change = staticmethod(lambda page: replace(page, declared=10**6))


class NoTotal(Twin):
    """Without its total the source's empty list proves nothing."""

    change = staticmethod(lambda page: replace(page, empty_confirmed=False))


class KeyErrorOnAStrangeAnswer(Twin):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed as error:
            raise KeyError("data") from error


class SwallowsFailures(Twin):
    streams = {  # noqa: RUF012 # a ClassVar of the base
        dataset: replace(stream, envelope=Envelope(rows="", total=None, success={}))
        for dataset, stream in CivilAffairs.streams.items()
    }


class TrustsItsCursor(Twin):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        _ = (cursor or {"rest": True}).get("rest") or cursor["at"]["k"] + 0  # type: ignore[index]
        return super().fetch(dataset, cursor)


class TellsItsQuery(Twin):
    change = staticmethod(lambda page: replace(page, answer=replace(page.answer, request="GET /api/marriage?since=1")))


class TellsItsSecret(Twin):
    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        try:
            return super().fetch(dataset, cursor)
        except SourceMalformed as error:
            said = f"{error} {self.ports.secrets.get('app_secret')}"
            raise SourceMalformed(error.code, said) from error


TWINS: list[tuple[str, type[Twin], str]] = [
    ("name_is_its_module", BadName, "not the module's"),
    ("name_is_its_module", NoTitle, "title is blank"),
    ("mapping_fits_the_schema", UnknownField, "no field bride"),
    ("mapping_fits_the_schema", RequiredFieldUnfed, "nothing feeds cert_no"),
    ("mapping_fits_the_schema", FieldFromNowhere, "dept_name has no source"),
    ("source_time_dates_the_rows", Undated, "without a source time"),
    ("source_time_dates_the_rows", DatedByTheWrongColumn, "dates no row"),
    ("a_run_ends_and_rests", Endless, "no last page"),
    ("a_run_ends_and_rests", CursorNone, "the cursor after the last page is None"),
    ("cursors_are_json_and_resume", CursorNotJson, "the cursor is not JSON"),
    ("cursors_are_json_and_resume", CursorForgets, "leads elsewhere"),
    ("a_resting_cursor_may_be_used_twice", Drifting, "drifts though nothing changed"),
    ("rows_decode_to_the_mapped_columns", TuplesForItems, "raised AttributeError"),
    ("rows_decode_to_the_mapped_columns", LosesAnItem, "rows gave"),
    ("rows_decode_to_the_mapped_columns", AlwaysTheFirstItems, "picks others"),
    ("rows_decode_to_the_mapped_columns", MapsAColumnNobodySends, "no row has DEPT"),
    ("equal_items_have_equal_bytes", Stamped, "the same answer, other bytes"),
    ("places_are_in_step", OnePlaceForAll, "two rows in one place"),
    ("places_are_in_step", PlacesOutOfStep, "places for"),
    ("nothing_is_lost_on_the_way", Shrinking, "of 1000000 items"),
    ("nothing_is_confirmed", NoTotal, "a confirmed nothing"),
    ("failures_are_named", KeyErrorOnAStrangeAnswer, "became KeyError"),
    ("failures_are_named", SwallowsFailures, "went unnoticed"),
    ("strange_cursors_are_refused_or_read", TrustsItsCursor, "became TypeError"),
    ("nothing_private_is_said", TellsItsQuery, "says a query"),
    ("nothing_private_is_said", TellsItsSecret, "says replayed-"),
]


def test_every_check_has_a_twin_that_breaks_it() -> None:
    assert {check for check, _, _ in TWINS} == set(NAMES)


@pytest.mark.parametrize(("check", "twin", "sentence"), TWINS, ids=[twin.__name__ for _, twin, _ in TWINS])
def test_a_check_can_fail(check: str, twin: type[Twin], sentence: str) -> None:
    twin.__module__ = "adapters.civil_affairs"
    found = next(c for c in checks(twin, recording("civil_affairs")) if c.name == check)
    with pytest.raises(Broken, match=sentence):
        found.run()


def test_the_whole_twin_is_whole() -> None:
    for check in checks(Twin, recording("civil_affairs")):
        check.run()
