"""The store's own: settings, counters, published configurations, leases, accounts and their secrets, descriptions, the audit log."""

from sqlalchemy import Column, Float, Table, Text

from gateway.store.tables.columns import BIG, count, identity, metadata, octets, text

meta = Table("meta", metadata, Column("key", Text, primary_key=True), text("value"))

counter = Table("counter", metadata, Column("name", Text, primary_key=True), count("value"))

config_version = Table(
    "config_version",
    metadata,
    identity(),
    text("at"),
    text("actor"),
    text("digest"),
    text("body"),
    text("note", nullable=True),
)

rules = Table("rules", metadata, identity(), Column("digest", Text, nullable=False, unique=True))

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    text("owner"),
    Column("until", Float, nullable=False),
    count("token"),
)

account = Table("account", metadata, Column("name", Text, primary_key=True), text("state"), count("revision"))

secret = Table(
    "secret",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    text("expires_at"),
    octets("sealed"),
)

document = Table(
    "document",
    metadata,
    Column("name", Text, primary_key=True),
    text("at"),
    text("digest"),
    octets("body"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    text("at"),
    text("actor"),
    text("action"),
    text("target"),
    text("detail"),
    text("previous"),
    text("hash"),
)
