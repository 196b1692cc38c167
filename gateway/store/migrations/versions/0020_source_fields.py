"""Which fields a source sends is remembered by feed: names and shapes, no values.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "source_field",
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("rows", BIG, nullable=False, server_default="0"),
        sa.Column("steady", BIG, nullable=False, server_default="0"),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("other", sa.Text(), nullable=True),
        sa.Column("since", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_source_field_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "name", name=op.f("pk_source_field")),
    )
