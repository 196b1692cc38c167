"""What is pushed waits in an inbox (ADR 0011); early withdrawals and ignored items by rule are remembered.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, BIG, server_default="0", nullable=False)


def upgrade() -> None:
    op.create_index(op.f("ix_run_state"), "run", ["state"])
    op.create_table(
        "run_ignored",
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        _count("items"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_ignored_run_id")),
        sa.PrimaryKeyConstraint("run_id", "rule", name=op.f("pk_run_ignored")),
    )
    op.create_table(
        "inbox",
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("position", BIG, autoincrement=False, nullable=False),
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.Text(), nullable=False),
        _count("rows"),
        _count("size"),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_inbox_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "position", name=op.f("pk_inbox")),
        sa.UniqueConstraint("feed_id", "batch", name=op.f("uq_inbox_feed_id_batch")),
    )
    op.create_table(
        "inbox_state",
        sa.Column("feed_id", BIG, nullable=False),
        *map(_count, ["last", "taken", "waiting_rows", "waiting_bytes"]),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_inbox_state_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_inbox_state")),
    )
    op.create_table(
        "inbox_answer",
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        _count("times"),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_inbox_answer_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "answer", name=op.f("pk_inbox_answer")),
    )
    op.create_table(
        "withdrawal",
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("source_time", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_withdrawal_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "handle", name=op.f("pk_withdrawal")),
    )
