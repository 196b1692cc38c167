"""The one schema of the store, for SQLite and PostgreSQL alike; migrations are held equal to it by a test.

Integer ids inside, handles at the edges. Nothing here is readable without the vault: what could name a person is an
keyed hash or a ciphertext. Times of the business clock are ISO text (Asia/Shanghai), times of leases are real epoch seconds.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

BIG = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[int]:
    return Column("id", BIG, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BIG, ForeignKey(f"{target}.id"), nullable=nullable)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=nullable, server_default=default)


def _count(name: str) -> Column[int]:
    return Column(name, BIG, nullable=False, server_default="0")


def _bytes(name: str, *, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable)


meta = Table("meta", metadata, Column("key", Text, primary_key=True), _text("value"))

counter = Table("counter", metadata, Column("name", Text, primary_key=True), _count("value"))

config_version = Table("config_version", metadata, _id(), _text("at"), _text("actor"), _text("digest"), _text("body"))

rules = Table("rules", metadata, _id(), Column("digest", Text, nullable=False, unique=True))

stream = Table(
    "stream",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("kind"),
    _count("next_seq"),
    _count("sealed_seq"),
    _count("counted_seq"),
)

feed = Table(
    "feed",
    metadata,
    _id(),
    Column("uid", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    _text("dataset"),
    _text("county"),
    _text("channel"),
    _ref("stream_id", "stream"),
    _bytes("cursor", nullable=True),
    _text("contact_at", nullable=True),
    _text("as_of", nullable=True),
    _text("state", default="waiting"),
    _text("code", nullable=True),
    _text("sentence", nullable=True),
    _text("owner", nullable=True),
    _text("action", nullable=True),
    _text("since", nullable=True),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    _text("owner"),
    Column("until", Float, nullable=False),
    _count("token"),
)

run = Table(
    "run",
    metadata,
    _id(),
    _ref("feed_id", "feed"),
    _text("due_at"),
    _text("reason"),
    _text("actor"),
    _text("options", default="{}"),
    _text("state", default="queued"),
    _ref("config_id", "config_version", nullable=True),
    _text("started_at", nullable=True),
    _text("finished_at", nullable=True),
    _count("token"),
    *map(
        _count,
        [
            "pages",
            "fetched",
            "recognised",
            "mapped",
            "duplicate",
            "quarantined",
            "ignored",
            "changed",
            "unchanged",
            "puts",
            "gone",
        ],
    ),
    Column("declared", BIG, nullable=True),
    _text("emptiness", nullable=True),
    _text("code", nullable=True),
    _text("sentence", nullable=True),
    UniqueConstraint("feed_id", "due_at", "reason"),
)

evidence = Table(
    "evidence",
    metadata,
    _id(),
    _ref("run_id", "run"),
    _count("page"),
    _text("at"),
    _text("request"),
    Column("status", Integer, nullable=False),
    _text("media"),
    _count("size"),
    _bytes("hash"),
    _bytes("body", nullable=True),
    Index(None, "run_id", "page"),
)

observation = Table(
    "observation",
    metadata,
    _id(),
    _ref("feed_id", "feed"),
    _bytes("handle"),
    _bytes("raw_digest"),
    _ref("rules_id", "rules"),
    _count("version"),
    Column("seq", BIG, nullable=False),
    _text("source_time", nullable=True),
    _count("gone"),
    _bytes("wrapped_key", nullable=True),
)

segment = Table(
    "segment",
    metadata,
    _id(),
    _ref("stream_id", "stream"),
    Column("first", BIG, nullable=False),
    Column("last", BIG, nullable=False),
    _ref("run_id", "run"),
    _ref("evidence_id", "evidence", nullable=True),
    _ref("rules_id", "rules"),
    _text("at"),
    _count("flagged"),
    _bytes("periods", nullable=True),
    _bytes("body"),
    UniqueConstraint("stream_id", "first"),
)

name = Table(
    "name",
    metadata,
    Column("name", BIG, primary_key=True, autoincrement=False),
    Column("kind", Integer, primary_key=True, autoincrement=False),
    Column("observation_id", BIG, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

name_kind = Table("name_kind", metadata, _id(), Column("kind", Text, nullable=False, unique=True))

quarantine = Table(
    "quarantine",
    metadata,
    _id(),
    Column("handle", LargeBinary, nullable=False, unique=True),
    _ref("feed_id", "feed"),
    _bytes("raw_digest"),
    _ref("rules_id", "rules"),
    _text("reason"),
    _text("field", nullable=True),
    _text("state", default="open"),
    _ref("run_id", "run"),
    _ref("evidence_id", "evidence", nullable=True),
    _text("first_at"),
    _text("last_at"),
    _bytes("item"),
    _text("note", nullable=True),
    _text("actor", nullable=True),
    _bytes("about", nullable=True),
    _bytes("place", nullable=True),
    UniqueConstraint("feed_id", "raw_digest"),
    Index(None, "feed_id", "about"),
)

seen = Table(
    "seen",
    metadata,
    Column("feed_id", BIG, primary_key=True),
    Column("run_id", BIG, primary_key=True),
    Column("page", BIG, primary_key=True),
    _bytes("ids"),
)

batch = Table(
    "batch",
    metadata,
    _id(),
    _ref("stream_id", "stream"),
    Column("first", BIG, nullable=False),
    Column("last", BIG, nullable=False),
    _text("sealed_at"),
    Column("batch_id", Text, nullable=True, unique=True),
    _text("payload_digest", nullable=True),
    _bytes("manifest", nullable=True),
    _bytes("signature", nullable=True),
    UniqueConstraint("stream_id", "first"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("batch", BIG, ForeignKey("batch.id"), primary_key=True),
    _text("state", default="pending"),
    _count("attempts"),
    _text("block", nullable=True),
    _text("block_hash", nullable=True),
    _text("confirmed_at", nullable=True),
    _text("sentence", nullable=True),
)

chain_pin = Table(
    "chain_pin",
    metadata,
    Column("sink", Text, primary_key=True),
    _count("chain_id"),
    _text("genesis", default=""),
    _text("contract", default=""),
    _text("code_hash", default=""),
    _text("sender", default=""),
    _count("tip"),
    _count("nonce"),
    _text("balance", default="0"),
    _text("seen_at", default=""),
)

chain_tx = Table(
    "chain_tx",
    metadata,
    Column("sink", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("nonce", BIG, primary_key=True, autoincrement=False),
    _text("hash"),
    _text("batch_id"),
    _bytes("raw"),
    _text("state"),
    Column("sent_at", Float, nullable=False),
    Index(None, "sink", "batch_id"),
)

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

account = Table("account", metadata, Column("name", Text, primary_key=True), _text("state"), _count("revision"))

secret = Table(
    "secret",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    _text("expires_at"),
    _bytes("sealed"),
)

document = Table(
    "document",
    metadata,
    Column("name", Text, primary_key=True),
    _text("at"),
    _text("digest"),
    _bytes("body"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BIG, primary_key=True, autoincrement=False),
    _text("at"),
    _text("actor"),
    _text("action"),
    _text("target"),
    _text("detail"),
    _text("previous"),
    _text("hash"),
)
