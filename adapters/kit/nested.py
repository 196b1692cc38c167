"""What a call says, as a file declares it: texts, and mappings and lists of them; and XML made of it.

A dotted name is a path: `query.county: x` says what `query: {county: x}` says, so that paging can name a member deep inside.
Names are local names or `{namespace}name`; `@name` is an attribute, `#text` the text of an element that has attributes too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Annotated, Any, Final, TypeAlias

from lxml import etree
from pydantic import AfterValidator

from adapters.kit.values import PLACES

_NAMED: Final = (*PLACES, "session")
_SECRET: Final = re.compile(r"secret\.([A-Za-z0-9_-]+)")
_ELEMENT: Final = re.compile(r"\{[^{}]*\}[^\W\d][\w.-]*")


def _nested(value: Any) -> Any:
    """Texts that hold what `values.Text` may and `{secret.NAME}` and `{session}`, and mappings and lists of them."""
    for path, text in leaves(value):
        where = ".".join(map(str, path))
        if not isinstance(text, str):
            raise ValueError(f"{where} 请写成文字，数字要加引号" if where else "请写成文字，数字要加引号")  # noqa: TRY004 # pydantic tells of ValueErrors
        try:
            strange = [name for name in places(text) if name not in _NAMED and not _SECRET.fullmatch(name)]
        except ValueError as error:
            raise ValueError("花括号没有成对") from error
        if strange:
            raise ValueError(f"花括号里不能写 {strange[0]}。可用的有：{'、'.join((*_NAMED, 'secret.…'))}")
    return value


def _element_name(name: str) -> str:
    if not _ELEMENT.fullmatch(name):
        raise ValueError(f"报文头的元素 {name} 要写明命名空间：花括号里是命名空间，后面是名字")
    return name


Nested: TypeAlias = Annotated[Any, AfterValidator(_nested)]
"""A text, a list or a mapping of these. Texts may hold `{county}`, `{today}`, `{month}`, `{secret.NAME}` and `{session}`."""

Headers: TypeAlias = Mapping[Annotated[str, AfterValidator(_element_name)], Nested]
"""Elements of a SOAP header by `{namespace}name`, `{}name` if they have none."""

Path: TypeAlias = tuple[str | int, ...]
"""Names, and places in a list, from the outside in."""

TEXT: Final = "#text"


def nest(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters with dotted names taken apart; what comes later goes into what was there."""
    out: dict[str, Any] = {}
    for name, value in params.items():
        *above, last = [name] if name.startswith("{") else name.split(".")
        level = out
        for step in above:
            deeper = level.get(step)
            if not isinstance(deeper, dict):
                deeper = level[step] = {}
            level = deeper
        told = nest(value) if isinstance(value, Mapping) else value
        before = level.get(last)
        level[last] = {**before, **told} if isinstance(before, dict) and isinstance(told, dict) else told
    return out


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """The same with `{…}` filled in, numbers as texts."""
    if isinstance(value, Mapping):
        return {name: fill(inside, values) for name, inside in value.items()}
    if isinstance(value, list):
        return [fill(inside, values) for inside in value]
    return value.format_map(values) if isinstance(value, str) else str(value)


def places(text: str) -> list[str]:
    """What a text names in braces. Raises ValueError: they do not pair."""
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


def secrets_in(*values: Any) -> tuple[str, ...]:
    """Names of the secrets that these texts ask for."""
    named = (_SECRET.fullmatch(name) for value in values for _, text in leaves(value) for name in places(str(text)))
    return tuple(dict.fromkeys(found[1] for found in named if found))


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The texts, each with its path."""
    if isinstance(value, Mapping):
        for name, inside in value.items():
            yield from leaves(inside, (*path, name))
    elif isinstance(value, list):
        for i, inside in enumerate(value):
            yield from leaves(inside, (*path, i))
    else:
        yield path, value


def element(name: str, value: Any) -> Any:
    """An element with this content. What it holds is in its namespace, unless a name says another: `{}name` is in none.

    Raises:
        ValueError: a name or a text that XML cannot hold.
    """
    made = etree.Element(name)
    _put(made, value, etree.QName(made).namespace)
    return made


def _put(into: Any, value: Any, namespace: str | None) -> None:
    if not isinstance(value, Mapping):
        into.text = value
        return
    for name, inside in value.items():
        if name == TEXT:
            into.text = inside
        elif name.startswith("@"):
            into.set(name[1:], inside)
        else:
            for one in inside if isinstance(inside, list) else [inside]:
                tag = name if name.startswith("{") or not namespace else f"{{{namespace}}}{name}"
                child = etree.SubElement(into, tag)
                _put(child, one, etree.QName(child).namespace)
