"""Keys turn on both databases."""

from __future__ import annotations

from pathlib import Path

from gateway import desk
from gateway.inbox import BODY
from gateway.keyfiles import keyring
from gateway.leases import Leases
from gateway.proof import GM, INTL
from gateway.rewrap import Masters
from gateway.store import Store
from gateway.suppression import HANDLES, Suppression
from gateway.vault import Vault

HANDLE = bytes(range(20))


def test_masters_turn_and_suites_change(store: Store, tmp_path: Path) -> None:
    masters, vault = Masters(store, tmp_path, Leases(store)), Vault(keyring(tmp_path))
    with store.write() as tx:
        sealed = vault.seal("secret/a/n", b"token")
        tx.run("secret_put", account="a", name="n", expires_at="", sealed=sealed)
        desk.state(tx, vault, desk.CONSENTS, HANDLE, 1, {"file": {"sha256": "ab"}}, "2026-03-01T08:00:00")
        parcel = {"position": 1, "batch": HANDLE, "received_at": "2026-03-01T08:00:00+08:00", "rows": 1, "bytes": 5}
        tx.run("stream_add", name="feed:u", kind="versions")
        stream = tx.one("stream_by_name", name="feed:u")
        tx.run("feed_add", uid="u", name="1/x", dataset="payment", county="1", channel="MANUAL", stream_id=stream.id)
        feed = tx.one("feed_by_name", name="1/x")
        tx.run("inbox_add", feed_id=feed.id, body=vault.seal(BODY, b"pushed"), **parcel)
    assert masters.in_use() == {"m1": 3}
    assert masters.rotate() == 3
    assert masters.in_use() == {"m1": 0, "m2": 3}
    assert masters.suites() == {INTL.name: 1}
    assert masters.rewrap(GM) == 3
    assert masters.suites() == {GM.name: 1}
    assert masters.prune() == ["m1", "m2"]
    turned = Vault(keyring(tmp_path))
    with store.read() as tx:
        assert turned.open("secret/a/n", tx.one("secret_get", account="a", name="n").sealed) == b"token"
        (message,) = tx.all("inbox_after", feed_id=feed.id, position=0, count=1)
        assert turned.open(BODY, message.body) == b"pushed"
        stream = tx.one("stream_by_name", name="desk:consents")
        (statement,) = desk.statements(tx, turned, stream.id, 1, 1)
    assert statement.groups == {"file": b'{"sha256":"ab"}'}


def test_the_suppression_list_is_read_back(store: Store) -> None:
    with store.write() as tx:
        assert len(Suppression.of(tx)) == 0
        assert tx.run("suppression_add", kind=HANDLES, name=HANDLE, at="2026") == 1
        assert tx.run("suppression_add", kind=HANDLES, name=HANDLE, at="2027") == 0
        assert Suppression.of(tx).handles == {HANDLE}
        for query in ("observations_of_person", "reissues", "masters_in_use"):
            assert tx.all(query, **({"name": 1} if query == "observations_of_person" else {})) == []
        for kept in ("items", "evidence", "reports", "cursors"):
            assert tx.all(f"{kept}_kept", after=0, count=1) == []
        assert tx.all("inbox_bodies", feed_id=0, position=0, count=1) == []
        assert tx.all("items_about", feed_id=1, handle=HANDLE) == []
        erased = ("item_erase", "item_erase_changes", "item_erase_notes", "report_erase", "cursor_erase")
        assert [tx.run(query, id=1, at="2026") for query in erased] == [0] * len(erased)
        assert tx.run("asked_erase", name=1) == 0
        assert tx.all("consents_of_subject", subject=HANDLE) == tx.all("queries_of_subject", subject=HANDLE) == []
        assert tx.one("observation_of_handle", name=1, handle=HANDLE) is None
        for stale in ("observation", "evidence", "cursor", "item", "place", "consent", "report"):
            assert tx.all(f"stale_{stale}", after=0, tag=b"m1\0\0", count=1) == []
        assert tx.one("stale_segment", suite="gm-1") is None
