"""Accounts: what each was allowed and has used, whether it was stopped, when its secrets end, and who depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from adapters.kit import AccountState
from adapters.kit.budget import CHINA
from gateway.accounts import account_states
from gateway.clock import SHANGHAI, Clock
from gateway.config import AccountModel, Config, Feed
from gateway.errors import Usage
from gateway.scope import Scope
from gateway.store import Store, Tx


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret's name and where it is looked for; never its value. A renewed one says until when it holds."""

    name: str
    kind: str
    where: str
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class AccountView:
    """One account. Times are real, ISO, Asia/Shanghai."""

    account: str
    title: str | None
    state: str
    """`ok`; `stopped`: a person must act; `cooling`: its breaker is open until `open_until`."""
    stopped: str | None
    open_until: str | None
    failures: int
    running: int
    used_minute: int
    used_day: int
    per_minute: int | None
    per_day: int | None
    concurrency: int
    window: str | None
    secrets: tuple[Secret, ...]
    feeds: tuple[str, ...]
    counties: tuple[str, ...]

    @property
    def spent(self) -> float | None:
        """The part of the day's allowance that is used, 0 to 1; None where there is no limit."""
        return None if self.per_day is None else min(1.0, self.used_day / self.per_day)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def account_views(store: Store, clock: Clock, config: Config, within: Scope) -> list[AccountView]:
    """Every account of the configuration that a feed within uses, by name, with those feeds; without a limit, every account."""
    now = clock.real()
    with store.read() as tx:
        states, expiring = account_states(tx), _expiring(tx)
    using: dict[str, list[Feed]] = {}
    for feed in config.feeds.values():
        if within.sees(feed.county.code, feed.dataset):
            using.setdefault(feed.source.account, []).append(feed)
    return [
        _view(name, model, states.get(name, AccountState()), expiring, using.get(name, []), now)
        for name, model in sorted(config.accounts.items())
        if within.everything or name in using
    ]


def account_view(store: Store, clock: Clock, config: Config, within: Scope, name: str) -> AccountView:
    """One account. Raises Usage: there is none of this name within."""
    views = {found.account: found for found in account_views(store, clock, config, within)}
    if name not in views:
        raise Usage("没有账号 {name}。可用的有：{known}", name=name, known="、".join(views))
    return views[name]


def _expiring(tx: Tx) -> dict[tuple[str, str], str]:
    return {(row.account, row.name): row.expires_at for row in tx.all("secrets_expiring")}


def _view(
    name: str,
    model: AccountModel,
    state: AccountState,
    expiring: Mapping[tuple[str, str], str],
    feeds: Sequence[Feed],
    now: datetime,
) -> AccountView:
    stamp = now.timestamp()
    cooling = state.open_until > stamp
    allowed = model.budget
    return AccountView(
        account=name,
        title=model.title,
        state="stopped" if state.stopped is not None else "cooling" if cooling else "ok",
        stopped=state.stopped,
        open_until=_moment(state.open_until) if cooling else None,
        failures=state.failures,
        running=len(state.running),
        used_minute=state.minute_calls if state.minute == int(stamp // 60) else 0,
        used_day=state.day_calls if state.day == now.astimezone(CHINA).date().isoformat() else 0,
        per_minute=allowed.per_minute,
        per_day=allowed.per_day,
        concurrency=allowed.concurrency,
        window=allowed.window,
        secrets=tuple(_secrets(name, model, expiring)),
        feeds=tuple(feed.name for feed in feeds),
        counties=tuple(sorted({feed.county.code for feed in feeds})),
    )


def _secrets(name: str, model: AccountModel, expiring: Mapping[tuple[str, str], str]) -> Sequence[Secret]:
    """Those of its file, and those that were renewed in the store."""
    told = [
        Secret(secret, kind, str(where), expiring.get((name, secret)))
        for secret, ref in model.secrets.items()
        for kind, where in ref.model_dump(exclude_none=True).items()
    ]
    named = set(model.secrets)
    kept = [
        Secret(key, "store", "", at) for (account, key), at in expiring.items() if account == name and key not in named
    ]
    return [*told, *kept]


def _moment(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, SHANGHAI).isoformat(timespec="seconds")
