"""Statements that no feed makes: consents, queries, erasures and what stays away after one."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from gateway.store.tables.columns import BIG, count, identity, metadata, octets, reference, text

statement = Table(
    "statement",
    metadata,
    Column("stream_id", BIG, ForeignKey("stream.id"), primary_key=True, autoincrement=False),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    octets("handle"),
    count("number"),
    text("schema"),
    text("at"),
    text("suite", default="intl-1"),
    octets("sealed"),
    octets("wrapped_key", nullable=True),
    Index(None, "handle"),
)

consent = Table(
    "consent",
    metadata,
    identity(),
    Column("handle", LargeBinary, nullable=False, unique=True),
    octets("subject"),
    text("institution"),
    text("purpose"),
    text("classes"),
    text("valid_from"),
    text("valid_to"),
    text("revoked_at", nullable=True),
    text("file_hash"),
    text("at"),
    text("actor"),
    octets("sealed", nullable=True),
    Index(None, "subject"),
)

query = Table(
    "query",
    metadata,
    identity(),
    Column("number", Text, nullable=False, unique=True),
    reference("consent_id", "consent", nullable=True),
    octets("subject"),
    text("institution"),
    text("actor"),
    text("purpose"),
    text("classes"),
    text("at"),
    text("day"),
    text("result"),
    text("report_hash", nullable=True),
    octets("report", nullable=True),
    Index(None, "institution", "day"),
    Index(None, "subject"),
)

batch_query = Table(
    "batch_query",
    metadata,
    identity(),
    Column("handle", LargeBinary, nullable=False, unique=True),
    text("institution"),
    text("purpose"),
    text("classes"),
    text("actor"),
    text("at"),
    count("total"),
)

batch_line = Table(
    "batch_line",
    metadata,
    identity(),
    reference("batch_query_id", "batch_query"),
    octets("subject"),
    octets("sealed", nullable=True),
    text("result", nullable=True),
    text("number", nullable=True),
    Index(None, "batch_query_id"),
    Index(None, "result"),
    Index(None, "subject"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", LargeBinary, primary_key=True),
    text("at"),
)
