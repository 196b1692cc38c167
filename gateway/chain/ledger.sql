-- The embedded ledger. Blocks are only ever added; the head is a single row that only moves forward.
CREATE TABLE IF NOT EXISTS block (
    number INTEGER PRIMARY KEY,
    previous TEXT NOT NULL,
    at TEXT NOT NULL,
    batch_id TEXT NOT NULL UNIQUE,
    stream TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    manifest BLOB NOT NULL,
    manifest_signature BLOB NOT NULL,
    signer TEXT NOT NULL,
    hash TEXT NOT NULL,
    signature BLOB NOT NULL,
    UNIQUE (stream, first)
) STRICT;

CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;

-- also against INSERT OR REPLACE, whose deletions fire no trigger
CREATE TRIGGER IF NOT EXISTS block_is_next BEFORE INSERT ON block
WHEN new.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM block)
BEGIN SELECT RAISE(ABORT, 'a block follows the last one'); END;

CREATE TRIGGER IF NOT EXISTS block_is_final BEFORE UPDATE ON block
BEGIN SELECT RAISE(ABORT, 'a block is final'); END;

CREATE TRIGGER IF NOT EXISTS block_stays BEFORE DELETE ON block
BEGIN SELECT RAISE(ABORT, 'a block is final'); END;

CREATE TRIGGER IF NOT EXISTS head_moves_forward BEFORE UPDATE ON head WHEN new.number <> old.number + 1
BEGIN SELECT RAISE(ABORT, 'the head moves one block at a time'); END;

CREATE TRIGGER IF NOT EXISTS head_stays BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'the head stays'); END;
