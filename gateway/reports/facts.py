"""What is known about a person: the living observations that name them, opened (DESIGN §2, §2a).

The store's index proposes (64 bits of a keyed name); the opened record decides. Nothing here is masked: who calls has
checked a consent, or shows handles and counts only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.names import SUBJECT, index_domain, short
from gateway.store import Store, Tx
from gateway.store.segments import Version, versions_at
from gateway.vault import Vault, handle_text
from schemas import DATASETS, Canonical, Dataset


@dataclass(frozen=True, slots=True)
class Fact:
    """One observation as it stands: what one feed says of one thing."""

    dataset: str
    feed: str
    county: str
    channel: str
    roles: frozenset[str]
    """In which roles the person asked about stands in it; none where it was found by another join."""
    record: Canonical
    version: Version

    @property
    def handle(self) -> str:
        return handle_text(self.version.handle)

    @property
    def as_of(self) -> str:
        return self.version.as_of

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(self.version.flags.split())

    def text(self, field: str) -> str | None:
        """A scalar of the record."""
        value = self.record[field]
        return value if isinstance(value, str) else None

    def rows(self, part: str) -> list[dict[str, str | None]]:
        """The elements of a repeated part."""
        value = self.record[part]
        return value if isinstance(value, list) else []


class FactFinder:
    """Finds facts in one store. Stateless; safe to share between threads."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault

    def about(self, id_no: str) -> list[Fact]:
        """Every living observation that names this person, in any county, by feed and handle."""
        (name,) = short([self._vault.name(SUBJECT, id_no)])
        with self._store.read() as tx:
            rows = tx.all("facts_of_subject", name=name)
            opened = self._open(tx, rows)
        found = [
            Fact(d.name, row.feed, row.county, row.channel, named, record, version)
            for row, d, record, version in opened
            if (named := roles(d, record, id_no))
        ]
        return sorted(found, key=lambda fact: (fact.feed, fact.version.handle))

    def of(self, handle: bytes) -> list[Fact]:
        """The living observation of a handle, as a list of one or none."""
        with self._store.read() as tx:
            head = tx.one("observation_found", name=short([handle])[0], handle=handle)
            rows = [head] if head is not None and not head.gone else []
            opened = self._open(tx, rows)
        return [Fact(d.name, row.feed, row.county, row.channel, frozenset(), r, v) for row, d, r, v in opened]

    def at(self, rows: Sequence[Any]) -> dict[tuple[int, int], Fact]:
        """Versions by stream and sequence, as they were; one that was erased since is left out."""
        with self._store.read() as tx:
            opened = self._open(tx, rows)
        return {
            (row.stream_id, row.seq): Fact(d.name, row.feed, row.county, row.channel, frozenset(), record, version)
            for row, d, record, version in opened
        }

    def joined(self, kind: str, values: Sequence[str]) -> list[Fact]:
        """Every living observation under a join: `household` (station and number), `parcel`, `unit`, …"""
        text = "\0".join(values)
        domain = index_domain(kind)
        (name,) = short([self._vault.name(domain, text)])
        with self._store.read() as tx:
            rows = tx.all("facts_of_index", name=name, kind=domain)
            opened = self._open(tx, rows)
        found = [
            Fact(d.name, row.feed, row.county, row.channel, frozenset(), record, version)
            for row, d, record, version in opened
            if [record.get(field) for field in d.indexes[kind]] == list(values)
        ]
        return sorted(found, key=lambda fact: (fact.feed, fact.version.handle))

    def _open(self, tx: Tx, rows: Iterable[Any]) -> list[tuple[Any, Dataset, Canonical, Version]]:
        by_stream: dict[int, dict[int, Any]] = {}
        for row in rows:
            by_stream.setdefault(row.stream_id, {})[row.seq] = row
        out = []
        for stream, wanted in by_stream.items():
            for seq, version in versions_at(tx, stream, wanted).items():
                if version.sealed is None or version.wrapped_key is None:
                    continue
                key = self._vault.unwrap(version.wrapped_key)
                text = self._vault.open_version(key, version.number, version.handle, version.sealed, version.suite)
                out.append((wanted[seq], DATASETS[wanted[seq].dataset], msgspec.json.decode(text), version))
        return out


def roles(dataset: Dataset, record: Canonical, id_no: str) -> frozenset[str]:
    """In which roles a person stands in a record."""
    found = set()
    for role, path in dataset.subjects.items():
        part, _, field = path.rpartition(".")
        elements = record.get(part) if part else [record]
        if any(element.get(field) == id_no for element in elements or () if isinstance(element, dict)):
            found.add(role)
    return frozenset(found)
