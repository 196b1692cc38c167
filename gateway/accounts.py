"""An account's secrets and allowance, kept in the store so that every process shares them (DESIGN §6, §7)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from adapters.kit import AccountState, Allowance, Rotating, SourceDenied, SourceUnavailable, after, may_call, resume
from gateway.clock import Clock
from gateway.config import AccountModel, resolve
from gateway.errors import Busy
from gateway.leases import Leases, gone
from gateway.store import Store, Tx
from gateway.vault import Vault

RENEWAL_WAIT: Final = 30.0
PATIENCE: Final = 60.0
"""Seconds a call waits for a place among its account's concurrent calls, or for the minute's allowance."""


class AccountSecrets:
    """The kit's `Secrets` for one account: references from its configuration, rotating ones sealed in the store."""

    def __init__(
        self, name: str, account: AccountModel, root: Path, store: Store, vault: Vault, leases: Leases
    ) -> None:
        self._name, self._account, self._root = name, account, root
        self._store, self._vault, self._leases = store, vault, leases

    def get(self, name: str) -> str:
        ref = self._account.secrets.get(name)
        if ref is None:
            raise SourceDenied("AUTH_CONFIG", "账号 {account} 没有配置密钥 {secret}", account=self._name, secret=name)
        try:
            return resolve(ref, self._root)
        except LookupError as error:
            raise SourceDenied(
                "AUTH_CONFIG", "账号 {account} 的密钥 {secret} 取不到", account=self._name, secret=name
            ) from error

    def rotating(self, name: str) -> Rotating | None:
        with self._store.read() as tx:
            row = tx.one("secret_get", account=self._name, name=name)
        if row is None:
            return None
        text = self._vault.open(f"secret/{self._name}/{name}", row.sealed).decode()
        return Rotating(text, datetime.fromisoformat(row.expires_at))

    def store(self, name: str, secret: Rotating) -> None:
        sealed = self._vault.seal(f"secret/{self._name}/{name}", secret.text.encode())
        with self._store.write() as tx:
            tx.run("secret_put", account=self._name, name=name, expires_at=secret.expires_at.isoformat(), sealed=sealed)

    @contextmanager
    def renewal(self, name: str) -> Iterator[None]:
        try:
            with self._leases.take(f"secret:{self._name}/{name}", wait=RENEWAL_WAIT):
                yield
        except Busy as error:
            raise SourceUnavailable("AUTH_EXPIRED", "账号 {account} 的密钥正在更新", account=self._name) from error


class _Account(msgspec.Struct, frozen=True):
    """One row of the store: the kit's state, and which process holds each place among the calls under way."""

    state: AccountState = AccountState()
    holders: tuple[str, ...] = ()


def account_states(tx: Tx) -> dict[str, AccountState]:
    """What every account used and what went wrong with it, by name."""
    return {row.name: msgspec.json.decode(row.state, type=_Account).state for row in tx.all("accounts")}


class AccountBudget:
    """The kit's `Budget` over one row of the store, changed by compare-and-set. Places of dead processes are free again."""

    def __init__(self, name: str, policy: Allowance, store: Store, clock: Clock, process: str) -> None:
        self._name, self._policy, self._store, self._clock, self._process = name, policy, store, clock, process

    def call(self) -> AbstractContextManager[None]:
        return self._call()

    @contextmanager
    def _call(self) -> Iterator[None]:
        self._wait_to_enter()
        outcome: Exception | None = None
        try:
            yield
        except (SourceUnavailable, SourceDenied) as error:
            outcome = error
            raise
        finally:
            self._change(lambda account: self._left(account, outcome))

    def _wait_to_enter(self) -> None:
        """Takes a place; one that comes free shortly is waited for, since every feed of the account shares them."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._change(self._entered)
            except SourceUnavailable as error:
                wait = error.retry_after
                if error.code != "THROTTLED" or wait is None or time.monotonic() + wait > deadline:
                    raise
            time.sleep(min(wait, 0.05))

    def _entered(self, account: _Account) -> _Account:
        alive = tuple(h for h in account.holders if not gone(h))
        dead = len(account.holders) - len(alive)
        state = replace(account.state, running=account.state.running[dead:])
        return _Account(may_call(state, self._policy, self._clock.real()), (*alive, self._process))

    def _left(self, account: _Account, outcome: Exception | None) -> _Account:
        holders = list(account.holders)
        if self._process in holders:
            holders.remove(self._process)
        return _Account(after(account.state, self._policy, outcome, self._clock.real()), tuple(holders))

    def _change(self, step: Callable[[_Account], _Account]) -> None:
        while True:
            with self._store.write() as tx:
                row = tx.one("account_get", name=self._name)
                if row is None:
                    tx.run("account_add", name=self._name, state=msgspec.json.encode(_Account()).decode())
                    continue
                changed = msgspec.json.encode(step(msgspec.json.decode(row.state, type=_Account))).decode()
                if tx.run("account_swap", name=self._name, state=changed, revision=row.revision):
                    return
            time.sleep(0.01)


def resume_account(store: Store, name: str) -> None:
    """A person has acted: a stopped account is asked again, and its breaker is closed."""
    with store.write() as tx:
        row = tx.one("account_get", name=name)
        if row is None:
            return
        account = msgspec.json.decode(row.state, type=_Account)
        changed = msgspec.json.encode(msgspec.structs.replace(account, state=resume(account.state))).decode()
        tx.run("account_swap", name=name, state=changed, revision=row.revision)
