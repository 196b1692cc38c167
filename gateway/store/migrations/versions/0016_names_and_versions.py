"""Names that feeds once had, and what a published configuration is where it was rolled back to.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("config_version", sa.Column("note", sa.Text(), nullable=True))
    op.create_table(
        "feed_alias",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("feed_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_feed_alias_feed_id")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_feed_alias")),
    )
