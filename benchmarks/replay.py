"""`python -m benchmarks.replay [--rows N]`: a mapping error over so many rows, mended and replayed from the kept answers.

Prints seconds and rows a second of the difference and of the commit; ends with an error if anything but the wrong field
changed, or if more than the changed versions went to the stream.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from tests.support.front import COUNTY, FEED, County, row

WRONG = "since: SSNY"
SAME = 10
"""One row in so many says the same in the wrong column."""


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("--rows", type=int, default=100_000)
    rows = ap.parse_args().rows
    with tempfile.TemporaryDirectory() as home:
        county = County(Path(home))
        right = COUNTY % (county.front, "false", "")
        county.publish(right.replace("since: QSNY", WRONG))
        county.fill([row(n, **({} if n % SAME else {"QSNY": "202603"})) for n in range(rows)])
        county.sync()
        before = county.versions()
        county.publish(right)
        county.front.unlink()
        began = time.perf_counter()
        shown = county.gateway.replays.difference(county.gateway.prepare(FEED))
        compared = time.perf_counter()
        done = county.gateway.replays.commit(county.gateway.prepare(FEED), "person:bench")
        ended = time.perf_counter()
        wrong = rows - len(range(0, rows, SAME))
        assert (shown.stale, shown.missing, shown.changed, done.changed) == (rows, 0, wrong, wrong), (shown, done)
        assert [change.field for change in shown.fields] == ["since"], shown.fields
        for cert, (record, _, number) in county.versions().items():
            changed = {name for name in record if record[name] != before[cert][0][name]}
            assert (changed, number) in ((set(), 1), ({"since"}, 2)), cert
        with county.gateway.store.read() as tx:
            feed = tx.one("feed_by_name", name=FEED)
            versions = tx.one("stream_by_name", name=f"feed:{feed.uid}").next_seq
        assert versions == rows + wrong, versions
        county.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"rows {rows:,}  changed {wrong:,}  peak {peak} MiB")
    for name, seconds in (("difference", compared - began), ("commit", ended - compared)):
        print(f"{name:10} {seconds:6.1f} s  {rows / seconds:8,.0f} rows/s")


if __name__ == "__main__":
    main()
