"""Whom a source was asked about, in a recording: scrubbed, and handed out again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from adapters.kit.base import Person, Persons, Worklist
from adapters.kit.paging import unknown_cursor


class RecordedPerson(msgspec.Struct, frozen=True):
    """Somebody the source was asked about, scrubbed; the subject is the place in the order."""

    id_no: str
    name: str


class RecordedWorklist:
    """The persons of a recording, all of them due, however often."""

    def __init__(self, persons: Sequence[RecordedPerson]) -> None:
        self._persons = [Person(str(n), person.id_no, person.name) for n, person in enumerate(persons)]

    def due(self, after: str | None, count: int) -> Persons:
        if after is not None and not after.isdecimal():
            raise unknown_cursor()
        left = self._persons[0 if after is None else int(after) + 1 :]
        return Persons(tuple(left[:count]), last=len(left) <= count)


class RememberingWorklist:
    """Hands out whom another does, each person once, and keeps whom."""

    def __init__(self, onward: Worklist) -> None:
        self._onward = onward
        self.persons: dict[str, Person] = {}

    def due(self, after: str | None, count: int) -> Persons:
        if after is None and self.persons:
            return Persons((), last=True)
        found = self._onward.due(after, count)
        self.persons |= {person.subject: person for person in found.persons}
        return found
