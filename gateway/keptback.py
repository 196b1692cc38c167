"""What quarantine holds of one feed, as a run has to know it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.names import short
from gateway.store import Tx
from gateway.store.rejected import Held

OVERRIDE: Final = "override"
"""What a person changed of an item, as the vault seals it."""


@dataclass(slots=True)
class KeptBack:
    """What quarantine holds of one feed: raw digests with their rules, those of erased items, and the handles unsettled ones are about."""

    rules: dict[bytes, int]
    about: set[bytes]
    erased: set[bytes]
    overridden: Mapping[bytes, int]
    """Digest of a row that a person put right -> the observation made of it: the row as the source sends it is known (ADR 0017)."""

    @classmethod
    def of(cls, tx: Tx, feed_id: int) -> KeptBack:
        rows = tx.all_plain("quarantine_kept", feed_id=feed_id)
        about = {row[2] for row in rows if row[2] is not None}
        erased = {row[0] for row in rows if row[3] == "erased"}
        return cls({row[0]: row[1] for row in rows}, about, erased, _overridden(tx, feed_id) if rows else {})

    def add(self, held: Sequence[Held], rules_id: int) -> None:
        """What was held meanwhile."""
        self.rules.update((h.raw_digest, rules_id) for h in held)
        self.about.update(h.about for h in held if h.about is not None)


def _overridden(tx: Tx, feed_id: int) -> dict[bytes, int]:
    standing = tx.all("overrides_standing", feed_id=feed_id)
    if not standing:
        return {}
    heads = {
        row.handle: row.id for row in tx.among("observations_by_handle", sorted(short([r.handle for r in standing])))
    }
    return {row.raw_digest: heads[row.handle] for row in standing if row.handle in heads}
