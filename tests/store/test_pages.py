"""`commit_pages` and the outbox: all or nothing, fenced, gapless; the same on both databases."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest

from gateway.clock import Clock
from gateway.errors import LeaseLost, Unreconciled
from gateway.leases import Leases
from gateway.names import Names
from gateway.recognition import anchor_name, known_rows
from gateway.status import reconcile
from gateway.store import Store
from gateway.store.pages import (
    HANDLE_KIND,
    Counts,
    Fence,
    Held,
    PageCommit,
    Proof,
    Puts,
    Touch,
    Vanished,
    commit_gone,
    commit_pages,
    living,
)
from gateway.store.segments import find, versions_between

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
            tx.run("name_kind_add", kind="subject/payee")
            self.subject = tx.all("name_kinds")[-1].id

    def page(self, fence: Fence, *names: int, number: int = 1, **changes: object) -> PageCommit:
        """A page with observations seen for the first time, named by small numbers."""
        counts = Counts(fetched=len(names), mapped=len(names), changed=len(names))
        made = PageCommit(
            fence=fence,
            feed_id=self.id,
            stream_id=self.stream,
            run_id=self.run,
            rules_id=self.rules,
            suite="intl-1",
            suppressed=0,
            page=number,
            at=AT,
            as_of="2026-03-01T00:00:00",
            cursor=f"cursor {number}".encode(),
            declared=None,
            counts=counts,
            proof=PROOF,
            fresh=first_seen(*names, kind=self.subject),
            changed=Puts(),
            withdrawn=Puts(),
            touches=[],
            held=[],
        )
        return replace(made, **changes)

    def rows(self, query: str, **values: object) -> list[object]:
        with self.store.read() as tx:
            return tx.all(query, **values)

    def versions(self) -> list[tuple[int, int, str]]:
        with self.store.read() as tx:
            return [(v.seq, v.number, v.op) for v in versions_between(tx, self.stream, 1, 10**9)]

    def known(self) -> list[int]:
        with self.store.read() as tx:
            return living(tx, self.id)

    def cursor(self) -> bytes | None:
        return self.rows("feed_by_id", id=self.id)[0].cursor


@pytest.fixture
def feed(store: Store) -> Feed:
    return Feed(store)


def first_seen(*names: int, kind: int) -> Puts:
    handles = [bytes([name]) * 20 for name in names]
    count = len(names)
    return Puts(
        handles=handles,
        digests=[bytes([name, 1]) * 8 for name in names],
        numbers=[1] * count,
        previous=[0] * count,
        times=["2026-03-01T00:00:00"] * count,
        flags=["FULLWIDTH" if name == 1 else "" for name in names],
        sealed=[b"sealed"] * count,
        wrapped=[b"key"] * count,
        names=[Names(HANDLE_KIND, names, range(count)), Names(kind, [name * 10 for name in names], range(count))],
    )


def second(observation: int, name: int, **names: object) -> Puts:
    return Puts(
        observations=[observation],
        handles=[bytes([name]) * 20],
        digests=[bytes([name, 2]) * 8],
        numbers=[2],
        previous=[1],
        times=[None],
        flags=[""],
        sealed=[b"sealed again"],
        **names,
    )


ONE_CHANGE = Counts(fetched=1, mapped=1, changed=1)


def test_everything_of_a_page_moves_together(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_pages(feed.store, [feed.page(fence, 1, 2), feed.page(fence, 3, number=2)])
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
        commit_pages(feed.store, [feed.page(old, 1)])
    assert feed.versions() == []
    assert feed.cursor() is None


def test_counters_that_do_not_add_up_write_nothing(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence, pytest.raises(Unreconciled, match="取得 5"):
        commit_pages(
            feed.store, [feed.page(fence, 1), feed.page(fence, 2, counts=Counts(fetched=5, mapped=1, changed=1))]
        )
    assert feed.versions() == []


def test_a_failing_statement_leaves_no_gap_in_the_stream(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        broken = feed.page(fence, 2)
        broken.fresh.wrapped = [object()]
        with pytest.raises(Exception, match=r"(?i)type|adapt"):
            commit_pages(feed.store, [feed.page(fence, 1), broken])
        commit_pages(feed.store, [feed.page(fence, 1)])
    assert feed.versions() == [(1, 1, "put")]


def test_a_changed_observation_loses_its_stale_names(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_pages(feed.store, [feed.page(fence, 1)])
        (known,) = feed.known()
        changed = second(known, 1, added=[(11, feed.subject, known)], stale=[(10, feed.subject, known)])
        commit_pages(feed.store, [feed.page(fence, number=2, changed=changed, counts=ONE_CHANGE)])
    assert feed.rows("observations_of_subject", subject=10) == []
    (found,) = feed.rows("observations_of_subject", subject=11)
    assert (found.version, found.feed, found.role) == (2, "1/x", "payee")


def test_every_version_of_an_observation_is_found(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_pages(feed.store, [feed.page(fence, 1, 2)])
        known = feed.known()[0]
        page = feed.page(fence, 3, number=2, changed=second(known, 1), counts=Counts(fetched=2, mapped=2, changed=2))
        commit_pages(feed.store, [page])
    with feed.store.read() as tx:
        head = tx.one("observation_found", name=1, handle=b"\1" * 20)
        newest, first = find(tx, head.stream_id, head.seq), find(tx, head.stream_id, head.seq, 1)
        assert find(tx, head.stream_id, head.seq, 3) is None
        assert [v.seq for v in versions_between(tx, feed.stream, 2, 3)] == [2, 3]
    assert (newest.seq, newest.number, newest.sealed, newest.as_of) == (4, 2, b"sealed again", AT)
    assert (first.seq, first.number, first.sealed, first.as_of) == (1, 1, b"sealed", "2026-03-01T00:00:00")
    assert (first.evidence_hash, first.flags, first.wrapped_key) == (b"h" * 32, "FULLWIDTH", b"key")


def test_a_bad_row_read_again_makes_no_second_entry(feed: Feed) -> None:
    held = Held(b"q" * 20, b"d" * 16, "MISSING", "name", b"item", None)
    counts = Counts(fetched=1, quarantined=1)
    with Leases(feed.store).take("feed:u") as fence:
        for number in (1, 2):
            commit_pages(feed.store, [feed.page(fence, number=number, held=[held], counts=counts)])
        assert len(feed.rows("quarantine_list", feed="", state="open", count=9)) == 1
        commit_pages(feed.store, [feed.page(fence, 1, number=3, settled=[b"d" * 16])])
    (row,) = feed.rows("quarantine_list", feed="", state="repaired", count=9)
    assert row.actor == "mapping"


def test_touching_keeps_the_version(feed: Feed) -> None:
    digest = b"\x00" * 16
    with Leases(feed.store).take("feed:u") as fence:
        commit_pages(feed.store, [feed.page(fence, 1)])
        (known,) = feed.known()
        counts = Counts(fetched=1, mapped=1, unchanged=1)
        touches = [Touch(known, digest, None, names=anchor_name(digest))]
        commit_pages(feed.store, [feed.page(fence, number=2, counts=counts, touches=touches)])
    assert feed.versions() == [(1, 1, "put")]
    with feed.store.read() as tx:
        assert known_rows(tx, [digest], feed.rules) == {digest: known}
        assert known_rows(tx, [digest], feed.rules + 1) == {}


def test_tombstones_are_versions_and_end_recognition(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        with feed.store.write() as tx:
            tx.run("run_reads", id=feed.run, reading=feed.run)
        commit_pages(feed.store, [feed.page(fence, 1, 2, seen=array("q"))])
        ids = feed.known()
        (marks,) = feed.rows("seen_of_reading", feed_id=feed.id, reading=feed.run)
        assert array("q", marks.ids).tolist() == ids
        where = {"feed_id": feed.id, "stream_id": feed.stream, "run_id": feed.run, "rules_id": feed.rules, "at": AT}
        commit_gone(feed.store, fence, **where, suite="intl-1", gone=[Vanished(ids[0], 2, 1)])
    assert feed.versions()[-1] == (3, 2, "gone")
    assert feed.known() == ids[1:]
    assert feed.rows("seen_of_reading", feed_id=feed.id, reading=feed.run) == []


def test_an_unsealed_stream_and_a_lost_statement_are_imbalances(feed: Feed) -> None:
    with Leases(feed.store).take("feed:u") as fence:
        commit_pages(feed.store, [feed.page(fence, 1, 2)])
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
