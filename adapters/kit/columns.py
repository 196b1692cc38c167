"""Columns of a mapping: memoised cleaning of whole columns, and what is known of a value that was repaired or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter, ValidationError

from adapters.kit.rules import FieldRule, Item, MappingError, listed
from schemas import Dataset, FieldSpec
from schemas.cleaning import Cleaned, Options, cleaner
from schemas.plain import Plain, plain

SAMPLE: Final = 100
"""Rows after which a column can be told to repeat itself or not."""
MOSTLY: Final = 0.7
"""Share of values seen for the first time above which remembering costs more than it saves."""
MEMO_LIMIT: Final = 20_000
"""Distinct values a column remembers; past it the memo starts anew, so memory stays flat."""


class Odd:
    """Stands in a column for a value that was repaired or refused; the memo knows which."""


ODD: Final = Odd()


class Memo(dict[Any, Any]):
    """raw value -> canonical text, or ODD with the verdict in `odd`."""

    __slots__ = ("afresh", "clean", "odd", "plain")

    def __init__(self, clean: Callable[[Any], Cleaned], plain: Plain | None = None) -> None:
        self.clean = clean
        self.plain = plain
        self.afresh: bool | None = None if plain else False
        """Whether hardly any value comes twice, so that looking costs less than remembering; None until a page told."""
        self.odd: dict[Any, Cleaned] = {}

    def __missing__(self, raw: Any) -> Any:
        value: Any = self.plain((raw,))[0] if self.plain and raw.__class__ is str else None
        if value is None:
            cleaned = self.clean(raw)
            if cleaned.flags or cleaned.problem:
                self.odd[raw], value = cleaned, ODD
            else:
                value = cleaned.value
        self[raw] = value
        return value

    def column(self, raw: Sequence[Any]) -> tuple[Sequence[Any], Mapping[int, Cleaned]]:
        """Canonical values of a column, and by position the verdicts on the odd ones."""
        if len(self) > MEMO_LIMIT:
            self.clear()
            self.odd.clear()
        if self.afresh is None and len(raw) >= SAMPLE:
            self.afresh = len(set(map(_hashable, raw))) > len(raw) * MOSTLY
        if self.plain and self.afresh is not False:
            return self._afresh(raw, self.plain)
        values = self._remembered(raw)
        if not self.odd:
            return values, {}
        return values, {i: self.odd[_hashable(raw[i])] for i, value in enumerate(values) if value is ODD}

    def _afresh(self, raw: Sequence[Any], plain: Plain) -> tuple[Sequence[Any], Mapping[int, Cleaned]]:
        try:
            found = plain(raw)
        except TypeError:  # not all of it is text
            found = plain([r if r.__class__ is str else "" for r in raw])
        if None not in found:
            return found, {}
        values, odd = list(found), {}
        for i in [i for i, value in enumerate(found) if value is None]:
            cleaned = self.clean(_hashable(raw[i]))
            if cleaned.flags or cleaned.problem:
                odd[i], values[i] = cleaned, ODD  # type: ignore[call-overload] # ODD stands for a text here
            else:
                values[i] = cleaned.value
        return values, odd

    def _remembered(self, raw: Sequence[Any]) -> list[Any]:
        try:
            return list(map(self.__getitem__, raw))
        except TypeError:  # a list or an object where a scalar was promised
            return list(map(self.__getitem__, map(_hashable, raw)))

    def detail(self, raw: Any) -> Cleaned:
        """The whole verdict on one value."""
        raw = _hashable(raw)
        if self.afresh:
            return self.clean(raw)
        value = self[raw]
        return self.odd[raw] if value is ODD else Cleaned(value)


def _hashable(raw: Any) -> Any:
    return msgspec.json.encode(raw).decode() if isinstance(raw, (list, dict)) else raw


@lru_cache(1024)
def _validator(annotation: Any) -> Callable[[Any], Any]:
    """Built once a process: there are as many as fields, and building one costs more than a page of an unchanged feed."""
    return TypeAdapter(annotation).validator.validate_python


def _field_cleaner(spec: FieldSpec, options: Options, key: bool) -> Callable[[Any], Cleaned]:
    """Cleans, enforces presence, and holds the result against the schema's own constraint."""
    try:
        clean = cleaner(spec.kind, options)
    except ValueError as error:
        raise MappingError(spec.path, str(error)) from error
    validate = _validator(spec.annotation)
    absent = "KEY_MISSING" if key else "MISSING" if spec.of.required else None

    def apply(raw: Any) -> Cleaned:
        cleaned = clean(raw)
        if cleaned.value is None:
            return cleaned._replace(problem=absent) if absent and cleaned.problem is None else cleaned
        try:
            validate(cleaned.value)
        except ValidationError:
            return Cleaned(None, cleaned.flags, "SCHEMA_MISMATCH")
        return cleaned

    return apply


class Column:
    """One canonical field read from one source column."""

    def __init__(self, spec: FieldSpec, path: str, rule: FieldRule, today: date, *, key: bool = False) -> None:
        options = Options(unit=rule.unit, codes=rule.codes, code_list=spec.of.codes, part=rule.part, today=today)
        clean = _field_cleaner(spec, options, key)
        self.name, self.path, self.leaf, self.source = spec.name, path, leaf(path), rule.from_
        self.memo = Memo(clean, plain(spec.kind, options))
        self.rule = rule
        if rule.const is not None and (fixed := clean(rule.const)).problem:
            raise MappingError(path, f"常量不合规：{fixed.problem}")

    def raw(self, item: Item) -> Any:
        return self.rule.value(item)

    def given(self, items: Sequence[Item]) -> Sequence[Any]:
        """What all items hold, where no single column does."""
        return [self.rule.const] * len(items) if self.rule.const is not None else list(map(self.rule.value, items))

    def read(self, raw: Sequence[Any]) -> tuple[Sequence[Any], Mapping[int, Cleaned]]:
        """Canonical values, and by position the verdicts on those that were repaired or refused."""
        return self.memo.column(raw)

    def details(self, item: Item) -> list[tuple[str, Cleaned]]:
        return [(self.path, self.memo.detail(self.raw(item)))]


def compiled(dataset: Dataset, path: str, rule: FieldRule, today: date) -> Column:
    """One rule of a known path as a column.

    Raises:
        MappingError: no place or several where the value comes from; an impossible unit, code list or constant.
    """
    spec = dataset.fields[leaf(path)]
    if rule.given != 1:
        raise MappingError(path, "请写 from（来源列）、join（几列相连）或 const（常量）之一")
    if rule.each is not None and (spec.part is None or path != spec.path):
        raise MappingError(path, "each 只用于成组的字段，路径里不写序号")
    key = all(spec.path in alternative for alternative in dataset.record_key)
    return Column(spec, path, rule, today, key=key)


def leaf(path: str) -> str:
    """The field a rule's path leads to: `parties.0.name` -> `parties.name`."""
    head, _, rest = path.partition(".")
    index, _, tail = rest.partition(".")
    return f"{head}.{tail}" if index.isdigit() else path


def _apart(raw: Any) -> Any:
    """A list of scalars (an element that came more than once) as a value that a memo can remember."""
    return tuple(raw) if isinstance(raw, list) and not any(isinstance(one, (list, dict)) for one in raw) else raw


_WIDE_SEPARATORS = str.maketrans({"，": ",", "、": ",", "；": ";", "／": "/"})


class SplitPart:
    """A repeated part whose elements a source joins into one text per column, or lists there, in step (co-owners, §3.4)."""

    def __init__(self, part: str, columns: list[Column], separator: str) -> None:
        self.part, self.columns, self.separator = part, columns, separator
        self.names = tuple(c.name for c in columns)
        self.memos = [Memo(self._splitter(c)) for c in columns]

    def _pieces(self, raw: Any) -> list[Any]:
        if isinstance(raw, tuple):
            return [*raw]
        if not isinstance(raw, str):
            return [raw]
        text = raw.translate(_WIDE_SEPARATORS)
        return text.split(self.separator) if self.separator in text else [raw]

    def _splitter(self, column: Column) -> Callable[[Any], Any]:
        """Yields a tuple of canonical values as the memo's value; anything odd is left to the slow path."""

        def split(raw: Any) -> Any:
            values = tuple(column.memo[piece] for piece in self._pieces(raw))
            odd = any(value is ODD for value in values)
            return Cleaned(values, ("ODD",) if odd else ())  # type: ignore[arg-type] # a tuple rides in the memo

        return split

    def raw(self, item: Item) -> tuple[Any, ...]:
        return tuple(c.raw(item) for c in self.columns)

    def values(self, items: Sequence[Item]) -> list[Any]:
        columns = [
            m.column([_apart(c.raw(i)) for i in items])[0] for m, c in zip(self.memos, self.columns, strict=True)
        ]
        return [self._elements(values) for values in zip(*columns, strict=True)]

    def _elements(self, values: tuple[Any, ...]) -> Any:
        for value in values:
            if value is ODD:
                return ODD
        count = max(map(len, values))
        if count == 1:
            return [dict(zip(self.names, (value[0] for value in values), strict=True))]
        aligned = _align(values, count)
        if aligned is None:
            return ODD
        return [dict(zip(self.names, element, strict=True)) for element in zip(*aligned, strict=True)]

    def details(self, item: Item) -> tuple[Any, list[tuple[str, Cleaned]]]:
        """The elements and every cleaning verdict; raises nothing: a misalignment is a verdict too."""
        cleaned = [[c.memo.detail(p) for p in self._pieces(_apart(c.raw(item)))] for c in self.columns]
        verdicts = [(c.path, one) for c, ones in zip(self.columns, cleaned, strict=True) for one in ones]
        aligned = _align([[one.value for one in ones] for ones in cleaned], max(map(len, cleaned)))
        if aligned is None:
            return [], [(self.part, Cleaned(None, (), "MISALIGNED")), *verdicts]
        return [dict(zip(self.names, element, strict=True)) for element in zip(*aligned, strict=True)], verdicts


class ListPart:
    """A repeated part whose elements a source keeps as a list of objects in one column (the plots of a contract, §3.5)."""

    def __init__(self, part: str, columns: list[Column], within: str) -> None:
        self.part, self.columns, self.within = part, columns, within
        self.names = tuple(c.name for c in columns)

    def values(self, items: Sequence[Item]) -> list[Any]:
        """All rows of all lists are cleaned as one column each, then given back to their items."""
        lists = [listed(item.get(self.within)) for item in items]
        rows = [row for found in lists for row in found or ()]
        cleaned = (c.read([c.raw(row) for row in rows])[0] for c in self.columns)
        elements = iter(
            [ODD if ODD in row else dict(zip(self.names, row, strict=True)) for row in zip(*cleaned, strict=True)]
        )
        out: list[Any] = []
        for found in lists:
            mine = list(islice(elements, len(found or ())))
            out.append(ODD if found is None or ODD in mine else mine)
        return out

    def details(self, item: Item) -> tuple[Any, list[tuple[str, Cleaned]]]:
        """The elements and every cleaning verdict; what is no list of objects is a verdict too."""
        rows = listed(item.get(self.within))
        if rows is None:
            return [], [(self.part, Cleaned(None, (), "LIST_FORM"))]
        verdicts = [verdict for row in rows for c in self.columns for verdict in c.details(row)]
        return [{c.name: c.memo.detail(c.raw(row)).value for c in self.columns} for row in rows], verdicts


def _align(values: Sequence[Sequence[Any]], count: int) -> list[Sequence[Any]] | None:
    """Columns of equal length; a wholly blank one stands for as many blanks. None if they do not pair up."""
    out: list[Sequence[Any]] = []
    for value in values:
        if len(value) == count:
            out.append(value)
        elif len(value) == 1 and value[0] is None:
            out.append((None,) * count)
        else:
            return None
    return out
