"""Where an error of a validation points: through models, dataclasses, mappings, lists and unions, to a place in the file.

A union adds the name of the member it tried to a location: `paging.offset.limit` is the key `limit` under `paging`.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a location leads: the keys of the file, what may stand there, and the plain unions that were tried on the way."""

    path: tuple[int | str, ...]
    annotation: Any
    tried: tuple[tuple[tuple[int | str, ...], str, Any], ...]
    """Path of a union without a tag, the name of the member that was tried, and that member."""


def follow(annotation: Any, loc: Sequence[int | str]) -> Spot:
    """Follows the location of an error from the top of a model."""
    path: list[int | str] = []
    tried = []
    current = annotation
    for part in loc:
        members = _members(current)
        if len(members) > 1:
            current = next((m for m in members if str(part) in _tags(m)), None)
            if current is None:
                current = next((m for m in members if _label(m) == str(part)), None)
                tried.append((tuple(path), str(part), current))
        elif part != "[key]":
            path.append(part)
            current = _below(members[0] if members else None, part)
    return Spot(tuple(path), current, tuple(tried))


def keys(annotation: Any) -> list[str]:
    """Keys that the model or dataclass knows, as a file writes them; of a union, those of its members."""
    out: dict[str, None] = {}
    for member in _members(annotation):
        if _is_model(member):
            out |= dict.fromkeys(info.alias or name for name, info in member.model_fields.items())
        elif _is_record(member):
            out |= dict.fromkeys(f.name for f in fields(member))
    return list(out)


def choices(annotation: Any) -> list[str]:
    """What a file may choose a member of a union by: profiles, kinds."""
    return [tag for member in _members(annotation) for tag in _tags(member)]


def takes(annotation: Any, value: Any) -> bool:
    """Whether a value has at least the shape of what may stand there: keys, a list, or one value."""
    (member,) = _members(annotation)[:1] or [None]
    keyed = _is_model(member) or _is_record(member) or _origin(member) in (dict, Mapping)
    listed = _origin(member) in (list, tuple, Sequence)
    return (
        isinstance(value, dict) if keyed else isinstance(value, list) if listed else not isinstance(value, (dict, list))
    )


def _members(annotation: Any) -> list[Any]:
    """What a union may hold besides nothing, unions in it included; anything else alone."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [m for part in get_args(annotation) for m in _members(part) if m is not type(None)]
    return [annotation]


def _below(annotation: Any, part: int | str) -> Any:
    if _is_model(annotation):
        return next((i.annotation for n, i in annotation.model_fields.items() if part in (n, i.alias)), None)
    if _is_record(annotation):
        return _hints(annotation).get(str(part))
    args = get_args(annotation)
    if _origin(annotation) in (dict, Mapping):
        return args[1]
    return args[0] if args and _origin(annotation) in (list, tuple, Sequence) else None


def _tags(annotation: Any) -> Iterator[str]:
    """Values by which a file chooses this member of a union."""
    of = [i.annotation for i in annotation.model_fields.values()] if _is_model(annotation) else []
    of += list(_hints(annotation).values()) if _is_record(annotation) else []
    for hint in of:
        if get_origin(hint) is Literal and len(get_args(hint)) == 1:
            yield from get_args(hint)


def _label(annotation: Any) -> str:
    """What pydantic calls a member of a union without a tag."""
    if get_origin(annotation) is Literal:
        return f"literal[{','.join(map(repr, get_args(annotation)))}]"
    return annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_record(annotation: Any) -> bool:
    return isinstance(annotation, type) and is_dataclass(annotation)


def _origin(annotation: Any) -> Any:
    return get_origin(annotation) or annotation


@cache
def _hints(record: Any) -> dict[str, Any]:
    return get_type_hints(record, include_extras=True)
