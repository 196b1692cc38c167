"""Which files are delivered: names by a declared pattern, each with its flag (china-facts §1.5).

A pattern is the agreed file name with `{county}`, `{date}` (8 digits), `{month}` (6), `{seq}`, `{ext}` (csv, txt, xls, xlsx
or zip) and `*` (anything). A file counts only when its flag is there: `name.csv.ok` and `name.ok` are both met.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import new
from typing import Any, BinaryIO, Final, Literal, TypeAlias

from adapters.kit.errors import SourceMalformed

Flag: TypeAlias = Literal["none", "ok", "md5", "sha256", "sm3"]
"""The flag file's extension: `ok` only says that the file is whole, the others hold its digest in hex; `none`: no flag."""

DIGESTS: Final[Mapping[str, int]] = {"md5": 32, "sha256": 64, "sm3": 64}
"""Flag -> hex digits of its digest."""
FLAG_BYTES: Final = 4096
CHUNK: Final = 1 << 20
SETTLED: Final = 2.0
"""Seconds by which a file may be younger than its `.ok`: clocks of file systems are coarse."""

_PLACES: Final = {"date": r"\d{8}", "month": r"\d{6}", "seq": r"\d+", "ext": r"csv|txt|xlsx|xls|zip"}
_TOKEN: Final = re.compile(r"\{(\w+)\}|(\*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a drop. `modified`: POSIX seconds by the drop's own clock."""

    name: str
    size: int
    modified: float

    @property
    def stamp(self) -> str:
        """Changes when the file does, short of somebody forging its time."""
        return f"{self.size}@{self.modified:.3f}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One agreed file name that was met: the file, its flag, or both."""

    name: str
    shown: str
    """The name without what `*` stands for, which may be a person's."""
    fields: Mapping[str, str]
    """What `{date}`, `{month}`, `{seq}`, `{ext}` are in this name."""
    file: Entry | None
    flag: Entry | None

    @property
    def stamp(self) -> str:
        """Tells whether file and flag are those that were taken before."""
        return " ".join(entry.stamp if entry else "-" for entry in (self.file, self.flag))

    @property
    def generation(self) -> str:
        """What the deliveries of one day or month share."""
        return self.fields.get("date") or self.fields.get("month", "")


class Names:
    """One pattern and kind of flag."""

    def __init__(self, pattern: str, flag: Flag, county: str) -> None:
        """Compiles.

        Raises:
            ValueError: an unknown placeholder; says which there are.
        """
        self._pattern, self._county, self._flag = pattern, county, flag
        self._full, self._stem = _compiled(pattern, county), _compiled(pattern.rpartition(".")[0] or pattern, county)

    def knows(self, name: str) -> bool:
        """Whether a file or a flag of this name is agreed."""
        return self._full.fullmatch(name) is not None or self._base(name) is not None

    def met(self, entries: Iterable[Entry]) -> list[Delivery]:
        """Files and flags paired, in name order; numbers in names count as numbers."""
        files: dict[str, Entry] = {}
        flags: dict[str, Entry] = {}
        for entry in entries:
            if self._full.fullmatch(entry.name):
                files[entry.name] = entry
            elif base := self._base(entry.name):
                flags[base] = entry
        stems = {name.rpartition(".")[0]: name for name in files}
        paired = {stems.get(base, base): flag for base, flag in flags.items()}
        names = sorted({*files, *paired}, key=_natural)
        return [self._delivery(name, files.get(name), paired.get(name)) for name in names]

    def _base(self, name: str) -> str | None:
        """What a flag file flags: a whole name, or a name without its extension."""
        base, _, extension = name.rpartition(".")
        if self._flag == "none" or extension.lower() != self._flag:
            return None
        return base if self._full.fullmatch(base) or self._stem.fullmatch(base) else None

    def _delivery(self, name: str, file: Entry | None, flag: Entry | None) -> Delivery:
        found = self._full.fullmatch(name) or self._stem.fullmatch(name)
        fields = {k: v for k, v in found.groupdict().items() if v} if found else {}
        shown = self._pattern
        for place, value in {**fields, "county": self._county}.items():
            shown = shown.replace(f"{{{place}}}", value)
        return Delivery(name, shown, fields, file, flag)


def whole(delivery: Delivery, flag: Flag, now: float, grace: float) -> bool:
    """Whether a delivery may be read; False while it may still be under way.

    Raises:
        SourceMalformed: FLAG_WITHOUT_FILE, FILE_WITHOUT_FLAG, FILE_CHANGED: it has been wrong for longer than `grace` seconds.
    """
    file, mark = delivery.file, delivery.flag
    facts: dict[str, Any] = {"file": delivery.shown, "flag": f".{flag}", "minutes": round(grace / 60)}
    if file is None:
        assert mark is not None
        if now - mark.modified <= grace:
            return False
        raise SourceMalformed("FLAG_WITHOUT_FILE", "只有标志文件 {flag} 而没有文件 {file}，请部门重新投放", **facts)
    if flag == "none":
        return now - file.modified > grace
    if mark is None:
        if now - file.modified <= grace:
            return False
        sentence = "文件 {file} 投放已超过 {minutes} 分钟，仍没有标志文件 {flag}，请部门补投标志文件"
        raise SourceMalformed("FILE_WITHOUT_FLAG", sentence, **facts)
    if flag == "ok" and file.modified > mark.modified + SETTLED:
        if now - file.modified <= grace:
            return False
        raise SourceMalformed("FILE_CHANGED", "文件 {file} 在标志文件 {flag} 之后又被改动，请部门重新投放", **facts)
    return True


def verified(delivery: Delivery, flag: Flag, file: BinaryIO, mark: bytes) -> str:
    """The digest of the file, in hex, after it was compared with the one its flag holds.

    Raises:
        SourceMalformed: FLAG_UNREADABLE, DIGEST_MISMATCH.
    """
    digits = DIGESTS.get(flag)
    found = digest(file, flag if digits else "sha256")
    if digits is None:
        return found
    told = re.search(rb"(?<![0-9A-Za-z])[0-9A-Fa-f]{%d}(?![0-9A-Za-z])" % digits, mark)
    facts: dict[str, Any] = {"file": delivery.shown, "flag": f".{flag}"}
    if told is None:
        sentence = "文件 {file} 的标志文件 {flag} 里没有校验值，请部门重新投放"
        raise SourceMalformed("FLAG_UNREADABLE", sentence, evidence=mark, **facts)
    if told[0].decode().lower() != found:
        sentence = "文件 {file} 与标志文件 {flag} 的校验值不符，可能没有传完或事后改动，请部门重新投放"
        raise SourceMalformed("DIGEST_MISMATCH", sentence, evidence=mark, **facts)
    return found


def digest(file: BinaryIO, algorithm: str) -> str:
    """Of the whole file, in hex; leaves it at its beginning."""
    state = new(algorithm, usedforsecurity=False)
    file.seek(0)
    while chunk := file.read(CHUNK):
        state.update(chunk)
    file.seek(0)
    return state.hexdigest()


def newest(deliveries: Sequence[Delivery], parts: int | None) -> str:
    """The newest day or month of which all parts are there; "" if there is none, or if the names say none."""
    counts = Counter(delivery.generation for delivery in deliveries)
    return max((name for name, count in counts.items() if parts is None or count >= parts), default="")


@lru_cache(maxsize=64)
def _compiled(pattern: str, county: str) -> re.Pattern[str]:
    out, end = "", 0
    for token in _TOKEN.finditer(pattern):
        place, star = token.groups()
        if place not in {None, "county", *_PLACES}:
            known = "、".join(f"{{{name}}}" for name in ("county", *_PLACES))
            raise ValueError(f"文件名格式里没有 {place} 这个占位。可用的有：{known}、*")
        out += re.escape(pattern[end : token.start()])
        if star or place == "county":
            out += "[^/]*" if star else re.escape(county)
        else:
            out += f"(?P={place})" if f"(?P<{place}>" in out else f"(?P<{place}>{_PLACES[place]})"
        end = token.end()
    return re.compile(out + re.escape(pattern[end:]), re.IGNORECASE)


def _natural(name: str) -> list[str | int]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]
