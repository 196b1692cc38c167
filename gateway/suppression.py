"""What was erased stays away: its rows are ignored by the named rule ERASED, whatever brings them (DESIGN §2b, ADR 0016)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from adapters.kit import Translated
from gateway.names import Namer
from gateway.store import Tx

ERASED: Final = "ERASED"
"""The rule under which a row of an erased person is ignored, and the state of a quarantined item of one."""
SUBJECTS: Final = "subject"
HANDLES: Final = "handle"


@dataclass(frozen=True, slots=True)
class Suppression:
    """The suppression list as of one moment: names of persons, handles of observations."""

    subjects: frozenset[bytes]
    handles: frozenset[bytes]

    @classmethod
    def of(cls, tx: Tx) -> Suppression:
        rows = tx.all_plain("suppressions")
        return cls(*(frozenset(bytes(name) for kind, name in rows if kind == which) for which in (SUBJECTS, HANDLES)))

    def __len__(self) -> int:
        return len(self.subjects) + len(self.handles)

    def sift(self, t: Translated, namer: Namer) -> Translated:
        """The page without the rows of whom was erased; those are counted as ignored. Rejected rows as far as they can be read."""
        if not self or not (t.positions or t.partial or t.deleted):
            return t
        gone = {row for row, name in namer.persons(t.column) if name in self.subjects} if t.positions else set()
        gone.update(row for row, handle in enumerate(namer.handles(t)) if handle in self.handles)
        unread = {row for row, name in namer.persons_of(t.partial) if name in self.subjects}
        unread.update(row for row, partial in enumerate(t.partial) if namer.handle_of(partial) in self.handles)
        ended = {row for row, end in enumerate(t.deleted) if namer.handle_of(end.key) in self.handles}
        if not gone and not unread and not ended:
            return t
        kept = [row for row in range(len(t.positions)) if row not in gone]
        positions = [t.positions[row] for row in sorted(gone)] + [t.rejected[row].position for row in sorted(unread)]
        positions += [t.deleted[row].position for row in sorted(ended)]
        return replace(
            t.take(kept),
            ignored={**t.ignored, ERASED: positions},
            rejected=[rejected for row, rejected in enumerate(t.rejected) if row not in unread],
            partial=[partial for row, partial in enumerate(t.partial) if row not in unread],
            deleted=[end for row, end in enumerate(t.deleted) if row not in ended],
            newest=t.newest,
        )
