"""An item: what an agency serves, beside what is true of it.

Paths name canonical fields as the field table does: `name`, or `part.name` for a repeated part.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

Raw: TypeAlias = dict[str, Any]
"""Source column -> value as sent; None is sent as null (JSON) or not at all (XML)."""

Canonical: TypeAlias = dict[str, Any]
"""Canonical field -> text or None; repeated parts are lists of such objects."""


@dataclass(frozen=True, slots=True)
class Column:
    """A mapped source column: which canonical field it feeds and what kind of value stands in it."""

    name: str
    path: str
    """`field`, `part.field` (elements joined by commas, or objects `within` a column) or `part.0.field` (one column each)."""
    kind: str
    """Kind of value, as `mock_agencies.spoilers` names them."""
    need: str = "optional"
    """`key`, `required` or `optional`: what becomes of a row that lacks it."""
    within: str = ""
    """The column that holds the elements as a list of objects, of which this is a member."""

    @property
    def leaf(self) -> str:
        """The path without an index: how a quarantine names the field."""
        return ".".join(step for step in self.path.split(".") if not step.isdigit())


def key_text(canonical: Canonical, keys: tuple[tuple[str, ...], ...]) -> str | None:
    """The natural key by the first alternative that is all there, named by its fields if it is not the best; None: no key."""
    fields = next((fields for fields in keys if all(canonical[f] is not None for f in fields)), None)
    if fields is None:
        return None
    return "|".join(canonical[f] if fields == keys[0] else f"{f}={canonical[f]}" for f in fields)


@dataclass
class Item:
    """One served row and its truth. `canonical` is there exactly if the verdict is `accept`."""

    key: str
    """The true natural key, its parts joined by `|`, also where the row itself fails to show it; an accepted row of a dataset
    whose key has alternatives is filed under what it does show."""
    updated: str
    """The source's own update time, `YYYY-MM-DD HH:MM:SS`."""
    raw: Raw
    canonical: Canonical | None
    verdict: str = "accept"
    reason: str | None = None
    field: str | None = None
    dirt: list[str] = dataclasses.field(default_factory=list)
    ordinal: int = 0
    """1 for the second of two rows with one key and one update time."""

    @property
    def order(self) -> tuple[str, str, int]:
        """Source order."""
        return self.updated, self.key, self.ordinal

    @cached_property
    def json(self) -> str:
        return json.dumps(self.raw, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def xml(self) -> str:
        """The columns as elements, without a parent."""
        return "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in self.raw.items() if v is not None)

    def truth(self) -> Mapping[str, Any]:
        """The entry `GET /truth/<dataset>` shows."""
        return {
            "key": self.key,
            "updated": self.updated,
            "canonical": self.canonical,
            "verdict": self.verdict,
            "reason": self.reason,
            "field": self.field,
            "dirt": self.dirt,
        }
