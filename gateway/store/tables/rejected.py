"""What was rejected: the items, what became of each, what was returned to an agency, what a person put right (ADR 0004, 0017)."""

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from gateway.store.tables.columns import count, identity, metadata, octets, reference, text

quarantine = Table(
    "quarantine",
    metadata,
    identity(),
    Column("handle", LargeBinary, nullable=False, unique=True),
    reference("feed_id", "feed"),
    octets("raw_digest"),
    reference("rules_id", "rules"),
    text("reason"),
    text("field", nullable=True),
    text("state", default="open"),
    reference("run_id", "run"),
    reference("evidence_id", "evidence", nullable=True),
    text("first_at"),
    text("last_at"),
    octets("item"),
    text("note", nullable=True),
    text("actor", nullable=True),
    octets("about", nullable=True),
    octets("place", nullable=True),
    text("returned_at", nullable=True),
    text("settled_at", nullable=True),
    UniqueConstraint("feed_id", "raw_digest"),
    Index(None, "feed_id", "about"),
)

notice = Table(
    "notice",
    metadata,
    identity(),
    text("at"),
    text("actor"),
    text("agency"),
    text("county"),
    count("items"),
    text("text"),
)

quarantine_event = Table(
    "quarantine_event",
    metadata,
    identity(),
    reference("quarantine_id", "quarantine"),
    text("at"),
    text("actor"),
    text("event"),
    text("note", nullable=True),
    reference("notice_id", "notice", nullable=True),
    Index(None, "quarantine_id"),
)

override = Table(
    "override",
    metadata,
    identity(),
    reference("quarantine_id", "quarantine"),
    reference("feed_id", "feed"),
    octets("raw_digest"),
    octets("handle"),
    text("at"),
    text("actor"),
    octets("changes"),
    UniqueConstraint("feed_id", "raw_digest"),
)
