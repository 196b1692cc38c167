"""Opening the store, transactions, and named queries.

SQLite runs WAL with `synchronous=FULL`; a write transaction is `BEGIN IMMEDIATE`, so it never fails half-way for want of
a lock. Queries live in `sql/*.sql`, each named and explained; `:name` parameters suit both databases.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

BUSY_MILLISECONDS: Final = 30_000
TRIM_MILLISECONDS: Final = 2_000
SQLITE_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=OFF",  # parents are written in the same transaction; the check costs 6 % of a first load
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
    "PRAGMA cache_size=-4096",  # the system caches the file too; more here is memory a connection, and no faster
    "PRAGMA journal_size_limit=134217728",
    "PRAGMA wal_autocheckpoint=16000",
    "PRAGMA temp_store=MEMORY",
)

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]+)")
_VALUES = re.compile(r"VALUES (\([^)]*\))")
IN_LIST: Final = "(:list)"
ROWS_A_STATEMENT: Final = 32


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
    """One open transaction. Every method names a query of `sql/`; rows are named tuples.

    Statements go to the driver's own cursor: SQLAlchemy keeps the pool and the schema, and its path for a statement costs
    more than most of ours do.
    """

    def __init__(self, cursor: Any, postgres: bool) -> None:
        self._cursor = cursor
        self.postgres = postgres

    def _execute(self, query: str, values: Any) -> None:
        self._cursor.execute(_for_driver(queries()[query], self.postgres), values)

    def _row(self, query: str) -> Callable[[Iterable[Any]], Any]:
        columns = tuple(column[0] for column in self._cursor.description)
        make: Callable[[Iterable[Any]], Any] = _row_type(query, columns)._make
        return make

    def run(self, query: str, /, **values: Any) -> int:
        """Executes; the number of rows touched."""
        self._execute(query, values)
        return int(self._cursor.rowcount)

    def all(self, query: str, /, **values: Any) -> list[Any]:
        self._execute(query, values)
        return list(map(self._row(query), self._cursor.fetchall()))

    def all_plain(self, query: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """As `all`, in bare tuples: for whole pages."""
        self._execute(query, values)
        out: list[tuple[Any, ...]] = self._cursor.fetchall()
        return out

    def one(self, query: str, /, **values: Any) -> Any | None:
        self._execute(query, values)
        row = self._cursor.fetchone()
        return None if row is None else self._row(query)(row)

    def value(self, query: str, /, **values: Any) -> Any:
        """The first column of the only row; raises LookupError when there is none."""
        self._execute(query, values)
        row = self._cursor.fetchone()
        if row is None:
            raise LookupError(query)
        return row[0]

    def many(self, query: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Executes once for each row of positional values: the bulk path."""
        if rows:
            self._cursor.executemany(_for_driver(queries()[query], self.postgres), rows)

    def bulk(self, query: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """As `many`, for an INSERT, several rows a statement: a third cheaper."""
        whole = len(rows) - len(rows) % ROWS_A_STATEMENT
        if whole:
            width = len(rows[0]) * ROWS_A_STATEMENT
            flat = list(chain.from_iterable(rows[:whole]))
            parts = [flat[at : at + width] for at in range(0, len(flat), width)]
            self._cursor.executemany(_several(queries()[query], self.postgres), parts)
        self.many(query, rows[whole:])

    def among(self, query: str, wanted: Sequence[Any], *values: Any) -> list[Any]:
        """Rows whose `IN (:list)` holds one of `wanted`; `values` fill the `?` before it."""
        rows = self.among_plain(query, wanted, *values)
        return list(map(self._row(query), rows)) if rows else []

    def among_plain(self, query: str, wanted: Sequence[Any], *values: Any) -> list[tuple[Any, ...]]:
        """As `among`, in bare tuples: for whole pages."""
        out: list[tuple[Any, ...]] = []
        mark = "%s" if self.postgres else "?"
        sql = _for_driver(queries()[query], self.postgres)
        for at in range(0, len(wanted), 1000):
            part = wanted[at : at + 1000]
            self._cursor.execute(sql.replace(IN_LIST, f"({','.join([mark] * len(part))})"), (*values, *part))
            out += self._cursor.fetchall()
        return out


@cache
def _row_type(query: str, columns: tuple[str, ...]) -> Any:
    return namedtuple(query, columns)  # noqa: PYI024 # its fields are the query's columns


@cache
def _several(sql: str, postgres: bool) -> str:
    head, values, tail = _VALUES.split(sql)
    return _for_driver(f"{head}VALUES {', '.join([values] * ROWS_A_STATEMENT)}{tail}", postgres)


@cache
def _for_driver(sql: str, postgres: bool) -> str:
    held = sql.replace(IN_LIST, "\0")
    if postgres:
        held = _PARAMETER.sub(r"%(\1)s", held.replace("%", "%%").replace("?", "%s"))
    return held.replace("\0", IN_LIST)


class Store:
    """The store of a gateway: SQLite by default, PostgreSQL shared. Thread-safe; a transaction belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.postgres = engine.dialect.name == "postgresql"
        self.failures: tuple[type[Exception], ...] = (SQLAlchemyError, engine.dialect.dbapi.Error)  # type: ignore[union-attr] # ours have a driver
        """What a database that is away, full or locked raises."""

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
    def write(self, *, scrub: bool = False) -> Iterator[Tx]:
        """All of it or nothing of it. `scrub`: what is deleted or replaced leaves no bytes in SQLite's file behind; see `trim`."""
        begin = "BEGIN" if self.postgres else "BEGIN IMMEDIATE"
        with self._transaction(begin, scrub=scrub and not self.postgres) as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One consistent view."""
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.postgres else "BEGIN") as tx:
            yield tx

    @contextmanager
    def _transaction(self, begin: str, *, scrub: bool = False) -> Iterator[Tx]:
        with ExitStack() as stack:
            cursor = self._begun(stack, begin, scrub=scrub)
            try:
                yield Tx(cursor, self.postgres)
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def _begun(self, stack: ExitStack, begin: str, *, scrub: bool) -> Any:
        """A cursor on which a transaction has begun, given back with `stack`.

        A server that was started again leaves dead connections behind, of which the first use tells: they are let go, once.
        """
        cursor = self._cursor(stack)
        if scrub:
            kept = cursor.execute("PRAGMA secure_delete").fetchone()[0]
            cursor.execute("PRAGMA secure_delete=1")
            stack.callback(cursor.execute, f"PRAGMA secure_delete={kept}")
        try:
            cursor.execute(begin)
        except self.failures:
            if not self.postgres:
                raise
            stack.close()
            self.engine.dispose()
            cursor = self._cursor(stack)
            cursor.execute(begin)
        return cursor

    def _cursor(self, stack: ExitStack) -> Any:
        connection = stack.enter_context(self.engine.connect())
        return stack.enter_context(closing(connection.connection.cursor()))

    @contextmanager
    def alone(self) -> Iterator[Any]:
        """A driver's connection of its own, outside the pool and any transaction; locks of a session live as long as it does."""
        pooled = self.engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        with closing(connection):
            yield connection

    def trim(self) -> bool:
        """Empties SQLite's log, so that nothing deleted is left there either; False while somebody reads what is older."""
        if self.postgres:
            return True
        with self.engine.connect() as connection, closing(connection.connection.cursor()) as cursor:
            cursor.execute(f"PRAGMA busy_timeout={TRIM_MILLISECONDS}")
            busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        return not busy

    def close(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def row_dict(row: Any) -> dict[str, Any]:
    """A row by column name."""
    made: dict[str, Any] = row._asdict()
    return made
