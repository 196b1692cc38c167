"""Bringing a store to the newest schema (Alembic); the same history on both databases."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config

from gateway.store.engine import Store


def upgrade(store: Store, revision: str = "head") -> None:
    """Applies every migration that is missing. Safe to call at each start; two starting processes wait for each other."""
    config = Config()
    config.set_main_option("script_location", str(files("gateway.store").joinpath("migrations")))
    with store.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN" if store.postgres else "BEGIN EXCLUSIVE")
        if store.postgres:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7203981)")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, revision)
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
