"""`commit_page` and the outbox: all or nothing, fenced, gapless; the same on both databases."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from gateway.clock import Clock
from gateway.errors import LeaseLost, Unreconciled
from gateway.leases import Leases
from gateway.status import reconcile
from gateway.store import Store
from gateway.store.pages import Counts, Fence, Held, PageCommit, Proof, Put, Touch, Vanished, commit_gone, commit_page

AT = "2026-03-02T18:00:00+08:00"
PROOF = Proof(AT, "GET /x", 200, "application/json", 3, b"h" * 32, b"body")


class Feed:
    """One feed with a queued run, and a lease on it."""

    def __init__(self, store: Store) -> None:
        self.store = store
        with store.write() as tx:
            tx.run("stream_add", name="feed:u", kind="versions")
            self.stream = tx.one("stream_by_name", name="feed:u").id
            tx.run(
                "feed_add", uid="u", name="1/x", dataset="payment", county="1", channel="SYSTEM", stream_id=self.stream
            )
            self.id = tx.one("feed_by_name", name="1/x").id
            tx.run("rules_add", digest="r")
            self.rules = tx.value("rules_id", digest="r")
            tx.run("run_add", feed_id=self.id, due_at=AT, reason="t", actor="t", options="{}")
            self.run = tx.value("run_slot", feed_id=self.id, due_at=AT, reason="t")

    def page(self, fence: Fence, *puts: Put, number: int = 1, **changes: object) -> PageCommit:
        counts = Counts(fetched=len(puts), mapped=len(puts), changed=len(puts))
        made = PageCommit(
            fence=fence,
            feed_id=self.id,
            stream_id=self.stream,
            run_id=self.run,
            rules_id=self.rules,
            page=number,
            at=AT,
            as_of="2026-03-01T00:00:00",
            cursor=f"cursor {number}".encode(),
            declared=None,
            counts=counts,
            proof=PROOF,
            puts=list(puts),
            touches=[],
            held=[],
        )
        return replace(made, **changes)

    def rows(self, query: str, **values: object) -> list[object]:
        with self.store.read() as tx:
            return tx.all(query, **values)

    def versions(self) -> list[tuple[int, int, str]]:
        return [(r.seq, r.number, r.op) for r in self.rows("statements", stream_id=self.stream, first=0, last=10**9)]

    def cursor(self) -> bytes | None:
        return self.rows("feed_by_id", id=self.id)[0].cursor


@pytest.fixture
def feed(store: Store) -> Feed:
    return Feed(store)


def put(name: int, number: int = 1, observation: int | None = None) -> Put:
    handle = bytes([name]) * 20
    return Put(
        observation,
        handle,
        bytes([name, number]) * 8,
        bytes([name, number]) * 8,
        number,
        "2026-03-01T00:00:00",
        "",
        b"sealed",
        b"key" if observation is None else None,
        [(handle, "payee")],
        [(handle, "unit")],
    )


def test_everything_of_a_page_moves_together(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_page(feed.store, feed.page(fence, put(1), put(2)))
        commit_page(feed.store, feed.page(fence, put(3), number=2))
    assert feed.versions() == [(1, 1, "put"), (2, 1, "put"), (3, 1, "put")]
    assert feed.cursor() == b"cursor 2"
    (run,) = feed.rows("run_get", id=feed.run)
    assert (run.pages, run.fetched, run.changed, run.puts) == (2, 3, 3, 3)
    (row,) = feed.rows("feed_by_id", id=feed.id)
    assert (row.contact_at, row.as_of) == (AT, "2026-03-01T00:00:00")


def test_a_lost_lease_writes_nothing(feed: Feed) -> None:
    leases = Leases(feed.store)
    with leases.take("feed:u") as old:
        pass
    with leases.take("feed:u"), pytest.raises(LeaseLost):
        commit_page(feed.store, feed.page(old, put(1)))
    assert feed.versions() == []
    assert feed.cursor() is None


def test_counters_that_do_not_add_up_write_nothing(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence, pytest.raises(Unreconciled, match="取得 5"):
        commit_page(feed.store, feed.page(fence, put(1), counts=Counts(fetched=5, mapped=1, changed=1)))
    assert feed.versions() == []


def test_a_failing_statement_leaves_no_gap_in_the_stream(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            commit_page(feed.store, feed.page(fence, put(1), put(1)))
        commit_page(feed.store, feed.page(fence, put(1)))
    assert feed.versions() == [(1, 1, "put")]


def test_a_changed_observation_loses_its_stale_names(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_page(feed.store, feed.page(fence, put(1)))
        (known,) = feed.rows("observations_known", feed_id=feed.id)
        second = replace(
            put(1, 2, known.id), subjects=[(b"n" * 20, "payee")], stale_subjects=[(bytes([1]) * 20, "payee")]
        )
        commit_page(feed.store, feed.page(fence, second, number=2))
    assert feed.rows("observations_of_subject", subject=bytes([1]) * 20) == []
    (found,) = feed.rows("observations_of_subject", subject=b"n" * 20)
    assert (found.version, found.feed) == (2, "1/x")


def test_a_bad_row_read_again_makes_no_second_entry(feed: Feed) -> None:
    held = Held(b"q" * 20, b"d" * 16, "MISSING", "name", b"item", None)
    counts = Counts(fetched=1, quarantined=1)
    with Leases(feed.store).take("feed:u") as fence:
        for number in (1, 2):
            commit_page(feed.store, feed.page(fence, number=number, held=[held], counts=counts))
        assert len(feed.rows("quarantine_list", feed="", state="open", count=9)) == 1
        page = feed.page(fence, put(1), number=3, settled=[b"d" * 16])
        commit_page(feed.store, page)
    (row,) = feed.rows("quarantine_list", feed="", state="repaired", count=9)
    assert row.actor == "mapping"


def test_touching_keeps_the_version(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_page(feed.store, feed.page(fence, put(1)))
        (known,) = feed.rows("observations_known", feed_id=feed.id)
        counts = Counts(fetched=1, mapped=1, unchanged=1)
        commit_page(feed.store, feed.page(fence, number=2, counts=counts, touches=[Touch(known.id, b"x" * 16, None)]))
    assert feed.versions() == [(1, 1, "put")]
    with feed.store.read() as tx:
        assert tx.among("observations_recognised", [b"x" * 16], feed.id, feed.rules)[0].id == known.id


def test_tombstones_are_versions_and_end_recognition(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_page(feed.store, feed.page(fence, put(1), put(2), seen=array("q")))
        ids = [r.id for r in feed.rows("observations_known", feed_id=feed.id)]
        (marks,) = feed.rows("seen_of_run", feed_id=feed.id, run_id=feed.run)
        assert array("q", marks.ids).tolist() == ids
        where = {"feed_id": feed.id, "stream_id": feed.stream, "run_id": feed.run, "rules_id": feed.rules, "at": AT}
        commit_gone(feed.store, fence, **where, gone=[Vanished(ids[0], 2)])
    assert feed.versions()[-1] == (3, 2, "gone")
    assert [r.id for r in feed.rows("observations_known", feed_id=feed.id)] == ids[1:]
    assert feed.rows("seen_of_run", feed_id=feed.id, run_id=feed.run) == []


def test_an_unsealed_stream_and_a_lost_statement_are_imbalances(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_page(feed.store, feed.page(fence, put(1), put(2)))
    assert reconcile(feed.store, []) == []
    with feed.store.write() as tx:
        tx.value("batch_reserve", stream_id=feed.stream, first=1, last=2, sealed_at=AT)
        tx.run("stream_sealed", id=feed.stream, last=1)
    assert [i.where for i in reconcile(feed.store, ["local"])] == ["feed:u"]


def test_the_business_clock_is_shared_and_runs_on(store: Store) -> None:
    one, other = Clock(store), Clock(store)
    from datetime import datetime

    one.set(datetime.fromisoformat("2026-03-02T18:00:00+08:00"))
    assert other.stamp()[:16] == "2026-03-02T18:00"
    assert other.stamp()[-6:] == "+08:00"
