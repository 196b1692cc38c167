"""Nothing of the outcome depends on which pages shared a transaction (ADR 0009)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.kit import JsonRows, Page
from adapters.kit.rest import RestAdapter
from gateway import pagegroup
from gateway.store.segments import versions_between
from tests.support.house import FEEDS, House, house

pytestmark = pytest.mark.sockets


def outcome(made: House) -> dict[str, Any]:
    """Every version by feed, and what became of every item."""
    vault, out = made.gateway.vault, {}
    with made.gateway.store.read() as tx:
        for name in FEEDS.values():
            feed = tx.one("feed_by_name", name=name)
            versions = versions_between(tx, feed.stream_id, 1, 1_000_000)
            out[name] = [
                (
                    v.number,
                    v.op,
                    v.as_of[:10],
                    v.flags,
                    v.sealed and vault.open_version(vault.unwrap(v.wrapped_key), v.number, v.handle, v.sealed, v.suite),
                )
                for v in versions
            ]
            for run in tx.all("runs_of_feed", feed=name, count=100):
                counted = {
                    c: getattr(run, c) for c in ("pages", "fetched", "duplicate", "quarantined", "ignored", "puts")
                }
                out[f"{name} run"] = [*out.get(f"{name} run", []), counted, run.recognised + run.unchanged]
    return out


def test_a_transaction_a_page_or_one_for_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for rows in (1, pagegroup.ROWS):
        monkeypatch.setattr(pagegroup, "ROWS", rows)
        with house(tmp_path / str(rows), monkeypatch, households=60, dirt=0.1) as made:
            made.sync()
            made.advance(1)
            made.sync()
            found.append(outcome(made))
    assert found[0] == found[1]


@pytest.mark.parametrize("rows", [1, pagegroup.ROWS])
def test_what_pages_say_of_one_another_is_said_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """A later page that changes a row makes a second version; one that mends a rejected row settles it."""
    monkeypatch.setattr(pagegroup, "ROWS", rows)
    with house(tmp_path, monkeypatch, households=60, dirt=0) as made:
        made.sync("marriage")  # accounts are logged in
        real = RestAdapter.fetch
        feed = made.gateway.feed(FEEDS["marriage"])
        first = real(made.gateway.adapter(feed), "marriage", None)
        items = first.rows.decode([0, 1, 2])
        for item in items:
            item["cert_no"] = f"J360981-2031-00000{items.index(item)}"
        a, b, c = items
        pages = [
            [a, b, {**c, "cert_num_man": "123"}],
            [{**b, "dept_name": "丰城市民政局婚姻登记处二"}, a],
            [c],
        ]
        made_pages: list[Page] = []
        for n, rows_of in enumerate(pages):
            raw = [msgspec.json.encode(item) for item in rows_of]
            last = n == len(pages) - 1
            made_pages.append(
                replace(first, rows=JsonRows(raw), declared=None, last=last, after=lambda _newest: {"rest": True})
            )
        served = iter(made_pages)
        monkeypatch.setattr(RestAdapter, "fetch", lambda _self, _dataset, _cursor: next(served))
        (done,) = made.sync("marriage")
        assert done.verdict.state == "ok"
        counts = done.counts
        assert (counts["fetched"], counts["puts"], counts["quarantined"], counts["duplicate"]) == (6, 4, 1, 0)
        assert counts["recognised"] + counts["unchanged"] == 1
        with made.gateway.store.read() as tx:
            row = tx.one("feed_by_name", name=FEEDS["marriage"])
            newest = versions_between(tx, row.stream_id, 1, 1_000_000)[-4:]
            states = [r.state for r in tx.all("quarantine_list", feed=row.name, state="superseded", count=9)]
        assert [v.number for v in newest] == [1, 1, 2, 1]
        assert states == ["superseded"]
