"""The demonstration's loan: a bank of its own, in a process of its own, asks a served gateway over the API."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from gateway.app import Gateway
from gateway.audit import Actor
from gateway.errors import Unreconciled
from gateway.people import Grant
from gateway.web import build

KEY: Final = "demo-branch"
SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Loan:
    """What the bank decided, and where it keeps the report."""

    number: str
    report: str
    asked: int
    granted: int
    why: str
    pdf: Path


def lend(gateway: Gateway, institution: str, id_no: str, name: str, headers: Path) -> Loan:
    """An application at the bank of `mock_agencies`: consent, query, archive, check, decision.

    Raises:
        Unreconciled: it did not come to a decision.
    """
    key = gateway.api_keys.add(KEY, [Grant.parse(f"bank:{institution}")], Actor.system(), 1)
    words = ["apply", "--home", str(gateway.settings.data / "bank"), "--institution", institution]
    words += ["--signer", str(gateway.paths.signer_public), "--headers", str(headers)]
    words += ["--today", gateway.clock.today().isoformat()]
    with _served(gateway) as address:
        done = subprocess.run(  # noqa: S603 # our own demonstration
            [sys.executable, "-m", "mock_agencies.bank", *words, "--api", address],
            input=f"{id_no}\n{name}",
            env={"SHUQIAO_BANK_KEY": key, "PATH": os.environ.get("PATH", "")},
            capture_output=True,
            text=True,
            check=False,
        )
    gateway.api_keys.revoke(KEY)
    if done.returncode:
        raise Unreconciled("银行没有办成贷款：{why}", why=done.stderr.strip()[-400:])
    told = json.loads(done.stdout)
    return Loan(**{**told, "pdf": Path(told["pdf"])})


@contextmanager
def _served(gateway: Gateway) -> Iterator[str]:
    """The web application on a free port of this machine, while it is needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(build(gateway, lambda: True), port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, name="loan")
    thread.start()
    try:
        until = time.monotonic() + SECONDS
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
