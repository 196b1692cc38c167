"""What was confirmed since a moment is counted without reading all there is.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_delivery_confirmed_at"), "delivery", ["confirmed_at"])
