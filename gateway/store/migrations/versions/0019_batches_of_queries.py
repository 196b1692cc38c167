"""Lists of people a bank asks about at once.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "batch_query",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("institution", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("total", BIG, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_query")),
        sa.UniqueConstraint("handle", name=op.f("uq_batch_query_handle")),
    )
    op.create_table(
        "batch_line",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("batch_query_id", BIG, nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_query_id"], ["batch_query.id"], name=op.f("fk_batch_line_batch_query_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_line")),
    )
    op.create_index(op.f("ix_batch_line_batch_query_id"), "batch_line", ["batch_query_id"])
    op.create_index(op.f("ix_batch_line_result"), "batch_line", ["result"])
    op.create_index(op.f("ix_batch_line_subject"), "batch_line", ["subject"])
