"""财政: payments as files that the finance bureau of a county drops, a file a submission day (china-facts §1.5, §3.7)."""

import csv
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from mock_agencies.items import Item
from mock_agencies.payments import HISTORY_DAYS
from mock_agencies.people import DAY_0
from mock_agencies.workbooks import Cell, Sheet, xls, xlsx
from mock_agencies.world import World

TITLES: Final[Mapping[str, str]] = {
    "MXID": "明细编号",
    "PCH": "批次号",
    "ND": "年度",
    "BTXMBM": "补贴项目编码",
    "BTXMMC": "补贴项目名称",
    "ZGBM": "主管部门",
    "ZJWH": "资金文号",
    "XM": "姓名",
    "SFZH": "身份证号",
    "YHZH": "社保卡账号",
    "QHDM": "区划代码",
    "YFJE": "应发金额",
    "SFJE": "实发金额",
    "FFRQ": "发放日期",
    "FFZT": "发放状态",
    "SBYY": "失败原因",
}
"""Column of the payments -> its title, in the order of the files."""
FAULTS: Final = ("unflagged", "altered", "half")
"""A file without its flag, changed after its flag, or written half and not flagged yet."""

_GROUPS: Final = ((2, 6, "补贴项目"), (7, 10, "农户"), (11, 15, "发放情况"))
"""Columns under one upper title in a workbook: first, last, title."""
_MONEY: Final = ("YFJE", "SFJE")
_PLAIN: Final = re.compile(r"-?[1-9]\d*\.\d\d").fullmatch
_TOWN: Final = re.compile(r"\d{6}(\d{3})\d*").fullmatch
_ALTERED_AFTER: Final = 60
"""Seconds."""


@dataclass(frozen=True)
class Dialect:
    """How one county delivers."""

    form: str = "csv"
    """`csv`; `zip`: a CSV for each town, names in GBK; `xls` and `xlsx`: a sheet for each town, under a title and a merged
    header of two rows, closed by a total and notes.
    """
    flag: str = "md5"
    """`ok`, `md5` or `sm3`: the extension of the flag, and what it holds."""
    separator: str = ","
    titles: Mapping[str, str] = field(default_factory=dict)
    """Title of `TITLES` -> what this county calls the column."""


class Drop:
    """A directory as one county's finance bureau fills it. `publish` after each `World.advance`."""

    def __init__(self, world: World, directory: Path, dialect: Dialect | None = None) -> None:
        self.world, self.directory, self.dialect = world, directory, dialect or Dialect()
        self._next = DAY_0 - timedelta(days=HISTORY_DAYS)
        self._last: tuple[str, bytes] | None = None

    def publish(self, fault: str = "") -> list[str]:
        """Delivers each submission day that is not delivered yet; answers the names. `fault`: what is wrong with the last."""
        days = []
        while self._next <= self.world.today:
            if self.world.submitted(f"{self._next}"):
                days.append(self._next)
            self._next += timedelta(days=1)
        names = []
        for day in days:
            name = f"{self.world.county.code}_CZJ_YKT_{day:%Y%m%d}_001.{self.dialect.form}"
            self._last = name, self._file(self.world.submitted(f"{day}"), f"{day:%Y年%-m月%-d日}")
            self._deliver(*self._last, fault if day == days[-1] else "")
            names.append(name)
        return names

    def mend(self) -> None:
        """Delivers the last file again, as it should have been."""
        assert self._last is not None
        self._deliver(*self._last, "")

    def _deliver(self, name: str, body: bytes, fault: str) -> None:
        path, flag = self.directory / name, self.directory / f"{name}.{self.dialect.flag}"
        path.write_bytes(body[: len(body) // 2] if fault == "half" else body)
        flag.unlink(missing_ok=True)
        if fault in ("half", "unflagged"):
            return
        flag.write_text(self._told(name, body), "ascii")
        if fault == "altered":
            middle = len(body) // 2
            path.write_bytes(body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :])
            at = path.stat().st_mtime - _ALTERED_AFTER
            os.utime(flag, (at, at))

    def _told(self, name: str, body: bytes) -> str:
        kind = self.dialect.flag
        return "" if kind == "ok" else f"{hashlib.new(kind, body, usedforsecurity=False).hexdigest()}  {name}\n"

    def _file(self, items: Sequence[Item], day: str) -> bytes:
        form = self.dialect.form
        if form == "csv":
            return self._csv(items)
        towns: dict[str, list[Item]] = {}
        for item in items:
            found = _TOWN(str(item.raw["QHDM"] or ""))
            towns.setdefault(found[1] if found else "000", []).append(item)
        # The clerk who drew a list up stands in its name.
        named = {f"{town}_{listed[0].raw['XM']}": listed for town, listed in sorted(towns.items())}
        if form == "zip":
            return _packed({f"{name}.csv": self._csv(listed) for name, listed in named.items()})
        write: Callable[[Sequence[Sheet]], bytes] = {"xls": xls, "xlsx": xlsx}[form]
        return write([self._sheet(name, listed, day) for name, listed in named.items()])

    @property
    def _titles(self) -> list[str]:
        return [self.dialect.titles.get(title, title) for title in TITLES.values()]

    def _csv(self, items: Sequence[Item]) -> bytes:
        rows = [self._titles, *([_text(item.raw[name]) for name in TITLES] for item in items)]
        out = io.StringIO()
        if len(self.dialect.separator) == 1:
            csv.writer(out, delimiter=self.dialect.separator).writerows(rows)
        else:
            out.write("".join(f"{self.dialect.separator.join(row)}\r\n" for row in rows))
        return out.getvalue().encode("gb18030")

    def _sheet(self, name: str, items: Sequence[Item], day: str) -> Sheet:
        titles, width = self._titles, len(TITLES)
        upper: list[Cell] = [*titles]
        merges = [(0, 0, 0, width - 1)]
        below: list[Cell] = [None] * width
        for first, last, title in _GROUPS:
            upper[first : last + 1] = [title, *([None] * (last - first))]
            below[first : last + 1] = titles[first : last + 1]
            merges.append((1, first, 1, last))
        merges += [(1, c, 2, c) for c in range(width) if below[c] is None]
        rows = [[_cell(name, item.raw[name]) for name in TITLES] for item in items]
        sums = [sum(cell for row in rows if isinstance(cell := row[c], float)) for c in (11, 12)]
        total: list[Cell] = ["合计", *([None] * 10), *sums]
        notes: list[list[Cell]] = [
            ["备注：发放失败的，核实账号后另行补发。"],
            [f"填表人：{items[0].raw['XM']}", None, f"制表日期：{day}"],
        ]
        heading: list[Cell] = [f"惠民惠农财政补贴资金“一卡通”发放明细表（{day}）"]
        return Sheet(_allowed(name), [heading, upper, below, *rows, total, *notes], merges)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _cell(column: str, value: Any) -> Cell:
    """Clean amounts are numbers, all else is text, as it was typed."""
    text = _text(value)
    return float(text) if column in _MONEY and _PLAIN(text) else text


def _allowed(name: str) -> str:
    """What a sheet may be called."""
    return re.sub(r"[\[\]:*?/\\']", "-", name)[:31].strip() or "Sheet1"


def _packed(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in members.items():
            packed.writestr(_GbkName(re.sub(r"[/\\]", "-", name)), body)
    return out.getvalue()


class _GbkName(zipfile.ZipInfo):
    """A member as Windows packs it in China: its name in GBK, and no flag that says so."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 # the module asks for it by this name
        return self.filename.encode("gb18030"), self.flag_bits
