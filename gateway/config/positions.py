"""YAML with places: every value knows its line and column, so that every error can name them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from gateway.config.shapes import follow, takes
from gateway.config.wording import UNKNOWN_KEY, of_syntax, of_value

Path_: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of one file: where it is, and one sentence saying what is wrong and what is allowed."""

    file: str
    line: int
    column: int
    where: str
    sentence: str

    def __str__(self) -> str:
        where = f" {self.where}：" if self.where else " "
        return f"{self.file}:{self.line}:{self.column}{where}{self.sentence}"


@dataclass(slots=True)
class Document:
    """A parsed file: plain data, and the place of every key and value in it."""

    file: str
    data: Any = None
    places: dict[Path_, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, where: Path_, sentence: str, *, key: bool = False) -> Problem:
        """A problem at the nearest place that is known; a key's place is where the key stands."""
        at = where if not key else (*where[:-1], ("key", where[-1]))
        while at not in self.places and where:
            where = where[:-1]
            at = where
        line, column = self.places.get(at, (1, 1))
        return Problem(self.file, line, column, "", sentence)

    def report(self, where: Path_, sentence: str, *, key: bool = False) -> None:
        found = self.problem(where, sentence, key=key)
        path = ".".join(map(str, where))
        self.problems.append(Problem(found.file, found.line, found.column, path, sentence))


def load(text: str, shown: str) -> Document:
    """Reads a file's text; a syntax error is a problem of the document, not an exception."""
    document = Document(shown)
    if (at := text.find("\ufffd")) >= 0:
        return _unread(document, *_place_of(text, at), "文件不是 UTF-8 编码，请另存为 UTF-8")
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return _unread(document, line, column, of_syntax(error))
    except ReaderError as error:
        return _unread(document, *_place_of(text, error.position), "这里有看不见的控制字符，请删去")
    except (YAMLError, ValueError):
        return _unread(document, *_place_of(text, _no_date(text)), "日历上没有这一天")
    document.places[()] = (1, 1)
    document.data = _plain(document, tree, ())
    return document


def _unread(document: Document, line: int, column: int, sentence: str) -> Document:
    document.problems.append(Problem(document.file, line, column, "", sentence))
    return document


def _place_of(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


_DATE: Final = re.compile(r"(?<![\w-])(\d{4})-(\d\d?)-(\d\d?)(?![\w-])")


def _no_date(text: str) -> int:
    """Where the first date stands that no calendar has: the parser that trips over it does not say."""
    for found in _DATE.finditer(text):
        try:
            date(*map(int, found.groups()))
        except ValueError:
            return found.start()
    return 0


def _plain(document: Document, node: Any, path: Path_) -> Any:
    if isinstance(node, CommentedMap):
        if node and set(node) <= {"env", "default"} and "env" in node and not _holds_secrets(path):
            return os.environ.get(str(node["env"]), node.get("default"))
        out = {}
        for key, value in node.items():
            if key in node.lc.data:  # not so for a key merged in with <<
                line, column = node.lc.key(key)
                document.places[*path, ("key", key)] = (line + 1, column + 1)
                line, column = node.lc.value(key)
                document.places[*path, key] = (line + 1, column + 1)
            out[key] = _plain(document, value, (*path, key))
        return out
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            line, column = node.lc.item(index)
            document.places[*path, index] = (line + 1, column + 1)
        return [_plain(document, value, (*path, index)) for index, value in enumerate(node)]
    return _scalar(node)


def _holds_secrets(path: Path_) -> bool:
    """Secrets stay references until they are used; they never enter a published configuration."""
    return "secrets" in path


def _scalar(node: Any) -> Any:
    """Ruamel's scalar types back to Python's own."""
    for base in (bool, int, float, str):
        if isinstance(node, base):
            return base(node)
    return node


M = TypeVar("M", bound=BaseModel)


def validate(document: Document, model: type[M], data: Any = None, base: Path_ = ()) -> M | None:
    """The document (or a part of it under `base`) as a model; what does not fit becomes problems with their places."""
    data = document.data if data is None else data
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in _apart(model, data, error.errors(include_url=False)):
            where, key = _place(model, detail)
            document.report((*base, *where), of_value(model, detail), key=key)
        return None


def _apart(model: type[BaseModel], data: Any, details: list[ErrorDetails]) -> list[ErrorDetails]:
    """One fault, one sentence: a misspelt key is not also missing, and of a union the member speaks that the value resembles."""
    strange = [d["loc"] for d in details if d["type"] in UNKNOWN_KEY]

    def misspelt(loc: tuple[int | str, ...]) -> bool:
        return any(s[:-1] == loc[:-1] and get_close_matches(str(s[-1]), [str(loc[-1])]) for s in strange)

    speaks: dict[Path_, str] = {}

    def speaking(detail: ErrorDetails) -> bool:
        tried = follow(model, detail["loc"]).tried
        return all(speaks.get(path, name) == name for path, name, _ in tried)

    tried = [one for detail in details for one in follow(model, detail["loc"]).tried]
    for path, name, member in tried:
        if takes(member, _value(data, path)):
            speaks.setdefault(path, name)
    for path, name, _ in reversed(tried):  # a shape that none of them takes
        speaks.setdefault(path, name)
    return [d for d in details if speaking(d) and (d["type"] != "missing" or not misspelt(d["loc"]))]


def _value(data: Any, path: Path_) -> Any:
    for part in path:
        data = data[part]
    return data


def _place(model: type[BaseModel], detail: ErrorDetails) -> tuple[Path_, bool]:
    path, kind = follow(model, detail["loc"]).path, detail["type"]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, detail["ctx"]["discriminator"].strip("'"))
    return path, kind in {*UNKNOWN_KEY, "missing", "union_tag_not_found"} or "[key]" in detail["loc"]
