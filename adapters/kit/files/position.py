"""Where a feed stands in a drop: the cursor of `FilesAdapter`, read and written.

One of
    {"rest": true, "done": {name: "stamp digest"}, "generation": day}                   between runs
    {"done": {…}, "generation": day, "files": [name, …],
     "at": {"file": name, "digest": hex, "row": n}}                                     inside a run; `at` may be null
`done` holds every file that was taken and is still in the drop, so that a late one is found whatever its name, the same
file dropped again is recognised by its digest, and another content under an old name is read again. `row` counts items
served of the file under way: a crash goes on behind them. `generation` and `files` are of snapshots: the day or month
that is being read or was read last, and the files it consisted of when that began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapters.kit.base import Cursor
from adapters.kit.files.names import Delivery
from adapters.kit.paging import GARBAGE, unknown_cursor


@dataclass(slots=True)
class Position:
    """A cursor, read."""

    done: dict[str, str] = field(default_factory=dict)
    generation: str = ""
    at: tuple[str, str, int] | None = None
    files: list[str] = field(default_factory=list)
    resting: bool = True

    @classmethod
    def read(cls, cursor: Cursor | None) -> Position:
        """Raises SourceMalformed: CURSOR_UNKNOWN."""
        if cursor is None:
            return cls()
        try:
            resting = bool(cursor.get("rest", False))
            done = cursor.get("done", {}) if resting else cursor["done"]
            at = None if resting else cursor["at"]
            where = None if at is None else (str(at["file"]), str(at["digest"]), int(at["row"]))
            taken = {str(name): str(known) for name, known in done.items()}
            files = [] if resting else [str(name) for name in cursor.get("files", ())]
        except GARBAGE as error:
            raise unknown_cursor() from error
        return cls(taken, str(cursor.get("generation", "")), where, files, resting)

    def cursor(self) -> dict[str, Any]:
        """As JSON."""
        kept: dict[str, Any] = {"done": self.done, "generation": self.generation}
        if self.resting:
            return {"rest": True, **kept}
        at = self.at and dict(zip(("file", "digest", "row"), self.at, strict=True))
        return {**kept, "files": self.files, "at": at}

    def has(self, delivery: Delivery) -> bool:
        """Whether this very file was taken, by name, size and time."""
        return self.done.get(delivery.name, "").rpartition(" ")[0] == delivery.stamp

    def digest(self, delivery: Delivery) -> str:
        return self.done.get(delivery.name, "").rpartition(" ")[2]

    def take(self, delivery: Delivery, digest: str) -> None:
        self.done[delivery.name] = f"{delivery.stamp} {digest}"

    def leftover(self, delivery: Delivery) -> bool:
        """A flag that stayed behind when its file was put away after we had taken both: nothing to report."""
        return (
            delivery.file is None and self.done.get(delivery.name, "").split(" ")[1:2] == delivery.stamp.split(" ")[1:]
        )
