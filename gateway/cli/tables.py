"""The one look of our tables."""

from __future__ import annotations

from rich.table import Table


def plain_table(title: str | None = None) -> Table:
    """No lines, one space between columns."""
    return Table(
        box=None,
        pad_edge=False,
        header_style="bold",
        padding=(0, 1, 0, 0),
        title=title,
        title_justify="left",
        title_style="bold",
    )
