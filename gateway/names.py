"""Opaque names of one feed's records: handles, subjects and joins, compiled from its dataset (DESIGN §2, §2a)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.vault import Vault
from schemas import Canonical, Dataset

SUBJECT = "subject"
"""One domain for every dataset and county: the same person has the same name everywhere."""


def index_domain(kind: str) -> str:
    return f"index/{kind}"


class Namer:
    """Names records of one dataset for one feed."""

    def __init__(self, vault: Vault, dataset: Dataset, feed_uid: str) -> None:
        self._dataset = dataset
        self._prefix = f"{feed_uid}\0"
        self._handle = vault.namer("observation")
        self._subject = vault.namer(SUBJECT)
        self._subjects = [(role, *_split(path)) for role, path in dataset.subjects.items()]
        self._indexes = [(kind, fields, vault.namer(index_domain(kind))) for kind, fields in dataset.indexes.items()]

    def handles(self, records: Sequence[Canonical]) -> list[bytes]:
        """Handles from canonical record keys; one alternative of the key is present, the mapping saw to that."""
        prefix, handle, best = self._prefix, self._handle, self._dataset.record_key[0]
        if len(self._dataset.record_key) == 1:
            return [handle(prefix + "\0".join([r[f] for f in best])) for r in records]  # type: ignore[misc] # key fields are text
        return [handle(prefix + self._key(r)) for r in records]

    def _key(self, record: Canonical) -> str:
        """The record key as one text. Any but the best alternative says its fields, lest two of them ever read alike."""
        fields = self._dataset.key_fields(record) or ()
        text = "\0".join([str(record[f]) for f in fields])
        return text if fields == self._dataset.record_key[0] else f"{text}\0\0{'+'.join(fields)}"

    def handle_of(self, partial: Canonical) -> bytes | None:
        """The handle of a record of which perhaps not everything could be read; None when its key could not."""
        return self.handles([partial])[0] if self._dataset.key_fields(partial) else None

    def subjects(self, records: Sequence[Canonical]) -> list[list[tuple[bytes, str]]]:
        """(name, role) of every person each record is about."""
        out: list[list[tuple[bytes, str]]] = [[] for _ in records]
        name = self._subject
        for role, part, field in self._subjects:
            for record, names in zip(records, out, strict=True):
                for holder in (record.get(part) or ()) if part else (record,):
                    number = holder.get(field)  # type: ignore[union-attr] # a part holds objects
                    if number:
                        names.append((name(str(number)), role))
        return out

    def indexes(self, records: Sequence[Canonical]) -> list[list[tuple[bytes, str]]]:
        """(name, kind) of every other join of each record."""
        out: list[list[tuple[bytes, str]]] = [[] for _ in records]
        for kind, fields, name in self._indexes:
            for record, names in zip(records, out, strict=True):
                values = [record.get(f) for f in fields]
                if None not in values:
                    names.append((name("\0".join(values)), kind))  # type: ignore[arg-type] # scalars, checked above
        return out


def _split(path: str) -> tuple[str | None, str]:
    part, _, name = path.rpartition(".")
    return part or None, name
