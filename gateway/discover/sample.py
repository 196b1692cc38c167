"""A pasted answer: JSON or XML, one inside the other as a text, and where in it the rows are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from lxml import etree

from gateway.discover.columns import Column, Found

LEVELS: Final = 8
ROWS: Final = 50
_TOTALS: Final = ("total", "totalcount", "totaldatacount", "count", "totalitems", "totalnum", "zs")
_CODES: Final = ("code", "recode", "state", "status", "resultcode", "errcode")
_MESSAGES: Final = ("msg", "message", "info", "errmsg", "resultmsg")


def parse(text: str) -> tuple[Any, bool]:
    """The answer as objects, and whether its outside is XML; a ValueError if it is neither."""
    text = text.strip().lstrip("\ufeff")
    if text[:1] in "[{":
        return _opened(msgspec.json.decode(text)), False
    if text[:1] == "<":
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
        root = etree.fromstring(text.encode("utf-8"), parser)
        return {_local(root): _opened(_element(root))}, True
    raise ValueError("neither")


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _element(element: Any) -> Any:
    children = [c for c in element if isinstance(c.tag, str)]
    if not children:
        return element.text or "" if not element.attrib else {**dict(element.attrib), "#text": element.text or ""}
    out: dict[str, Any] = dict(element.attrib)
    for child in children:
        value, name = _element(child), _local(child)
        if name in out:
            out[name] = [*out[name], value] if isinstance(out[name], list) else [out[name], value]
        else:
            out[name] = value
    return out


def _opened(value: Any, level: int = 0) -> Any:
    """JSON and XML written as a text are opened too."""
    if level > LEVELS:
        return value
    if isinstance(value, dict):
        return {name: _opened(inside, level + 1) for name, inside in value.items()}
    if isinstance(value, list):
        return [_opened(inside, level + 1) for inside in value]
    if isinstance(value, str) and value.strip()[:1] in ("[", "{", "<") and len(value) > 1:
        try:
            return _opened(parse(value)[0], level + 1)
        except (ValueError, msgspec.DecodeError, etree.XMLSyntaxError):
            return value
    return value


def read_sample(text: str) -> Found:
    """Raises ValueError, msgspec.DecodeError or XMLSyntaxError: no answer."""
    answer, xml = parse(text)
    out = Found(kind="service")
    found = max(_lists(answer, ""), key=lambda it: len(it[1]) * len(it[1][0]) - 100 * it[0].count("."), default=None)
    alone = max(
        _objects(answer, ""), key=lambda it: sum(not isinstance(v, dict | list) for v in it[1].values()), default=None
    )
    path, rows = found or ((alone[0], [alone[1]]) if alone else ("", []))
    if xml:
        out.row = path.rpartition(".")[2] or None
    else:
        out.rows = path
    out.columns = list(_columns(rows[:ROWS], ""))
    for place, value in _leaves(answer, ""):
        name = place.rpartition(".")[2].casefold()
        if out.total is None and name in _TOTALS:
            out.total = place
        if out.success is None and name in _CODES:
            out.success = (place, str(value))
        if out.message is None and name in _MESSAGES:
            out.message = place
    return out


def _lists(value: Any, path: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        yield path, value
    elif isinstance(value, dict):
        for name, inside in value.items():
            yield from _lists(inside, f"{path}.{name}" if path else name)


def _objects(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where an answer with one row has no list, the object with the most members is the row."""
    if isinstance(value, dict):
        yield path, value
        for name, inside in value.items():
            yield from _objects(inside, f"{path}.{name}" if path else name)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from _leaves(inside, f"{path}.{name}" if path else name)
    elif not isinstance(value, list):
        yield path, value


def _columns(rows: list[dict[str, Any]], each: str) -> Iterator[Column]:
    for name in dict.fromkeys(name for row in rows for name in row):
        given = [row[name] for row in rows if row.get(name) not in (None, "")]
        inside = [e for value in given if isinstance(value, list) for e in value if isinstance(e, dict)]
        if inside and not each:
            yield from _columns(inside[:ROWS], name)
        elif not any(isinstance(value, dict | list) for value in given):
            yield Column(name, "" if name.isascii() else name, values=[str(value) for value in given], each=each)
