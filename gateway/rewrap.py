"""Master keys turn: everything they hold closed is closed again under a fresh one, perhaps of another suite (ADR 0015).

Bounded transactions, each complete: a rewrap that was killed goes on where it stopped, because what is done carries the
new master's id. Names, handles and digests never change, nor does anything that was anchored.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from gateway.corrections import SEALED as CORRECTION
from gateway.errors import Usage
from gateway.inbox import BODY
from gateway.keptback import OVERRIDE
from gateway.keyfiles import keep_keyring, keyring
from gateway.leases import Leases
from gateway.pagegroup import CURSOR, EVIDENCE
from gateway.people.users import TOTP
from gateway.proof import Suite
from gateway.reports.batches import ASKED
from gateway.reports.consents import CONSENT
from gateway.reports.office import REPORT
from gateway.sorter import ITEM, PLACE
from gateway.store import Store, Tx
from gateway.store.segments import resealed
from gateway.vault import Vault

KEYS: Final = "keys"
"""The lease under which masters turn."""
CHUNK: Final = 1000
BODIES: Final = 50
"""Rows a transaction: of keys, and of whole answers."""
_SEALED: Final = (
    ("stale_cursor", "renew_cursor", CURSOR, CHUNK),
    ("stale_item", "renew_item", ITEM, CHUNK),
    ("stale_place", "renew_place", PLACE, CHUNK),
    ("stale_override", "renew_override", OVERRIDE, CHUNK),
    ("stale_totp", "renew_totp", TOTP, CHUNK),
    ("stale_consent", "renew_consent", CONSENT, CHUNK),
    ("stale_batch_line", "renew_batch_line", ASKED, CHUNK),
    ("stale_correction", "renew_correction", CORRECTION, CHUNK),
    ("stale_report", "renew_report", REPORT, BODIES),
    ("stale_evidence", "renew_evidence", EVIDENCE, BODIES),
)
"""What is sealed under a master: how it is found and renewed, its purpose, rows a transaction."""

OnRows = Callable[[int], None]


class Masters:
    """The master keys of one installation."""

    def __init__(self, store: Store, data: Path, leases: Leases) -> None:
        self._store, self._data, self._leases = store, data, leases

    def in_use(self) -> dict[str, int]:
        """How many keys and ciphertexts each master of the ring holds closed."""
        ring, used = keyring(self._data), Counter[str]()
        with self._store.read() as tx:
            for row in tx.all("masters_in_use"):
                used[bytes(row.tag).rstrip(b"\0").decode()] += row.kept
        return {key_id: used[key_id] for key_id in ring.masters}

    def suites(self) -> dict[str, int]:
        """How many segments and statements are encrypted in each suite."""
        used = Counter[str]()
        with self._store.read() as tx:
            for row in tx.all("suites_in_use"):
                used[row.suite] += row.kept
        return dict(used)

    def rotate(self, on_rows: OnRows = lambda _n: None) -> int:
        """A fresh master of the same suite, and everything under it; the number of rows closed again.

        Raises Busy: masters are turning already.
        """
        with self._leases.take(KEYS):
            keep_keyring(self._data, keyring(self._data).rotated())
            return self._rewrap(on_rows)

    def rewrap(self, suite: Suite, on_rows: OnRows = lambda _n: None) -> int:
        """Everything under a master of this suite: a fresh one, or the current one where that is of it. Raises Busy."""
        with self._leases.take(KEYS):
            ring = keyring(self._data)
            if ring.suite is not suite:
                keep_keyring(self._data, ring.rotated(suite))
            return self._rewrap(on_rows)

    def prune(self) -> list[str]:
        """Forgets masters that hold nothing closed; their ids.

        Raises:
            Busy: masters are turning.
            Usage: a feed is being read, or batches are being sealed: with an older master, perhaps.
        """
        with self._leases.take(KEYS):
            ring, used = keyring(self._data), self.in_use()
            idle = [key_id for key_id, count in used.items() if not count and key_id != ring.current]
            with self._store.read() as tx:
                busy = [row.name for row in tx.all("leases_held", now=time.time()) if row.name != KEYS]
            if busy and idle:
                raise Usage("正在使用密钥：{busy}。请先停止 serve 或 worker", busy="、".join(sorted(busy)))
            for key_id in idle:
                ring = ring.without(key_id)
            if idle:
                keep_keyring(self._data, ring)
            return idle

    def _rewrap(self, on_rows: OnRows) -> int:
        vault, done = Vault(keyring(self._data)), 0
        steps = [lambda tx, after: _keys(tx, vault, after), *(_sealed(vault, *which) for which in _SEALED)]
        for step in steps:
            after: int | None = 0
            while after is not None:
                with self._store.write(scrub=True) as tx:
                    after, count = step(tx, after)
                done += count
                on_rows(count)
        for whole in (_secrets, _parcels, _statements, _segment):
            while True:
                with self._store.write(scrub=True) as tx:
                    count = whole(tx, vault)
                done += count
                on_rows(count)
                if not count:
                    break
        self._store.trim()
        return done


def _keys(tx: Tx, vault: Vault, after: int) -> tuple[int | None, int]:
    """Observation keys: the last id seen, None at the end, and how many."""
    rows = tx.all("stale_observation", after=after, tag=vault.tag, count=CHUNK)
    for row in rows:
        tx.run("renew_observation", id=row.id, was=row.sealed, sealed=vault.rewrap(row.sealed))
    return (rows[-1].id if rows else None), len(rows)


def _sealed(
    vault: Vault, stale: str, renew: str, purpose: str, count: int
) -> Callable[[Tx, int], tuple[int | None, int]]:
    def step(tx: Tx, after: int) -> tuple[int | None, int]:
        rows = tx.all(stale, after=after, tag=vault.tag, count=count)
        for row in rows:
            tx.run(renew, id=row.id, was=row.sealed, sealed=vault.reseal(purpose, row.sealed))
        return (rows[-1].id if rows else None), len(rows)

    return step


def _secrets(tx: Tx, vault: Vault) -> int:
    rows = tx.all("stale_secret", tag=vault.tag)
    for row in rows:
        sealed = vault.reseal(f"secret/{row.account}/{row.name}", row.sealed)
        tx.run("renew_secret", account=row.account, name=row.name, was=row.sealed, sealed=sealed)
    return len(rows)


def _parcels(tx: Tx, vault: Vault) -> int:
    rows = tx.all("stale_parcel", tag=vault.tag, count=BODIES)
    for row in rows:
        sealed = vault.reseal(BODY, row.sealed)
        tx.run("renew_parcel", feed_id=row.feed_id, position=row.position, was=row.sealed, sealed=sealed)
    return len(rows)


def _statements(tx: Tx, vault: Vault) -> int:
    rows = tx.all("stale_statement", tag=vault.tag, suite=vault.suite.name, count=CHUNK)
    for row in rows:
        sealed = row.sealed
        if row.suite != vault.suite.name:
            key = vault.unwrap(row.wrapped_key)
            text = vault.open_version(key, row.number, row.handle, row.sealed, row.suite)
            (sealed,) = vault.seal_versions([key.rest], [row.number], [row.handle], [text])
        tx.run(
            "renew_statement",
            stream_id=row.stream_id,
            seq=row.seq,
            was=row.wrapped_key,
            suite=vault.suite.name,
            sealed=sealed,
            wrapped_key=vault.rewrap(row.wrapped_key),
        )
    return len(rows)


def _segment(tx: Tx, vault: Vault) -> int:
    """One segment's versions, encrypted in the suite of now; what was erased stays as unreadable as it was."""
    row: Any = tx.one("stale_segment", suite=vault.suite.name)
    if row is None:
        return 0

    def reseal(version: Any) -> bytes:
        key = vault.unwrap(version.wrapped_key)
        text = vault.open_version(key, version.number, version.handle, version.sealed, version.suite)
        return vault.seal_versions([key.rest], [version.number], [version.handle], [text])[0]

    return tx.run("renew_segment", id=row.id, was=row.suite, suite=vault.suite.name, body=resealed(tx, row, reseal))
