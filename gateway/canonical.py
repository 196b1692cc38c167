"""Records of a page as canonical JSON (ADR 0001), a whole page at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import msgspec

from adapters.kit import Translated

_canonical: Final = msgspec.json.Encoder(order="deterministic").encode


def canonical_texts(t: Translated) -> list[bytes]:
    """Each record's canonical JSON (ADR 0001): keys sorted, UTF-8, no spaces."""
    make, order = _shape(t.names)
    return list(map(_canonical, map(make, *(t.columns[i] for i in order))))


@lru_cache(maxsize=256)
def _shape(names: tuple[str, ...]) -> tuple[Callable[..., Any], list[int]]:
    """A struct whose members stand in sorted order, and where each is found: far cheaper to build and write than an object."""
    order = sorted(range(len(names)), key=names.__getitem__)
    return msgspec.defstruct("Record", [(names[i], Any) for i in order], gc=False), order
