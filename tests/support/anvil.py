"""A throw-away Ethereum node (anvil, from npm) on a free loopback port, always stopped; and a gateway's sink on it."""

from __future__ import annotations

import itertools
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gateway.chain import Receipt
from gateway.proof import SealedBatch, Signer
from gateway.store import Store
from tests.proof.sample import SIGNER

CONTRACTS = Path(__file__).parents[2] / "contracts"
CHAIN_ID = 20200
FREE = ("--base-fee", "0", "--gas-price", "0", "--silent", "--host", "127.0.0.1")


def binary() -> Path:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return CONTRACTS / f"node_modules/@foundry-rs/anvil-{platform.system().lower()}-{machine}/bin/anvil"


@cache
def missing() -> str | None:
    """Why no node can run here, in words; None when one can."""
    if not binary().exists():
        return f"anvil is not installed: cd contracts && npm ci ({'npm is here' if shutil.which('npm') else 'no npm'})"
    try:
        subprocess.run([binary(), "--version"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        return f"anvil does not run here: {error}"
    return None


def need() -> None:
    """Skips in words; fails in CI where npm is and the node is not."""
    if reason := missing():
        if os.environ.get("CI") and shutil.which("npm"):
            pytest.fail(f"anvil must run in CI: {reason}")
        pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Anvil:
    """A node that can be stopped, frozen, killed and started again on the same port."""

    options: tuple[str, ...] = ()
    chain_id: int = CHAIN_ID
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [str(binary()), "--port", str(self.port), "--chain-id", str(self.chain_id), *FREE, *self.options]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "anvil died at its start"
            try:
                self.rpc("eth_chainId")
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("anvil did not start")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait(20)
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def rpc(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            told = json.loads(answer.read())
        assert "error" not in told, told
        return told["result"]


@contextmanager
def anvil(*options: str, chain_id: int = CHAIN_ID) -> Iterator[Anvil]:
    need()
    node = Anvil(options, chain_id)
    node.start()
    try:
        yield node
    finally:
        node.stop(signal.SIGKILL)


def kept(path: Path) -> tuple[str, ...]:
    """Options for a node that remembers its chain. Without a fixed time it makes up another genesis at some restarts."""
    return ("--state", str(path), "--timestamp", str(int(time.time())))


KEYS = itertools.count(0xC0FFEE)


def new_key() -> str:
    """Another account for every sink of the tests."""
    return f"{next(KEYS):064x}"


def sink(
    store: Store,
    url: str,
    *,
    name: str = "bank",
    key: str | None = None,
    contract: str | None = None,
    profile: str = "dev",
    signer: Signer = SIGNER,
    timeout: float = 2.0,
    resend: float = 0.5,
    **options: Any,
) -> Any:
    """An EvmChain over a journal in `store`."""
    from dataclasses import replace

    from gateway.chain.evm import PROFILES, Endpoint
    from gateway.chain.evm.lane import account_of
    from gateway.chain.evm.sink import EvmChain
    from gateway.lanes import StoreJournal

    key = key or new_key()
    journal = StoreJournal(store, name, account_of(key).address.lower())
    limits = replace(PROFILES[profile], resend=resend)
    made = EvmChain(name, Endpoint(url, CHAIN_ID, contract, timeout), limits, signer, journal, key, **options)
    made.pace = 0.05
    return made


def declared(url: str, variable: str, **more: object) -> str:
    """A sink of gateway.yaml whose key is in an environment variable."""
    said = {"kind": "evm", "profile": "dev", "url": f'"{url}"', "chain_id": CHAIN_ID, "timeout": "2s", **more}
    said["secrets"] = f"{{sender: {{env: {variable}}}}}"
    return "{" + ", ".join(f"{key}: {value}" for key, value in said.items()) + "}"


def attempt(chain: Any, batch: SealedBatch) -> Receipt | None:
    """One look or one sending."""
    found: Receipt | None = chain.submit(batch.manifest_bytes, batch.signature).receipt
    return found


def settle(chain: Any, batches: Sequence[SealedBatch], seconds: float = 20.0) -> list[Receipt]:
    """Submits until all are final, through whatever the node answers."""
    from gateway.chain import ChainUnavailable

    receipts: dict[str, Receipt] = {}
    deadline = time.monotonic() + seconds
    while len(receipts) < len(batches):
        assert time.monotonic() < deadline, f"{len(receipts)} of {len(batches)} were final"
        for batch in batches:
            if batch.batch_id not in receipts:
                try:
                    receipt = attempt(chain, batch)
                except ChainUnavailable:
                    break
                if receipt is not None:
                    receipts[batch.batch_id] = receipt
        time.sleep(0.05)
    return [receipts[batch.batch_id] for batch in batches]


def must_hold(chain: Any, batches: Sequence[SealedBatch]) -> None:
    """Each batch is there exactly once, and is what was sent."""
    found = [block.batch_id for block, _manifest in chain.blocks(chain.signer)]
    assert sorted(found) == sorted(batch.batch_id for batch in batches)
    for batch in batches:
        assert chain.read(batch.batch_id) == batch.manifest_bytes
