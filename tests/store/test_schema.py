"""The store's schema: migrations equal the tables, on both databases."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

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
