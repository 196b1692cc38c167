"""What an older store holds is there after an upgrade, on both databases."""

from __future__ import annotations

from array import array
from dataclasses import replace
from datetime import UTC, datetime
from struct import unpack

from sqlalchemy import text

from gateway.chain.evm import Pin, Signed, TxState
from gateway.inbox import FeedInbox, Inboxes, Parcel
from gateway.lanes import StoreJournal
from gateway.recognition import known_rows
from gateway.scope import EVERYTHING
from gateway.status import sink_statuses
from gateway.store import Store, upgrade
from gateway.store.pages import living
from gateway.store.segments import find, versions_between
from gateway.vault import Keyring, Vault

ANCHOR, PLAIN = b"\x10" + b"a" * 15, b"\x11" + b"b" * 15


def _one(handle: bytes) -> int:
    return int(unpack(">q", handle[:8])[0])


def fill(store: Store) -> None:
    """Two observations of one feed at revision 0001: one with two versions, one gone; a snapshot run under way."""
    rows: list[tuple[str, list[dict[str, object]]]] = [
        ("stream", [{"id": 1, "name": "feed:u", "kind": "versions", "next_seq": 4, "sealed_seq": 0}]),
        (
            "feed",
            [
                {
                    "id": 7,
                    "uid": "u",
                    "name": "1/x",
                    "dataset": "payment",
                    "county": "1",
                    "channel": "SYSTEM",
                    "stream_id": 1,
                }
            ],
        ),
        ("rules", [{"id": 1, "digest": "r"}]),
        ("run", [{"id": 1, "feed_id": 7, "due_at": "t", "reason": "t", "actor": "t"}]),
        (
            "evidence",
            [
                {
                    "id": 1,
                    "run_id": 1,
                    "page": 1,
                    "at": "t",
                    "request": "GET",
                    "status": 200,
                    "media": "",
                    "hash": b"h" * 32,
                }
            ],
        ),
        (
            "observation",
            [
                {
                    "id": 1,
                    "feed_id": 7,
                    "handle": b"\x81" * 20,
                    "raw_digest": ANCHOR,
                    "content_digest": b"c",
                    "rules_id": 1,
                    "version": 2,
                    "gone": 0,
                    "wrapped_key": b"k1",
                },
                {
                    "id": 2,
                    "feed_id": 7,
                    "handle": b"\x02" * 20,
                    "raw_digest": b"",
                    "content_digest": b"",
                    "rules_id": 1,
                    "version": 2,
                    "gone": 1,
                    "wrapped_key": b"k2",
                },
                {
                    "id": 3,
                    "feed_id": 7,
                    "handle": b"\x03" * 20,
                    "raw_digest": PLAIN,
                    "content_digest": b"c",
                    "rules_id": 1,
                    "version": 1,
                    "gone": 0,
                    "wrapped_key": b"k3",
                },
            ],
        ),
        (
            "version",
            [
                {
                    "stream_id": 1,
                    "seq": seq,
                    "observation_id": observation,
                    "number": number,
                    "op": "put" if sealed else "gone",
                    "run_id": 1,
                    "evidence_id": 1 if sealed else None,
                    "rules_id": 1,
                    "source_time": time,
                    "as_of": time or "2026-03-02T00:00:00",
                    "flags": flags,
                    "sealed": sealed,
                }
                for seq, observation, number, sealed, time, flags in (
                    (1, 1, 1, b"one", "2026-03-01T00:00:00", "FULLWIDTH"),
                    (2, 2, 1, b"two", None, ""),
                    (3, 1, 2, b"one again", "2026-03-02T00:00:00", ""),
                    (4, 2, 2, None, None, ""),
                    (5, 3, 1, b"three", None, ""),
                )
            ],
        ),
        ("observation_subject", [{"subject": b"\x55" * 20, "role": "payee", "observation_id": 1}]),
        ("observation_index", [{"name": b"\x66" * 20, "kind": "unit", "observation_id": 3}]),
        ("counter", [{"name": "observation", "value": 3}]),
        ("seen", [{"feed_id": 7, "run_id": 1, "page": 1, "ids": array("q", [1, 3]).tobytes()}]),
    ]
    with store.engine.connect() as connection:
        for table, values in rows:
            columns = values[0].keys()
            names, marks = ", ".join(columns), ", ".join(f":{c}" for c in columns)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def test_versions_names_and_marks_survive_0002(blank: Store) -> None:
    upgrade(blank, "0001")
    fill(blank)
    upgrade(blank)
    with blank.read() as tx:
        versions = versions_between(tx, 1, 1, 5)
        ids = living(tx, 7)
        head = tx.one("observation_found", name=_one(b"\x81" * 20), handle=b"\x81" * 20)
        newest, first = find(tx, 1, head.seq), find(tx, 1, head.seq, 1)
        (payee,) = tx.all("observations_of_subject", subject=_one(b"\x55" * 20))
        assert known_rows(tx, [ANCHOR, PLAIN], 1) == dict(zip([ANCHOR, PLAIN], ids, strict=True))
        (marks,) = tx.all("seen_of_reading", feed_id=7, reading=1)
    assert [(v.seq, v.number, v.op, v.previous, v.sealed) for v in versions] == [
        (1, 1, "put", 0, b"one"),
        (2, 1, "put", 0, b"two"),
        (3, 2, "put", 1, b"one again"),
        (4, 2, "gone", 2, None),
        (5, 1, "put", 0, b"three"),
    ]
    assert [v.as_of for v in versions][1] == "2026-03-02T00:00:00"
    assert (newest.sealed, first.sealed, first.flags, first.evidence_hash) == (
        b"one again",
        b"one",
        "FULLWIDTH",
        b"h" * 32,
    )
    assert (payee.id, payee.role, payee.handle) == (ids[0], "payee", b"\x81" * 20)
    assert array("q", marks.ids).tolist() == ids
    with blank.write() as tx:
        assert int(tx.value("counter_take", name="observation/7", count=1)) == 4


def test_deliveries_under_way_survive_0006(blank: Store) -> None:
    """A store that knew the embedded ledger only has room for a chain's sender, and forgets nothing."""
    upgrade(blank, "0002")
    with blank.engine.begin() as connection:
        for statement in (
            "INSERT INTO stream (id, name, kind, next_seq, sealed_seq) VALUES (1, 'feed:u', 'versions', 2, 2)",
            "INSERT INTO batch (id, stream_id, first, last, sealed_at, batch_id) VALUES (1, 1, 1, 2, 't', 'b')",
            "INSERT INTO delivery (sink, batch, state, block, block_hash) VALUES ('local', 1, 'confirmed', '7', 'h')",
        ):
            connection.execute(text(statement))
    upgrade(blank)
    journal = StoreJournal(blank, "bank", "0xaa")
    signed = Signed(0, "h", "b", b"raw", TxState.SIGNED, 0.0)
    journal.add(signed)
    journal.mark(0, TxState.SENT, 5.0)
    assert journal.of_batch("b") == replace(signed, state=TxState.SENT, sent_at=5.0)
    assert StoreJournal(blank, "bank", "0xbb").of_batch("b") is None
    assert journal.pinned() is None
    journal.observed(9, 10**30, 1)
    assert journal.pinned() is None
    journal.pin(Pin(20200, "g", "0xcc", "c"))
    assert journal.pinned() == Pin(20200, "g", "0xcc", "c")
    with blank.read() as tx:
        (kept,) = tx.all("deliveries_confirmed", sink="local")
    assert (kept.batch_id, kept.block) == ("b", "7")
    (bank,) = sink_statuses(blank, ["bank"])
    assert (bank.tip, bank.balance, bank.in_flight, bank.lag_statements) == (9, str(10**30), 1, 2)


def test_a_feed_of_before_0007_can_be_pushed_to(blank: Store) -> None:
    upgrade(blank, "0001")
    fill(blank)
    upgrade(blank)
    if blank.postgres:
        with blank.engine.connect() as connection:
            connection.execute(text("SELECT setval(pg_get_serial_sequence('run', 'id'), 1)"))  # `fill` chose its ids
    boxes = Inboxes(blank, Vault(Keyring.new()))
    with blank.read() as tx:
        feed = tx.one("feed_by_name", name="1/x")
    now = datetime(2026, 3, 2, 18, tzinfo=UTC)
    parcels = [Parcel(label, b"content", 2, body) for label, body in (("a", b"one"), ("b", b"two"), ("a", b"again"))]
    answers = [boxes.put(feed, parcel, now, max_rows=9, max_bytes=99) for parcel in parcels]
    assert answers == ["TAKEN", "TAKEN", "KNOWN"]
    inbox = FeedInbox(blank, boxes._vault, "1/x")
    assert [(m.position, m.body) for m in inbox.after(0, 9)] == [(1, b"one"), (2, b"two")]
    with blank.write() as tx:
        tx.run("inbox_release", feed_id=7, upto=1)
        tx.run("inbox_taken", feed_id=7, upto=1)
    assert [m.position for m in inbox.after(0, 9)] == [2]
    (figures,) = boxes.figures(EVERYTHING)
    assert (figures["waiting"], figures["waiting_rows"], figures["waiting_bytes"]) == (1, 2, 3)
    with blank.read() as tx:
        assert [row.feed for row in tx.all("runs_queued")].count("1/x") == 2, "the one of before, and one for both"
