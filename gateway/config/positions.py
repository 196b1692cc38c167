"""YAML with places: every value knows its line and column, so that every error can name them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

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
        line = text.count("\n", 0, at) + 1
        document.problems.append(Problem(shown, line, 1, "", "文件不是 UTF-8 编码，请另存为 UTF-8"))
        return document
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        document.problems.append(Problem(shown, line, column, "", f"YAML 语法不对：{error.problem}"))
        return document
    document.places[()] = (1, 1)
    document.data = _plain(document, tree, ())
    return document


def _plain(document: Document, node: Any, path: Path_) -> Any:
    if isinstance(node, CommentedMap):
        if node and set(node) <= {"env", "default"} and "env" in node and not _holds_secrets(path):
            return os.environ.get(str(node["env"]), node.get("default"))
        out = {}
        for key, value in node.items():
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
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where, key = _place(base, detail)
            document.report(where, _sentence(model, detail), key=key)
        return None


def _place(base: Path_, detail: ErrorDetails) -> tuple[Path_, bool]:
    loc = tuple(part for part in detail["loc"] if part != "[key]")
    # a union adds the name of the member it tried; such a name is no key of the file
    loc = tuple(part for part in loc if not (isinstance(part, str) and part in _UNION_NAMES))
    return (*base, *loc), detail["type"] in ("extra_forbidden", "missing") or "[key]" in detail["loc"]


_UNION_NAMES = frozenset({"FieldRule", "str", "tuple[str, ...]", "literal['all']"})


def _sentence(model: type[BaseModel], detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        allowed = _allowed(model, detail["loc"][:-1])
        close = get_close_matches(str(detail["loc"][-1]), allowed, n=1)
        hint = f"是不是 {close[0]}？" if close else ""
        return f"没有这个键。{hint}可用的有：{'、'.join(allowed)}"
    if kind == "missing":
        return "缺少这个键"
    if kind == "string_type":
        return f'应为文本，请给 {detail["input"]} 加引号，写成 "{detail["input"]}"'
    if kind in ("literal_error", "enum"):
        return f"“{detail['input']}”不在可用值内。可用的有：{context.get('expected', '')}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"“{detail['input']}”写法不对，应符合 {context['pattern']}"
    return f"“{detail['input']}”不合规：{detail['msg']}"


def _allowed(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Keys that the model at `loc` knows."""
    current: Any = model
    for part in loc:
        found = (
            current.model_fields.get(str(part))
            if isinstance(current, type) and issubclass(current, BaseModel)
            else None
        )
        current = _model_in(found.annotation) if found is not None else current
    fields = current.model_fields if isinstance(current, type) and issubclass(current, BaseModel) else {}
    return [info.alias or name for name, info in fields.items()]


def _model_in(annotation: Any) -> Any:
    """The model inside `dict[str, M]`, `M | None`, `tuple[M, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for part in get_args(annotation) if (m := _model_in(part)) is not None), None)
