"""What quarantine holds of one feed, as a run has to know it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store import Tx
from gateway.store.pages import Held


@dataclass(slots=True)
class KeptBack:
    """What quarantine holds of one feed: raw digests with their rules, and the handles open items are about."""

    rules: dict[bytes, int]
    about: set[bytes]

    @classmethod
    def of(cls, tx: Tx, feed_id: int) -> KeptBack:
        rows = tx.all_plain("quarantine_kept", feed_id=feed_id)
        return cls({row[0]: row[1] for row in rows}, {row[2] for row in rows if row[2] is not None})

    def add(self, held: Sequence[Held], rules_id: int) -> None:
        """What was held meanwhile."""
        self.rules.update((h.raw_digest, rules_id) for h in held)
        self.about.update(h.about for h in held if h.about is not None)
