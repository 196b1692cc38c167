"""The store: one schema on SQLite and PostgreSQL, transactions, named queries."""

from gateway.store.engine import Store, Tx, row_dict
from gateway.store.migrate import upgrade

__all__ = ["Store", "Tx", "row_dict", "upgrade"]
