"""The store's schema: migrations equal the tables, on both databases."""

import re

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import LargeBinary

from gateway.store import Store, upgrade
from gateway.store.engine import queries
from gateway.store.tables import metadata


def test_migrations_make_exactly_the_tables(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(store: Store) -> None:
    upgrade(store)
    with store.read() as tx:
        assert tx.all("feeds") == []


def test_every_query_is_used_and_every_use_is_a_query() -> None:
    from pathlib import Path

    code = "\n".join(p.read_text("utf-8") for p in Path("gateway").rglob("*.py"))
    unused = [name for name in queries() if f'"{name}"' not in code]
    assert unused == []


SEALED = {
    "batch_line.sealed",
    "consent.sealed",
    "correction.sealed",
    "evidence.body",
    "feed.cursor",
    "inbox.body",
    "login.totp",
    "observation.wrapped_key",
    "override.changes",
    "quarantine.item",
    "quarantine.place",
    "query.report",
    "secret.sealed",
    "statement.wrapped_key",
}
"""What a master holds closed."""
OPEN = {
    "api_key.digest", "arrival.lags", "batch.manifest", "batch.signature", "batch_line.subject",
    "batch_query.handle", "chain_tx.raw", "consent.handle",
    "consent.subject", "correction.handle", "correction.observation", "document.body", "evidence.hash", "inbox.batch", "observation.handle",
    "observation.raw_digest", "override.handle", "override.raw_digest", "quarantine.about", "quarantine.handle",
    "quarantine.raw_digest", "query.subject", "seen.ids", "segment.body", "segment.periods", "session.digest",
    "statement.handle", "statement.sealed", "suppression.name", "withdrawal.handle",
}  # fmt: skip
"""Names, digests, ids, what is public, and what an observation's own key holds closed."""


def test_no_sealed_column_is_forgotten() -> None:
    """A master that is pruned while something is still under it loses that for good: whoever adds a column says which it is."""
    octets = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert octets == SEALED | OPEN
    counted = queries()["masters_in_use"]
    for name in SEALED:
        table, column = name.split(".")
        assert re.search(rf"SUBSTR\({column}, 1, 4\).* FROM {table}\b", counted), name
