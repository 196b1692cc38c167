"""The same records without a server: a drop of CSV files in GB18030 with their MD5, and a front-end table in SQLite.

    python -m benchmarks.places --rows 200000 --out DIR

DIR gets `drop/` and `front.db` as of generation 0; `generation(DIR, 1)` adds a file with, and updates, what changed. As the
adapters' files and tables have it, everything is text; the exchange's time of a row is its own.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from benchmarks import records

FILE_ROWS = 50_000
COLUMNS = (*records.FIELDS, "JHPT_UPDATE_TIME")


def generation(home: Path, number: int) -> None:
    """Puts the places back to generation 0, and from there to generation 1 if that is asked for."""
    shutil.rmtree(home / "drop", ignore_errors=True)
    shutil.copytree(home / "kept" / "drop", home / "drop")
    shutil.copy(home / "kept" / "front.db", home / "front.db")
    if number:
        changed = json.loads((home / "kept" / "changed.json").read_text("utf-8"))
        drop(home / "drop", changed, "20260601")
        with sqlite3.connect(home / "front.db") as front:
            fill(front, changed)
        front.close()


def drop(folder: Path, rows: list[dict[str, Any]], day: str) -> None:
    for begin in range(0, len(rows), FILE_ROWS):
        name = f"360999_BENCH_{day}_{begin // FILE_ROWS + 1:03d}.csv"
        text = io.StringIO()
        csv.writer(text).writerows([records.FIELDS, *(row.values() for row in rows[begin : begin + FILE_ROWS])])
        body = text.getvalue().encode("gb18030")
        (folder / name).write_bytes(body)
        (folder / f"{name}.md5").write_text(hashlib.md5(body, usedforsecurity=False).hexdigest(), "ascii")


def fill(front: sqlite3.Connection, rows: list[dict[str, Any]]) -> None:
    marks = ",".join("?" * len(COLUMNS))
    front.executemany(f"INSERT OR REPLACE INTO BENCH VALUES ({marks})", [(*r.values(), r["gxsj"]) for r in rows])


def make(home: Path, rows: int) -> None:
    base = records.make(rows)
    after = records.advance(base, records.DEFAULT_SEED)
    kept = home / "kept"
    (kept / "drop").mkdir(parents=True)
    drop(kept / "drop", base, "20260101")
    (kept / "changed.json").write_text(json.dumps([b for a, b in zip(base, after) if a is not b]), "utf-8")
    with sqlite3.connect(kept / "front.db") as front:
        every = ",".join(f"{name} VARCHAR(200)" for name in COLUMNS[1:])
        front.execute(f"CREATE TABLE BENCH ({COLUMNS[0]} VARCHAR(40) PRIMARY KEY,{every})")
        fill(front, base)
        front.execute("CREATE INDEX BENCH_TIME ON BENCH (JHPT_UPDATE_TIME, zjdbh)")
    front.close()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--rows", type=int, default=20000)
    ap.add_argument("--out", type=Path, required=True)
    a = ap.parse_args()
    make(a.out, a.rows)
