"""Streams that no feed writes; consents and queries.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _bytes(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "statement",
        sa.Column("stream_id", BIG, autoincrement=False, nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        _bytes("handle"),
        sa.Column("number", BIG, server_default="0", nullable=False),
        _text("schema"),
        _text("at"),
        _bytes("sealed"),
        _bytes("wrapped_key", nullable=True),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_statement_stream_id")),
        sa.PrimaryKeyConstraint("stream_id", "seq", name=op.f("pk_statement")),
    )
    op.create_index(op.f("ix_statement_handle"), "statement", ["handle"])
    op.create_table(
        "consent",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        _bytes("handle"),
        _bytes("subject"),
        *map(_text, ("institution", "purpose", "classes", "valid_from", "valid_to")),
        _text("revoked_at", nullable=True),
        *map(_text, ("file_hash", "at", "actor")),
        _bytes("sealed", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("handle", name=op.f("uq_consent_handle")),
    )
    op.create_index(op.f("ix_consent_subject"), "consent", ["subject"])
    op.create_table(
        "query",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        _text("number"),
        sa.Column("consent_id", BIG, nullable=True),
        _bytes("subject"),
        *map(_text, ("institution", "actor", "purpose", "classes", "at", "day", "result")),
        _text("report_hash", nullable=True),
        _bytes("report", nullable=True),
        sa.ForeignKeyConstraint(["consent_id"], ["consent.id"], name=op.f("fk_query_consent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_query")),
        sa.UniqueConstraint("number", name=op.f("uq_query_number")),
    )
    op.create_index(op.f("ix_query_institution_day"), "query", ["institution", "day"])
    op.create_index(op.f("ix_query_subject"), "query", ["subject"])
