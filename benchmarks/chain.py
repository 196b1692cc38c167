"""`python -m benchmarks.chain [--rows N] [--json]`: from committed versions to confirmed at a sink, end to end.

The embedded ledger beside a node with blocks of one second, batches of 1,000 and of 5,000. Prints observations confirmed a
second, where the time went (sealing alone is what `local` costs without its blocks), and proofs a second from a built tree.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import subject
from benchmarks.__main__ import server
from benchmarks.ours import FEED
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.dispatch.execute import RunOptions, queue_run
from gateway.proof import merkle

SIZES = (1000, 5000)
CHAIN_ID = 20200
ANVIL = sorted(Path("contracts/node_modules/@foundry-rs").glob("anvil-*/bin/anvil"))


@contextmanager
def node() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--chain-id", str(CHAIN_ID), "--block-time", "1", "--base-fee", "0", "--gas-price", "0", "--silent"]
    child = subprocess.Popen([ANVIL[0], "--port", str(port), *options])
    try:
        time.sleep(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait()


def measure(port: int, size: int, home: Path, url: str | None) -> dict[str, Any]:
    """One sink, one batch size: loads the rows, then forwards them."""
    gateway = subject.gateway("rest", str(port), home)
    sinks = f"submitter: bench\nbatch_size: {size}\n"
    if url:
        os.environ["BENCH_ACCOUNT"] = os.urandom(32).hex()
        sinks += f'sinks: {{chain: {{kind: evm, profile: dev, url: "{url}", chain_id: {CHAIN_ID}, secrets: {{sender: {{env: BENCH_ACCOUNT}}}}}}}}\n'
    gateway.close()
    (home / "config" / "gateway.yaml").write_text(sinks, "utf-8")
    gateway = Gateway(gateway.settings)
    gateway.config  # noqa: B018 # publishes
    if url:
        gateway.chains["chain"].deploy()  # type: ignore[attr-defined]
    with gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name=FEED)
    slot = Clock.real().isoformat(timespec="microseconds")
    run, _ = queue_run(gateway.store, feed.id, due_at=slot, reason="bench", actor="bench", options=RunOptions())
    versions = gateway.executor.execute(run).counts["changed"]
    spent: dict[str, float] = {}
    deliveries = gateway.forwarder._deliveries  # noqa: SLF001 # only to time it
    advance = deliveries.advance

    def timed(*arguments: Any) -> None:
        began = time.perf_counter()
        advance(*arguments)
        spent["deliver_s"] = time.perf_counter() - began

    deliveries.advance = timed  # type: ignore[method-assign]
    began = time.perf_counter()
    report = gateway.forwarder.forward()
    wall = time.perf_counter() - began
    if report.waiting:
        raise SystemExit(f"{report.waiting} batches were not confirmed")
    gateway.close()
    sealing = wall - spent["deliver_s"]
    told = {
        "per_s": versions / wall,
        "batches": report.confirmed,
        "seal_s": sealing,
        "deliver_s": spent["deliver_s"],
        "deliver_per_s": versions / spent["deliver_s"],
    }
    return told | {"limit": "sealing" if sealing > spent["deliver_s"] else "blocks and calls"}


def proofs(leaves: int = 100_000, count: int = 20_000) -> float:
    """Inclusion paths a second from a tree whose levels are kept, SHA-256; each is checked against the root afterwards."""

    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    tree = merkle.levels(sha, [merkle.leaf_hash(sha, n.to_bytes(8, "big")) for n in range(leaves)])
    at = [n * 7919 % leaves for n in range(count)]
    began = time.perf_counter()
    paths = [merkle.path(tree, n) for n in at]
    rate = count / (time.perf_counter() - began)
    for n, path in zip(at[::97], paths[::97], strict=True):
        assert merkle.root_of_path(sha, tree[0][n], n, leaves, path) == tree[-1][0]
    return rate


def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("--rows", type=int, default=100_000)
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    if not ANVIL:
        sys.exit("anvil is not installed: cd contracts && npm ci")
    report: dict[str, Any] = {}
    with server(a.rows) as port, tempfile.TemporaryDirectory() as home:
        for size in SIZES:
            report[f"local {size}"] = measure(port, size, Path(home) / f"local{size}", None)
            with node() as url:
                report[f"chain {size}"] = measure(port, size, Path(home) / f"chain{size}", url)
    report["proofs"] = {"per_s": proofs()}
    if a.json:
        print(json.dumps(report, indent=2))
        return
    for case, figures in report.items():
        print(
            f"{case:11}", "  ".join(f"{k} {v if isinstance(v, str) else format(v, ',.1f')}" for k, v in figures.items())
        )


if __name__ == "__main__":
    main()
