"""The monthly bulletin: its figures are those of the ledger, and the letter and the spreadsheet say the same."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from gateway.bulletin import Bulletin, bulletin, printed, sheets
from gateway.config.models import CountyModel
from gateway.errors import Usage
from gateway.scope import EVERYTHING, Scope
from gateway.store import Store
from gateway.store.tables import rejected
from tests.freshness.books import Books

OTHER = CountyModel(code="360982", name="樟树市", bureau="樟树市数据局")


def told(books: Books, month: str = "", within: Scope = EVERYTHING) -> Bulletin:
    return bulletin(books.store, books.clock, books.config, within, month)


def held(books: Books, number: int, first_at: str, settled_at: str | None = None) -> None:
    """A rejected row, and when it came home."""
    state = "repaired" if settled_at else "open"
    item = {
        "handle": bytes([number]) * 16,
        "feed_id": books.rows["system"].id,
        "raw_digest": bytes([number]),
        "rules_id": 1,
    }
    times = {"first_at": first_at, "last_at": first_at, "settled_at": settled_at}
    with books.store.engine.begin() as connection:
        kept = rejected.quarantine.insert().values(run_id=1, reason="X", state=state, item=b"", **item, **times)
        connection.execute(kept)


@pytest.fixture
def counties(store: Store) -> tuple[Books, Books]:
    """Two counties in October, when September falls due on the 10th: one in time and by hand too, one eleven days late."""
    one = Books(store, manual=True)
    two = Books(store, county=OTHER, beside=one)
    one.at("2026-10-03T09:00:00").run("2026-09", rows=6).run("2026-09", rows=2, feed="manual")
    two.at("2026-10-21T09:00:00").run("2026-09", rows=4)
    held(one, 1, "2026-10-03T09:00:00+08:00", "2026-10-05T09:00:00+08:00")
    held(one, 2, "2026-10-03T09:00:00+08:00", "2026-11-02T09:00:00+08:00")
    held(one, 3, "2026-09-03T09:00:00+08:00", "2026-10-13T09:00:00+08:00")
    held(one, 4, "2026-09-03T09:00:00+08:00")
    one.at("2026-11-02T08:00:00")
    return one, two


def test_a_month_in_figures(counties: tuple[Books, Books]) -> None:
    found = told(counties[0], "2026-10")
    best, worst = found.counties
    assert (best.county, best.due, best.on_time, best.rate) == ("360981", 1, 1, 1.0)
    assert (worst.county, worst.due, worst.made_up, worst.rate) == ("360982", 1, 1, 0.0)
    assert (best.rows, best.by_hand, best.manual) == (8, 2, 0.25)
    assert (best.held, best.waiting, best.quality) == (2, 2, 0.8)
    assert (best.cured, best.cure_days) == (2, 40.0)
    assert (found.whole.due, found.whole.rate, found.over) == (2, 0.5, True)
    (late,) = found.unkept
    assert (late.county, late.period, late.code, late.late_days) == ("360982", "2026-09", "made_up", 11)
    assert [(s.county, s.agency) for s in found.agencies] == [("360981", "某局"), ("360982", "某局")]


def test_its_counts_are_those_of_the_ledger(counties: tuple[Books, Books]) -> None:
    """Every period that fell due in the month, by the code that the ledger gives it; a waiver takes one out of the rate."""
    one, two = counties
    two.ledger.waive("360982", "subsidy", "2026-09", "系统割接", "x")
    found = told(one, "2026-10")
    for score in found.counties:
        lines = one.ledger.periods(score.county, "subsidy", "2026-01-01", "2027-01-01")
        codes = [line.code for line in lines if line.due_at.startswith("2026-10")]
        figures = {"on_time": score.on_time, "made_up": score.made_up, "waived": score.waived}
        assert {code: codes.count(code) for code in figures} == figures
        assert score.due == len(codes)
    assert (found.whole.rate, found.unkept) == (1.0, ())


def test_what_lies_outside_is_not_told(counties: tuple[Books, Books]) -> None:
    found = told(counties[0], "2026-10", Scope(counties=frozenset({"360982"})))
    assert {score.county for score in (*found.counties, *found.agencies)} == {"360982"}
    assert found.whole.due == 1


def test_letter_and_spreadsheet(counties: tuple[Books, Books]) -> None:
    one, _ = counties
    found = told(one)
    assert found.month == "2026-10"
    book = load_workbook(BytesIO(sheets(found, one.config)))
    rows: list[Any] = list(book["各县（市、区）"].iter_rows(values_only=True))
    assert rows[1][:7] == ("丰城市", 1, 1, 0, 0, 0, 1)
    assert rows[-1][:7] == ("合计", 2, 1, 1, 0, 0, 0.5)
    assert list(book["未按时"].iter_rows(values_only=True))[1][:4] == ("樟树市", "某局", "农业补贴", "2026-09")
    assert printed(found, one.config).startswith(b"%PDF-1.7")


@pytest.mark.parametrize("month", ["2026-13", "2026-12", "十月"])
def test_no_month_to_tell_of(store: Store, month: str) -> None:
    with pytest.raises(Usage, match=month):
        told(Books(store), month)
