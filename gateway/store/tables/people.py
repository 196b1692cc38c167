"""Who may come in: users, their sessions, keys of programs, and what each was granted (ADR 0018)."""

from sqlalchemy import Column, Float, Index, LargeBinary, Table, Text

from gateway.store.tables.columns import count, identity, metadata, octets, reference, text

login = Table(
    "login",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    text("title"),
    text("password"),
    count("provisional"),
    Column("chosen_at", Float, nullable=False),
    octets("totp", nullable=True),
    count("totp_step"),
    text("state", default="active"),
    count("failures"),
    Column("barred_until", Float, nullable=False, server_default="0"),
    text("created_at"),
    text("created_by"),
    text("seen_at", nullable=True),
)

session = Table(
    "session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    reference("login_id", "login"),
    Column("began", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Index(None, "login_id"),
)

api_key = Table(
    "api_key",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    text("prefix"),
    Column("digest", LargeBinary, nullable=False, unique=True),
    text("created_at"),
    text("created_by"),
    Column("expires", Float, nullable=False),
    text("used_at", nullable=True),
    text("revoked_at", nullable=True),
)

role_grant = Table(
    "role_grant",
    metadata,
    Column("holder", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("place", Text, primary_key=True),
)
