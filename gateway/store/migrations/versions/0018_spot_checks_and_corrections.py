"""Spot checks with their results, and what agencies are asked to put right.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=default)


def _refers(table: str, name: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f"{target}.id"], name=op.f(f"fk_{table}_{name}"))


def upgrade() -> None:
    op.create_table(
        "spot_check",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        _text("county"),
        _text("seed"),
        sa.Column("each", BIG, server_default="0", nullable=False),
        _text("at"),
        _text("actor"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_check")),
    )
    op.create_table(
        "spot_item",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("spot_check_id", BIG, nullable=False),
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("observation_id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        _text("agency"),
        _refers("spot_item", "spot_check_id", "spot_check"),
        _refers("spot_item", "feed_id", "feed"),
        _refers("spot_item", "observation_id", "observation"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_item")),
    )
    op.create_index(op.f("ix_spot_item_spot_check_id"), "spot_item", ["spot_check_id"])
    op.create_table(
        "spot_result",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("spot_item_id", BIG, nullable=False),
        _text("path"),
        _text("field"),
        _text("verdict"),
        _text("at"),
        _text("actor"),
        _refers("spot_result", "spot_item_id", "spot_item"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_result")),
        sa.UniqueConstraint("spot_item_id", "path", name=op.f("uq_spot_result_spot_item_id_path")),
    )
    op.create_table(
        "correction",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        _text("origin"),
        _text("county"),
        _text("dataset"),
        _text("agency"),
        sa.Column("observation", sa.LargeBinary(), nullable=False),
        sa.Column("version", BIG, server_default="0", nullable=False),
        _text("path"),
        sa.Column("run_id", BIG, nullable=False),
        _text("evidence", nullable=True),
        _text("institution", nullable=True),
        _text("opened_at"),
        _text("opened_by"),
        _text("due_on"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        _text("state", default="open"),
        _text("note", nullable=True),
        _text("closed_at", nullable=True),
        _text("closed_by", nullable=True),
        _refers("correction", "run_id", "run"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("handle", name=op.f("uq_correction_handle")),
    )
    op.create_index(op.f("ix_correction_observation"), "correction", ["observation"])
    op.create_index(op.f("ix_correction_state_county"), "correction", ["state", "county"])
