"""Versions become segments, names become 64-bit index entries, ids carry their feed (ADR 0009); items have places.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from array import array
from itertools import groupby
from struct import unpack

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HANDLE, ANCHOR = 1, 2
FEED_BITS = 40
SEGMENT_ROWS = 500


def upgrade() -> None:
    _create()
    connection = op.get_bind()
    connection.execute(sa.text("INSERT INTO name_kind (id, kind) VALUES (1, 'observation'), (2, 'raw')"))
    if op.get_context().dialect.name == "postgresql":
        connection.execute(sa.text("SELECT setval(pg_get_serial_sequence('name_kind', 'id'), 2)"))
    heads = _segments(connection)
    _names(connection)
    op.drop_table("version")
    _observations(connection, heads)
    op.drop_table("observation_subject")
    op.drop_table("observation_index")


def _create() -> None:
    op.add_column("quarantine", sa.Column("place", sa.LargeBinary(), nullable=True))
    op.create_table(
        "segment",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("stream_id", BIG, nullable=False),
        sa.Column("first", BIG, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.Column("run_id", BIG, nullable=False),
        sa.Column("evidence_id", BIG, nullable=True),
        sa.Column("rules_id", BIG, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("flagged", BIG, server_default="0", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["stream.id"], name=op.f("fk_segment_stream_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_segment_run_id")),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_segment_evidence_id")),
        sa.ForeignKeyConstraint(["rules_id"], ["rules.id"], name=op.f("fk_segment_rules_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint("stream_id", "first", name=op.f("uq_segment_stream_id_first")),
    )
    op.create_table(
        "name",
        sa.Column("name", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("observation_id", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "kind", "observation_id", name=op.f("pk_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "name_kind",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_name_kind")),
        sa.UniqueConstraint("kind", name=op.f("uq_name_kind_kind")),
    )


def _segments(connection: sa.Connection) -> dict[int, int]:
    """Writes the log anew; answers the sequence number of each observation's newest version."""
    feeds = {row.id: row.feed_id for row in connection.execute(sa.text("SELECT id, feed_id FROM observation")).all()}
    heads: dict[int, int] = {}
    rows = connection.execute(
        sa.text(
            "SELECT stream_id, run_id, evidence_id, rules_id, seq, observation_id, number, source_time, as_of, flags,"
            " sealed FROM version ORDER BY stream_id, seq"
        )
    ).all()
    for (stream, run, evidence, rules), same in groupby(rows, key=lambda row: tuple(row[:4])):
        page = list(same)
        for at in range(0, len(page), SEGMENT_ROWS):
            part = page[at : at + SEGMENT_ROWS]
            previous = []
            for row in part:
                previous.append(heads.get(row.observation_id, 0))
                heads[row.observation_id] = row.seq
            body = msgspec.msgpack.encode(
                (
                    [_id(feeds[row.observation_id], row.observation_id) for row in part],
                    [row.number for row in part],
                    previous,
                    # what was as of its own commit has no source time; it keeps the day it had
                    [row.source_time or row.as_of for row in part],
                    [row.flags for row in part],
                    [row.sealed for row in part],
                )
            )
            connection.execute(
                sa.text(
                    "INSERT INTO segment (stream_id, first, last, run_id, evidence_id, rules_id, at, flagged, body)"
                    " VALUES (:stream, :first, :last, :run, :evidence, :rules, :at, :flagged, :body)"
                ),
                {
                    "stream": stream,
                    "first": part[0].seq,
                    "last": part[-1].seq,
                    "run": run,
                    "evidence": evidence,
                    "rules": rules,
                    "at": part[0].as_of or "",
                    "flagged": sum(1 for row in part if row.flags),
                    "body": body,
                },
            )
    return heads


def _names(connection: sa.Connection) -> None:
    for prefix, table, name, kind in (
        ("subject", "observation_subject", "subject", "role"),
        ("index", "observation_index", "name", "kind"),
    ):
        for (found,) in connection.execute(sa.text(f"SELECT DISTINCT {kind} FROM {table} ORDER BY {kind}")).all():  # noqa: S608 # three fixed words
            add = sa.text("INSERT INTO name_kind (kind) VALUES (:kind) RETURNING id")
            number = connection.execute(add, {"kind": f"{prefix}/{found}"}).scalar_one()
            query = f"SELECT {name}, observation_id, feed_id FROM {table} JOIN observation ON observation.id = observation_id WHERE {kind} = :kind"  # noqa: S608 # as above
            rows = connection.execute(sa.text(query), {"kind": found}).all()
            _put(connection, [(_short(row[0]), number, _id(row.feed_id, row.observation_id)) for row in rows])
    rows = connection.execute(sa.text("SELECT id, feed_id, handle, raw_digest, gone FROM observation")).all()
    _put(connection, [(_short(row.handle), HANDLE, _id(row.feed_id, row.id)) for row in rows])
    living = [row for row in rows if row.raw_digest and not row.raw_digest[0] & 0x0F]
    _put(connection, [(_short(row.raw_digest), ANCHOR, _id(row.feed_id, row.id)) for row in living])


def _put(connection: sa.Connection, rows: list[tuple[int, int, int]]) -> None:
    if rows:
        insert = sa.text(
            "INSERT INTO name (name, kind, observation_id) VALUES (:name, :kind, :id) ON CONFLICT DO NOTHING"
        )
        connection.execute(insert, [{"name": name, "kind": kind, "id": i} for name, kind, i in rows])


def _observations(connection: sa.Connection, heads: dict[int, int]) -> None:
    for row in connection.execute(sa.text("SELECT feed_id, run_id, page, ids FROM seen")).all():
        marks = array("q")
        marks.frombytes(row.ids)
        ids = array("q", [_id(row.feed_id, i) for i in marks]).tobytes()
        change = sa.text("UPDATE seen SET ids = :ids WHERE feed_id = :feed AND run_id = :run AND page = :page")
        connection.execute(change, {"ids": ids, "feed": row.feed_id, "run": row.run_id, "page": row.page})
    op.add_column("observation", sa.Column("seq", BIG, nullable=True))
    rows = connection.execute(sa.text("SELECT id, feed_id FROM observation")).all()
    if rows:
        connection.execute(
            sa.text("UPDATE observation SET id = :new, seq = :seq WHERE id = :id"),
            [{"id": row.id, "new": _id(row.feed_id, row.id), "seq": heads[row.id]} for row in rows],
        )
    for feed, top in connection.execute(sa.text("SELECT feed_id, MAX(id) FROM observation GROUP BY feed_id")).all():
        taken = sa.text("INSERT INTO counter (name, value) VALUES (:name, :value)")
        connection.execute(taken, {"name": f"observation/{feed}", "value": top & ((1 << FEED_BITS) - 1)})
    connection.execute(sa.text("DELETE FROM counter WHERE name = 'observation'"))
    with op.batch_alter_table("observation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_observation_feed_id_raw_digest"))
        batch_op.drop_constraint(batch_op.f("uq_observation_handle"), type_="unique")
        batch_op.drop_column("content_digest")
        batch_op.alter_column("seq", existing_type=BIG, nullable=False)


def _id(feed: int, number: int) -> int:
    return (feed << FEED_BITS) + number


def _short(name: bytes) -> int:
    (value,) = unpack(">q", name[:8])
    return int(value)


def downgrade() -> None:
    raise NotImplementedError("the log before 0002 held one row a version; restore a backup instead")
