"""A sparse index recognises what comes again in much the same order, and nothing that has changed since."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256

from gateway.leases import Leases
from gateway.names import Names, short
from gateway.recognition import anchor_name, anchor_names, known_rows
from gateway.store import Store
from gateway.store.pages import HANDLE_KIND, Counts, Puts, commit_pages
from tests.store.test_pages import Feed

ROWS = 600


def digest(row: int, generation: int = 0) -> bytes:
    return sha256(f"{generation} {row}".encode()).digest()[:16]


def first_load(feed: Feed) -> list[int]:
    """600 rows in pages of 200; answers their observations."""
    pages = []
    for first in range(0, ROWS, 200):
        rows = range(first, first + 200)
        handles, digests = [sha256(bytes([r % 256, r >> 8])).digest()[:20] for r in rows], [digest(r) for r in rows]
        fresh = Puts(
            handles=handles, digests=digests, numbers=[1] * 200, previous=[0] * 200, times=[None] * 200,
            flags=[""] * 200, sealed=[b"x"] * 200, wrapped=[b"k"] * 200,
            names=[Names(HANDLE_KIND, short(handles), range(200)), anchor_names(digests)],
        )  # fmt: skip
        pages.append((fresh, Counts(fetched=200, mapped=200, changed=200)))
    with Leases(feed.store).take("feed:u") as fence:
        commits = [replace(feed.page(fence, number=n), fresh=f, counts=c) for n, (f, c) in enumerate(pages, 1)]
        commit_pages(feed.store, commits)
    return feed.known()


def recognised(feed: Feed, digests: list[bytes]) -> dict[bytes, int]:
    with feed.store.read() as tx:
        return known_rows(tx, digests, feed.rules)


def test_a_page_in_its_order_is_known_whole(store: Store) -> None:
    feed = Feed(store)
    ids = first_load(feed)
    page = [digest(row) for row in range(100, 500)]
    known = recognised(feed, page)
    assert len(known) == 400
    assert all(known[digest(row)] == ids[row] for row in range(100, 500))


def test_rows_that_moved_or_went_missing_disturb_their_neighbours_little(store: Store) -> None:
    feed = Feed(store)
    first_load(feed)
    chance = random.Random(3)
    page = [digest(row) for row in range(ROWS) if chance.random() > 0.3] + [digest(row, 1) for row in range(50)]
    assert len(recognised(feed, page)) > 0.97 * (len(page) - 50)


def test_what_changed_is_never_known_by_its_old_bytes(store: Store) -> None:
    feed = Feed(store)
    ids = first_load(feed)
    changed = range(0, ROWS, 3)
    puts = Puts(
        observations=[ids[row] for row in changed], handles=[b""] * len(changed),
        digests=[digest(row, 1) for row in changed], numbers=[2] * len(changed), previous=[1] * len(changed),
        times=[None] * len(changed), flags=[""] * len(changed), sealed=[b"y"] * len(changed),
        added=[(*name, ids[row]) for row in changed for name in anchor_name(digest(row, 1))],
        stale=[(*name, ids[row]) for row in changed for name in anchor_name(digest(row))],
    )  # fmt: skip
    counts = Counts(fetched=len(changed), mapped=len(changed), changed=len(changed))
    with Leases(store).take("feed:u") as fence:
        commit_pages(store, [replace(feed.page(fence, number=4), changed=puts, counts=counts)])
    before = recognised(feed, [digest(row) for row in range(ROWS)])
    assert set(before) <= {digest(row) for row in range(ROWS) if row % 3}
    now = [digest(row, 0 if row % 3 else 1) for row in range(ROWS)]
    assert len(recognised(feed, now)) == ROWS
