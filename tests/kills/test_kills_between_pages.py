"""`kill -9` in the middle of a file and of a walk over tables: what was read stays read, what was not is read next (DESIGN §5.1)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.kills.test_kills import finish, kill_at, must_hold, queue_all, versions
from tests.support.handed import DATASETS, handed_over
from tests.support.oracle import Oracles

pytestmark = pytest.mark.sockets
PAGES = 20
"""Rows of one page: a file of a pay-out has four, the contracts too."""


def calm(home: Path, patch: pytest.MonkeyPatch, form: str, days: int) -> Counter[tuple[str, str, int, str, str]]:
    with handed_over(home, patch, form=form, page_size=PAGES) as county:
        county.made.sync(*DATASETS)
        county.advance(days)
        county.publish()
        county.made.sync(*DATASETS)
        return versions(county.made, *DATASETS)


@pytest.mark.parametrize(
    "form", ["csv", *(pytest.param(form, marks=pytest.mark.kills) for form in ("zip", "xls", "xlsx"))]
)
def test_killed_between_two_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    home = tmp_path / "killed"
    home.mkdir()
    with handed_over(home, monkeypatch, form=form, page_size=PAGES) as county:
        made, oracles = county.made, Oracles(county.made, *DATASETS)
        for dataset in DATASETS:
            for step, nth in (("committing", 2), ("fetched", 3)):
                queue_all(made, dataset)
                hit = kill_at(made, step, nth, page_by_page=True)
                assert hit or dataset == "assistance", f"{dataset} was read before {step}:{nth}"
            with made.gateway.store.read() as tx:
                stored = tx.one("feed_by_name", name=made.feeds[dataset])
            assert stored.cursor is not None, "some pages were committed, and a cursor with them"
            finish(made)
        must_hold(made, *DATASETS)
        assert oracles.differences() == []
        county.advance(8)
        county.publish()
        oracles.read()
        queue_all(made, *DATASETS)
        kill_at(made, "committing", 2, page_by_page=True)
        finish(made)
        must_hold(made, *DATASETS)
        assert oracles.differences() == []
        got = versions(made, *DATASETS)
    other = tmp_path / "calm"
    other.mkdir()
    assert got == calm(other, monkeypatch, form, 8)
