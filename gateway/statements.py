"""A range of a stream, opened and cut into groups on the agreed terms: what goes into a batch (DESIGN §2b, §5.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from gateway.config import CatalogueEntry
from gateway.proof import Statement, canonical
from gateway.store import Tx
from gateway.store.segments import Version
from gateway.vault import Vault, handle_text
from schemas import Dataset, Scalar


def may_share(entry: CatalogueEntry, today: date) -> str | None:
    """Why nothing of this dataset may be sealed now, in one sentence; None when it may."""
    terms = entry.sharing
    if terms.type == "不予共享":
        return "目录规定不予共享"
    if terms.type == "有条件共享" and not terms.approval:
        return "有条件共享，但目录里没有批准文号"
    if terms.expires is not None and today > terms.expires:
        return f"共享授权已于 {terms.expires} 到期"
    return None


def allowed(dataset: Dataset, entry: CatalogueEntry) -> frozenset[str]:
    """Paths of the fields that the terms let out."""
    fields = entry.sharing.fields
    return frozenset(dataset.fields) if fields == "all" else frozenset(fields)


def restrict(dataset: Dataset, groups: Mapping[str, Mapping[str, Scalar]], paths: frozenset[str]) -> dict[str, bytes]:
    """Canonical groups with only those fields; a group of which nothing is left is left out."""
    stems = {stem: part for part, stem in dataset.parts.items()}
    out: dict[str, bytes] = {}
    for group, values in groups.items():
        part = stems.get(group.partition("/")[0])
        kept = {name: v for name, v in values.items() if (f"{part}.{name}" if part else name) in paths}
        if kept:
            out[group] = canonical(kept)
    return out


class StatementMaker:
    """Turns rows of the outbox into statements of one feed."""

    def __init__(self, vault: Vault, dataset: Dataset, entry: CatalogueEntry, feed: Any) -> None:
        self._vault, self._dataset, self._feed = vault, dataset, feed
        self._paths = allowed(dataset, entry)

    def make(self, tx: Tx, rows: Sequence[Version]) -> list[Statement]:
        codes = {i: tx.value("rules_digest", id=i) for i in {row.rules_id for row in rows}}
        return [self._one(row, codes[row.rules_id]) for row in rows]

    def _one(self, row: Version, code_versions: str) -> Statement:
        envelope = {
            "handle": handle_text(row.handle),
            "version": str(row.number),
            "op": row.op,
            "dataset": self._dataset.name,
            "schema": f"{self._dataset.name}/{self._dataset.version}",
            "county": self._feed.county,
            "feed": self._feed.uid,
            "channel": self._feed.channel,
            "as_of": row.as_of,
            "evidence": row.evidence_hash.hex() if row.evidence_hash else None,
            "code_versions": code_versions,
            "period": self._period(row),
        }
        if row.sealed is None or row.wrapped_key is None:
            return Statement(envelope, {}, None)
        key = self._vault.unwrap(row.wrapped_key)
        record = msgspec.json.decode(self._vault.open_version(key, row.number, row.handle, row.sealed, row.suite))
        if self._dataset.period_by != "as_of":
            envelope["period"] = record.get(self._dataset.period_by) or envelope["period"]
        return Statement(envelope, restrict(self._dataset, self._dataset.groups(record), self._paths), key.disclosure)

    @staticmethod
    def _period(row: Version) -> str | None:
        return row.as_of[:10] if row.as_of else None
