"""Tables of the desk: statements that no feed makes, consents and queries."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, Text

from gateway.store.tables import BIG, _bytes, _count, _id, _ref, _text, metadata

statement = Table(
    "statement",
    metadata,
    Column("stream_id", BIG, ForeignKey("stream.id"), primary_key=True, autoincrement=False),
    Column("seq", BIG, primary_key=True, autoincrement=False),
    _bytes("handle"),
    _count("number"),
    _text("schema"),
    _text("at"),
    _bytes("sealed"),
    _bytes("wrapped_key", nullable=True),
    Index(None, "handle"),
)

consent = Table(
    "consent",
    metadata,
    _id(),
    Column("handle", LargeBinary, nullable=False, unique=True),
    _bytes("subject"),
    _text("institution"),
    _text("purpose"),
    _text("classes"),
    _text("valid_from"),
    _text("valid_to"),
    _text("revoked_at", nullable=True),
    _text("file_hash"),
    _text("at"),
    _text("actor"),
    _bytes("sealed", nullable=True),
    Index(None, "subject"),
)

query = Table(
    "query",
    metadata,
    _id(),
    Column("number", Text, nullable=False, unique=True),
    _ref("consent_id", "consent", nullable=True),
    _bytes("subject"),
    _text("institution"),
    _text("actor"),
    _text("purpose"),
    _text("classes"),
    _text("at"),
    _text("day"),
    _text("result"),
    _text("report_hash", nullable=True),
    _bytes("report", nullable=True),
    Index(None, "institution", "day"),
    Index(None, "subject"),
)
