"""A drop in a folder of the test, and an adapter over it: payments, one a row."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.kit import FilesStream, Item, Page, Ports
from schemas.identifiers import id_checksum_holds
from tests.adapters.payments import Payments

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
PATTERN = Payments.streams["payment"].pattern
NAME = "360981_CZJ_YKT_20260301_001.csv"
HEADER = ("明细编号", "年度", "项目名称", "状态", "姓名", "身份证号", "金额")
STREAM = Payments.streams["payment"]


def id_number(serial: int) -> str:
    """A synthetic ID number in the never-assigned area 360999."""
    body = f"36099919600101{serial % 1000:03d}"
    return next(body + check for check in "0123456789X" if id_checksum_holds(body + check))


def row(n: int) -> tuple[str, ...]:
    return (f"YKT{n:06d}", "2026", "耕地地力保护补贴", "发放成功", "王某", id_number(n), f"{n}.50")


def rows(count: int, first: int = 1) -> list[tuple[str, ...]]:
    return [row(n) for n in range(first, first + count)]


def as_csv(table: Sequence[Sequence[str]], separator: str = ",") -> str:
    return "".join(separator.join(cells) + "\r\n" for cells in table)


class Folder:
    """A drop on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, content: str | bytes, name: str = NAME, *, flag: str | None = "md5", age: float = 60) -> Path:
        """A file that is `age` seconds old, and its flag, a second younger; an `.ok` is empty."""
        body = content.encode("gb18030") if isinstance(content, str) else content
        path = self.path / name
        path.write_bytes(body)
        self.age(path, age)
        if flag is not None:
            digest = "" if flag == "ok" else hashlib.new(flag, body).hexdigest()
            mark = self.path / f"{name}.{flag}"
            mark.write_text(digest and f"{digest}  {name}\n", "utf-8")
            self.age(mark, age - 1)
        return path

    @staticmethod
    def age(path: Path, seconds: float) -> None:
        at = NOW.timestamp() - seconds
        os.utime(path, (at, at))

    def adapter(self, ports: Ports, stream: FilesStream = STREAM, **settings: Any) -> Payments:
        kind = type("Payments", (Payments,), {"streams": {"payment": stream}, "__module__": Payments.__module__})
        made: Payments = kind(
            ports, Payments.Settings.model_validate({"directory": str(self.path), **settings}), "360981"
        )
        return made


def changed(**changes: Any) -> FilesStream:
    return replace(STREAM, **changes)


def items(pages: Sequence[Page]) -> list[Item]:
    return [item for page in pages for item in page.rows.decode()]


def ids(pages: Sequence[Page]) -> list[str]:
    return [item["明细编号"] for item in items(pages)]
