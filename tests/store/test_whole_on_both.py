"""The whole way on either database: collect, change, forward, read back; by the oracle."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from gateway.status import reconcile
from tests.support.house import FEEDS, differences, house
from tests.support.postgres import EMPTIED

pytestmark = pytest.mark.sockets


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_it_equals_the_truth_and_reconciles(
    database: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = None
    if database == "postgres":
        url = request.getfixturevalue("postgres_url")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(EMPTIED))
        engine.dispose()
    with house(tmp_path, monkeypatch, households=60, dirt=0.1, store=url) as made:
        assert {o.state for o in made.sync()} == {"done"}
        for dataset in FEEDS:
            assert differences(made, dataset) == []
        changed = made.advance(1)
        done = {o.feed: o.counts for o in made.sync()}
        assert {d: done[f]["puts"] + done[f]["gone"] for d, f in FEEDS.items()} == changed
        report = made.gateway.forwarder.forward()
        assert (report.waiting, report.held) == (0, [])
        assert made.gateway.verify_chains()["local"] == report.confirmed
        assert reconcile(made.gateway.store, ["local"]) == []

        id_no = made.records("household_member")[0]["id_no"]
        erased = made.gateway.eraser.person(id_no)
        assert (erased.observations > 0, erased.answers > 0, erased.key_files > 0, erased.trimmed) == (True,) * 4
        assert not any(r["id_no"] == id_no for r in made.records("household_member"))
        assert made.gateway.masters.rotate() > 0
        assert made.gateway.masters.prune() == ["m1"]
        assert {o.state for o in made.sync(full=True)} == {"done"}
        assert not any(r["id_no"] == id_no for r in made.records("household_member"))
        assert made.gateway.forwarder.forward().waiting == 0
        assert reconcile(made.gateway.store, ["local"]) == []
