"""What was checked on the spot, and what agencies are asked to put right (ADR 0020)."""

from sqlalchemy import Column, Index, LargeBinary, Table, UniqueConstraint

from gateway.store.tables.columns import BIG, count, identity, metadata, octets, reference, text

spot_check = Table(
    "spot_check",
    metadata,
    identity(),
    text("county"),
    text("seed"),
    count("each"),
    text("at"),
    text("actor"),
)

spot_item = Table(
    "spot_item",
    metadata,
    identity(),
    reference("spot_check_id", "spot_check"),
    reference("feed_id", "feed"),
    reference("observation_id", "observation"),
    Column("seq", BIG, nullable=False),
    text("agency"),
    Index(None, "spot_check_id"),
)

spot_result = Table(
    "spot_result",
    metadata,
    identity(),
    reference("spot_item_id", "spot_item"),
    text("path"),
    text("field"),
    text("verdict"),
    text("at"),
    text("actor"),
    UniqueConstraint("spot_item_id", "path"),
)

correction = Table(
    "correction",
    metadata,
    identity(),
    Column("handle", LargeBinary, nullable=False, unique=True),
    text("origin"),
    text("county"),
    text("dataset"),
    text("agency"),
    octets("observation"),
    count("version"),
    text("path"),
    reference("run_id", "run"),
    text("evidence", nullable=True),
    text("institution", nullable=True),
    text("opened_at"),
    text("opened_by"),
    text("due_on"),
    octets("sealed", nullable=True),
    text("state", default="open"),
    text("note", nullable=True),
    text("closed_at", nullable=True),
    text("closed_by", nullable=True),
    Index(None, "observation"),
    Index(None, "state", "county"),
)
