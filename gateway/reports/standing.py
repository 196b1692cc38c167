"""Which of several observations of one thing stands (记录, DESIGN §2): SYSTEM before MANUAL, then the newer as-of.

Those that do not stand are kept beside it; every field in which they differ is a conflict, shown and never resolved
silently. Several rows of one feed are never the same thing: their agency keeps them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.reports.facts import Fact
from schemas import DATASETS, Canonical, Dataset

CHANNELS = ("SYSTEM", "MANUAL")
_EACH_COUNTY = frozenset({"household_member", "subsidy"})
"""Keyed by the person, and each county keeps its own: who moved stands in two registers and may be paid from two purses."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field about which another observation says something else."""

    path: str
    standing: str | None
    other: str | None
    other_feed: str
    other_handle: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing: the observation that stands, and what else was said of it."""

    fact: Fact
    beside: tuple[Fact, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


def resolve(facts: Iterable[Fact]) -> list[Standing]:
    """The records among these observations, in the order of what they are about."""
    groups: dict[tuple[str, ...], list[Fact]] = {}
    for fact in facts:
        groups.setdefault(_same(fact), []).append(fact)
    return [standing for _, group in sorted(groups.items(), key=lambda item: item[0]) for standing in _stand(group)]


def _same(fact: Fact) -> tuple[str, ...]:
    """What makes two observations of different feeds one thing. An event keeps its own key beside its match key."""
    dataset = DATASETS[fact.dataset]
    fields = next((f for f in dataset.match_key if all(fact.record.get(name) for name in f)), None)
    own = dataset.key_fields(fact.record) or ()
    if fields is None or (dataset.kind == "event" and not set(own) <= set(fields)):
        fields = own
    where = (fact.county,) if fact.dataset in _EACH_COUNTY else ()
    return (fact.dataset, *where, *fields, *(str(fact.record[name]) for name in fields))


def _stand(group: list[Fact]) -> list[Standing]:
    ranked = sorted(group, key=lambda f: f.handle)
    ranked.sort(key=lambda f: f.as_of, reverse=True)
    ranked.sort(key=lambda f: CHANNELS.index(f.channel))
    best = [f for f in ranked if f.feed == ranked[0].feed]
    beside: dict[int, list[Fact]] = {}
    for other in (f for f in ranked if f.feed != ranked[0].feed):
        near = next((i for i, f in enumerate(best) if _key(f) == _key(other)), 0)
        beside.setdefault(near, []).append(other)
    return [
        Standing(fact, tuple(beside.get(i, ())), tuple(c for o in beside.get(i, ()) for c in differences(fact, o)))
        for i, fact in enumerate(best)
    ]


def _key(fact: Fact) -> tuple[str, ...]:
    fields = DATASETS[fact.dataset].key_fields(fact.record) or ()
    return tuple(str(fact.record[name]) for name in fields)


def differences(one: Fact, other: Fact) -> list[Conflict]:
    """The fields that both give and give differently; what only one gives contradicts nothing, nor does a division that is
    named less deeply (the county of a village).
    """
    dataset = DATASETS[one.dataset]
    ours, theirs = _flat(dataset, one.record), _flat(dataset, other.record)
    return [
        Conflict(path, ours[path], theirs[path], other.feed, other.handle)
        for path in ours
        if not _agree(dataset, path, ours[path], theirs.get(path))
    ]


def _agree(dataset: Dataset, path: str, one: str | None, other: str | None) -> bool:
    if one is None or other is None or one == other:
        return True
    spec = dataset.fields.get(path)
    return spec is not None and spec.kind == "division" and (one.startswith(other) or other.startswith(one))


def _flat(dataset: Dataset, record: Canonical) -> dict[str, str | None]:
    out: dict[str, str | None] = {}
    for spec in dataset.fields.values():
        if spec.part is None:
            value = record[spec.name]
            out[spec.name] = value if isinstance(value, str) else None
    for part in dataset.parts:
        elements = record[part]
        for i, element in enumerate(elements if isinstance(elements, list) else ()):
            out |= {f"{part}.{i}.{name}": value for name, value in element.items()}
    return out


def only(standings: Iterable[Standing], dataset: str, keep: Callable[[Fact], bool] = lambda _: True) -> list[Standing]:
    """Those of one dataset whose standing observation is wanted."""
    return [s for s in standings if s.fact.dataset == dataset and keep(s.fact)]
