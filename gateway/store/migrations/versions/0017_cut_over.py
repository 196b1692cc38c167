"""A feed by hand may be retired, with a reason; the last comparison of both ways of a dataset is kept.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTS = ("rows_manual", "rows_system", "same", "only_manual", "only_system", "differing")


def upgrade() -> None:
    with op.batch_alter_table("feed") as feed:
        for name in ("retired_at", "retired_by", "retired_for"):
            feed.add_column(sa.Column(name, sa.Text(), nullable=True))
    op.create_table(
        "comparison",
        sa.Column("county", sa.Text(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("agreed_since", sa.Text(), nullable=True),
        *(sa.Column(name, BIG, nullable=False, server_default="0") for name in COUNTS),
        sa.PrimaryKeyConstraint("county", "dataset", name=op.f("pk_comparison")),
    )
