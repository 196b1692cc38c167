"""Which reading of its source a run belongs to: one that was cut off goes on in the next run.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("feed", sa.Column("reading", BIG, nullable=True))
    op.add_column("run", sa.Column("reading", BIG, nullable=True))
    op.create_index(op.f("ix_run_reading"), "run", ["reading"])
    op.execute("UPDATE run SET reading = id")
    # a feed that is not well may stand in the middle of a reading: what its last run saw counts for the next
    op.execute("UPDATE feed SET reading = (SELECT MAX(id) FROM run WHERE run.feed_id = feed.id) WHERE state <> 'ok'")
