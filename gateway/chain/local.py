"""The embedded chain: an append-only, signed, hash-linked ledger in its own SQLite file (DESIGN §8).

A block and the signed head move in one durable transaction, so a crash leaves both or neither, and any number of
processes may append. The signed head shows that the newest blocks were cut off; that the whole file was put back to an
older copy only somebody outside can show: the gateway's receipts, a member's last headers (`expected_head`).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from gateway.chain.base import ChainBroken, ChainConflict, ChainRefused, ChainUnavailable, Head, Receipt, Submission
from gateway.chain.blocks import GENESIS, Block, SignedHead, forge, sign_head, verified
from gateway.chain.headers import write_headers
from gateway.proof.errors import ProofError
from gateway.proof.manifest import Manifest, verify_manifest
from gateway.proof.signing import PublicKey, Signer

BUSY_SECONDS: Final = 30.0
_FIELDS: Final = tuple(field.name for field in fields(Block))
_INSERT: Final = """
INSERT INTO block VALUES (:number, :previous, :at, :batch_id, :stream, :first, :last,
    :manifest, :manifest_signature, :signer, :hash, :signature)
"""
_ADVANCE: Final = """
INSERT INTO head VALUES (1, :number, :hash, :signature)
ON CONFLICT (one) DO UPDATE SET number = excluded.number, hash = excluded.hash, signature = excluded.signature
"""


class LocalLedger:
    """The ledger for reading: what a member needs who may see the file. Thread-safe."""

    _mode = "ro"

    def __init__(self, path: Path, name: str = "local") -> None:
        self.name = name
        self._uri = f"{path.absolute().as_uri()}?mode={self._mode}"
        self._lock = threading.Lock()
        with _asking():
            self._db = self._connect()

    def receipt(self, batch_id: str) -> Receipt | None:
        block = self._block(batch_id)
        return block.receipt(self.name) if block else None

    def read(self, batch_id: str) -> bytes | None:
        block = self._block(batch_id)
        return block.manifest if block else None

    def blocks(self, pinned: PublicKey, expected_head: Head | None = None) -> Iterator[tuple[Block, Manifest]]:
        """Every block as of one moment, checked as it comes; see `gateway.chain.blocks.verified`. Raises ChainBroken."""
        with _asking(), self._snapshot() as db:
            yield from verified(_rows(db), _head(db), pinned, expected_head)

    def export_headers(self, path: Path) -> Head:
        """Writes all blocks and the signed head, whole or not at all; members verify what is in them."""
        with _asking(), self._snapshot() as db:
            return write_headers(path, self.name, _head(db), _rows(db))

    def close(self) -> None:
        self._db.close()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._uri, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=True)
        db.row_factory = sqlite3.Row
        return db

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that a long scan stops nobody."""
        with closing(self._connect()) as db:
            db.execute("BEGIN")
            yield db

    def _block(self, batch_id: str) -> Block | None:
        with self._lock, _asking():
            row = self._db.execute("SELECT * FROM block WHERE batch_id = ?", (batch_id,)).fetchone()
        return _of(row) if row else None


class LocalChain(LocalLedger):
    """The ledger for appending. `submit` is final when it returns."""

    pace = 0.0
    rereads = 0
    _mode = "rwc"

    def __init__(self, path: Path, signer: Signer, name: str = "local") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, name)
        self.lane = f"sink:{name}"
        self._signer = signer
        with _asking():
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_ddl())

    def submit(self, manifest: bytes, signature: bytes) -> Submission:
        try:
            parsed = verify_manifest(manifest, signature, self._signer.public)
        except ProofError as error:
            raise ChainRefused("账本拒收：{why}", why=str(error)) from error
        with self._lock, _asking(), _writing(self._db):
            block = self._standing(parsed, manifest) or self._append(parsed, manifest, signature)
        return Submission(block.batch_id, block.receipt(self.name))

    def stands(self, block: Head) -> bool:
        with self._lock, _asking():
            row = self._db.execute("SELECT hash FROM block WHERE number = ?", (block.number,)).fetchone()
        return row is not None and row["hash"] == block.hash

    def verify(self, pinned: PublicKey | None = None, expected_head: Head | None = None) -> Head:
        """Re-checks every column of every block; `pinned` defaults to this gateway's own key.

        Raises:
            ChainBroken: names the first block that does not hold.
        """
        head = Head(0, GENESIS)
        for block, _manifest in self.blocks(pinned or self._signer.public, expected_head):
            head = Head(block.number, block.hash)
        return head

    def _standing(self, parsed: Manifest, manifest: bytes) -> Block | None:
        """The block that holds this batch already. Raises ChainConflict when it, or its range, holds another."""
        row = self._db.execute(
            "SELECT * FROM block WHERE batch_id = ? OR (stream = ? AND first <= ? AND last >= ?) LIMIT 1",
            (parsed.batch_id, parsed.stream, parsed.last, parsed.first),
        ).fetchone()
        if row is None:
            return None
        block = _of(row)
        # an SM2 signature is randomised: any of ours over the same manifest says the same
        if (block.batch_id, block.manifest) != (parsed.batch_id, manifest):
            raise ChainConflict(
                "批次 {batch} 与区块 {block} 冲突：同一数据流的同一段已上链为别的内容",
                batch=parsed.batch_id,
                block=block.number,
            )
        return block

    def _append(self, parsed: Manifest, manifest: bytes, signature: bytes) -> Block:
        row = self._db.execute("SELECT number, hash FROM block ORDER BY number DESC LIMIT 1").fetchone()
        head = Head(*row) if row else Head(0, GENESIS)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        block = forge(self._signer, head, at=at, batch_id=parsed.batch_id, manifest=manifest, signature=signature)
        range_ = {"stream": parsed.stream, "first": parsed.first, "last": parsed.last}
        self._db.execute(_INSERT, {name: getattr(block, name) for name in _FIELDS} | range_)
        self._db.execute(_ADVANCE, asdict(sign_head(self._signer, Head(block.number, block.hash))))
        return block


def _of(row: sqlite3.Row) -> Block:
    return Block(**{name: row[name] for name in _FIELDS})


def _head(db: sqlite3.Connection) -> SignedHead | None:
    row = db.execute("SELECT number, hash, signature FROM head").fetchone()
    return SignedHead(*row) if row else None


def _rows(db: sqlite3.Connection) -> Iterator[Block]:
    """Blocks in order. Raises ChainBroken where a row cannot be read or its look-up columns are not its manifest's."""
    position = 1
    try:
        for row in db.execute("SELECT * FROM block ORDER BY number"):
            block = _of(row)
            manifest = Manifest.parse(block.manifest)
            if (row["stream"], row["first"], row["last"]) != (manifest.stream, manifest.first, manifest.last):
                raise ChainBroken(position, "数据流或序号范围与清单不符")
            yield block
            position += 1
    except ProofError as error:
        raise ChainBroken(position, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise ChainBroken(position, "账本文件已损坏") from error


@contextmanager
def _asking() -> Iterator[None]:
    """SQLite's own failures leave the outcome open."""
    try:
        yield
    except sqlite3.Error as error:
        raise ChainUnavailable("账本暂时不可用") from error


@contextmanager
def _writing(db: sqlite3.Connection) -> Iterator[None]:
    """One durable write transaction; nothing of it stays when it fails."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


@cache
def _ddl() -> str:
    return files("gateway.chain").joinpath("ledger.sql").read_text("utf-8")
