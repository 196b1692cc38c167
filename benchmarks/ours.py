"""One phase of one case through the gateway, in a process of its own; prints one JSON line."""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

import msgspec

from benchmarks import norm, records, subject
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.dispatch.execute import RunOptions, queue_run
from gateway.names import short
from gateway.store.segments import find

FEED = "360999/homestead"


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("case", choices=subject.CASES)
    ap.add_argument("phase", choices=("first", "delta", "reread"))
    ap.add_argument("--at", required=True, help="the server's port, or the directory of the places")
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--check", type=int, default=0, help="rows to decrypt and compare afterwards; how many there are")
    a = ap.parse_args()
    gateway = subject.gateway(a.case, a.at, a.out)
    gateway.config  # noqa: B018 # publishes
    with gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name=FEED)
    slot = Clock.real().isoformat(timespec="microseconds")
    options = RunOptions(full=a.phase == "reread")
    run_id, _ = queue_run(gateway.store, feed.id, due_at=slot, reason="bench", actor="bench", options=options)
    executor = gateway.executor
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = executor.execute(run_id)
    done = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if outcome.state != "done":
        raise SystemExit(f"{outcome.verdict}")
    if a.check:
        compare(gateway, a.check)
    counts = outcome.counts
    print(json.dumps({"rows": counts["fetched"], **done, "peak_mib": peak, **counts}))
    gateway.close()


def compare(gateway: Gateway, rows: int, every: int = 997) -> None:
    """Decrypts a sample and holds it against what the generator says it must be; every defect must be in quarantine."""
    wrong, made = 0, records.make(rows)
    clean = sum(not norm.problems(norm.normalise(r)) for r in made)
    with gateway.store.read() as tx:
        accepted = tx.all("totals_by_feed")[0].accepted
        feed = tx.one("feed_by_name", name=FEED)
        for raw in made[::every]:
            want = norm.normalise(raw)
            handle = gateway.vault.name("observation", f"{feed.uid}\0{want['record_no']}")
            head = tx.one("observation_found", name=short([handle])[0], handle=handle)
            if norm.problems(want):
                wrong += head is not None
                continue
            row = find(tx, head.stream_id, head.seq)
            opened = gateway.vault.open_version(gateway.vault.unwrap(row.wrapped_key), 1, handle, row.sealed, row.suite)
            got = msgspec.json.decode(opened)
            same = all(got[k] == str(want[k]) for k in ("unit_no", "id_no", "registered_on", "approved_on", "location"))
            wrong += not (same and abs(float(got["area_m2"]) - want["area_m2"]) < 0.011)
    if wrong or accepted != clean:
        raise SystemExit(f"{wrong} sampled rows differ; {accepted} accepted, {clean} expected")


if __name__ == "__main__":
    main()
