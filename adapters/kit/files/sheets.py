"""What every kind of file is read as: sheets of text cells, one after the other, each row with its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Cells: TypeAlias = list[str]


class Line(NamedTuple):
    """One row as it stands in its file."""

    number: int
    """From 1: what an editor or Excel shows beside it."""
    cells: Cells
    """Blank cells at the end of a spreadsheet's row may be missing."""
    fault: str = ""
    """A quarantine reason, if the row cannot be told apart into cells or read at all."""


class Merge(NamedTuple):
    """Cells that were merged into one; rows and columns from 0, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook, or all of a text file. `lines` must be used up before the next sheet is asked for."""

    name: str
    """"" for a text file."""
    lines: Iterator[Line]
    merged: tuple[Merge, ...] = ()
    hidden: bool = False
    ragged: bool = False
    """Rows have as many cells as they were written with: a missing one is a fault, not a blank."""
    member: str = ""
    """The file's name inside its ZIP."""
    encoding: str = ""
    """Of a text file."""
