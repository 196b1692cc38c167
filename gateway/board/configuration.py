"""Configuration as people read it: the files as they are now beside the version in force, and what is wrong in them, by line."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from gateway.config import Config, Problem, read
from gateway.errors import Usage
from gateway.scope import Scope

_COUNTIES: Final = "counties/"


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file: whether it says something else than the version in force, and how much is wrong in it."""

    file: str
    county: str
    differs: bool
    problems: int
    warnings: int


@dataclass(frozen=True, slots=True)
class ConfigurationView:
    """All files that lie within, and every problem of theirs, each with its place."""

    files: tuple[FileLine, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def differs(self) -> bool:
        return any(line.differs for line in self.files)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a file: `mark` is `+` where the version in force lacks it, `-` where the file does, else a blank."""

    number: int | None
    mark: str
    text: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class CountyFileView:
    """One county's file as it is now, against the version in force."""

    county: str
    file: str
    lines: tuple[TextLine, ...]
    problems: tuple[Problem, ...]


def configuration(running: Config, root: Path, within: Scope) -> ConfigurationView:
    """Files of counties within; those of the whole gateway to who may see everything."""
    draft = read(root)
    names = [name for name in sorted({*draft.texts, *running.texts}) if _sees(within, name)]
    return ConfigurationView(
        files=tuple(
            FileLine(
                file=name,
                county=_county(name),
                differs=draft.texts.get(name) != running.texts.get(name),
                problems=len(_of(draft.problems, name)),
                warnings=len(_of(draft.warnings, name)),
            )
            for name in names
        ),
        problems=tuple(p for name in names for p in _of(draft.problems, name)),
        warnings=tuple(p for name in names for p in _of(draft.warnings, name)),
    )


def county_file(running: Config, root: Path, county: str) -> CountyFileView:
    """One county's file. Raises Usage: the county has none."""
    draft = read(root)
    name = next((name for name in {**running.texts, **draft.texts} if _county(name) == county), None)
    if name is None:
        raise Usage("没有县 {name}。可用的有：{known}", name=county, known="、".join(running.counties))
    problems = (*_of(draft.problems, name), *_of(draft.warnings, name))
    now, before = draft.texts.get(name, "").splitlines(), running.texts.get(name, "").splitlines()
    return CountyFileView(county, name, tuple(_lines(before, now, problems)), problems)


def _lines(before: Sequence[str], now: Sequence[str], problems: Sequence[Problem]) -> list[TextLine]:
    out, number = [], 0
    for told in difflib.Differ().compare(before, now):
        mark, text = told[0], told[2:]
        if mark == "?":
            continue
        if mark == "-":
            out.append(TextLine(None, mark, text))
            continue
        number += 1
        out.append(TextLine(number, mark, text, tuple(p for p in problems if p.line == number)))
    return out


def _county(name: str) -> str:
    return name[len(_COUNTIES) : len(_COUNTIES) + 6] if name.startswith(_COUNTIES) else ""


def _sees(within: Scope, name: str) -> bool:
    return within.everything or (bool(code := _county(name)) and code in within.counties)


def _of(problems: Sequence[Problem], name: str) -> list[Problem]:
    return [problem for problem in problems if problem.file.endswith(name)]
