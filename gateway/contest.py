"""Which of several items under one key is the newest: the source's own times decide, nothing else (ADR 0011)."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def is_older(time: str | None, than: str | None) -> bool:
    """Whether both are dated and this one comes before."""
    return bool(time and than and time < than)


def newest(handles: Sequence[bytes], times: Sequence[str | None], lose: Callable[[int, int], None]) -> dict[bytes, int]:
    """Handle -> the newest row under it, the first of several; `lose` is told of each other one and of the winner."""
    out = dict(zip(handles, range(len(handles)), strict=True))
    if len(out) == len(handles):
        return out
    rivals: dict[bytes, list[int]] = {}
    for i, handle in enumerate(handles):
        rivals.setdefault(handle, []).append(i)
    for handle, rows in rivals.items():
        out[handle] = max(rows, key=lambda i: times[i] or "")
        for i in rows:
            if i != out[handle]:
                lose(i, out[handle])
    return out
