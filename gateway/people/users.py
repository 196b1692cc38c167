"""Users: added, named to roles, locked, given a new password, and let in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway.audit import Actor, names_a_person
from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import GatewayError, Usage
from gateway.people import credentials
from gateway.people.roles import ADMINISTRATORS, Grant, Role, compatible, named
from gateway.store import Store, Tx
from gateway.vault import Vault

FAILURES: Final = 5
BARRED: Final = 15 * 60
"""Seconds an account stays closed after so many failures in a row."""
PASSWORD_DAYS: Final = 90
IDLE: Final = 30 * 60
LONGEST: Final = 12 * 3600
"""Seconds a session lives unused, and at most."""
TOUCHED: Final = 30
"""Seconds within which a use of a session is not written again."""
TOTP: Final = "totp"
NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Compared with where there is no such user, so that an answer takes as long."""


class NoEntry(GatewayError):
    """Name, password or code is wrong, or the account is closed: which of them is not told. `code` and the name of a
    user there is go into the audit log; what was typed as a name never does, for it may be a password.
    """

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(
            "登录名、口令或动态口令不对；连续 {failures} 次不对，账号停用 {minutes} 分钟",
            failures=FAILURES,
            minutes=BARRED // 60,
        )
        self.code, self.name = code, name


@dataclass(frozen=True, slots=True)
class User:
    """One account. `must` says what its owner has to do before anything else: `password`, `totp`, or nothing."""

    name: str
    title: str
    state: str
    grants: tuple[Grant, ...]
    has_totp: bool
    must: str
    barred: bool
    created_at: str
    created_by: str
    seen_at: str | None

    @property
    def actor(self) -> Actor:
        return Actor.user(self.name)

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"grants": [str(grant) for grant in self.grants]}


class Users:
    """The users of one store. Real time throughout: a business clock that is moved opens and closes no door."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, config: Callable[[], Config]) -> None:
        self._store, self._vault, self._clock, self._config = store, vault, clock, config

    def none(self) -> bool:
        """Whether nobody was ever added."""
        with self._store.read() as tx:
            return not tx.value("logins_any")

    def all(self) -> list[User]:
        with self._store.read() as tx:
            held: dict[str, list[Grant]] = {}
            for row in tx.all("grants"):
                held.setdefault(row.holder, []).append(Grant(Role(row.role), row.place))
            return [self._user(row, held.get(str(Actor.user(row.name)), [])) for row in tx.all("logins")]

    def get(self, name: str) -> User:
        """Raises Usage."""
        with self._store.read() as tx:
            row = self._row(tx, name)
            return self._user(row, grants_of(tx, Actor.user(row.name)))

    def add(self, name: str, title: str, grants: Iterable[Grant], by: Actor, *, lasting: bool = False) -> str:
        """A new user; the password to begin with, which is nowhere kept. `lasting`: it need not be changed, in a demonstration.

        Raises:
            Usage: the name is taken or no name, the title names a person by number, or the roles do not go together.
        """
        name, title, password = named(name), title.strip() or name, credentials.first_password()
        if names_a_person(title) or len(title) > 64:  # a title is shown, it is no place for numbers
            raise Usage("称呼不超过 64 个字，不要写手机号或证件号")
        held = compatible(grants, self._config())
        with self._store.write() as tx:
            added = tx.run(
                "login_add",
                name=name,
                title=title,
                password=credentials.hashed(password),
                provisional=int(not lasting),
                now=self._now(),
                at=self._clock.stamp(),
                by=str(by),
            )
            if not added:
                raise Usage("已有用户 {name}", name=name)
            write_grants(tx, Actor.user(name), held)
        return password

    def grant(self, name: str, grants: Iterable[Grant]) -> Sequence[Grant]:
        """Gives a user these roles and no others; sessions begun under the old ones end. Raises Usage."""
        held = compatible(grants, self._config())
        with self._store.write() as tx:
            row = self._row(tx, name)
            write_grants(tx, Actor.user(row.name), held)
            tx.run("sessions_end", login_id=row.id, kept=b"")
        return held

    def lock(self, name: str) -> None:
        """Closes an account until it is opened again. Raises Usage."""
        with self._store.write() as tx:
            row = self._row(tx, name)
            tx.run("login_state", id=row.id, state="locked")
            tx.run("sessions_end", login_id=row.id, kept=b"")

    def unlock(self, name: str) -> None:
        """Opens an account that was closed, by a person or by failures. Raises Usage."""
        with self._store.write() as tx:
            tx.run("login_state", id=self._row(tx, name).id, state="active")

    def reset(self, name: str) -> str:
        """A new password to begin with; all sessions end. Raises Usage."""
        password = credentials.first_password()
        with self._store.write() as tx:
            row = self._row(tx, name)
            self._password(tx, row.id, password, provisional=1)
            tx.run("sessions_end", login_id=row.id, kept=b"")
        return password

    def choose(self, name: str, old: str, new: str, session: str) -> None:
        """The owner's own password; every other session of theirs ends.

        Raises:
            NoEntry: the old one is wrong.
            Usage: the new one will not do.
        """
        with self._store.read() as tx:
            row = self._row(tx, name)
        if not self._open(row) or not credentials.is_password(old, row.password):
            raise NoEntry("PASSWORD", row.name)
        credentials.acceptable(new, row.name)
        if new == old:
            raise Usage("新口令不能和旧口令一样")
        with self._store.write() as tx:
            self._password(tx, row.id, new, provisional=0)
            tx.run("sessions_end", login_id=row.id, kept=credentials.digest(session))

    def bind(self, name: str, key: bytes, code: str) -> None:
        """From now on this user logs in with a code of `key` too. Raises Usage: the code is not of this key."""
        step = credentials.totp_step(key, code, self._now())
        if step is None:
            raise Usage("动态口令不对：请核对手机的时间，再输入现在显示的六位数字")
        with self._store.write() as tx:
            row = self._row(tx, name)
            if row.totp is not None:
                raise Usage("{name} 已经绑定动态口令；换手机请安全管理员先解除", name=name)
            tx.run("login_totp", id=row.id, totp=self._vault.seal(TOTP, key), step=step)

    def unbind(self, name: str) -> None:
        """The user binds another authenticator at the next log-in; all sessions end. Raises Usage."""
        with self._store.write() as tx:
            row = self._row(tx, name)
            tx.run("login_totp", id=row.id, totp=None, step=0)
            tx.run("sessions_end", login_id=row.id, kept=b"")

    def enter(self, name: str, password: str, code: str) -> str:
        """Begins a session; the secret of its cookie, which is nowhere kept.

        Raises:
            NoEntry: and counts it, so that five in a row close the account for a while.
        """
        now = self._now()
        with self._store.read() as tx:
            row = tx.one("login_get", name=name.strip().lower())
        if row is None:
            credentials.is_password(password, NOBODY)
            raise NoEntry("UNKNOWN")
        if not self._open(row):
            credentials.is_password(password, row.password)
            raise NoEntry("LOCKED" if row.state != "active" else "BARRED", row.name)
        session = credentials.secret()
        with self._store.write() as tx:
            tx.run("login_failed", id=row.id, now=now, most=FAILURES, until=now + BARRED)
        if not credentials.is_password(password, row.password):
            raise NoEntry("PASSWORD", row.name)
        step = 0
        if row.totp is not None:
            found = credentials.totp_step(self._vault.open(TOTP, row.totp), code, now)
            if found is None:
                raise NoEntry("CODE", row.name)
            step = found
        with self._store.write() as tx:
            if not tx.run("login_entered", id=row.id, step=step, at=self._clock.stamp()):
                raise NoEntry("CODE_USED", row.name)
            tx.run("sessions_expire", idle=now - IDLE, oldest=now - LONGEST)
            tx.run("session_add", digest=credentials.digest(session), login_id=row.id, now=now)
        return session

    def of_session(self, session: str, *, used: bool) -> User | None:
        """Whose session this is; None when it ended. `used`: a person did something, a page that renews itself did not."""
        key, now = credentials.digest(session), self._now()
        with self._store.read() as tx:
            row = tx.one("session_get", digest=key)
            if row is None or row.seen < now - IDLE or row.began < now - LONGEST:
                return None
            login = self._row(tx, row.name)
            user = self._user(login, grants_of(tx, Actor.user(login.name)))
        if used and now - row.seen > TOUCHED:
            with self._store.write() as tx:
                tx.run("session_touch", digest=key, now=now)
        return user

    def leave(self, session: str) -> None:
        """Ends a session."""
        with self._store.write() as tx:
            tx.run("session_end", digest=credentials.digest(session))

    def _password(self, tx: Tx, login_id: int, password: str, *, provisional: int) -> None:
        now = self._now()
        tx.run("login_password", id=login_id, password=credentials.hashed(password), provisional=provisional, now=now)

    def _open(self, row: Any) -> bool:
        return bool(row.state == "active" and row.barred_until <= self._now())

    def _row(self, tx: Tx, name: str) -> Any:
        row = tx.one("login_get", name=name.strip().lower())
        if row is None:
            raise Usage("没有用户 {name}", name=name)
        return row

    def _user(self, row: Any, grants: Sequence[Grant]) -> User:
        now = self._now()
        must = ""
        if row.provisional or row.chosen_at < now - PASSWORD_DAYS * 86400:
            must = "password"
        elif row.totp is None and any(grant.role in ADMINISTRATORS for grant in grants):
            must = "totp"
        return User(
            name=row.name,
            title=row.title,
            state=row.state,
            grants=tuple(grants),
            has_totp=row.totp is not None,
            must=must,
            barred=row.barred_until > now,
            created_at=row.created_at,
            created_by=row.created_by,
            seen_at=row.seen_at,
        )

    def _now(self) -> float:
        return self._clock.real().timestamp()


def grants_of(tx: Tx, holder: Actor) -> list[Grant]:
    """What a user or a key holds."""
    return [Grant(Role(row.role), row.place) for row in tx.all("grants_of", holder=str(holder))]


def write_grants(tx: Tx, holder: Actor, grants: Iterable[Grant]) -> None:
    """These and no others."""
    tx.run("grants_clear", holder=str(holder))
    for grant in grants:
        tx.run("grant_add", holder=str(holder), role=str(grant.role), place=grant.place)
