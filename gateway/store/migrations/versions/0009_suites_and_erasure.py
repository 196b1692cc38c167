"""What is encrypted says in which suite (ADR 0015); what was erased stays away (ADR 0016).

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for table in ("segment", "statement"):
        op.add_column(table, sa.Column("suite", sa.Text(), server_default="intl-1", nullable=False))
    op.create_table(
        "suppression",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_suppression")),
    )
    op.create_table(
        "reissue",
        sa.Column("batch", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batch.id"], name=op.f("fk_reissue_batch")),
        sa.PrimaryKeyConstraint("batch", name=op.f("pk_reissue")),
    )


def downgrade() -> None:
    op.drop_table("reissue")
    op.drop_table("suppression")
    for table in ("statement", "segment"):
        op.drop_column(table, "suite")
