"""The floors: the least Python that moves the same rows from the same place into SQLite, one process, one core.

*bare*: read (GET, a file, a table), decode, rename and type the 14 fields, one executemany upsert a page, WAL.
*whole*: bare + the field checks, a quarantine row for each bad record, a content hash, the raw record kept, write only what
changed; of a file, its digest. A yardstick, not a design: no adapters, no vault, no leases.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import http.client
import io
import json
import resource
import sqlite3
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

import msgspec
from lxml import etree

from benchmarks import norm

COLUMNS = norm.COLUMNS
SETS = ",".join(f"{c}=excluded.{c}" for c in COLUMNS[1:])
TYPES = {"area_m2": "REAL", "household_size": "INTEGER"}
TAG = "{urn:example:homesteads:1}"
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<q:QueryHomesteads xmlns:q="urn:example:homesteads:1"><q:pageNo>%d</q:pageNo><q:pageSize>%d</q:pageSize>%s'
    "</q:QueryHomesteads></soap:Body></soap:Envelope>"
)


def rest_pages(at: str, size: int, since: str, _whole: bool) -> Iterator[list[dict[str, str]]]:
    client, page, total = http.client.HTTPConnection("127.0.0.1", int(at)), 1, 1
    more = f"&updated_since={since}" if since else ""
    while (page - 1) * size < total:
        client.request("GET", f"/rest/homesteads?page={page}&size={size}{more}")
        data = msgspec.json.decode(client.getresponse().read())["data"]
        total = data["total"]
        yield data["records"]
        page += 1


def soap_pages(at: str, size: int, since: str, _whole: bool) -> Iterator[list[dict[str, str]]]:
    client, page, total = http.client.HTTPConnection("127.0.0.1", int(at)), 1, 1
    more = f"<q:updatedSince>{since}</q:updatedSince>" if since else ""
    head = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"urn:example:homesteads:1/QueryHomesteads"'}
    while (page - 1) * size < total:
        client.request("POST", "/soap/homesteads", ENVELOPE % (page, size, more), head)
        answer = etree.fromstring(client.getresponse().read())[0][0]
        total = int(answer.findtext(TAG + "total"))
        yield [{c.tag[len(TAG) :]: c.text or "" for c in e} for e in answer if e.tag == TAG + "record"]
        page += 1


def file_pages(at: str, size: int, since: str, whole: bool) -> Iterator[list[dict[str, str]]]:
    for path in sorted(Path(at, "drop").glob("*.csv")):
        if path.name.split("_")[2] < since.replace("-", ""):
            continue
        with path.open("rb") as file:
            if whole and hashlib.file_digest(file, "md5").hexdigest() != Path(f"{path}.md5").read_text("ascii"):
                raise SystemExit(f"{path.name} is not what its flag says")
            file.seek(0)
            rows = csv.DictReader(io.TextIOWrapper(file, "gb18030", newline=""))
            while page := list(islice(rows, size)):
                yield page


def table_pages(at: str, size: int, since: str, _whole: bool) -> Iterator[list[dict[str, str]]]:
    front = sqlite3.connect(Path(at, "front.db"))
    found = front.execute("SELECT * FROM BENCH WHERE JHPT_UPDATE_TIME>=? ORDER BY JHPT_UPDATE_TIME, zjdbh", (since,))
    names = [column[0] for column in found.description]
    while rows := found.fetchmany(size):
        yield [dict(zip(names, row, strict=True)) for row in rows]
    front.close()


PAGES = {"rest": rest_pages, "soap": soap_pages, "files": file_pages, "table": table_pages}


def open_store(path: Path, extra: str = "") -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    columns = ",".join(f"{c} {TYPES.get(c, 'TEXT')}" for c in COLUMNS[1:])
    db.execute(f"CREATE TABLE IF NOT EXISTS homesteads (record_no TEXT PRIMARY KEY, {columns}{extra})")
    return db


def bare(db: sqlite3.Connection, pages: Iterator[list[dict[str, str]]]) -> int:
    sql = f"INSERT INTO homesteads VALUES ({','.join('?' * 14)}) ON CONFLICT(record_no) DO UPDATE SET {SETS}"
    count = 0
    for rows in pages:
        db.execute("BEGIN")
        db.executemany(sql, [tuple(norm.normalise(r).values()) for r in rows])
        db.execute("COMMIT")
        count += len(rows)
    return count


def whole(db: sqlite3.Connection, pages: Iterator[list[dict[str, str]]]) -> int:
    db.execute("CREATE TABLE IF NOT EXISTS quarantine (record_no TEXT PRIMARY KEY, fields TEXT, hash BLOB)")
    sql = (
        f"INSERT INTO homesteads VALUES ({','.join('?' * 17)}) ON CONFLICT(record_no) DO UPDATE SET {SETS},"
        "hash=excluded.hash,raw=excluded.raw,seen_at=excluded.seen_at WHERE hash<>excluded.hash"
    )
    count = 0
    for rows in pages:
        good, bad, now = [], [], time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for raw in rows:
            row = norm.normalise(raw)
            kept = msgspec.json.encode(raw)
            digest = sha256(msgspec.json.encode(row)).digest()
            problems = norm.problems(row)
            if problems:
                bad.append((row["record_no"], ",".join(problems), digest))
            good.append((*row.values(), digest, kept, now))
        db.execute("BEGIN")
        db.executemany(sql, good)
        if bad:
            db.executemany("INSERT OR REPLACE INTO quarantine VALUES (?,?,?)", bad)
        db.execute("COMMIT")
        count += len(rows)
    return count


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("floor", choices=("bare", "whole"))
    ap.add_argument("case", choices=PAGES)
    ap.add_argument("--at", required=True, help="the server's port, or the directory of the places")
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--size", type=int, default=500)
    ap.add_argument("--since", default="")
    a = ap.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    db = open_store(a.out / "floor.db", ", hash BLOB, raw BLOB, seen_at TEXT" if a.floor == "whole" else "")
    pages = PAGES[a.case](a.at, a.size, a.since, a.floor == "whole")
    wall, cpu = time.perf_counter(), time.process_time()
    rows = (bare if a.floor == "bare" else whole)(db, pages)
    done = {"rows": rows, "cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    print(json.dumps({**done, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
