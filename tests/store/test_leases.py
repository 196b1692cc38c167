"""Leases: one holder at a time, fenced, renewed, released; the same on both databases."""

import threading

import pytest

from gateway.errors import Busy, LeaseLost
from gateway.leases import Leases
from gateway.store import Store
from gateway.store.pages import Fence, hold


def test_a_held_lease_is_refused_and_a_released_one_is_given(store: Store) -> None:
    leases = Leases(store)
    with leases.take("feed:a") as first:
        with pytest.raises(Busy), leases.take("feed:a"):
            pass
        with leases.take("feed:b"):
            pass
    with leases.take("feed:a") as second:
        assert second.token == first.token + 1


def test_an_old_token_writes_nothing(store: Store) -> None:
    leases = Leases(store)
    with leases.take("feed:a") as first:
        pass
    with leases.take("feed:a"), pytest.raises(LeaseLost), store.write() as tx:
        tx.run("meta_put", key="x", value="1")
        hold(tx, Fence("feed:a", first.token))
    with store.read() as tx:
        assert tx.one("meta_get", key="x") is None


def test_many_contenders_never_overlap(store: Store) -> None:
    leases, inside, overlaps, tokens = Leases(store), [], [], []

    def contend() -> None:
        for _ in range(5):
            with leases.take("feed:a", wait=30) as fence:
                inside.append(1)
                if len(inside) > 1:
                    overlaps.append(1)
                tokens.append(fence.token)
                inside.pop()

    threads = [threading.Thread(target=contend) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not overlaps
    assert sorted(tokens) == list(range(1, 21))
