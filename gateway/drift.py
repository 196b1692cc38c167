"""Whether a source still sends the fields it used to (来源字段的变化), by kind: new, missing, renamed, retyped.

Of each feed the names of its fields are remembered and the shape of what stands in them, never a value. A page is held
against that by its first rows; only fields that stood in every row so far can be missing, and only from a whole page. A feed
says what is to happen (`drift:`): `evolve` goes on and tells, `freeze` stops the run before anything of the page is kept,
`quarantine` holds the page back. That a field was renamed is proposed, and never acted upon.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from adapters.kit import Item, Translated, UploadAdapter, columns_read
from gateway.config import DriftModel
from gateway.errors import NeedsPerson
from gateway.store import Store, Tx
from gateway.trial import Trial

REASON: Final = "SCHEMA_DRIFT"
SAMPLE: Final = 8
"""Rows of a page whose fields are looked at; while they are learned, all."""
SURE: Final = 20
"""Rows from which the fields are learned; only one that stood in all of them can be missing."""
LEAST: Final = 5
"""Rows a page must have for a field to be missing from it, and values of one shape that make a shape."""
KINDS: Final = ("missing", "renamed", "retyped", "new")
"""Kinds of change, the one that needs somebody most first."""

_NUMBER: Final = re.compile(r"[+-]?[0-9][0-9,]*(?:\.[0-9]+)?")
_DATE: Final = re.compile(r"(?:19|20)[0-9]{2}[-/.年](?:0?[1-9]|1[0-2])(?:[-/.月].*)?")
_SHARE: Final = 0.9


def shape_of(values: Sequence[Any]) -> str:
    """`number`, `date`, `text`, `list` or `object`; empty where too few stand there, or they are of several kinds."""
    found = Counter(shape for value in values if (shape := _shape(value)))
    if not found:
        return ""
    shape, count = found.most_common(1)[0]
    return shape if count >= LEAST and count >= _SHARE * found.total() else ""


def _shape(value: Any) -> str:
    if isinstance(value, str):
        text = value.strip()
        return "" if not text else "number" if _NUMBER.fullmatch(text) else "date" if _DATE.fullmatch(text) else "text"
    if value is None or isinstance(value, bool):
        return ""
    return "number" if isinstance(value, int | float) else "list" if isinstance(value, list) else "object"


@dataclass(slots=True)
class Remembered:
    """One field of a source. `steady`: it stood in every row so far."""

    shape: str
    rows: int
    steady: bool
    kind: str = ""
    """How it changed, of `KINDS`; empty: it did not."""
    other: str = ""
    """Its shape now, where that changed; or the field that it may be called now."""
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one field."""

    kind: str
    field: str
    other: str = ""
    since: str | None = None

    @property
    def sentence(self) -> str:
        field, other = self.field, self.other
        if self.kind == "new":
            return f"来源多了字段 {field}"
        if self.kind == "missing":
            return f"来源不再给字段 {field}"
        if self.kind == "renamed":
            return f"看起来 {other} 就是原来的 {field}：来源不再给后者，多了前者，内容相似"
        was, now = (SHAPES[shape] for shape in self.other.split(">"))
        return f"字段 {field} 原来是{was}，现在是{now}"

    def as_dict(self) -> dict[str, str | None]:
        return {**asdict(self), "sentence": self.sentence, "remedy": self.remedy}

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.kind == "renamed":
            return f"请与部门核实，确是改名就在 mapping 里把 {self.field} 改成 {self.other} 并发布"
        return "请与部门核实：要改就改 mapping 并发布，不用改就运行 shuqiao drift accept"


SHAPES: Final = {"number": "数字", "date": "日期", "text": "文字", "list": "列表", "object": "对象"}


class Drift:
    """The fields of one feed during one run."""

    def __init__(
        self,
        feed_id: int,
        reads: frozenset[str],
        policy: DriftModel | None,
        known: Mapping[str, Remembered],
        at: str,
    ) -> None:
        self._feed_id, self._mapped, self._policy, self._at = feed_id, reads, policy, at
        self.known = dict(known)
        self._rows = max((field.rows for field in self.known.values()), default=0)
        self._shaped = self._dirty = False
        for name, field in self.known.items():
            if field.kind and settled(name, field.kind, reads):
                self._clear(field)

    @classmethod
    def of(cls, tx: Tx, feed_id: int, feed: Trial, policy: DriftModel | None, at: str) -> Drift:
        """What is remembered. No `policy`: kept answers say nothing of today's fields; nor does a clerk, who may leave columns out."""
        policy = None if isinstance(feed.adapter, UploadAdapter) else policy
        return cls(feed_id, mapped(feed), policy, remembered(tx, feed_id) if policy else {}, at)

    def judge(self, items: Sequence[Item], t: Translated) -> Translated:
        """The page as it was, or refused whole.

        Raises:
            NeedsPerson: a change of a kind that freezes.
        """
        if self._policy is None or not items:
            return t
        if self._rows < SURE:
            self._learn(items)
            return t
        changes = self._changes(items)
        for change in changes:
            kept = self.known.setdefault(change.field, Remembered("", 0, steady=False))
            if (kept.kind, kept.other) != (change.kind, change.other):
                kept.kind, kept.other, kept.since, self._dirty = change.kind, change.other, self._at, True
        for change in sorted(changes, key=lambda c: KINDS.index(c.kind)):
            said = getattr(self._policy, change.kind)
            if said == "freeze":
                raise NeedsPerson(
                    "{what}，采集已停下，这一页没有入库",
                    code=REASON,
                    owner="county",
                    action="{remedy}",
                    what=change.sentence,
                    remedy=change.remedy,
                )
            if said == "quarantine":
                return t.refused(REASON, None)
        return t

    def _learn(self, items: Sequence[Item]) -> None:
        """The first rows there are: which fields stand in all of them, and what they look like."""
        before, self._rows = self._rows, self._rows + len(items)
        for name in dict.fromkeys(name for item in items for name in item if not name.startswith("@")):
            self.known.setdefault(name, Remembered("", 0, steady=not before))
        for name, kept in self.known.items():
            values = [item[name] for item in items if name in item]
            kept.shape = kept.shape or shape_of(values)
            kept.rows, kept.steady = self._rows, kept.steady and len(values) == len(items)
        self._shaped = self._dirty = True

    def _clear(self, field: Remembered) -> None:
        field.kind, field.other, field.since, self._dirty = "", "", None, True

    def _changes(self, items: Sequence[Item]) -> list[Change]:
        """New, missing, renamed; and retyped, by the first page of the run that has rows enough."""
        some = items[:SAMPLE]
        here = {name for item in some for name in item if not name.startswith("@")}
        fresh = [name for name in here - self.known.keys() if name not in self._mapped]
        fresh += [name for name in here & self.known.keys() if self.known[name].kind == "new"]
        for name in (here & self._mapped) - self.known.keys():
            self.known[name], self._dirty = Remembered("", len(some), steady=False), True
        gone = []
        for name, kept in self.known.items():
            if name in here and kept.kind in ("missing", "renamed"):
                self._clear(kept)
            if name in here or not kept.steady or name not in self._mapped:
                continue
            if any(name in item for item in items):
                kept.steady, self._dirty = False, True
            elif len(items) >= LEAST:
                gone.append(name)
        changes = self._renamed(gone, fresh, items)
        taken = {change.other for change in changes}
        changes += [Change("missing", name) for name in gone if name not in {c.field for c in changes}]
        changes += [Change("new", name) for name in sorted(fresh) if name not in taken]
        return changes + self._retyped(items)

    def _renamed(self, gone: Sequence[str], fresh: Sequence[str], items: Sequence[Item]) -> list[Change]:
        """A vanished field and a new one of its shape, where each has no other."""
        shapes = {name: shape_of([item.get(name) for item in items]) for name in fresh}
        out = []
        for name in gone:
            near = [other for other, shape in shapes.items() if shape and shape == self.known[name].shape]
            rivals = [other for other in gone if self.known[other].shape == self.known[name].shape]
            if len(near) == len(rivals) == 1:
                out.append(Change("renamed", name, near[0]))
        return out

    def _retyped(self, items: Sequence[Item]) -> list[Change]:
        if self._shaped or len(items) < LEAST:
            return []
        self._shaped = True
        out = []
        for name, kept in self.known.items():
            if name not in self._mapped:
                continue
            shape = shape_of([item.get(name) for item in items])
            if shape and not kept.shape:
                kept.shape, self._dirty = shape, True
            elif shape == kept.shape and kept.kind == "retyped":
                self._clear(kept)
            elif shape and shape != kept.shape:
                out.append(Change("retyped", name, f"{kept.shape}>{shape}"))
        return out

    def save(self, store: Store) -> None:
        """What is new to remember, in a transaction of its own: it is no part of what a page says."""
        if self._dirty:
            with store.write() as tx:
                write(tx, self._feed_id, self.known)
            self._dirty = False


def mapped(feed: Trial) -> frozenset[str]:
    """Columns that the feed's rules look at."""
    stream = feed.stream
    return columns_read([*stream.mapping.values(), stream.source_time, *stream.ignore.values(), stream.deleted])


def remembered(tx: Tx, feed_id: int) -> dict[str, Remembered]:
    """Field -> what is known of it."""
    return {
        row.name: Remembered(row.shape, row.rows, bool(row.steady), row.kind or "", row.other or "", row.since)
        for row in tx.all("source_fields", feed_id=feed_id)
    }


def write(tx: Tx, feed_id: int, fields: Mapping[str, Remembered]) -> None:
    for name, f in fields.items():
        tx.run(
            "source_field_put",
            feed_id=feed_id,
            name=name,
            shape=f.shape,
            rows=f.rows,
            steady=int(f.steady),
            kind=f.kind or None,
            other=f.other or None,
            since=f.since,
        )


def settled(name: str, kind: str, reads: frozenset[str]) -> bool:
    """Whether the rules were mended: they look at a new field now, or no longer at one that changed."""
    return (name in reads) == (kind == "new")


def changes_of(tx: Tx, feed_id: int, reads: frozenset[str]) -> list[Change]:
    """What changed and nobody accepted, the most urgent first. A mapping that was mended settles what it was about: `reads`
    are the columns its rules look at now.
    """
    out = []
    for name, f in remembered(tx, feed_id).items():
        if f.kind and not settled(name, f.kind, reads):
            out.append(Change(f.kind, name, f.other, f.since))
    return sorted(out, key=lambda change: (KINDS.index(change.kind), change.field))


def accept(store: Store, feed_id: int) -> int:
    """How things are is how they are to be: what vanished is forgotten, the rest remembered as it came; how many changes."""
    with store.write() as tx:
        fields = remembered(tx, feed_id)
        changed = {name: f for name, f in fields.items() if f.kind}
        for name, f in changed.items():
            if f.kind in ("missing", "renamed"):
                tx.run("source_field_forget", feed_id=feed_id, name=name)
                del fields[name]
            else:
                f.shape = f.other.partition(">")[2] if f.kind == "retyped" else f.shape
                f.kind, f.other, f.since = "", "", None
        write(tx, feed_id, fields)
    return len(changed)
