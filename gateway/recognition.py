"""Unchanged rows, recognised by their bytes: a sparse index over rows that came together (ADR 0003, ADR 0009).

A page that was read before comes again in much the same order, and observations that came together have neighbouring
ids. So only every sixteenth raw digest, chosen by its own value, is indexed as an anchor; the anchors of a page lead to
stretches of ids, and the digests there are compared. A row that no stretch holds is mapped and found unchanged, which
costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gateway.names import Names, short
from gateway.store import Tx
from gateway.store.pages import ANCHOR_KIND

REACH: Final = 64
"""Rows on either side of an anchor that are compared; one row in three thousand lies farther from the nearest."""
_MASK: Final = 0x0F


def anchors(digests: Sequence[bytes]) -> list[int]:
    """Rows whose digest is an anchor."""
    return [row for row, digest in enumerate(digests) if not digest[0] & _MASK]


def anchor_names(digests: Sequence[bytes]) -> Names:
    """The index names that lead to these rows."""
    rows = anchors(digests)
    return Names(ANCHOR_KIND, short([digests[row] for row in rows]), rows)


def anchor_name(digest: bytes) -> tuple[tuple[int, int], ...]:
    """(name, kind) that leads to a row of this digest, or nothing."""
    return () if not digest or digest[0] & _MASK else ((short([digest])[0], ANCHOR_KIND),)


def known_rows(tx: Tx, digests: Sequence[bytes], rules_id: int) -> dict[bytes, int]:
    """Digest -> observation, of the living observations that these rows are and these rules made."""
    names = short([digests[row] for row in anchors(digests)])
    ids = sorted(row[1] for row in tx.among_plain("observations_named", names, ANCHOR_KIND)) if names else []
    near: dict[bytes, int] = {}
    for low, high in _stretches(ids):
        near.update(tx.all_plain("observations_near", low=low, high=high, rules_id=rules_id))
    return {digest: near[digest] for digest in near.keys() & set(digests)}


def _stretches(ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    if not ids:
        return
    low, high = ids[0] - REACH, ids[0] + REACH
    for i in ids[1:]:
        if i - REACH > high:
            yield low, high
            low = i - REACH
        high = i + REACH
    yield low, high
