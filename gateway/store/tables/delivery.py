"""Batches on their way to every sink."""

from sqlalchemy import Column, Float, ForeignKey, Index, Table, Text, UniqueConstraint
from sqlalchemy import text as sql

from gateway.store.tables.columns import BIG, count, identity, metadata, octets, reference, text

WAITING = sql("state <> 'confirmed'")
"""The few deliveries that are under way, among all that ever were."""

batch = Table(
    "batch",
    metadata,
    identity(),
    reference("stream_id", "stream"),
    Column("first", BIG, nullable=False),
    Column("last", BIG, nullable=False),
    text("sealed_at"),
    Column("batch_id", Text, nullable=True, unique=True),
    text("payload_digest", nullable=True),
    octets("manifest", nullable=True),
    octets("signature", nullable=True),
    UniqueConstraint("stream_id", "first"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("batch", BIG, ForeignKey("batch.id"), primary_key=True),
    text("state", default="pending"),
    count("attempts"),
    text("block", nullable=True),
    text("block_hash", nullable=True),
    text("confirmed_at", nullable=True),
    text("sentence", nullable=True),
    Index(None, "batch"),
    Index(None, "confirmed_at"),
    Index("ix_delivery_waiting", "state", sqlite_where=WAITING, postgresql_where=WAITING),
)

reissue = Table(
    "reissue",
    metadata,
    Column("batch", BIG, ForeignKey("batch.id"), primary_key=True, autoincrement=False),
)

chain_pin = Table(
    "chain_pin",
    metadata,
    Column("sink", Text, primary_key=True),
    count("chain_id"),
    text("genesis", default=""),
    text("contract", default=""),
    text("code_hash", default=""),
    text("sender", default=""),
    count("tip"),
    count("nonce"),
    text("balance", default="0"),
    text("seen_at", default=""),
)

chain_tx = Table(
    "chain_tx",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("nonce", BIG, primary_key=True, autoincrement=False),
    text("hash"),
    text("batch_id"),
    octets("raw"),
    text("state"),
    Column("sent_at", Float, nullable=False),
    Index(None, "sink", "batch_id"),
)
