"""The one schema of the store, for SQLite and PostgreSQL alike; migrations are held equal to it by a test.

Integer ids inside, handles at the edges. Nothing here is readable without the vault: what could name a person is a
keyed hash or a ciphertext. Times of the business clock are ISO text (Asia/Shanghai), times of leases are real epoch seconds.
"""

from gateway.store.tables import alerts, collection, corrections, delivery, desk, duties, house, people, rejected
from gateway.store.tables.columns import metadata

__all__ = [
    "alerts",
    "collection",
    "corrections",
    "delivery",
    "desk",
    "duties",
    "house",
    "metadata",
    "people",
    "rejected",
]
