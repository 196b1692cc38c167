"""A feed may be paused by a person, who says why; where a batch stands is found by the batch.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("feed") as feed:
        for name in ("paused_at", "paused_by", "paused_for"):
            feed.add_column(sa.Column(name, sa.Text(), nullable=True))
    op.create_index(op.f("ix_delivery_batch"), "delivery", ["batch"])
    waiting = sa.text("state <> 'confirmed'")
    op.create_index("ix_delivery_waiting", "delivery", ["state"], sqlite_where=waiting, postgresql_where=waiting)
