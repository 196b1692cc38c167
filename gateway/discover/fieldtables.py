"""Tables that describe fields, wherever they stand: the head is known by its words, request parameters by what is said above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.discover.columns import Column, Found, Grid, plain, words

HEAD_ROWS = 4
"""Rows that are searched for the head: vendors put a title or the name of the interface above it."""


def read_tables(tables: list[tuple[str, Grid]], text: str) -> Found:
    """`tables`: each with the text that stands above it."""
    out = Found(text=text, kind="service")
    for above, grid in tables:
        at, roles = _head(grid)
        if not roles:
            continue
        columns = [c for row in grid[at + 1 :] if (c := _column(row, roles))]
        if _is_request(above):
            out.params += columns
        else:
            out.columns += [c for c in columns if c.name not in {k.name for k in out.columns}]
    return out


def _head(grid: Grid) -> tuple[int, Mapping[str, int]]:
    known = {role: {plain(w) for w in said} for role, said in words()["head"].items()}
    for at, row in enumerate(grid[:HEAD_ROWS]):
        cells = [plain(cell) for cell in row]
        roles: dict[str, int] = {}
        for role, said in known.items():
            where = next((i for i, cell in enumerate(cells) if cell in said and i not in roles.values()), None)
            if where is not None:
                roles[role] = where
        if ("name" in roles or "title" in roles) and len(roles) > 1:
            return at, _settled(roles, grid[at + 1 :])
    return 0, {}


def _settled(roles: dict[str, int], rows: Grid) -> dict[str, int]:
    """Where one head word may mean either, the cells decide: names are ASCII, titles are Chinese."""
    if "name" in roles and "title" not in roles and "note" in roles and _ascii(rows, roles["name"]):
        return {**{k: v for k, v in roles.items() if k != "note"}, "title": roles["note"]}
    if "name" in roles and "title" in roles and not _ascii(rows, roles["name"]) and _ascii(rows, roles["title"]):
        return {**roles, "name": roles["title"], "title": roles["name"]}
    if "title" in roles and "name" not in roles and _ascii(rows, roles["title"]):
        roles = {**roles, "name": roles["title"]}
        if "note" in roles:
            roles["title"] = roles.pop("note")
    return roles


def _ascii(rows: Grid, column: int) -> bool:
    cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
    return bool(cells) and sum(cell.isascii() for cell in cells) * 2 > len(cells)


def _column(row: Sequence[str], roles: Mapping[str, int]) -> Column | None:
    def cell(role: str) -> str:
        where = roles.get(role)
        return row[where].strip() if where is not None and where < len(row) else ""

    name, title = cell("name") or cell("title"), cell("title")
    if not name or len(set(filter(None, row))) < 2 or plain(name) in {"序号", "合计"}:
        return None
    kind = f"{cell('kind')} {cell('length')}".strip()
    values = [cell("value")] if cell("value") else []
    return Column(name, title or ("" if name.isascii() else name), kind, cell("note"), values)


def _is_request(above: str) -> bool:
    """The nearest of the two kinds of words decides."""

    def last(kind: str) -> int:
        return max(above.rfind(word) for word in words()[kind])

    return last("request") > last("answer")
