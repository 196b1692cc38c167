"""From raw items to canonical records: rules as data, compiled once per feed, applied a column at a time.

Cleaning is memoised in front of pydantic's own constraints, so a distinct value is cleaned and validated once. A row in
which every value came out plain is assembled directly; a row with a repaired or refused value takes the slow path, which
collects its flags or names its first fault. `Translator.translate` is pure: the same items give the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import msgspec

from adapters.kit.columns import ODD, Column, SplitPart
from adapters.kit.rules import FAULT, DeletedRule, FieldRule, IgnoreRule, Item, MappingError, moment
from schemas import Canonical, Dataset
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
    """What a page became. `positions`, `records`, `flags` and `times` run in step, in source order."""

    positions: list[int] = field(default_factory=list)
    records: list[Canonical] = field(default_factory=list)
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
        self._check_paths()
        self._columns: list[Column] = []
        self._split: list[SplitPart] = []
        self._fixed: dict[str, list[list[Column]]] = {}
        self._compile(today)
        self._sources = tuple(dict.fromkeys(c.source for c in self._columns if c.source is not None))
        self._flat_names = tuple(c.name for c in self._columns)
        mapped = set(self._flat_names) | set(dataset.parts)
        self._absent = {s.name: None for s in dataset.fields.values() if s.part is None and s.name not in mapped}
        self.version = self._version()
        """16 hex digits naming rules, cleaning and code lists; part of every version made with them."""

    def _version(self) -> str:
        rules = {path: rule.model_dump(exclude_none=True) for path, rule in self.rules.items()}
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
        return mask_kind(self.dataset.fields[_leaf(path)])

    def _check_paths(self) -> None:
        fields = self.dataset.fields
        for path in self.rules:
            if _leaf(path) not in fields:
                raise MappingError(path, f"{self.dataset.title}没有这个字段。可用的有：{'、'.join(fields)}")
        covered = {_leaf(path) for path in self.rules}
        for spec in fields.values():
            if spec.of.required and spec.path not in covered:
                raise MappingError(spec.path, f"必填字段“{spec.of.title}”没有映射规则")

    def _compile(self, today: date) -> None:
        split: dict[str, list[tuple[Column, str]]] = {}
        for path, rule in self.rules.items():
            spec = self.dataset.fields[_leaf(path)]
            if (rule.from_ is None) == (rule.const is None):
                raise MappingError(path, "请写 from（来源列）或 const（常量）之一")
            column = Column(spec, path, rule, today, key=spec.path in self.dataset.record_key)
            if spec.part is None:
                self._columns.append(column)
            elif path != spec.path:
                elements = self._fixed.setdefault(spec.part, [])
                index = int(path.split(".")[1])
                while len(elements) <= index:
                    elements.append([])
                elements[index].append(column)
            else:
                split.setdefault(spec.part, []).append((column, rule.split or ","))
        for part, columns in split.items():
            self._split.append(SplitPart(part, self._complete(part, [c for c, _ in columns], today), columns[0][1]))
        for part, elements in self._fixed.items():
            self._fixed[part] = [self._complete(part, columns, today) for columns in elements]

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
        out = Translated()
        kept: Sequence[int] = range(len(items))
        times = self._times(items)
        out.newest = max((t for t in times if t), default=None)
        if self.ignore:
            kept = self._sift(items, out)
        if self.deleted is not None:
            kept = self._withdraw(items, kept, times, out)
        chosen = items if len(kept) == len(items) else [items[i] for i in kept]
        if not chosen:
            return out
        names, columns = self._flat(chosen)
        for part in self._split:
            names = (*names, part.part)
            columns.append(part.values(chosen))
        for name, elements in self._fixed.items():
            names = (*names, name)
            columns.append(self._fixed_values(elements, chosen))
        odd = {i for column in columns if ODD in column for i, value in enumerate(column) if value is ODD}
        odd.update(i for i, item in enumerate(chosen) if FAULT in item)
        checks, absent = self.dataset.checks, self._absent
        for i, values in enumerate(zip(*columns, strict=True)):
            if i in odd:
                self._slow(kept[i], chosen[i], times[kept[i]], out)
                continue
            record: Canonical = dict(zip(names, values, strict=True))
            if absent:
                record.update(absent)
            flags = tuple(flag for check in checks for flag in check(record))
            out.positions.append(kept[i])
            out.records.append(record)
            out.flags.append(flags)
            out.times.append(times[kept[i]])
        return out

    def _times(self, items: Sequence[Item]) -> list[str | None]:
        column = self.source_time
        return [moment(item.get(column)) for item in items] if column else [None] * len(items)

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
        keys = [c for c in self._columns if c.path in self.dataset.record_key]
        left = []
        for i in kept:
            item = items[i]
            if FAULT in item or self.deleted is None or not self.deleted.matches(item):
                left.append(i)
                continue
            verdicts = [verdict for column in keys for verdict in column.details(item)]
            key: Canonical = {path: cleaned.value for path, cleaned in verdicts}
            fault = next(((path, cleaned.problem) for path, cleaned in verdicts if cleaned.problem), None)
            if fault is None:
                out.deleted.append(Deleted(i, key, times[i]))
            else:
                out.rejected.append(Rejected(i, str(fault[1]), _leaf(fault[0])))
                out.partial.append(key)
        return left

    def _flat(self, items: Sequence[Item]) -> tuple[tuple[str, ...], list[list[Any]]]:
        raw = dict(zip(self._sources, _columns_of(items, self._sources), strict=True))
        return self._flat_names, [
            c.values([c.const] * len(items) if c.source is None else raw[c.source]) for c in self._columns
        ]

    def _fixed_values(self, elements: list[list[Column]], items: Sequence[Item]) -> list[Any]:
        per_element = []
        for columns in elements:
            names = tuple(c.name for c in columns)
            values = zip(*(c.values([c.raw(i) for i in items]) for c in columns), strict=True)
            per_element.append([ODD if ODD in row else dict(zip(names, row, strict=True)) for row in values])
        return [ODD if ODD in row else list(row) for row in zip(*per_element, strict=True)]

    def _slow(self, position: int, item: Item, time: str | None, out: Translated) -> None:
        """One row, field by field: flags are collected, the first fault in the field table's order decides."""
        record: Canonical = dict(self._absent)
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
            return
        faults = [(path, c.problem) for path, c in verdicts if c.problem]
        if faults:
            path, problem = min(faults, key=lambda fault: fault[1] != "KEY_MISSING")
            out.rejected.append(Rejected(position, problem, _leaf(path)))
            out.partial.append(record)
            return
        flags = [f"{_leaf(path)}:{flag}" for path, c in verdicts for flag in c.flags]
        flags += [flag for check in self.dataset.checks for flag in check(record)]
        out.positions.append(position)
        out.records.append(record)
        out.flags.append(tuple(dict.fromkeys(flags)))
        out.times.append(time)

    def _fed_by(self, source: str) -> str | None:
        """The field that a source column feeds; None if none does."""
        return next((_leaf(path) for path, rule in self.rules.items() if source and rule.from_ == source), None)


def _leaf(path: str) -> str:
    """`parties.0.name` -> `parties.name`."""
    head, _, rest = path.partition(".")
    index, _, tail = rest.partition(".")
    return f"{head}.{tail}" if index.isdigit() else path


def _columns_of(items: Sequence[Item], names: tuple[str, ...]) -> Iterable[Sequence[Any]]:
    if len(names) > 1:
        try:
            return list(zip(*map(itemgetter(*names), items), strict=True))
        except KeyError:
            pass
    return [[item.get(name) for item in items] for name in names]
