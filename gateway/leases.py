"""Leases with fencing tokens: one run per feed, one forwarder, one renewal of a secret, whoever asks (DESIGN §7)."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gateway.errors import Busy
from gateway.store import Store
from gateway.store.pages import LEASE_SECONDS, Fence

HEARTBEAT_SECONDS: Final = LEASE_SECONDS / 4


class Leases:
    """Leases of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.process = f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"
        """Names this process among all that ever shared the store."""

    @contextmanager
    def take(self, name: str, *, wait: float = 0.0) -> Iterator[Fence]:
        """Holds the lease, renewed in the background, until the block ends.

        Raises:
            Busy: somebody else holds it still after `wait` seconds.
        """
        owner = f"{self.process}:{uuid.uuid4().hex[:8]}"
        fence = Fence(name, self._acquire(name, owner, wait))
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(fence, owner, stop), name=f"lease {name}", daemon=True)
        keeper.start()
        try:
            yield fence
        finally:
            stop.set()
            keeper.join()
            with self._store.write() as tx:
                tx.run("lease_release", name=name, owner=owner, token=fence.token)

    def reclaim(self) -> list[str]:
        """Frees leases whose process on this host is gone, so that nobody waits for them to run out; answers their names."""
        freed = []
        with self._store.write() as tx:
            for row in tx.all("leases_held", now=time.time()):
                if gone(row.owner.rpartition(":")[0]):
                    tx.run("lease_release", name=row.name, owner=row.owner, token=row.token)
                    freed.append(row.name)
        return freed

    def _acquire(self, name: str, owner: str, wait: float) -> int:
        deadline = time.monotonic() + wait
        while True:
            now = time.time()
            with self._store.write() as tx:
                row = tx.one("lease_take", name=name, owner=owner, until=now + LEASE_SECONDS, now=now)
            if row is not None:
                return int(row[0])
            if time.monotonic() >= deadline:
                raise Busy("{name} 正由另一个进程处理，本次未动", name=name)
            time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))

    def _keep(self, fence: Fence, owner: str, stop: threading.Event) -> None:
        while not stop.wait(HEARTBEAT_SECONDS):
            with self._store.write() as tx:
                until = time.time() + LEASE_SECONDS
                if not tx.run("lease_renew", name=fence.name, owner=owner, token=fence.token, until=until):
                    return


def gone(process: str) -> bool:
    """Whether a process of this host has ended; False for one of another host, of which we cannot know."""
    host, pid, started = process.rsplit(":", 2)
    return host == socket.gethostname() and started != "?" and _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process of this host began, as the kernel counts; `-` if there is none, `?` where that cannot be known."""
    if not Path("/proc/self/stat").exists():
        return "?"
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[19]
    except OSError:
        return "-"
