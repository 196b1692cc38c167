"""Opening the store, transactions, and named queries.

SQLite runs WAL with `synchronous=FULL`; a write transaction is `BEGIN IMMEDIATE`, so it never fails half-way for want of
a lock. Queries live in `sql/*.sql`, each named and explained; `:name` parameters suit both databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=OFF",  # parents are written in the same transaction; the check costs 6 % of a first load
    "PRAGMA busy_timeout=30000",
    "PRAGMA cache_size=-65536",
    "PRAGMA journal_size_limit=134217728",
    "PRAGMA wal_autocheckpoint=16000",
    "PRAGMA temp_store=MEMORY",
)

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
IN_LIST: Final = "(:list)"


@cache
def queries() -> dict[str, str]:
    """Name -> SQL, from every `sql/*.sql` beside this module."""
    out: dict[str, str] = {}
    for file in files("gateway.store").joinpath("sql").iterdir():
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text("utf-8"))[1:]
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            lines = [line for line in body.splitlines() if not line.startswith("--")]
            if name in out:
                raise ValueError(f"query {name} is defined twice")
            out[name] = "\n".join(lines).strip()
    return out


class Tx:
    """One open transaction. Every method names a query of `sql/`."""

    def __init__(self, connection: Connection, postgres: bool) -> None:
        self._c = connection
        self.postgres = postgres

    def _sql(self, name: str) -> str:
        return _for_driver(queries()[name], self.postgres)

    def run(self, query: str, /, **values: Any) -> int:
        """Executes; the number of rows touched."""
        return self._c.exec_driver_sql(self._sql(query), values).rowcount

    def all(self, query: str, /, **values: Any) -> list[Any]:
        return list(self._c.exec_driver_sql(self._sql(query), values).fetchall())

    def one(self, query: str, /, **values: Any) -> Any | None:
        return self._c.exec_driver_sql(self._sql(query), values).fetchone()

    def value(self, query: str, /, **values: Any) -> Any:
        """The first column of the only row; raises LookupError when there is none."""
        row = self.one(query, **values)
        if row is None:
            raise LookupError(query)
        return row[0]

    def many(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Executes once for each row of positional values: the bulk path."""
        if rows:
            self._c.exec_driver_sql(self._sql(name), list(rows))

    def among(self, name: str, wanted: Sequence[Any], *values: Any) -> list[Any]:
        """Rows whose `IN (:list)` holds one of `wanted`; `values` fill the `?` before it."""
        out: list[Any] = []
        mark = "%s" if self.postgres else "?"
        for at in range(0, len(wanted), 1000):
            part = wanted[at : at + 1000]
            sql = self._sql(name).replace(IN_LIST, f"({','.join([mark] * len(part))})")
            out += self._c.exec_driver_sql(sql, (*values, *part)).fetchall()
        return out


@cache
def _for_driver(sql: str, postgres: bool) -> str:
    held = sql.replace(IN_LIST, "\0")
    if postgres:
        held = _PARAMETER.sub(r"%(\1)s", held.replace("?", "%s"))
    return held.replace("\0", IN_LIST)


class Store:
    """The store of a gateway: SQLite by default, PostgreSQL shared. Thread-safe; a transaction belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.postgres = engine.dialect.name == "postgresql"

    @classmethod
    def open(cls, url: str) -> Store:
        """Opens without migrating; see `gateway.store.migrate`."""
        engine = create_engine(url, poolclass=QueuePool, pool_size=8, max_overflow=8, isolation_level="AUTOCOMMIT")
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
        return cls(engine)

    @classmethod
    def at(cls, path: Path) -> Store:
        """The embedded store in a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls.open(f"sqlite:///{path}")

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """All of it or nothing of it."""
        with self._transaction("BEGIN" if self.postgres else "BEGIN IMMEDIATE") as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One consistent view."""
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.postgres else "BEGIN") as tx:
            yield tx

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Tx]:
        with self.engine.connect() as connection:
            connection.exec_driver_sql(begin)
            try:
                yield Tx(connection, self.postgres)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def row_dict(row: Any) -> dict[str, Any]:
    """A row by column name."""
    return dict(row._mapping)  # noqa: SLF001 # SQLAlchemy's documented name for it
