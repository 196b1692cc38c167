"""The ledger of obligations: what arrived for which period, contacts by day, duties with their periods, waivers (ADR 0012).

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, BIG, server_default="0", nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, autoincrement=True, nullable=False)


def _feed(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f(f"fk_{table}_feed_id"))


def upgrade() -> None:
    op.add_column("segment", sa.Column("periods", sa.LargeBinary(), nullable=True))
    op.add_column("stream", _count("counted_seq"))
    op.create_table(
        "arrival",
        sa.Column("feed_id", BIG, nullable=False),
        _text("period"),
        _count("rows"),
        _text("first_at"),
        _text("last_at"),
        _text("complete_at", nullable=True),
        sa.Column("lags", sa.LargeBinary(), nullable=True),
        _feed("arrival"),
        sa.PrimaryKeyConstraint("feed_id", "period", name=op.f("pk_arrival")),
    )
    op.create_table(
        "contact",
        sa.Column("feed_id", BIG, nullable=False),
        _text("day"),
        *map(_count, ("answers", "failures", "news", "gap_s")),
        *(_text(name, nullable=True) for name in ("last_at", "done_at", "whole_at", "zero_at", "doubt")),
        _feed("contact"),
        sa.PrimaryKeyConstraint("feed_id", "day", name=op.f("pk_contact")),
    )
    op.create_table(
        "duty",
        _id(),
        *map(_text, ("county", "dataset", "since", "frequency", "next_at")),
        *map(_count, ("on_time", "late", "missed")),
        sa.Column("cadence_d", sa.Float(), nullable=True),
        *(_text(name, nullable=True) for name in ("touched_low", "touched_high")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty")),
        sa.UniqueConstraint("county", "dataset", name=op.f("uq_duty_county_dataset")),
    )
    op.create_table(
        "obligation",
        _id(),
        sa.Column("duty_id", BIG, nullable=False),
        *map(_text, ("period", "starts", "ends", "due_at", "promise")),
        _count("unverified"),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        _count("closed"),
        *(_text(name, nullable=True) for name in ("first_at", "complete_at", "channel")),
        sa.Column("feed_id", BIG, nullable=True),
        *map(_count, ("rows", "zero")),
        sa.Column("gap_s", BIG, nullable=True),
        sa.Column("lag_s", BIG, nullable=True),
        _count("odd"),
        sa.ForeignKeyConstraint(["duty_id"], ["duty.id"], name=op.f("fk_obligation_duty_id")),
        _feed("obligation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligation")),
        sa.UniqueConstraint("duty_id", "period", name=op.f("uq_obligation_duty_id_period")),
    )
    op.create_index(op.f("ix_obligation_duty_id_starts"), "obligation", ["duty_id", "starts"])
    op.create_index(op.f("ix_obligation_closed_duty_id"), "obligation", ["closed", "duty_id"])
    op.create_table(
        "waiver",
        _id(),
        sa.Column("obligation_id", BIG, nullable=False),
        *map(_text, ("reason", "actor", "at")),
        *(_text(name, nullable=True) for name in ("revoked_at", "revoked_by")),
        sa.ForeignKeyConstraint(["obligation_id"], ["obligation.id"], name=op.f("fk_waiver_obligation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiver")),
    )
    op.create_index(op.f("ix_waiver_obligation_id"), "waiver", ["obligation_id"])
    op.create_table(
        "expiry",
        *map(_text, ("kind", "name", "expires_at", "noted_at")),
        sa.PrimaryKeyConstraint("kind", "name", name=op.f("pk_expiry")),
    )


def downgrade() -> None:
    for table in ("expiry", "waiver", "obligation", "duty", "contact", "arrival"):
        op.drop_table(table)
    op.drop_column("stream", "counted_seq")
    op.drop_column("segment", "periods")
