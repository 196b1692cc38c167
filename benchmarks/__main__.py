"""`python -m benchmarks [--json] [--rows N] [--pairs N]`: our phases beside the floors, interleaved, medians of CPU time.

Prints `{case: {phase: {rows_per_s, cpu_us_per_row, peak_mib, ratio_bare, ratio_whole}}}`; a ratio is our speed over the
floor's in the same run (above 1: faster than the floor).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import places, subject

SERVED = ("rest", "soap")
"""Cases behind the server; the others read from a directory."""
CHAIN = "chain"
"""The case that begins where the others end: `benchmarks.chain`."""
REPORT = "report"
"""One bank's query on a full store: `benchmarks.report`."""
CHANGED_SINCE = "2026-01-01T00:00:00"


@contextmanager
def server(rows: int) -> Iterator[int]:
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", "--rows", str(rows), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        child.terminate()
        child.wait()


def measure(module: str, *arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def directory(rows: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([sys.executable, "-m", "benchmarks.places", "--rows", str(rows), "--out", home], check=True)
        yield Path(home)


def generation(at: int | Path, number: int) -> None:
    if isinstance(at, Path):
        places.generation(at, number)
    else:
        urllib.request.urlopen(f"http://127.0.0.1:{at}/admin/gen?n={number}").read()


def per_row(result: dict[str, Any]) -> float:
    return float(result["cpu_s"]) / max(result["rows"], 1) * 1e6


def pair(case: str, where: int | Path, rows: int, home: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """One round: ours and the floors, phase by phase, from the same place."""
    shutil.rmtree(home, ignore_errors=True)
    ours, bare, whole = home / "ours", home / "bare", home / "whole"
    at = ("--at", where, "--out")
    generation(where, 0)
    out: dict[str, dict[str, dict[str, Any]]] = {"first": {}, "reread": {}, "delta": {}}
    out["first"]["bare"] = measure("floors", "bare", case, *at, bare)
    out["first"]["ours"] = measure("ours", case, "first", *at, ours, "--check", rows)
    out["first"]["whole"] = measure("floors", "whole", case, *at, whole)
    out["reread"]["ours"] = measure("ours", case, "reread", *at, ours)
    out["reread"]["bare"] = measure("floors", "bare", case, *at, bare)
    out["reread"]["whole"] = measure("floors", "whole", case, *at, whole)
    generation(where, 1)
    out["delta"]["ours"] = measure("ours", case, "delta", *at, ours)
    out["delta"]["bare"] = measure("floors", "bare", case, *at, bare, "--since", CHANGED_SINCE)
    out["delta"]["whole"] = measure("floors", "whole", case, *at, whole, "--since", CHANGED_SINCE)
    return out


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("--json", action="store_true")
    ap.add_argument("--rows", type=int, default=200_000)
    ap.add_argument("--pairs", type=int, default=5)
    ap.add_argument("--case", choices=(*subject.CASES, CHAIN, REPORT), action="append")
    a = ap.parse_args()
    report: dict[str, dict[str, dict[str, float]]] = {}
    cases = a.case or [*subject.CASES, CHAIN, REPORT]
    for place, mine in (
        (server, [c for c in cases if c in SERVED]),
        (directory, [c for c in cases if c not in (*SERVED, CHAIN, REPORT)]),
    ):
        if not mine:
            continue
        with place(a.rows) as where, tempfile.TemporaryDirectory() as home:
            for case in mine:
                rounds = [pair(case, where, a.rows, Path(home) / "round") for _ in range(a.pairs)]
                report[case] = {phase: summary([r[phase] for r in rounds]) for phase in ("first", "delta", "reread")}
    if CHAIN in cases:
        subprocess.run([sys.executable, "-m", "benchmarks.chain"], check=True, stdout=sys.stderr if a.json else None)
    if REPORT in cases:
        subprocess.run([sys.executable, "-m", "benchmarks.report"], check=True, stdout=sys.stderr if a.json else None)
    if a.json:
        print(json.dumps(report, indent=2))
        return
    for case, phases in report.items():
        for phase, figures in phases.items():
            print(f"{case:5} {phase:7}", "  ".join(f"{k} {v:,.2f}" for k, v in figures.items()))


def summary(rounds: list[dict[str, dict[str, Any]]]) -> dict[str, float]:
    ours = [r["ours"] for r in rounds]
    return {
        "rows_per_s": median(o["rows"] / o["wall_s"] for o in ours),
        "cpu_us_per_row": median(map(per_row, ours)),
        "peak_mib": median(o["peak_mib"] for o in ours),
        "ratio_bare": median(per_row(r["bare"]) / per_row(r["ours"]) for r in rounds),
        "ratio_whole": median(per_row(r["whole"]) / per_row(r["ours"]) for r in rounds),
    }


if __name__ == "__main__":
    main()
