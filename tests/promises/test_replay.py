"""Kept answers are translated again after a mapping is mended: nobody is asked, only what was wrong changes (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kit import registry
from gateway.audit import Actor
from gateway.status import reconcile
from gateway.web import build
from tests.support.front import COUNTY, FEED, County, row
from tests.support.house import COUNTIES, POLICE, house
from tests.support.verbs import shuqiao
from tests.support.web import ask

ROWS = 400
WRONG = "since: SSNY"
SAME = 40
"""Rows in which the wrong column happens to say the same."""


def rows(count: int = ROWS) -> list[dict[str, str]]:
    return [row(n, **({"QSNY": "202603"} if n < SAME else {})) for n in range(count)]


def text(county: County, mapping: str) -> str:
    return (COUNTY % (county.front, "false", "")).replace("since: QSNY", mapping)


@pytest.fixture
def county(tmp_path: Path) -> Iterator[County]:
    """Collected under a wrong mapping, which is then mended; the agency's database is gone."""
    made = County(tmp_path)
    made.publish(text(made, WRONG))
    made.fill(rows())
    assert made.sync().counts["puts"] == ROWS
    made.publish(text(made, "since: QSNY"))
    made.front.unlink()
    yield made
    made.close()


def test_the_difference_is_shown_before_it_is_committed(county: County) -> None:
    before = county.versions()
    shown = shuqiao(county.settings, "replay", FEED, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert (
        f"{ROWS} 条记录是按以前的规则转换的：{ROWS} 条有留存的应答，其中 {ROWS - SAME} 条会变，{SAME} 条不变"
        in shown.stdout
    )
    assert "起始保障年月" in shown.stdout
    assert "2026-03 → 2023-01" in shown.stdout
    assert county.versions() == before
    asked = shuqiao(county.settings, "replay", FEED, typed="n\n")
    assert "入库吗" in asked.stdout
    assert county.versions() == before


def test_only_the_wrong_field_changes_and_only_what_changed_goes_to_the_chain(county: County) -> None:
    before, g = county.versions(), county.gateway
    with g.store.read() as tx:
        feed = tx.one("feed_by_name", name=FEED)
        sealed = tx.one("stream_by_name", name=f"feed:{feed.uid}").next_seq
    done = shuqiao(county.settings, "replay", FEED, "--yes")
    assert done.exit_code == 0, done.output
    after = county.versions()
    assert after.keys() == before.keys()
    for cert, (record, flags, number) in after.items():
        old, old_flags, _ = before[cert]
        wrong = int(cert[2:]) >= SAME
        assert {k for k in record if record[k] != old[k]} == ({"since"} if wrong else set())
        assert (number, flags) == (2 if wrong else 1, old_flags)
    with g.store.read() as tx:
        now = tx.one("feed_by_name", name=FEED)
        assert tx.one("stream_by_name", name=f"feed:{feed.uid}").next_seq - sealed == ROWS - SAME
    assert now.contact_at == feed.contact_at, "nobody was asked"
    assert now.cursor is not None
    assert reconcile(g.store, []) == []
    again = g.replays.difference(g.prepare(FEED))
    assert (again.stale, again.fields) == (0, [])


def test_what_came_since_stands_and_a_row_is_read_as_it_was_last_sent(tmp_path: Path) -> None:
    made = County(tmp_path)
    made.publish(text(made, WRONG))
    made.fill(rows(30))
    made.sync()
    later = {"GXSJ": "2026-03-09 09:00:00"}
    # the same content in other bytes, then other content: both are newer than the first answer
    made.fill([row(10, QSNY="202212", **later), row(11, BZJE="999.00", **later), *rows(30)[12:]])
    made.sync()
    made.publish(text(made, "since: QSNY"))
    done = made.gateway.replays.commit(made.gateway.prepare(FEED), "person:zhang")
    assert (done.stale, done.missing, done.committed) == (30, 0, True)
    held = made.versions()
    assert held[row(10)["JZZH"]][0]["since"] == "2022-12"
    assert held[row(11)["JZZH"]][0]["monthly_amount"] == "999.00"
    made.close()


def test_a_row_that_is_no_record_any_more_is_told_and_held_and_keys_are_not_changed(county: County) -> None:
    county.publish(text(county, "since: BZJE"))
    g = county.gateway
    told = g.replays.difference(g.prepare(FEED))
    assert (told.refused, told.changed) == ({"BAD_DATE": ROWS}, 0)
    county.publish(text(county, "since: QSNY").replace("cert_no: JZZH", "cert_no: BZ"))
    g = county.gateway
    assert (
        g.replays.difference(g.prepare(FEED)).rekeyed + sum(g.replays.difference(g.prepare(FEED)).refused.values())
        == ROWS
    )
    before = county.versions()
    g.replays.commit(g.prepare(FEED), "person:zhang")
    assert county.versions() == before


def test_what_a_person_put_right_is_replayed_as_it_was_put_right(tmp_path: Path) -> None:
    made = County(tmp_path)
    made.publish(text(made, WRONG))
    made.fill([row(1, JZLX="其它"), row(2)])
    made.sync()
    (item,) = made.gateway.quarantine.unsettled(FEED)
    made.gateway.repairs.put_right(Actor.person("zhang"), item.handle, {"JZLX": "2"})
    made.publish(text(made, "since: QSNY"))
    answer = ask(build(made.gateway, lambda: True), f"/api/v1/feeds/{FEED}/replay?dry_run=false", "POST").json()
    assert (answer["changed"], answer["committed"], answer["fields"][0]["values"]) == (2, True, 2)
    record, flags, number = made.versions()[row(1)["JZZH"]]
    assert (record["kind"], record["since"], flags, number) == ("2", "2023-01", "kind:BY_HAND", 2)
    made.close()


@pytest.mark.sockets
def test_every_kind_of_source_can_be_read_again_from_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(tmp_path, monkeypatch, households=20, others=10, dirt=0.1) as made:
        kinds: set[str] = set()
        ways: set[tuple[str, str]] = set()
        for name in [*sorted({name for feeds in COUNTIES.values() for name in feeds.values()}), POLICE]:
            feed = made.gateway.feed(name)
            way = (feed.source.adapter, feed.dataset)
            if name != POLICE and way in ways:
                continue
            ways.add(way)
            made.run(name)
            work = made.gateway.prepare(feed.name)
            work.rules_id = 0
            told = made.gateway.replays.difference(work)
            assert (told.missing, told.changed, told.rekeyed, told.refused) == (0, 0, 0, {}), feed.name
            assert told.same == told.stale, feed.name
            kinds.add(registry.find(feed.source.adapter).__mro__[1].__name__)
        assert len(kinds) > 4
