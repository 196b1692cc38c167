"""A feed made ready to be looked at: its adapter and its compiled rules; it needs to be known to no store."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.kit import Adapter, Stream, Translator
from schemas import Dataset


@dataclass(slots=True)
class Trial:
    """What `check` and `preview` need of a feed, published or a draft."""

    name: str
    dataset: Dataset
    adapter: Adapter
    stream: Stream
    """With the feed's own mapping laid over it."""
    translator: Translator
