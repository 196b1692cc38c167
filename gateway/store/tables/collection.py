"""What is collected: streams, feeds, runs, what was pushed, answers, observations."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from gateway.store.tables.columns import BIG, count, identity, metadata, octets, reference, text

stream = Table(
    "stream",
    metadata,
    identity(),
    Column("name", Text, nullable=False, unique=True),
    text("kind"),
    count("next_seq"),
    count("sealed_seq"),
    count("counted_seq"),
)

feed = Table(
    "feed",
    metadata,
    identity(),
    Column("uid", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    text("dataset"),
    text("county"),
    text("channel"),
    reference("stream_id", "stream"),
    octets("cursor", nullable=True),
    Column("reading", BIG, nullable=True),
    text("contact_at", nullable=True),
    text("as_of", nullable=True),
    text("state", default="waiting"),
    text("code", nullable=True),
    text("sentence", nullable=True),
    text("owner", nullable=True),
    text("action", nullable=True),
    text("since", nullable=True),
    text("paused_at", nullable=True),
    text("paused_by", nullable=True),
    text("paused_for", nullable=True),
    text("retired_at", nullable=True),
    text("retired_by", nullable=True),
    text("retired_for", nullable=True),
)

feed_alias = Table("feed_alias", metadata, Column("name", Text, primary_key=True), reference("feed_id", "feed"))

run = Table(
    "run",
    metadata,
    identity(),
    reference("feed_id", "feed"),
    text("due_at"),
    text("reason"),
    text("actor"),
    text("options", default="{}"),
    text("state", default="queued"),
    reference("config_id", "config_version", nullable=True),
    text("started_at", nullable=True),
    text("finished_at", nullable=True),
    count("token"),
    Column("reading", BIG, nullable=True),
    *map(
        count,
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
    text("emptiness", nullable=True),
    text("code", nullable=True),
    text("sentence", nullable=True),
    UniqueConstraint("feed_id", "due_at", "reason"),
    Index(None, "state"),
    Index(None, "reading"),
)

run_ignored = Table(
    "run_ignored",
    metadata,
    Column("run_id", BIG, ForeignKey("run.id"), primary_key=True),
    Column("rule", Text, primary_key=True),
    count("items"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("position", BIG, primary_key=True, autoincrement=False),
    octets("batch"),
    text("received_at"),
    count("rows"),
    count("size"),
    octets("body", nullable=True),
    UniqueConstraint("feed_id", "batch"),
)

inbox_state = Table(
    "inbox_state",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    *map(count, ["last", "taken", "waiting_rows", "waiting_bytes"]),
)

inbox_answer = Table(
    "inbox_answer",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("answer", Text, primary_key=True),
    count("times"),
    text("last_at"),
)

withdrawal = Table(
    "withdrawal",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("handle", LargeBinary, primary_key=True),
    text("source_time"),
)

evidence = Table(
    "evidence",
    metadata,
    identity(),
    reference("run_id", "run"),
    count("page"),
    text("at"),
    text("request"),
    Column("status", Integer, nullable=False),
    text("media"),
    count("size"),
    octets("hash"),
    octets("body", nullable=True),
    Index(None, "run_id", "page"),
)

observation = Table(
    "observation",
    metadata,
    identity(),
    reference("feed_id", "feed"),
    octets("handle"),
    octets("raw_digest"),
    reference("rules_id", "rules"),
    count("version"),
    Column("seq", BIG, nullable=False),
    text("source_time", nullable=True),
    count("gone"),
    octets("wrapped_key", nullable=True),
)

segment = Table(
    "segment",
    metadata,
    identity(),
    reference("stream_id", "stream"),
    Column("first", BIG, nullable=False),
    Column("last", BIG, nullable=False),
    reference("run_id", "run"),
    reference("evidence_id", "evidence", nullable=True),
    reference("rules_id", "rules"),
    text("at"),
    count("flagged"),
    octets("periods", nullable=True),
    text("suite", default="intl-1"),
    octets("body"),
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

name_kind = Table("name_kind", metadata, identity(), Column("kind", Text, nullable=False, unique=True))

seen = Table(
    "seen",
    metadata,
    Column("feed_id", BIG, primary_key=True),
    Column("run_id", BIG, primary_key=True),
    Column("page", BIG, primary_key=True),
    octets("ids"),
)

asked = Table(
    "asked",
    metadata,
    Column("feed_id", BIG, primary_key=True, autoincrement=False),
    Column("subject", BIG, primary_key=True, autoincrement=False),
    text("at"),
    count("found"),
    sqlite_with_rowid=False,
)

comparison = Table(
    "comparison",
    metadata,
    Column("county", Text, primary_key=True),
    Column("dataset", Text, primary_key=True),
    text("at"),
    text("agreed_since", nullable=True),
    *map(count, ["rows_manual", "rows_system", "same", "only_manual", "only_system", "differing"]),
)

source_field = Table(
    "source_field",
    metadata,
    Column("feed_id", BIG, ForeignKey("feed.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    text("shape"),
    *map(count, ["rows", "steady"]),
    text("kind", nullable=True),
    text("other", nullable=True),
    text("since", nullable=True),
)
