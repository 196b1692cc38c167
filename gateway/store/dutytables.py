"""The part of the schema that holds promises against what came (ADR 0012); loaded with the package, so that it is never left out."""

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text, UniqueConstraint

from gateway.store.tables import BIG, _bytes, _count, _id, _ref, _text, metadata

arrival = Table(
    "arrival",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("period", Text, primary_key=True),
    _count("rows"),
    _text("first_at"),
    _text("last_at"),
    _text("complete_at", nullable=True),
    _bytes("lags", nullable=True),
)

contact = Table(
    "contact",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("day", Text, primary_key=True),
    _count("answers"),
    _count("failures"),
    _count("news"),
    _count("gap_s"),
    _text("last_at", nullable=True),
    _text("done_at", nullable=True),
    _text("whole_at", nullable=True),
    _text("zero_at", nullable=True),
    _text("doubt", nullable=True),
)

duty = Table(
    "duty",
    metadata,
    _id(),
    _text("county"),
    _text("dataset"),
    _text("since"),
    _text("frequency"),
    _text("next_at"),
    _count("on_time"),
    _count("late"),
    _count("missed"),
    Column("cadence_d", Float, nullable=True),
    _text("touched_low", nullable=True),
    _text("touched_high", nullable=True),
    UniqueConstraint("county", "dataset"),
)

obligation = Table(
    "obligation",
    metadata,
    _id(),
    _ref("duty_id", "duty"),
    _text("period"),
    _text("starts"),
    _text("ends"),
    _text("due_at"),
    _text("promise"),
    _count("unverified"),
    _text("state", default="open"),
    _count("closed"),
    _text("first_at", nullable=True),
    _text("complete_at", nullable=True),
    _text("channel", nullable=True),
    Column("feed_id", BIG, ForeignKey("feed.id"), nullable=True),
    _count("rows"),
    _count("zero"),
    Column("gap_s", BIG, nullable=True),
    Column("lag_s", BIG, nullable=True),
    _count("odd"),
    UniqueConstraint("duty_id", "period"),
    Index(None, "duty_id", "starts"),
    Index(None, "closed", "duty_id"),
)

waiver = Table(
    "waiver",
    metadata,
    _id(),
    _ref("obligation_id", "obligation"),
    _text("reason"),
    _text("actor"),
    _text("at"),
    _text("revoked_at", nullable=True),
    _text("revoked_by", nullable=True),
    Index(None, "obligation_id"),
)

expiry = Table(
    "expiry",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _text("expires_at"),
    _text("noted_at"),
)
