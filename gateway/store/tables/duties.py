"""Promises held against what came (ADR 0012)."""

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text, UniqueConstraint

from gateway.store.tables.columns import BIG, count, identity, metadata, octets, reference, text

arrival = Table(
    "arrival",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("period", Text, primary_key=True),
    count("rows"),
    text("first_at"),
    text("last_at"),
    text("complete_at", nullable=True),
    octets("lags", nullable=True),
)

contact = Table(
    "contact",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    count("answers"),
    count("failures"),
    count("news"),
    count("gap_s"),
    text("last_at", nullable=True),
    text("done_at", nullable=True),
    text("whole_at", nullable=True),
    text("zero_at", nullable=True),
    text("doubt", nullable=True),
)

duty = Table(
    "duty",
    metadata,
    identity(),
    text("county"),
    text("dataset"),
    text("since"),
    text("frequency"),
    text("next_at"),
    count("on_time"),
    count("late"),
    count("missed"),
    Column("cadence_d", Float, nullable=True),
    text("touched_low", nullable=True),
    text("touched_high", nullable=True),
    UniqueConstraint("county", "dataset"),
)

obligation = Table(
    "obligation",
    metadata,
    identity(),
    reference("duty_id", "duty"),
    text("period"),
    text("starts"),
    text("ends"),
    text("due_at"),
    text("promise"),
    count("unverified"),
    text("state", default="open"),
    count("closed"),
    text("first_at", nullable=True),
    text("complete_at", nullable=True),
    text("channel", nullable=True),
    Column("feed_id", BIG, ForeignKey("feed.id"), nullable=True),
    count("rows"),
    count("zero"),
    Column("gap_s", BIG, nullable=True),
    Column("lag_s", BIG, nullable=True),
    count("odd"),
    UniqueConstraint("duty_id", "period"),
    Index(None, "duty_id", "starts"),
    Index(None, "closed", "duty_id"),
)

waiver = Table(
    "waiver",
    metadata,
    identity(),
    reference("obligation_id", "obligation"),
    text("reason"),
    text("actor"),
    text("at"),
    text("revoked_at", nullable=True),
    text("revoked_by", nullable=True),
    Index(None, "obligation_id"),
)

expiry = Table(
    "expiry",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    text("expires_at"),
    text("noted_at"),
)
