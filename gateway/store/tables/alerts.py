"""Whom was told what: alerts, the notices of each, and windows in which nobody is told."""

from sqlalchemy import Column, Float, Index, Table, Text, UniqueConstraint

from gateway.store.tables.columns import count, identity, metadata, reference, text

alert = Table(
    "alert",
    metadata,
    identity(),
    text("kind"),
    text("target"),
    text("code"),
    text("owner"),
    text("sentence"),
    text("action"),
    text("since"),
    text("opened_at"),
    text("stood_at"),
    text("told_code", nullable=True),
    text("told_at", nullable=True),
    text("gone_at", nullable=True),
    text("closed_at", nullable=True),
    text("taken_by", nullable=True),
    text("taken_at", nullable=True),
    Index(None, "closed_at"),
)

alert_notice = Table(
    "alert_notice",
    metadata,
    identity(),
    reference("alert_id", "alert"),
    text("channel"),
    text("occasion"),
    text("code"),
    text("line"),
    text("due_at"),
    text("state", default="pending"),
    count("attempts"),
    Column("next_at", Float, nullable=False, server_default="0"),
    text("sent_at", nullable=True),
    text("sentence", nullable=True),
    UniqueConstraint("alert_id", "channel", "occasion", "code"),
    Index(None, "state"),
)

alert_window = Table(
    "alert_window",
    metadata,
    identity(),
    Column("pattern", Text, nullable=False),
    text("starts"),
    text("ends"),
    text("reason"),
    text("actor"),
    text("at"),
)
