from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.chain import (
    Block,
    Chain,
    ChainBroken,
    ChainConflict,
    ChainRefused,
    ChainUnavailable,
    Head,
    HeaderChain,
    LocalChain,
    LocalLedger,
)
from gateway.chain.blocks import GENESIS, forge, sign_head, verified
from gateway.proof import Manifest
from tests.proof.sample import OTHER_SIGNER, SIGNER, chain_of, sealed

BATCHES = chain_of(5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chain.db"


@pytest.fixture
def chain(path: Path) -> Iterator[LocalChain]:
    made = LocalChain(path, SIGNER)
    for batch in BATCHES:
        made.submit(batch.manifest_bytes, batch.signature)
    yield made
    made.close()


def tamper(path: Path, *statements: str, values: tuple[Any, ...] = ()) -> None:
    """Somebody with the file and without the key: the triggers stop nobody who drops them."""
    with closing(sqlite3.connect(path)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement, values)
        db.commit()


def test_a_batch_is_final_and_reads_back(chain: Chain) -> None:
    for number, batch in enumerate(BATCHES, 1):
        receipt = chain.receipt(batch.batch_id)
        assert receipt is not None
        assert (receipt.ledger, receipt.block, receipt.tx) == ("local", number, batch.batch_id)
        assert chain.read(batch.batch_id) == batch.manifest_bytes
    assert chain.verify().number == 5
    assert chain.receipt("0" * 64) is None
    assert chain.read("0" * 64) is None


def test_the_same_batch_twice_has_one_receipt(chain: LocalChain) -> None:
    before = chain.receipt(BATCHES[2].batch_id)
    again = chain.submit(BATCHES[2].manifest_bytes, BATCHES[2].signature)
    assert (again.batch_id, again.receipt) == (BATCHES[2].batch_id, before)
    assert chain.verify().number == 5


@pytest.mark.parametrize(("first", "size"), [(4, 3), (5, 1), (2, 2), (1, 30)])
def test_one_range_of_a_stream_is_anchored_once(chain: LocalChain, first: int, size: int) -> None:
    other = sealed(size, first, "ab" * 32)
    with pytest.raises(ChainConflict, match="同一段"):
        chain.submit(other.manifest_bytes, other.signature)
    assert chain.verify().number == 5
    elsewhere = sealed(size, first, stream="beef")
    assert chain.submit(elsewhere.manifest_bytes, elsewhere.signature).receipt is not None


def test_a_standing_block_that_is_not_ours_is_a_conflict(chain: LocalChain, path: Path) -> None:
    tamper(path, "UPDATE block SET manifest = CAST(manifest || x'20' AS BLOB) WHERE number = 2")
    with pytest.raises(ChainConflict):
        chain.submit(BATCHES[1].manifest_bytes, BATCHES[1].signature)


def test_what_the_gateway_did_not_sign_is_refused(chain: LocalChain) -> None:
    foreign = sealed(3, 16, signer=OTHER_SIGNER)
    for manifest, signature in (
        (foreign.manifest_bytes, foreign.signature),
        (foreign.manifest_bytes, b""),
        (b"{}", foreign.signature),
    ):
        with pytest.raises(ChainRefused):
            chain.submit(manifest, signature)
    assert chain.verify().number == 5


def _columns() -> list[str]:
    ddl = Path(sys.modules["gateway.chain"].__file__ or "").with_name("ledger.sql").read_text("utf-8")
    body = re.search(r"EXISTS block \((.*?)\n\) STRICT", ddl, re.DOTALL)
    assert body is not None
    return [m for line in body[1].splitlines() for m in re.findall(r"^    ([a-z_]+) ", line)]


CHANGED = {"number": "99", "first": "first + 1", "last": "last + 1", "previous": f"'{'1' * 64}'", "at": "at || '0'"}
BLOBS = {"manifest", "manifest_signature", "signature"}


def _change(column: str) -> str:
    if column in BLOBS:
        return f"substr({column}, 1, length({column}) - 1) || x'ff'"
    return CHANGED.get(column, f"'x' || substr({column}, 2)")


@pytest.mark.parametrize("row", [1, 3, 5])
@pytest.mark.parametrize("column", _columns())
def test_a_changed_column_of_any_row_is_named(chain: LocalChain, path: Path, column: str, row: int) -> None:
    tamper(
        path,
        f"UPDATE block SET {column} = CAST({_change(column)} AS {'BLOB' if column in BLOBS else 'TEXT'}) WHERE number = {row}",
    )
    with pytest.raises(ChainBroken, match=rf"^区块 {row}：") as failure:
        chain.verify()
    assert failure.value.block == row


def test_all_columns_are_in_that_test() -> None:
    assert len(_columns()) == 12


@pytest.mark.parametrize("column", ["number", "hash", "signature"])
def test_a_changed_head_is_noticed(chain: LocalChain, path: Path, column: str) -> None:
    kind = "BLOB" if column == "signature" else "TEXT"
    value = "99" if column == "number" else f"substr({column}, 2) || '0'"
    tamper(path, f"UPDATE head SET {column} = CAST({value} AS {kind})")
    with pytest.raises(ChainBroken):
        chain.verify()


@pytest.mark.parametrize(("row", "named"), [(1, 1), (3, 3), (5, 5)])
def test_a_removed_block_is_named(chain: LocalChain, path: Path, row: int, named: int) -> None:
    tamper(path, f"DELETE FROM block WHERE number = {row}")
    with pytest.raises(ChainBroken, match=rf"^区块 {named}：") as failure:
        chain.verify()
    assert "缺失" in str(failure.value)


def test_a_shortened_ledger_without_its_head_is_noticed(chain: LocalChain, path: Path) -> None:
    tamper(path, "DELETE FROM block WHERE number = 5", "DELETE FROM head")
    with pytest.raises(ChainBroken):
        chain.verify()


def forged(head: Head, at: int, batch_id: str | None = None) -> Block:
    batch = BATCHES[at]
    return forge(
        SIGNER,
        head,
        at="2026-03-02T02:00:00.000+00:00",
        batch_id=batch_id or batch.batch_id,
        manifest=batch.manifest_bytes,
        signature=batch.signature,
    )


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (forged(Head(1, "0" * 64), 1), "链接"),
        (forged(Head(1, forged(Head(0, GENESIS), 0).hash), 1, "0" * 64), "批次编号"),
    ],
)
def test_a_block_of_our_own_in_a_wrong_place_is_named(second: Block, why: str) -> None:
    """Well signed, but of a fork, or under another batch's id."""
    blocks = [forged(Head(0, GENESIS), 0), second]
    with pytest.raises(ChainBroken, match=rf"^区块 2：.*{why}"):
        list(verified(blocks, sign_head(SIGNER, Head(2, second.hash)), SIGNER.public))


def test_an_append_keeps_others_out_from_its_first_look(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.chain.local.BUSY_SECONDS", 0.05)
    one, two = LocalChain(path, SIGNER), LocalChain(path, SIGNER)
    look = one._standing

    def interrupted(parsed: Manifest, manifest: bytes) -> Block | None:
        found = look(parsed, manifest)
        with pytest.raises(ChainUnavailable):
            two.submit(BATCHES[0].manifest_bytes, BATCHES[0].signature)
        return found

    monkeypatch.setattr(one, "_standing", interrupted)
    assert one.submit(BATCHES[0].manifest_bytes, BATCHES[0].signature).receipt is not None
    assert one.verify().number == 1


def test_a_block_beyond_the_signed_head_is_named(chain: LocalChain, path: Path) -> None:
    """An older head, put back by somebody who kept it."""
    digest = next(b.hash for b, _ in chain.blocks(SIGNER.public) if b.number == 4)
    head = sign_head(SIGNER, Head(4, digest))
    tamper(path, "UPDATE head SET number = ?, hash = ?, signature = ?", values=(head.number, head.hash, head.signature))
    with pytest.raises(ChainBroken, match=r"^区块 5：不在"):
        chain.verify()


def test_a_ledger_put_back_to_an_older_copy_is_noticed_from_outside(tmp_path: Path) -> None:
    old, whole = LocalChain(tmp_path / "old.db", SIGNER), LocalChain(tmp_path / "new.db", SIGNER)
    for batch in BATCHES:
        whole.submit(batch.manifest_bytes, batch.signature)
    for batch in BATCHES[:4]:
        old.submit(batch.manifest_bytes, batch.signature)
    head = whole.verify()
    assert whole.verify(expected_head=head) == head
    assert old.verify().number == 4
    with pytest.raises(ChainBroken, match=r"^区块 5：缺失"):
        old.verify(expected_head=head)
    with pytest.raises(ChainBroken, match=r"^区块 3：与先前"):
        whole.verify(expected_head=Head(3, "0" * 64))


def test_a_ledger_signed_again_by_another_key_is_noticed(path: Path) -> None:
    forged = LocalChain(path, OTHER_SIGNER)
    for batch in chain_of(2):
        forged.submit(batch.manifest_bytes, OTHER_SIGNER.sign("manifest", batch.manifest_bytes))
    assert forged.verify().number == 2
    with pytest.raises(ChainBroken, match=r"^区块 1：签名者"):
        forged.verify(SIGNER.public)


def test_blocks_signed_again_under_the_pinned_name_are_noticed(chain: LocalChain, path: Path) -> None:
    """The forger keeps the signer's name and signs with a key of his own."""
    with closing(sqlite3.connect(path)) as db:
        digest = db.execute("SELECT hash FROM block WHERE number = 3").fetchone()[0]
    tamper(
        path, "UPDATE block SET signature = ? WHERE number = 3", values=(OTHER_SIGNER.sign("block", digest.encode()),)
    )
    with pytest.raises(ChainBroken, match=r"^区块 3："):
        chain.verify()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE block SET at = 'x' WHERE number = 5",
        "DELETE FROM block WHERE number = 5",
        "INSERT OR REPLACE INTO block SELECT * FROM block WHERE number = 5",
        "INSERT INTO block SELECT 7, previous, at, 'x', 'x', first, last, manifest, manifest_signature, signer, hash, signature FROM block WHERE number = 5",
        "UPDATE head SET number = 4",
        "DELETE FROM head",
    ],
)
def test_the_file_refuses_to_be_rewritten(chain: LocalChain, path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as db, pytest.raises(sqlite3.IntegrityError, match=r"block|head"):
        db.execute(statement)


def test_a_block_that_cannot_be_read_is_named(chain: LocalChain, path: Path) -> None:
    tamper(path, "UPDATE block SET at = CAST(x'ff' AS TEXT) WHERE number = 4")
    with pytest.raises(ChainBroken, match=r"^区块 4：账本文件已损坏"):
        chain.verify()


def test_an_empty_ledger_holds(path: Path, tmp_path: Path) -> None:
    chain = LocalChain(path, SIGNER)
    assert (
        chain.verify()
        == chain.export_headers(tmp_path / "h.jsonl")
        == HeaderChain(tmp_path / "h.jsonl", SIGNER.public).head
    )
    with pytest.raises(ChainBroken, match=r"^区块 1：缺失"):
        chain.verify(expected_head=Head(1, "0" * 64))


def test_a_ledger_that_is_not_there_or_locked_leaves_the_outcome_open(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ChainUnavailable):
        LocalLedger(path)
    monkeypatch.setattr("gateway.chain.local.BUSY_SECONDS", 0.05)
    chain, batch = LocalChain(path, SIGNER), BATCHES[0]
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ChainUnavailable):
            chain.submit(batch.manifest_bytes, batch.signature)
    assert chain.receipt(batch.batch_id) is None
    assert chain.submit(batch.manifest_bytes, batch.signature).receipt is not None


def test_a_reader_sees_what_was_appended_and_changes_nothing(chain: LocalChain, path: Path) -> None:
    reader = LocalLedger(path)
    assert [b.number for b, _ in reader.blocks(SIGNER.public)] == [1, 2, 3, 4, 5]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._db.execute("DELETE FROM head")
    reader.close()


def test_threads_share_one_chain(chain: LocalChain) -> None:
    more = [sealed(1, stream=f"s{n}") for n in range(8)]

    def send() -> None:
        for batch in more:
            chain.submit(batch.manifest_bytes, batch.signature)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain.verify().number == 5 + 8


PROCESS = """
import os, signal, sys
from pathlib import Path
from gateway.chain import LocalChain
from gateway.chain import local
from tests.proof.sample import SIGNER, chain_of
path, stream, die_at = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if die_at:
    writing = local._writing
    def dying(db):
        with writing(db):
            yield
            if die_at == "before":
                os.kill(os.getpid(), signal.SIGKILL)
        if die_at == "after":
            os.kill(os.getpid(), signal.SIGKILL)
    local._writing = local.contextmanager(dying)
chain = LocalChain(path, SIGNER)
for batch in chain_of(20, 1, stream):
    chain.submit(batch.manifest_bytes, batch.signature)
"""


def process(path: Path, stream: str, die_at: str = "") -> subprocess.Popen[bytes]:
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-c", PROCESS, str(path), stream, die_at], cwd=root)


def test_processes_append_at_once(path: Path) -> None:
    running = [process(path, stream) for stream in ("a", "b", "a")]
    assert [p.wait(60) for p in running] == [0, 0, 0]
    chain = LocalChain(path, SIGNER)
    assert chain.verify().number == 40
    assert all(chain.receipt(b.batch_id) for stream in "ab" for b in chain_of(20, 1, stream))


@pytest.mark.parametrize(("die_at", "stands"), [("before", 0), ("after", 1)])
def test_a_process_killed_around_its_append_is_taken_up_where_it_was(path: Path, die_at: str, stands: int) -> None:
    assert process(path, "a", die_at).wait(60) == -9
    chain, batch = LocalChain(path, SIGNER), chain_of(1, 1, "a")[0]
    assert chain.verify().number == stands
    seen = chain.receipt(batch.batch_id)
    assert (seen is not None) == bool(stands)
    again = chain.submit(batch.manifest_bytes, batch.signature).receipt
    assert seen in (None, again)
    assert chain.verify().number == 1
