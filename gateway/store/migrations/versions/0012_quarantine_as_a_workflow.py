"""What becomes of rejected items: events, notices to agencies, repairs by hand, and when each was settled (ADR 0017).

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("returned_at", sa.Text(), nullable=True))
    op.add_column("quarantine", sa.Column("settled_at", sa.Text(), nullable=True))
    op.execute("UPDATE quarantine SET settled_at = last_at WHERE state <> 'open'")
    op.create_table(
        "notice",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("at", "actor", "agency", "county")),
        sa.Column("items", BIG, server_default="0", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_table(
        "quarantine_event",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("quarantine_id", BIG, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("at", "actor", "event")),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("notice_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_quarantine_event_notice_id")),
        sa.ForeignKeyConstraint(["quarantine_id"], ["quarantine.id"], name=op.f("fk_quarantine_event_quarantine_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine_event")),
    )
    op.create_index(op.f("ix_quarantine_event_quarantine_id"), "quarantine_event", ["quarantine_id"])
    op.create_table(
        "override",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("quarantine_id", BIG, nullable=False),
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("raw_digest", sa.LargeBinary(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("changes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_override_feed_id")),
        sa.ForeignKeyConstraint(["quarantine_id"], ["quarantine.id"], name=op.f("fk_override_quarantine_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_override")),
        sa.UniqueConstraint("feed_id", "raw_digest", name=op.f("uq_override_feed_id_raw_digest")),
    )
