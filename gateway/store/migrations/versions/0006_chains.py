"""What a sender to a consortium chain must not forget: signed transactions, and which chain it met first (ADR 0014).

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "chain_pin",
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("chain_id", BIG, server_default="0", nullable=False),
        sa.Column("genesis", sa.Text(), server_default="", nullable=False),
        sa.Column("contract", sa.Text(), server_default="", nullable=False),
        sa.Column("code_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("sender", sa.Text(), server_default="", nullable=False),
        sa.Column("tip", BIG, server_default="0", nullable=False),
        sa.Column("nonce", BIG, server_default="0", nullable=False),
        sa.Column("balance", sa.Text(), server_default="0", nullable=False),
        sa.Column("seen_at", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("sink", name=op.f("pk_chain_pin")),
    )
    op.create_table(
        "chain_tx",
        sa.Column("sink", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("nonce", BIG, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("sink", "sender", "nonce", name=op.f("pk_chain_tx")),
    )
    op.create_index(op.f("ix_chain_tx_sink_batch_id"), "chain_tx", ["sink", "batch_id"])


def downgrade() -> None:
    raise NotImplementedError("transactions under way would be forgotten; restore a backup instead")
