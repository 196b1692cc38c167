"""What a call says, as a file declares it: texts, and mappings and lists of them; and XML made of it.

A dotted name is a path: `query.county: x` says what `query: {county: x}` says, so that paging can name a member deep inside.
Names are local names or `{namespace}name`; `@name` is an attribute, `#text` the text of an element that has attributes too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from lxml import etree
from typing_extensions import TypeAliasType

Nested = TypeAliasType("Nested", "str | list[Nested] | dict[str, Nested]")
"""A text, a list or a mapping of these. Texts may hold `{county}` and what else the source's values name."""

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


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
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
