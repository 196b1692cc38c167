"""Alerts, what was told of them, and windows in which nobody is told.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _perhaps(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, autoincrement=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "alert",
        _id(),
        *_texts("kind", "target", "code", "owner", "sentence", "action", "since", "opened_at", "stood_at"),
        *_perhaps("told_code", "told_at", "gone_at", "closed_at", "taken_by", "taken_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index(op.f("ix_alert_closed_at"), "alert", ["closed_at"])
    op.create_table(
        "alert_notice",
        _id(),
        sa.Column("alert_id", BIG, nullable=False),
        *_texts("channel", "occasion", "code", "line", "due_at"),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", BIG, server_default="0", nullable=False),
        sa.Column("next_at", sa.Float(), server_default="0", nullable=False),
        *_perhaps("sent_at", "sentence"),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_notice_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_notice")),
        sa.UniqueConstraint(
            "alert_id", "channel", "occasion", "code", name=op.f("uq_alert_notice_alert_id_channel_occasion_code")
        ),
    )
    op.create_index(op.f("ix_alert_notice_state"), "alert_notice", ["state"])
    op.create_table(
        "alert_window",
        _id(),
        *_texts("pattern", "starts", "ends", "reason", "actor", "at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_window")),
    )
