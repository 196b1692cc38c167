"""Whom a feed asked about and when, for sources that answer only about a named person.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("feed_id", BIG, autoincrement=False, nullable=False),
        sa.Column("subject", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("found", BIG, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "subject", name=op.f("pk_asked")),
        sqlite_with_rowid=False,
    )
