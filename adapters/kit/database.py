"""A database that we only read: connecting, read-only transactions with a time limit, and failures named by what to do next.

Any SQLAlchemy dialect whose driver is installed will do; SQLite and PostgreSQL are tested here. Addresses, the password
being a secret of the account and no part of them:

    postgresql+psycopg://user@host:5432/db             pip install 'shuqiao[postgres]'
    oracle+oracledb://user@host:1521/?service_name=…   pip install oracledb
    mysql+pymysql://user@host:3306/db?charset=utf8mb4  pip install pymysql
    dm+dmPython://user@host:5236                       达梦: dmPython and its dialect dmSQLAlchemy
    kingbase+ksycopg2://user@host:54321/db             人大金仓: ksycopg2 and its dialect, from the vendor
    sqlite:////path/to/file.db
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import exc

from adapters.kit.errors import SourceDenied, SourceError, SourceMalformed, SourceUnavailable

CONNECT_SECONDS: Final = 10

_POSTGRES: Final = ("SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = {ms}")
_BEGIN: Final[Mapping[str, tuple[str, ...]]] = {
    "postgresql": _POSTGRES,
    "kingbase": _POSTGRES,
    "mysql": ("SET SESSION MAX_EXECUTION_TIME = {ms}", "START TRANSACTION READ ONLY"),
    "mariadb": ("SET SESSION max_statement_time = {s}", "START TRANSACTION READ ONLY"),
    # Oracle sorts by NLS_SORT and compares by NLS_COMP: unless both are binary, "what follows the last row" leaves rows out.
    "oracle": ("ALTER SESSION SET NLS_SORT = BINARY NLS_COMP = BINARY", "SET TRANSACTION READ ONLY"),
    "dm": ("SET TRANSACTION READ ONLY",),
    "sqlite": ("PRAGMA query_only = ON",),
}
"""What a transaction begins with. Whatever else, the account should have the right to read and no other."""

_CONNECT: Final[Mapping[str, Mapping[str, Any]]] = {
    "postgresql": {"connect_timeout": CONNECT_SECONDS},
    "mysql": {"connect_timeout": CONNECT_SECONDS},
    "mariadb": {"connect_timeout": CONNECT_SECONDS},
    "oracle": {"tcp_connect_timeout": CONNECT_SECONDS},
}

_DENIED: Final = frozenset(
    {"28000", "28P01", "42501", "3D000", "1044", "1045", "1142", "1143", "1227", "1017", "1031", "ORA-28000"}
)
_LATER: Final = frozenset(
    {
        "57014",
        "57P01",
        "57P02",
        "57P03",
        "53300",
        "40001",
        "1040",
        "1205",
        "1969",
        "2002",
        "2003",
        "2006",
        "2013",
        "3024",
    }
    | {"1013", "3113", "3114", "3136", "12170", "12514", "12541", "12547"}
)
_DENIED_TEXT: Final = re.compile(
    r"password authentication failed|no pg_hba|role .* does not exist|access denied|not authorized|prohibited|认证失败|权限",
    re.IGNORECASE,
)
_GONE_TEXT: Final = re.compile(r"interrupted|locked|unable to open|timeout|timed out|connection", re.IGNORECASE)


def connect(url: str, password: str | None, deadline: float) -> sa.Engine:
    """An engine of one connection. It says nothing of values: statements are never logged, parameters never told.

    Raises:
        SourceDenied: DRIVER_MISSING.
    """
    address = sa.make_url(url)
    if password is not None:
        address = address.set(password=password)
    family = address.get_backend_name()
    more: dict[str, Any] = {"connect_args": dict(_CONNECT.get(family, {}))}
    if family == "sqlite":
        # The plain address would make an empty file where there is none.
        where = f"file:{quote(address.database or '')}?mode=ro"
        more = {"creator": lambda: sqlite3.connect(where, uri=True, check_same_thread=False, timeout=deadline)}
    try:
        return sa.create_engine(address, hide_parameters=True, pool_size=1, max_overflow=0, pool_pre_ping=True, **more)
    except (exc.NoSuchModuleError, ImportError) as error:
        sentence = "没有安装数据库驱动 {driver}，请按文档安装后再试"
        raise SourceDenied("DRIVER_MISSING", sentence, driver=address.drivername) from error


@contextmanager
def reading(engine: sa.Engine, deadline: float, label: str) -> Iterator[sa.Connection]:
    """One read-only transaction; a statement that takes longer than `deadline` seconds is ended where the database can.

    Raises:
        SourceUnavailable: NETWORK, TIMEOUT.
        SourceDenied: AUTH_CONFIG.
        SourceMalformed: DB_ERROR.
    """
    try:
        with engine.connect() as connection:
            facts = {"ms": max(int(deadline * 1000), 1), "s": max(int(deadline), 1)}
            for statement in _BEGIN.get(connection.dialect.name, ()):
                connection.execute(sa.text(statement.format(**facts)))
            with _ended(connection, deadline):
                yield connection
            connection.rollback()
    except exc.SQLAlchemyError as error:
        raise classified(error, label) from error


@contextmanager
def _ended(connection: sa.Connection, deadline: float) -> Iterator[None]:
    """Ends a statement where the driver, not the server, has the means."""
    own: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "oracle":
        own.call_timeout = int(deadline * 1000)
    if connection.dialect.name != "sqlite":
        yield
        return
    until = time.monotonic() + deadline
    own.set_progress_handler(lambda: time.monotonic() > until, 10_000)
    try:
        yield
    finally:
        own.set_progress_handler(None, 0)


def classified(error: exc.SQLAlchemyError, label: str) -> SourceError:
    """What a database error means for the run. Its own text may quote a row: it stays in `__cause__`."""
    code, text = _code(error), str(getattr(error, "orig", None) or "")
    lost = isinstance(error, exc.DBAPIError) and error.connection_invalidated
    if code in _DENIED or (code not in _LATER and _DENIED_TEXT.search(text)):
        return SourceDenied("AUTH_CONFIG", "{label}：数据库拒绝了本账号，请核对账号、密码与表的查询权限", label=label)
    if code in {"57014", "3024", "1969", "1013"} or "interrupted" in text:
        sentence = "{label}：查询超过时限被中断，请部门核对索引，或放宽 deadline"
        return SourceUnavailable("TIMEOUT", sentence, label=label)
    if lost or code in _LATER or code.startswith("08") or (not code and _GONE_TEXT.search(text)) or _is_timeout(error):
        return SourceUnavailable("NETWORK", "{label}：数据库连接失败或超时，请检查网络、地址与对方服务", label=label)
    sentence = "{label}：数据库报告错误（{number}），请部门核对表结构"
    return SourceMalformed("DB_ERROR", sentence, label=label, number=code or type(error).__name__)


def _is_timeout(error: exc.SQLAlchemyError) -> bool:
    return isinstance(error, exc.TimeoutError)


def _code(error: exc.SQLAlchemyError) -> str:
    """SQLSTATE, or the vendor's number; "" if the driver gives none."""
    own = getattr(error, "orig", None)
    if state := getattr(own, "sqlstate", None) or getattr(own, "pgcode", None):
        return str(state)
    first = next(iter(getattr(own, "args", ())), None)
    number = getattr(first, "code", first)
    return str(number) if isinstance(number, int) else ""
