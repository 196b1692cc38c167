"""One page for people's eyes: request, masked raw, canonical, flags, side by side; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit import FieldRule, Page, listed
from gateway.columns import ColumnSeen, seen
from gateway.trial import Trial
from schemas import Canonical
from schemas.masking import mask, scrub

SAMPLE: Final = 50
"""Rows of the page by which it is told how many could fill a field."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One canonical field of one row. `raw` and `canonical` are masked."""

    field: str
    column: str
    raw: str | None
    canonical: str | None
    flags: str


@dataclass(frozen=True, slots=True)
class PreviewRow:
    position: int
    verdict: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Filled:
    """How many of the sampled rows gave a canonical field a value."""

    field: str
    title: str
    required: bool
    filled: int
    of: int


@dataclass(frozen=True, slots=True)
class Preview:
    """`got` rows came in one answer; only some are shown, more are sampled."""

    request: str
    got: int
    declared: int | None
    notes: tuple[str, ...]
    rows: list[PreviewRow]
    fields: list[Filled]
    columns: list[ColumnSeen]
    """What the source's own columns hold, by the sampled rows."""
    capped: list[str]
    """What is left out here, and what the source left out, in sentences."""


def preview(feed: Trial, count: int) -> Preview:
    """Reads the first page of the feed. Raises SourceError."""
    try:
        page = feed.adapter.fetch(feed.dataset.name, None)
    finally:
        feed.adapter.close()
    items = page.rows.decode(range(min(max(count, SAMPLE), len(page.rows.raw))))
    t = feed.translator.translate(items)
    verdicts = {r.position: f"{r.reason} {r.field or ''}" for r in t.rejected}
    verdicts |= {p: rule for rule, positions in t.ignored.items() for p in positions}
    records: dict[int, tuple[Canonical, tuple[str, ...]]] = {
        p: (r, f) for p, r, f in zip(t.positions, t.records, t.flags, strict=True)
    }
    records |= {r.position: (partial, ()) for r, partial in zip(t.rejected, t.partial, strict=True)}
    rows = [
        PreviewRow(i, verdicts.get(i, "ok"), _cells(feed, item, *records.get(i, ({}, ()))))
        for i, item in enumerate(items[:count])
    ]
    fields = _filled(feed, [*t.records, *t.partial])
    got = len(page.rows.raw)
    capped = list(_capped(got, page, len(items), len(rows)))
    return Preview(page.answer.request, got, page.declared, page.notes, rows, fields, seen(items), capped)


def _capped(got: int, page: Page, sampled: int, shown: int) -> Iterator[str]:
    declared = page.declared
    if "CAPPED" in page.notes:
        yield "来源给的比要的少：它自己限制了一次给多少条"
    if declared is not None and declared > got:
        yield f"来源声明共 {declared} 条，这一次给了 {got} 条，其余在后面的页里"
    if sampled < got:
        yield f"这一次的 {got} 条里只试读前 {sampled} 条"
    if shown < sampled:
        yield f"试读的 {sampled} 条里只显示前 {shown} 条"


def _filled(feed: Trial, records: Sequence[Canonical]) -> list[Filled]:
    """Every field of the dataset, the unmapped ones too, over what is kept and what is held; a part's field is filled where an element has it."""
    out = []
    for path, spec in feed.dataset.fields.items():
        if spec.part is None:
            filled = sum(record.get(spec.name) is not None for record in records)
        else:
            filled = sum(
                any(isinstance(e, dict) and e.get(spec.name) for e in record.get(spec.part) or ()) for record in records
            )
        out.append(Filled(path, spec.of.title, spec.of.required, filled, len(records)))
    return out


def _cells(feed: Trial, item: dict[str, Any], record: Canonical, flags: tuple[str, ...]) -> list[Cell]:
    return [
        Cell(path, _column(rule), _raw(kind, item, rule), _canonical(kind, path, record), _flags(path, flags))
        for path, rule in feed.translator.rules.items()
        if (kind := feed.translator.kind(path))
    ]


def _column(rule: FieldRule) -> str:
    if not rule.sources:
        return f"= {rule.const}"
    return " + ".join(f"{rule.each}.{column}" if rule.each else column for column in rule.sources)


def _raw(kind: str, item: dict[str, Any], rule: FieldRule) -> str | None:
    if not rule.sources:
        return None
    if rule.each is not None:
        values = [rule.value(row) for row in listed(item.get(rule.each)) or ()]
        return ", ".join("—" if value is None else scrub(mask(kind, str(value))) for value in values)
    value = rule.value(item)
    return None if value is None else scrub(mask(kind, str(value)))


def _canonical(kind: str, path: str, record: Canonical) -> str | None:
    head, *rest = path.split(".")
    value = record.get(head)
    if isinstance(value, list):
        picked = [value[int(rest[0])]] if rest[0].isdigit() and int(rest[0]) < len(value) else value
        texts = [e.get(rest[-1]) for e in picked]
        return ", ".join(mask(kind, t) if t else "—" for t in texts)
    return mask(kind, value) if value else None


def _flags(path: str, flags: tuple[str, ...]) -> str:
    parts = path.split(".")
    leaf = ".".join(p for p in parts if not p.isdigit())
    return " ".join(f.partition(":")[2] for f in flags if f.startswith(f"{leaf}:"))
