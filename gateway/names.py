"""Opaque names of one feed's records: handles, subjects and joins, compiled from its dataset (DESIGN §2, §2a)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from struct import unpack
from typing import Any, Final

from adapters.kit import Translated
from gateway.vault import Vault
from schemas import Canonical, Dataset

SUBJECT: Final = "subject"
"""One domain for every dataset and county: the same person has the same name everywhere."""


def index_domain(kind: str) -> str:
    return f"index/{kind}"


def name_kinds(dataset: Dataset) -> list[str]:
    """The kinds of names its records have in the store's index: `subject/<role>`, `index/<kind>`."""
    return [f"subject/{role}" for role in dataset.subjects] + [index_domain(kind) for kind in dataset.indexes]


def short(names: Sequence[bytes]) -> tuple[int, ...]:
    """Names as the store's index keeps them: their first 64 bits. It proposes; who reads a record decides."""
    return unpack(f">{len(names)}q", b"".join([name[:8] for name in names]))


@dataclass(frozen=True, slots=True)
class Names:
    """Index names of one kind: `names[i]` belongs to the record in row `rows[i]`."""

    kind: int
    names: Sequence[int]
    rows: Sequence[int]


class Namer:
    """Names records of one dataset for one feed."""

    def __init__(self, vault: Vault, dataset: Dataset, feed_uid: str, kinds: Mapping[str, int]) -> None:
        """`kinds`: the numbers of `name_kinds` in the store."""
        self._dataset = dataset
        self._prefix = f"{feed_uid}\0"
        self._handle = vault.namer("observation")
        subject = vault.namer(SUBJECT)
        self._subjects = [(kinds[f"subject/{role}"], *_split(path), subject) for role, path in dataset.subjects.items()]
        self._indexes = [
            (kinds[index_domain(kind)], fields, vault.namer(index_domain(kind)))
            for kind, fields in dataset.indexes.items()
        ]

    def handles(self, t: Translated) -> list[bytes]:
        """Handles from canonical record keys; one alternative of the key is present, the mapping saw to that."""
        prefix, alternatives = self._prefix, self._dataset.record_key
        if len(alternatives) > 1:
            return self._handle([prefix + self._key(record) for record in t.records])
        columns = [t.column(name) for name in alternatives[0]]
        return self._handle([prefix + "\0".join(key) for key in zip(*columns, strict=True)])

    def _key(self, record: Canonical) -> str:
        """The record key as one text. Any but the best alternative says its fields, lest two of them ever read alike."""
        fields = self._dataset.key_fields(record) or ()
        text = "\0".join([str(record[f]) for f in fields])
        return text if fields == self._dataset.record_key[0] else f"{text}\0\0{'+'.join(fields)}"

    def handle_of(self, partial: Canonical) -> bytes | None:
        """The handle of a record of which perhaps not everything could be read; None when its key could not."""
        return self._handle([self._prefix + self._key(partial)])[0] if self._dataset.key_fields(partial) else None

    def names(self, column: Callable[[str], Sequence[Any]]) -> list[Names]:
        """Every subject and join of some records, given by columns."""
        out = []
        for kind, part, field, name in self._subjects:
            if part is None:
                out.append(_named(kind, column(field), name))
                continue
            pairs = [(i, holder.get(field)) for i, holders in enumerate(column(part)) for holder in holders or ()]
            rows = [i for i, number in pairs if number]
            out.append(Names(kind, short(name([number for _, number in pairs if number])), rows))
        for kind, fields, name in self._indexes:
            if len(fields) == 1:
                out.append(_named(kind, column(fields[0]), name))
                continue
            keys = zip(*(column(f) for f in fields), strict=True)
            out.append(_named(kind, [None if None in key else "\0".join(key) for key in keys], name))
        return out

    def persons(self, column: Callable[[str], Sequence[Any]]) -> list[tuple[int, bytes]]:
        """(row, name) of every subject of some records, the whole 160 bits."""
        out: list[tuple[int, bytes]] = []
        for _, part, field, name in self._subjects:
            groups = (
                [[value] for value in column(field)]
                if part is None
                else [[holder.get(field) for holder in holders or ()] for holders in column(part)]
            )
            pairs = [(row, value) for row, values in enumerate(groups) for value in values if value]
            out += zip([row for row, _ in pairs], name([value for _, value in pairs]), strict=True)
        return out

    def persons_of(self, records: Sequence[Canonical]) -> list[tuple[int, bytes]]:
        """As `persons`, of records given as objects, of which perhaps not everything could be read."""
        return self.persons(lambda field: [record.get(field) for record in records])

    def names_of(self, records: Sequence[Canonical]) -> list[Names]:
        """As `names`, of records given as objects, of which perhaps not everything could be read."""
        return self.names(lambda field: [record.get(field) for record in records])


def _named(kind: int, values: Sequence[str | None], name: Callable[[Sequence[str]], list[bytes]]) -> Names:
    if None not in values:
        return Names(kind, short(name(values)), range(len(values)))  # type: ignore[arg-type] # none is absent
    rows = [i for i, value in enumerate(values) if value]
    return Names(kind, short(name([values[i] for i in rows])), rows)  # type: ignore[misc] # only those present


def _split(path: str) -> tuple[str | None, str]:
    part, _, name = path.rpartition(".")
    return part or None, name
