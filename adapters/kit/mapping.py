"""From raw items to canonical records: rules as data, compiled once per feed, applied a column at a time.

Cleaning is memoised in front of pydantic's own constraints, so a distinct value is cleaned and validated once. A row in
which every value came out plain is assembled directly; a row with a repaired or refused value takes the slow path, which
collects its flags or names its first fault. `Translator.translate` is pure: the same items give the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from hashlib import blake2b
from itertools import compress
from operator import itemgetter
from typing import Any

import msgspec

from adapters.kit.columns import ODD, Column, ListPart, SplitPart, compiled, leaf
from adapters.kit.rules import FAULT, DeletedRule, FieldRule, IgnoreRule, Item, MappingError, moments
from schemas import Canonical, Dataset, Value
from schemas.cleaning import Cleaned
from schemas.masking import mask_kind
from schemas.provenance import CLEANING_VERSION, CODES_VERSION


@dataclass(frozen=True, slots=True)
class Rejected:
    """One item that cannot become a record."""

    position: int
    reason: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """One item by which the source withdraws a record. `key` holds the record's key fields and no others."""

    position: int
    key: Canonical
    time: str | None
    """When the source says so, as in `Translated.times`."""


@dataclass(slots=True)
class Translated:
    """What a page became. `positions`, `flags`, `times` and each of `columns` run in step, in source order."""

    positions: list[int] = field(default_factory=list)
    names: tuple[str, ...] = ()
    columns: Sequence[Sequence[Value]] = field(default_factory=list)
    """Canonical values by field, in the order of `names`."""
    flags: list[tuple[str, ...]] = field(default_factory=list)
    """`field:FLAG` for a repaired value, `FLAG` for a remark about the whole record."""
    times: list[str | None] = field(default_factory=list)
    """Source time of each record, ISO to the second, Asia/Shanghai; None where the item has none."""
    rejected: list[Rejected] = field(default_factory=list)
    ignored: dict[str, list[int]] = field(default_factory=dict)
    deleted: list[Deleted] = field(default_factory=list)
    partial: list[Canonical] = field(default_factory=list)
    """What could be read of the rejected items: unreadable values are None."""
    newest: str | None = None
    """The newest source time of any item, rejected and ignored ones included: the watermark must pass them too."""

    def column(self, name: str) -> Sequence[Value]:
        return self.columns[self.names.index(name)]

    def record(self, i: int) -> Canonical:
        return {name: column[i] for name, column in zip(self.names, self.columns, strict=True)}

    def take(self, rows: Sequence[int]) -> Translated:
        """These records alone."""
        if len(rows) == len(self.positions):
            return self
        return Translated(
            positions=[self.positions[i] for i in rows],
            names=self.names,
            columns=[[column[i] for i in rows] for column in self.columns],
            flags=[self.flags[i] for i in rows],
            times=[self.times[i] for i in rows],
        )

    def refused(self, reason: str, path: str | None) -> Translated:
        """The same page with none of its records accepted: each is rejected for this reason."""
        return Translated(
            names=self.names,
            columns=[[] for _ in self.names],
            rejected=[*self.rejected, *(Rejected(position, reason, path) for position in self.positions)],
            ignored=self.ignored,
            deleted=self.deleted,
            partial=[*self.partial, *self.records],
            newest=self.newest,
        )

    @property
    def records(self) -> list[Canonical]:
        """The records as objects, built on each call."""
        return [dict(zip(self.names, values, strict=True)) for values in zip(*self.columns, strict=True)]


def mapping_faults(dataset: Dataset, rules: Mapping[str, FieldRule | str]) -> Iterator[MappingError]:
    """Everything for which a `Translator` would refuse these rules; a misspelt field is not also missing."""
    whole = {path: FieldRule(from_=r) if isinstance(r, str) else r for path, r in rules.items()}
    found = list(_path_faults(dataset, whole))
    strange = [path for path in whole if leaf(path) not in dataset.fields]
    yield from (fault for fault in found if fault.path in strange or not get_close_matches(fault.path, strange))
    for path, rule in whole.items():
        try:
            if path not in strange:
                compiled(dataset, path, rule, date.min)
        except MappingError as fault:
            found.append(fault)
            yield fault
    if not found:
        try:
            Translator(dataset, whole, today=date.min)
        except MappingError as fault:
            yield fault


def _path_faults(dataset: Dataset, rules: Mapping[str, FieldRule]) -> Iterator[MappingError]:
    fields = dataset.fields
    for path in rules:
        if leaf(path) not in fields:
            yield MappingError(path, f"{dataset.title}没有这个字段。可用的有：{'、'.join(fields)}")
    covered = {leaf(path) for path in rules}
    missing = [spec for spec in fields.values() if spec.of.required and spec.path not in covered]
    for spec in missing:
        yield MappingError(spec.path, f"必填字段“{spec.of.title}”没有映射规则")
    if not missing and not any(covered.issuperset(alternative) for alternative in dataset.record_key):
        known = " / ".join(" + ".join(alternative) for alternative in dataset.record_key)
        yield MappingError(dataset.record_key[0][0], f"记录主键没有映射规则：{known}")


class Translator:
    """One feed's rules, compiled. Not thread-safe (its memos are its own); build one per run."""

    def __init__(
        self,
        dataset: Dataset,
        rules: Mapping[str, FieldRule | str],
        *,
        source_time: FieldRule | str | None = None,
        ignore: Mapping[str, IgnoreRule] | None = None,
        deleted: DeletedRule | None = None,
        today: date,
    ) -> None:
        """Compiles.

        Raises:
            MappingError: an unknown path, a required field without a rule, an impossible unit or code list.
        """
        self.dataset = dataset
        self.source_time = source_time.from_ if isinstance(source_time, FieldRule) else source_time
        self.ignore = dict(ignore or {})
        self.deleted = deleted
        self.rules = {path: FieldRule(from_=r) if isinstance(r, str) else r for path, r in rules.items()}
        for fault in _path_faults(dataset, self.rules):
            raise fault
        self._columns: list[Column] = []
        self._split: list[SplitPart | ListPart] = []
        self._fixed: dict[str, list[list[Column]]] = {}
        self._compile(today)
        self._sources = tuple(dict.fromkeys(c.source for c in self._columns if c.source is not None))
        names = [*(c.name for c in self._columns), *(p.part for p in self._split), *self._fixed]
        self._absent = [s.name for s in dataset.fields.values() if s.part is None and s.name not in names]
        self._names = (*names, *self._absent)
        self.version = self._version()
        """16 hex digits naming rules, cleaning and code lists; part of every version made with them."""

    def _version(self) -> str:
        rules = {path: rule.model_dump(exclude_defaults=True) for path, rule in self.rules.items()}
        ignore = {name: rule.model_dump() for name, rule in self.ignore.items()}
        what = [
            self.dataset.name,
            self.dataset.version,
            rules,
            ignore,
            self.source_time,
            CLEANING_VERSION,
            CODES_VERSION,
        ]
        if self.deleted is not None:
            what.append(self.deleted.model_dump())
        return blake2b(msgspec.json.encode(what, order="sorted"), digest_size=8).hexdigest()

    def kind(self, path: str) -> str:
        """How a value under a rule's path is masked (`schemas.masking`)."""
        return mask_kind(self.dataset.fields[leaf(path)])

    def _compile(self, today: date) -> None:
        split: dict[str, list[tuple[Column, FieldRule]]] = {}
        for path, rule in self.rules.items():
            spec, column = self.dataset.fields[leaf(path)], compiled(self.dataset, path, rule, today)
            if spec.part is None:
                self._columns.append(column)
            elif path != spec.path:
                elements = self._fixed.setdefault(spec.part, [])
                index = int(path.split(".")[1])
                while len(elements) <= index:
                    elements.append([])
                elements[index].append(column)
            else:
                split.setdefault(spec.part, []).append((column, rule))
        for part, columns in split.items():
            self._split.append(self._part(part, columns, today))
        for part, elements in self._fixed.items():
            self._fixed[part] = [self._complete(part, columns, today) for columns in elements]

    def _part(self, part: str, columns: list[tuple[Column, FieldRule]], today: date) -> SplitPart | ListPart:
        whole = self._complete(part, [column for column, _ in columns], today)
        within = {rule.each for _, rule in columns if rule.const is None}
        if within in (set(), {None}):
            return SplitPart(part, whole, columns[0][1].split or ",")
        if len(within) > 1:
            raise MappingError(columns[0][0].path, "同一组字段的 each 要写同一列")
        return ListPart(part, whole, str(*within))

    def _complete(self, part: str, columns: list[Column], today: date) -> list[Column]:
        """Every field of the part, in the table's order; an unmapped one reads a column that never exists."""
        by_name = {c.name: c for c in columns}
        nowhere = FieldRule(from_="")
        return [
            by_name.get(s.name) or Column(s, s.path, nowhere, today)
            for s in self.dataset.fields.values()
            if s.part == part
        ]

    def translate(self, items: Sequence[Item]) -> Translated:
        """Every item becomes a record, a rejection or a deletion, or is ignored by a named rule. Positions are those of `items`.

        An item in which its reader named a `@fault` is rejected for it: its cells may stand in the wrong columns.
        """
        out = Translated(names=self._names, columns=[[] for _ in self._names])
        kept: Sequence[int] = range(len(items))
        times = self._times(items)
        out.newest = max(filter(None, times), default=None)
        if self.ignore:
            kept = self._sift(items, out)
        if self.deleted is not None:
            kept = self._withdraw(items, kept, times, out)
        chosen = items if len(kept) == len(items) else [items[i] for i in kept]
        if chosen:
            self._fill(out, chosen, kept, times)
        return out

    def _fill(self, out: Translated, items: Sequence[Item], kept: Sequence[int], times: Sequence[str | None]) -> None:
        columns, flags, slow = self._columns_read(items)
        slow.update([i for i, item in enumerate(items) if FAULT in item])
        if len(self.dataset.record_key) > 1:
            slow.update(self._nameless(columns))
        lost = []
        for i in sorted(slow):
            record, found = self._one(kept[i], items[i], out)
            if found is None:
                lost.append(i)
                continue
            flags[i] = found
            for name, column in zip(self._names, columns, strict=True):
                column[i] = record[name]
        if lost:
            good = [True] * len(items)
            for i in lost:
                good[i] = False
            columns = [list(compress(column, good)) for column in columns]
            kept, flags = list(compress(kept, good)), list(compress(flags, good))
        out.positions, out.columns, out.flags = list(kept), columns, flags
        out.times = list(times) if len(kept) == len(times) else [times[i] for i in kept]
        if self.dataset.checks:
            for i, record in enumerate(out.records):
                if remarks := [flag for check in self.dataset.checks for flag in check(record)]:
                    flags[i] = tuple(dict.fromkeys((*flags[i], *remarks)))

    def _columns_read(self, items: Sequence[Item]) -> tuple[list[list[Any]], list[tuple[str, ...]], set[int]]:
        """Every column, repaired values filled in and flagged; and the rows that need the slow path: something was refused."""
        flags: list[tuple[str, ...]] = [()] * len(items)
        slow: set[int] = set()
        columns: list[list[Any]] = []
        raw = dict(zip(self._sources, _columns_of(items, self._sources), strict=True))
        for column in self._columns:
            given = column.given(items) if column.source is None else raw[column.source]
            read, odd = column.read(given)
            values = list(read)
            for i, cleaned in odd.items():
                if cleaned.problem:
                    slow.add(i)
                else:
                    values[i] = cleaned.value
                    flags[i] += tuple([f"{column.leaf}:{flag}" for flag in cleaned.flags])
            columns.append(values)
        parts = [part.values(items) for part in self._split]
        parts += [self._fixed_values(elements, items) for elements in self._fixed.values()]
        for values in parts:
            slow.update([i for i, value in enumerate(values) if value is ODD])
        blank = [None] * len(items)
        return [*columns, *parts, *(list(blank) for _ in self._absent)], flags, slow

    def _nameless(self, columns: Sequence[Sequence[Any]]) -> list[int]:
        """Rows that no alternative of the record key can name: no single field is to blame."""
        of = dict(zip(self._names, columns, strict=True))
        alternatives = [[of[name] for name in fields] for fields in self.dataset.record_key]
        named = [[None not in key for key in zip(*fields, strict=True)] for fields in alternatives]
        return [i for i, ways in enumerate(zip(*named, strict=True)) if not any(ways)]

    def _times(self, items: Sequence[Item]) -> list[str | None]:
        column = self.source_time
        return moments([item.get(column) for item in items]) if column else [None] * len(items)

    def _sift(self, items: Sequence[Item], out: Translated) -> list[int]:
        kept = []
        for i, item in enumerate(items):
            rule = next((name for name, rule in self.ignore.items() if rule.matches(item)), None)
            if rule is None:
                kept.append(i)
            else:
                out.ignored.setdefault(rule, []).append(i)
        return kept

    def _withdraw(
        self, items: Sequence[Item], kept: Sequence[int], times: Sequence[str | None], out: Translated
    ) -> list[int]:
        """Takes out the items that delete; what they say of other fields than the key is not even looked at."""
        keys = [c for c in self._columns if any(c.path in fields for fields in self.dataset.record_key)]
        left = []
        for i in kept:
            item = items[i]
            if FAULT in item or self.deleted is None or not self.deleted.matches(item):
                left.append(i)
                continue
            verdicts = [verdict for column in keys for verdict in column.details(item)]
            key: Canonical = {path: cleaned.value for path, cleaned in verdicts}
            fault = next(((path, cleaned.problem) for path, cleaned in verdicts if cleaned.problem), None)
            if fault is None and self.dataset.key_fields(key):
                out.deleted.append(Deleted(i, key, times[i]))
                continue
            reason, path = ("KEY_MISSING", None) if fault is None else (str(fault[1]), leaf(fault[0]))
            out.rejected.append(Rejected(i, reason, path))
            out.partial.append(key)
        return left

    def _fixed_values(self, elements: list[list[Column]], items: Sequence[Item]) -> list[Any]:
        per_element = []
        for columns in elements:
            names = tuple(c.name for c in columns)
            values = zip(*(c.read([c.raw(i) for i in items])[0] for c in columns), strict=True)
            per_element.append([ODD if ODD in row else dict(zip(names, row, strict=True)) for row in values])
        return [ODD if ODD in row else list(row) for row in zip(*per_element, strict=True)]

    def _one(self, position: int, item: Item, out: Translated) -> tuple[Canonical, tuple[str, ...] | None]:
        """One row, field by field: its record and flags; or its first fault in the field table's order, and no flags."""
        record: Canonical = dict.fromkeys(self._absent)
        verdicts: list[tuple[str, Cleaned]] = []
        for column in self._columns:
            (verdict,) = column.details(item)
            verdicts.append(verdict)
            record[column.name] = verdict[1].value
        for part in self._split:
            record[part.part], found = part.details(item)
            verdicts += found
        for name, elements in self._fixed.items():
            record[name] = [{c.name: c.memo.detail(c.raw(item)).value for c in columns} for columns in elements]
            verdicts += [d for columns in elements for c in columns for d in c.details(item)]
        if FAULT in item:
            reason, _, where = str(item[FAULT]).partition(":")
            out.rejected.append(Rejected(position, reason, self._fed_by(where)))
            out.partial.append(record)
            return record, None
        faults = [(path, c.problem) for path, c in verdicts if c.problem]
        if faults:
            path, problem = min(faults, key=lambda fault: fault[1] != "KEY_MISSING")
            out.rejected.append(Rejected(position, problem, leaf(path)))
            out.partial.append(record)
            return record, None
        if not self.dataset.key_fields(record):
            out.rejected.append(Rejected(position, "KEY_MISSING", None))
            out.partial.append(record)
            return record, None
        flags = [f"{leaf(path)}:{flag}" for path, c in verdicts for flag in c.flags]
        return record, tuple(dict.fromkeys(flags))

    def _fed_by(self, source: str) -> str | None:
        """The field that a source column feeds; None if none does."""
        return next((leaf(path) for path, rule in self.rules.items() if source and source in rule.sources), None)


def _columns_of(items: Sequence[Item], names: tuple[str, ...]) -> Iterable[Sequence[Any]]:
    if len(names) > 1:
        try:
            return list(zip(*map(itemgetter(*names), items), strict=True))
        except KeyError:
            pass
    return [[item.get(name) for item in items] for name in names]
