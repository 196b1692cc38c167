"""API keys: how programs come in. Kept as a hash, told apart by their first characters, ended by date or by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from gateway.audit import Actor
from gateway.clock import SHANGHAI, Clock
from gateway.config import Config
from gateway.errors import Usage
from gateway.people import credentials
from gateway.people.roles import Grant, compatible, named
from gateway.people.users import grants_of, write_grants
from gateway.store import Store, Tx

DAYS: Final = 365
"""How long a key lives when nothing is said."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key, without its secret."""

    name: str
    prefix: str
    state: str
    grants: tuple[Grant, ...]
    created_at: str
    created_by: str
    expires_on: str
    used_at: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"grants": [str(grant) for grant in self.grants]}


class Keys:
    """The API keys of one store."""

    def __init__(self, store: Store, clock: Clock, config: Callable[[], Config]) -> None:
        self._store, self._clock, self._config = store, clock, config

    def add(self, name: str, grants: Iterable[Grant], by: Actor, days: int = DAYS) -> str:
        """A new key: its whole text, shown this once.

        Raises:
            Usage: the name was given before, no role is given, or one that no program may hold.
        """
        name, text = named(name), credentials.new_key()
        held = compatible(grants, self._config(), program=True)
        if not held:
            raise Usage("请至少给接口密钥一个角色")
        with self._store.write() as tx:
            added = tx.run(
                "api_key_add",
                name=name,
                prefix=text[: credentials.PREFIX],
                digest=credentials.digest(text),
                at=self._clock.stamp(),
                by=str(by),
                expires=self._now() + days * 86400,
            )
            if not added:
                raise Usage("已有接口密钥 {name}；撤销的名称也不再用", name=name)
            write_grants(tx, Actor.api(name), held)
        return text

    def all(self) -> list[ApiKey]:
        """Every key there ever was, by name."""
        with self._store.read() as tx:
            return [self._key(tx, row) for row in tx.all("api_keys")]

    def revoke(self, name: str) -> None:
        """Ends a key at once. Raises Usage: there is none, or it was revoked before."""
        with self._store.write() as tx:
            if not tx.run("api_key_revoke", name=name.strip().lower(), at=self._clock.stamp()):
                raise Usage("没有可撤销的接口密钥 {name}", name=name)

    def whose(self, text: str) -> Actor | None:
        """Who brings this key; None: nobody's, revoked or expired."""
        with self._store.read() as tx:
            row = tx.one("api_key_by_digest", digest=credentials.digest(text), now=self._now())
        if row is None:
            return None
        stamp = self._clock.stamp()
        if (row.used_at or "")[:16] != stamp[:16]:  # to the minute: a reading program writes nothing else
            with self._store.write() as tx:
                tx.run("api_key_used", id=row.id, at=stamp)
        return Actor.api(row.name)

    def _key(self, tx: Tx, row: Any) -> ApiKey:
        over = row.expires <= self._now()
        return ApiKey(
            name=row.name,
            prefix=row.prefix,
            state="revoked" if row.revoked_at else "expired" if over else "active",
            grants=tuple(grants_of(tx, Actor.api(row.name))),
            created_at=row.created_at,
            created_by=row.created_by,
            expires_on=datetime.fromtimestamp(row.expires, SHANGHAI).date().isoformat(),
            used_at=row.used_at,
        )

    def _now(self) -> float:
        return self._clock.real().timestamp()
