"""Cut-over (并行核对): what is handed in by hand beside what the system gives, row by row, until the hand can be given up.

A row that is typed is the system's where both show the same record key, or else the same match key and nobody else does. Any
field in which they differ counts, one that only one side fills too: after the hand is given up, the system's is all there is.
Every comparison a person makes, and one a day by the worker, is remembered, so that it can be said since when both agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import msgspec

from gateway.audit import stated
from gateway.clock import Clock
from gateway.config import Config
from gateway.errors import Usage
from gateway.scope import Scope
from gateway.store import Store, Tx
from gateway.store.pages import living
from gateway.store.segments import versions_at
from gateway.vault import Vault, handle_text
from schemas import DATASETS, Canonical, Dataset
from schemas.masking import mask, mask_kind

CHUNK: Final = 1000
SHOWN: Final = 20

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One field in which a row differs; values are masked, None: blank."""

    path: str
    title: str
    manual: str | None
    system: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of both sides that is not the same in both."""

    manual: str
    """Its handle in the manual feed."""
    system: str
    fields: tuple[Leaf, ...]


@dataclass(slots=True)
class Comparison:
    """The two sides of one dataset in one county. Rows that only one side has are handles."""

    county: str
    dataset: str
    manual: tuple[str, ...]
    """Feeds."""
    system: tuple[str, ...]
    at: str
    rows_manual: int = 0
    rows_system: int = 0
    same: int = 0
    only_manual: list[str] = field(default_factory=list)
    only_system: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    agreed_since: str | None = None
    """When the first of an unbroken series of comparisons without a difference was made, up to the last; None: they differ."""

    @property
    def differences(self) -> int:
        return len(self.only_manual) + len(self.only_system) + len(self.pairs)

    @property
    def agreed(self) -> bool:
        """Both hold the same, and something."""
        return not self.differences and self.same > 0

    @property
    def by_field(self) -> dict[str, int]:
        """Path -> rows in which it differs, the most first."""
        return dict(Counter(leaf.path for pair in self.pairs for leaf in pair.fields).most_common())

    def as_dict(self, most: int = SHOWN) -> dict[str, Any]:
        """For programs: all counts, and the first `most` rows of each kind."""
        counts = {
            "only_manual": len(self.only_manual),
            "only_system": len(self.only_system),
            "differing": len(self.pairs),
        }
        shown = {
            "only_manual": self.only_manual[:most],
            "only_system": self.only_system[:most],
            "differing": [asdict(pair) for pair in self.pairs[:most]],
        }
        told = {name: getattr(self, name) for name in ("county", "dataset", "manual", "system", "at")}
        figures = {name: getattr(self, name) for name in ("rows_manual", "rows_system", "same")}
        since = {"agreed": self.agreed, "agreed_since": self.agreed_since}
        return {**told, **figures, **counts, "fields": self.by_field, **since, "rows": shown}


@dataclass(frozen=True, slots=True)
class Parallel:
    """A dataset of a county that comes both ways, and how its last comparison stood; `at` None: nobody compared yet."""

    county: str
    dataset: str
    manual: tuple[str, ...]
    system: tuple[str, ...]
    at: str | None
    differences: int
    agreed_since: str | None
    retired_at: str | None
    retired_by: str | None
    retired_for: str | None

    @property
    def sentence(self) -> str:
        """Retired, never compared, agreeing since when, or how much differs."""
        if self.retired_at is not None:
            actor, day, reason = self.retired_by, self.retired_at[:10], self.retired_for
            return f"{actor} 于 {day} 停用了人工报送：{reason}"
        if self.at is None:
            return "人工与系统并行，还没有核对过"
        if self.agreed_since is not None:
            day = self.agreed_since[:10]
            return f"人工与系统自 {day} 起一致，可以停用人工报送"
        count, day = self.differences, self.at[:10]
        return f"人工与系统有 {count} 行不同（{day} 核对）"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"sentence": self.sentence}


class Cutover:
    """The datasets of one store that come both ways."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, config: Callable[[], Config]) -> None:
        self._store, self._vault, self._clock, self._config = store, vault, clock, config

    def parallels(self, within: Scope) -> list[Parallel]:
        """Every dataset in reach that has a manual and a system feed in one county."""
        with self._store.read() as tx:
            found = self._sides(tx)
            known = {(row.county, row.dataset): row for row in tx.all("comparisons")}
        return [
            self._parallel(place, sides, known.get(place))
            for place, sides in sorted(found.items())
            if within.sees(*place)
        ]

    def compare(self, county: str, dataset: str) -> Comparison:
        """Holds both sides against each other; nothing is written.

        Raises:
            Usage: the dataset does not come both ways there.
        """
        manual, system = self._both(county, dataset)
        made = DATASETS[dataset]
        told = Comparison(
            county, dataset, tuple(f.name for f in manual), tuple(f.name for f in system), self._clock.stamp()
        )
        typed: dict[_Key, tuple[str, Canonical]] = {}
        for handle, record in self._records(manual):
            typed.setdefault(_own(made, record), (handle, record))
        told.rows_manual = len(typed)
        of_match = Counter(key for _, record in typed.values() if (key := _match(made, record)))
        left: dict[_Key, tuple[str, Canonical | None]] = {}
        seen: set[_Key] = set()
        for handle, record in self._records(system):
            key = _own(made, record)
            if key in seen:
                continue
            seen.add(key)
            if key in typed:
                told.same += _pair(made, typed.pop(key), (handle, record), told.pairs)
            else:  # what could be the same thing under another key is looked at again; the rest need not be kept
                left[key] = (handle, record if of_match[_match(made, record)] else None)
        told.rows_system = len(seen)
        _match_rest(made, typed, left, told)
        told.only_manual = [handle for handle, _ in typed.values()]
        told.only_system = [handle for handle, _ in left.values()]
        with self._store.read() as tx:
            before = tx.one("comparison_get", county=county, dataset=dataset)
        if told.agreed:
            told.agreed_since = (before.agreed_since if before else None) or told.at
        return told

    def note(self, told: Comparison) -> None:
        """Remembers a comparison; the next one says since when both agree."""
        counts = (told.rows_manual, told.rows_system, told.same)
        apart = (len(told.only_manual), len(told.only_system), len(told.pairs))
        names = ("rows_manual", "rows_system", "same", "only_manual", "only_system", "differing")
        with self._store.write() as tx:
            tx.run(
                "comparison_put",
                county=told.county,
                dataset=told.dataset,
                at=told.at,
                agreed_since=told.agreed_since,
                **dict(zip(names, (*counts, *apart), strict=True)),
            )

    def keep(self) -> int:
        """One comparison a day of everything that comes both ways and is not retired; answers how many were made."""
        today = self._clock.today().isoformat()
        with self._store.read() as tx:
            sides = self._sides(tx)
            known = {(row.county, row.dataset): row.at for row in tx.all("comparisons")}
        due = [
            place
            for place, (manual, _) in sides.items()
            if known.get(place, "") < today and any(feed.retired_at is None and feed.contact_at for feed in manual)
        ]
        for place in due:
            self.note(self.compare(*place))
        return len(due)

    def retire(self, county: str, dataset: str, reason: str, actor: str, *, despite: bool = False) -> Comparison:
        """From now on nothing is taken in by hand; what was taken in stays.

        Raises:
            Usage: the reason says nothing or names a person, files still wait to be collected, both sides differ and `despite`
                does not say to retire all the same, or it is retired.
        """
        reason = stated(reason)
        manual, _ = self._both(county, dataset)
        with self._store.read() as tx:
            waiting = {f.name: s.last - s.taken for f in manual if (s := tx.one("inbox_state", feed_id=f.id))}
        for feed, files in waiting.items():
            if files:
                raise Usage("还有 {files} 份表格没有采集：请先运行 shuqiao sync {feed}", files=files, feed=feed)
        told = self.compare(county, dataset)
        self.note(told)
        if not told.agreed and not despite:
            raise Usage(
                "{place} 的人工与系统还不一致：只在人工 {manual} 行，只在系统 {system} 行，字段不同 {differing} 行；"
                "核对过仍要停用，请写明 despite 和原因",
                place=f"{county}/{dataset}",
                manual=len(told.only_manual),
                system=len(told.only_system),
                differing=len(told.pairs),
            )
        at = self._clock.stamp()
        with self._store.write() as tx:
            changed = [tx.run("feed_retire", id=feed.id, at=at, actor=actor, reason=reason) for feed in manual]
        if not any(changed):
            raise Usage("{place} 的人工报送已经停用", place=f"{county}/{dataset}")
        return told

    def reopen(self, county: str, dataset: str) -> None:
        """Files are taken in by hand again. Raises Usage: it is not retired."""
        manual, _ = self._both(county, dataset)
        with self._store.write() as tx:
            changed = [tx.run("feed_reopen", id=feed.id) for feed in manual]
        if not any(changed):
            raise Usage("{place} 的人工报送没有停用", place=f"{county}/{dataset}")

    def _both(self, county: str, dataset: str) -> tuple[list[Any], list[Any]]:
        with self._store.read() as tx:
            sides = self._sides(tx)
        found = sides.get((county, dataset))
        if found is None:
            raise Usage("{place} 没有同时接入人工报送和系统直连", place=f"{county}/{dataset}")
        return found

    def _sides(self, tx: Tx) -> dict[tuple[str, str], tuple[list[Any], list[Any]]]:
        """(county, dataset) -> its manual and its system feeds, of what has both."""
        found: dict[tuple[str, str], tuple[list[Any], list[Any]]] = {}
        feeds = self._config().feeds
        for row in tx.all("feeds"):
            if row.name in feeds:
                sides = found.setdefault((row.county, row.dataset), ([], []))
                sides[row.channel == "SYSTEM"].append(row)
        return {place: sides for place, sides in found.items() if all(sides)}

    def _parallel(self, place: tuple[str, str], sides: tuple[list[Any], list[Any]], row: Any) -> Parallel:
        manual, system = sides
        gone = next((feed for feed in manual if feed.retired_at is not None), None)
        return Parallel(
            *place,
            manual=tuple(feed.name for feed in manual),
            system=tuple(feed.name for feed in system),
            at=row.at if row else None,
            differences=int(row.only_manual + row.only_system + row.differing) if row else 0,
            agreed_since=row.agreed_since if row else None,
            retired_at=gone.retired_at if gone else None,
            retired_by=gone.retired_by if gone else None,
            retired_for=gone.retired_for if gone else None,
        )

    def _records(self, feeds: Sequence[Any]) -> Iterator[tuple[str, Canonical]]:
        """Every living record of these feeds: its handle, and what it says."""
        for feed in feeds:
            with self._store.read() as tx:
                ids = living(tx, feed.id)
            for some in (ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK)):
                with self._store.read() as tx:
                    heads = tx.among("observations_state", some)
                    versions = versions_at(tx, feed.stream_id, [head.seq for head in heads])
                for version in versions.values():
                    if version.sealed is not None and version.wrapped_key is not None:
                        key = self._vault.unwrap(version.wrapped_key)
                        text = self._vault.open_version(
                            key, version.number, version.handle, version.sealed, version.suite
                        )
                        yield handle_text(version.handle), msgspec.json.decode(text)


def _own(dataset: Dataset, record: Canonical) -> _Key:
    fields = dataset.key_fields(record) or ()
    return (*fields, *(str(record[name]) for name in fields))


def _match(dataset: Dataset, record: Canonical) -> _Key:
    fields = next((f for f in dataset.match_key if all(record.get(name) for name in f)), ())
    return (*fields, *(str(record[name]) for name in fields))


def _match_rest(
    dataset: Dataset,
    typed: dict[_Key, tuple[str, Canonical]],
    left: dict[_Key, tuple[str, Canonical | None]],
    told: Comparison,
) -> None:
    """Pairs rows whose keys differ and which alone on each side are about one thing; takes them from both."""
    by_match: dict[_Key, list[_Key]] = {}
    for key, (_, kept) in left.items():
        if kept is not None:
            by_match.setdefault(_match(dataset, kept), []).append(key)
    mine = Counter(_match(dataset, record) for _, record in typed.values())
    for key, (handle, record) in list(typed.items()):
        match = _match(dataset, record)
        theirs = by_match.get(match, [])
        if match and mine[match] == 1 and len(theirs) == 1:
            other, found = left.pop(theirs[0])
            assert found is not None
            del typed[key]
            told.same += _pair(dataset, (handle, record), (other, found), told.pairs)


def _pair(dataset: Dataset, manual: tuple[str, Canonical], system: tuple[str, Canonical], into: list[Pair]) -> bool:
    """Whether both say the same; else how they differ is added."""
    if manual[1] == system[1]:
        return True
    ours, theirs = dict(dataset.leaves(manual[1])), dict(dataset.leaves(system[1]))
    fields = []
    for path in dict.fromkeys((*ours, *theirs)):
        if ours.get(path) != theirs.get(path):
            spec = dataset.fields[path[0]]
            shown = [mask(mask_kind(spec), value) if value else None for value in (ours.get(path), theirs.get(path))]
            fields.append(Leaf(path[0], spec.of.title, *shown))
    into.append(Pair(manual[0], system[0], tuple(fields)))
    return False
