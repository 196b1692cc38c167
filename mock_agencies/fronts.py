"""前置库: contracts of land and assistances as tables that an exchange fills (china-facts §1.4, §3.5).

Everything is text, also times and numbers. Each row has a number of the exchange (GJ_ID), the exchange's time, its batch,
what was done (CZLX I, U, D) and, unless the source is filled anew each time, whether the row is withdrawn (JHPT_DELETE).
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from mock_agencies.contracts import MEMBERS, PLOTS
from mock_agencies.items import Item, Raw
from mock_agencies.world import World


class Connection(Protocol):
    """What sqlite3 and psycopg connections have in common here; both take `?` or `%s` as `Front.mark` says."""

    def cursor(self) -> Any: ...
    def commit(self) -> None: ...
    def close(self) -> None: ...


CONTRACT: Final = {
    "CBHT": (
        *("CBHTBM", "FBFBM", "FBFMC", "CBFBM", "CBFS", "CBQXQ", "CBQXZ", "QDSJ", "HTZMJ", "HTZMJM", "CBDKZS", "GXSJ"),
    ),
    "CBF": ("CBFBM", "CBFLX", "CBFMC", "CBFZJLX", "CBFZJHM", "CBFCYSL", "CBFDZ", "LXDH"),
    "CBJYQZDJB": ("CBJYQZBM", "CBJYQZLSH"),
    PLOTS: (
        *("DKBM", "DKMC", "DKLB", "TDYT", "DLDJ", "SFJBNT", "CBJYQQDFS", "HTMJ", "HTMJM", "SFQQQG", "DKDZ", "DKXZ"),
    ),
    MEMBERS: ("CYXM", "CYZJLX", "CYZJHM", "YHZGX", "SFGYR", "CYBZ"),
}
"""Tables of NY/T 2539 and their columns; HT_ID of the four others is GJ_ID of CBHT. What DKXX holds of a plot stands in CBDKXX,
as counties join them in the view that they hand over."""
ASSISTANCE: Final = {
    "T_MZ_SHJZ": (
        "JZZH",
        "JZLX",
        "BZLB",
        "QSNY",
        "ZZNY",
        "SSNY",
        "BZRK",
        "QHDM",
        "XM",
        "SFZH",
        "BZJE",
        "YHZH",
        "ZPYY",
        "GXSJ",
    ),
}
_EXCHANGE: Final = ("JHPT_UPDATE_TIME", "DSJZX_TASKID", "CZLX")
_LATE: Final = timedelta(minutes=8)
"""By which rows are committed later than they are stamped."""

Row = tuple[str, str, Raw]
"""Table, number of the exchange, columns."""


@dataclass(frozen=True)
class Dialect:
    """How the exchange fills this database."""

    refreshed: bool = False
    """Filled anew each time, without JHPT_DELETE: who is no longer listed is simply not there."""
    time_format: str = "%Y-%m-%d %H:%M:%S"
    """How the exchange writes its time."""


@dataclass
class _Kept:
    """One row as the database has it."""

    columns: Raw
    withdrawn: bool = False


@dataclass
class Front:
    """A front-end database of one dataset, `contracted_land` or `assistance`. `publish` after each `World.advance`.

    `connect` opens it; `Front.at` opens a file of SQLite.
    """

    world: World
    dataset: str
    connect: Callable[[], Connection]
    dialect: Dialect = field(default_factory=Dialect)
    mark: str = "?"
    """How a parameter is written."""

    def __post_init__(self) -> None:
        self.tables: Mapping[str, tuple[str, ...]] = CONTRACT if self.dataset == "contracted_land" else ASSISTANCE
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._numbers: dict[tuple[str, ...], str] = {}
        self._held_back: list[tuple[str, str, dict[str, str | None]]] = []
        with self._open() as cursor:
            for table, columns in self.tables.items():
                names = [*(["HT_ID"] if self._is_beside(table) else []), *columns, *self._technical]
                every = ",".join(f"{name} VARCHAR(400)" for name in names)
                cursor.execute(f"CREATE TABLE {table} (GJ_ID VARCHAR(40) PRIMARY KEY,{every})")

    @classmethod
    def at(cls, world: World, dataset: str, path: Any, dialect: Dialect | None = None) -> "Front":
        """A file of SQLite that other processes read at the same time."""
        with sqlite3.connect(path) as made:
            made.execute("PRAGMA journal_mode=WAL")
        made.close()
        return cls(world, dataset, lambda: sqlite3.connect(path, timeout=30), dialect or Dialect())

    @property
    def _technical(self) -> tuple[str, ...]:
        return _EXCHANGE if self.dialect.refreshed else (*_EXCHANGE, "JHPT_DELETE")

    def _is_beside(self, table: str) -> bool:
        return table in CONTRACT and table != "CBHT"

    @contextmanager
    def _open(self) -> Iterator[Any]:
        connection = self.connect()
        try:
            yield connection.cursor()
            connection.commit()
        finally:
            connection.close()

    def publish(self, late: int = 0) -> int:
        """Exchanges what is new; answers how many rows. `late`: so many are stamped now and committed by the next call."""
        now = datetime.fromisoformat(self.world.now)
        wanted = {row[:2]: row[2] for item in self.world.items(self.dataset) for row in self._rows(item)}
        written = []
        for place, columns in wanted.items():
            kept = self._kept.get(place)
            if kept is None or kept.withdrawn or kept.columns != columns:
                written.append((*place, "I" if kept is None else "U"))
                self._kept[place] = _Kept(columns)
        gone = [place for place, kept in self._kept.items() if place not in wanted and not kept.withdrawn]
        for place in gone:
            written.append((*place, "D"))
            self._kept[place].withdrawn = True
        ready, self._held_back = self._held_back, []
        for nth, (table, number, kind) in enumerate(written):
            is_late = nth >= len(written) - late
            at = now - _LATE if is_late else now - timedelta(seconds=(len(written) - nth) % 300)
            row = self._stamped(table, number, kind, at)
            (self._held_back if is_late else ready).append((table, number, row))
        with self._open() as cursor:
            self._refill(cursor, now) if self.dialect.refreshed else self._write(cursor, ready)
        return len(ready)

    def _stamped(self, table: str, number: str, kind: str, at: datetime) -> dict[str, str | None]:
        columns = {
            name: None if value is None else str(value) for name, value in self._kept[table, number].columns.items()
        }
        stamp = {
            "JHPT_UPDATE_TIME": at.strftime(self.dialect.time_format),
            "DSJZX_TASKID": f"T{self.world.day:05d}",
            "CZLX": kind,
        }
        more = {} if self.dialect.refreshed else {"JHPT_DELETE": "1" if kind == "D" else "0"}
        return {"GJ_ID": number, **columns, **stamp, **more}

    def _write(self, cursor: Any, rows: list[tuple[str, str, dict[str, str | None]]]) -> None:
        for table, number, row in rows:
            cursor.execute(f"DELETE FROM {table} WHERE GJ_ID={self.mark}", (number,))  # noqa: S608 # names of this module
            self._insert(cursor, table, row)

    def _refill(self, cursor: Any, now: datetime) -> None:
        for table in self.tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 # names of this module
        for (table, number), kept in self._kept.items():
            if not kept.withdrawn:
                self._insert(cursor, table, self._stamped(table, number, "I", now))

    def _insert(self, cursor: Any, table: str, row: Mapping[str, str | None]) -> None:
        marks = ",".join([self.mark] * len(row))
        into = f"{table} ({','.join(row)})"
        cursor.execute(f"INSERT INTO {into} VALUES ({marks})", tuple(row.values()))  # noqa: S608 # names of this module

    def _rows(self, item: Item) -> Iterator[Row]:
        """The rows an item is made of. The exchange numbers rows as it meets them: the second of a pair is another row."""
        number = self._number(item.key, str(item.ordinal))
        if self.dataset != "contracted_land":
            yield "T_MZ_SHJZ", number, {name: item.raw[name] for name in ASSISTANCE["T_MZ_SHJZ"]}
            return
        for table in ("CBHT", "CBF", "CBJYQZDJB"):
            tie = {"HT_ID": number} if self._is_beside(table) else {}
            yield table, number, tie | {name: item.raw[name] for name in CONTRACT[table]}
        for table in (PLOTS, MEMBERS):
            for nth, element in enumerate(item.raw[table]):
                row = {"HT_ID": number} | {name: element[name] for name in CONTRACT[table]}
                yield table, self._number(item.key, str(item.ordinal), table, f"{nth:03d}"), row

    def _number(self, *what: str) -> str:
        return self._numbers.setdefault(what, f"{len(self._numbers) + 1:010d}")
