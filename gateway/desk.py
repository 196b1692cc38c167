"""Statements that no feed makes: a consent, a query, an erasure, a head of the audit log. Each kind is a stream of its own (DESIGN §2b).

A statement has its own key: deleting it erases that statement's content and salts and leaves what was anchored provable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.proof import Statement, canonical
from gateway.store import Tx
from gateway.vault import Vault, handle_text

CONSENTS: Final = "consents"
QUERIES: Final = "queries"
ERASURES: Final = "erasures"
AUDIT: Final = "audit"
SCHEMAS: Final = {CONSENTS: "consent/1", QUERIES: "query/1", ERASURES: "erasure/1", AUDIT: "audit/1"}
"""kind of stream -> schema of its statements (docs/proof-format.md §3)."""

Groups = Mapping[str, Mapping[str, str | None]]


def state(tx: Tx, vault: Vault, kind: str, handle: bytes, number: int, groups: Groups, at: str) -> None:
    """Appends one statement to the stream of its kind, in the caller's transaction."""
    name = f"desk:{kind}"
    tx.run("stream_add", name=name, kind=kind)
    stream = tx.one("stream_by_name", name=name)
    assert stream is not None
    (rest,), (wrapped,) = vault.new_keys(1)
    text = msgspec.json.encode({group: dict(values) for group, values in groups.items()}, order="deterministic")
    (sealed,) = vault.seal_versions([rest], [number], [handle], [text])
    tx.run(
        "statement_add",
        stream_id=stream.id,
        seq=int(tx.value("stream_advance", id=stream.id, count=1)),
        handle=handle,
        number=number,
        schema=SCHEMAS[kind],
        at=at,
        suite=vault.suite.name,
        sealed=sealed,
        wrapped_key=wrapped,
    )


def statements(tx: Tx, vault: Vault, stream_id: int, first: int, last: int) -> list[Statement]:
    """A range of such a stream as it goes into a batch; an erased statement keeps its envelope."""
    out = []
    for row in tx.all("statements_between", stream_id=stream_id, first=first, last=last):
        envelope = {
            "handle": handle_text(row.handle),
            "version": str(row.number),
            "op": "put",
            "dataset": row.schema.partition("/")[0],
            "schema": row.schema,
            "county": None,
            "feed": None,
            "channel": None,
            "as_of": row.at,
            "evidence": None,
            "code_versions": None,
            "period": row.at[:10],
        }
        if row.wrapped_key is None:
            out.append(Statement(envelope, {}, None))
            continue
        key = vault.unwrap(row.wrapped_key)
        groups = msgspec.json.decode(vault.open_version(key, row.number, row.handle, row.sealed, row.suite))
        out.append(Statement(envelope, {g: canonical(values) for g, values in groups.items()}, key.disclosure))
    return out
