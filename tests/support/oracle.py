"""What a perfect gateway holds after days of reading: the truth of every day, read in source order, nothing forgotten."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from gateway.scope import EVERYTHING
from schemas import DATASETS
from tests.support.house import POLICE, House, canonical_key

Cause = tuple[str, str, str | None]
"""State in quarantine, reason, field."""


class Oracle:
    """The truth of one dataset, day by day.

    An accepted row stays when it is later sent dirty. A quarantined row whose key could be read is superseded by the
    next accepted row under that key. Only a snapshot that lacks a row ends it.
    """

    def __init__(self, dataset: str, *, snapshot: bool, feed: str = "") -> None:
        self.dataset, self.snapshot, self.feed = DATASETS[dataset], snapshot, feed
        self.held: dict[str, dict[str, Any]] = {}
        self.versions = 0
        self.settled: Counter[Cause] = Counter()
        self._open: list[tuple[str, str, str | None]] = []
        self._read: Counter[tuple[Any, ...]] = Counter()

    def read(self, truth: list[dict[str, Any]]) -> None:
        """One more day: what is served today that was not served before."""
        today: Counter[tuple[Any, ...]] = Counter()
        for entry in truth:
            name = (entry["key"], entry["updated"], entry["verdict"], entry["reason"], entry["field"])
            today[name] += 1
            if today[name] > self._read[name]:
                self._take(entry)
        self._read |= today
        if self.snapshot:
            named = {e["key"] for e in truth}
            for key in [k for k in self.held if k not in named]:
                del self.held[key]
                self.versions += 1

    def _take(self, entry: dict[str, Any]) -> None:
        key = entry["key"]
        if entry["verdict"] == "quarantine":
            self._open.append((key, entry["reason"], entry["field"]))
        if entry["verdict"] != "accept":
            return
        canonical = entry["canonical"]
        assert canonical_key(self.dataset.name, canonical) == key
        self.versions += self.held.get(key) != canonical
        self.held[key] = canonical
        mended = [o for o in self._open if o[0] == key and self._readable(*o)]
        self._open = [o for o in self._open if o not in mended]
        self.settled.update(("superseded", reason, field) for _, reason, field in mended)

    def _readable(self, key: str, reason: str, field: str | None) -> bool:
        """Whether a rejected row showed its key. A contradiction between two rows is for a person, whatever comes."""
        best, *others = self.dataset.record_key
        fields = next((fields for fields in others if key.startswith(f"{fields[0]}=")), best)
        return reason not in {"KEY_MISSING", "DUPLICATE_KEY"} and field not in fields

    @property
    def causes(self) -> Counter[Cause]:
        return self.settled + Counter(("open", reason, field) for _, reason, field in self._open)


class Oracles:
    """One oracle for every feed of a house's county, what its clerk hands in too, or for those of these datasets."""

    def __init__(self, made: House, *datasets: str) -> None:
        self._made = made
        self._of = {name: Oracle(name, snapshot=made.is_snapshot(name)) for name in datasets or made.feeds}
        by_hand = made.clerk is not None and not datasets
        self._by_hand = Oracle(made.clerk.dataset, snapshot=False, feed=made.by_hand) if by_hand else None
        self.read()

    def read(self) -> None:
        for name, oracle in self._of.items():
            oracle.read(self._made.truth(name))
        if self._by_hand is not None:
            self._by_hand.read([dict(item.truth()) for item in self._made.clerk.items()])

    def differences(self) -> list[str]:
        """Everything in which the gateway differs; empty when it is right."""
        by_hand = _differences(self._made, self._by_hand) if self._by_hand is not None else []
        return [f"by hand: {line}" for line in by_hand] + [
            f"{name}: {line}" for name, oracle in self._of.items() for line in _differences(self._made, oracle)
        ]


class Interview:
    """Whom a perfect gateway asks the police about, day by day, and what it then holds.

    Everybody of whom land and subsidies speak is asked about once in `days`, by a name that somebody gave; the answer is
    the register's of that day.
    """

    SPEAK: Final = ("homestead", "contracted_land", "subsidy")

    def __init__(self, made: House, days: int = 30) -> None:
        self._made, self._days = made, days
        self._oracle = Oracle("household_member", snapshot=False, feed=POLICE)
        self._asked: dict[str, int] = {}
        self._heard = 0
        self.not_found: set[str] = set()

    def differences(self, *, twice: int = 0) -> list[str]:
        """What today's run did otherwise; at most `twice` persons may have been asked about again, after a crash."""
        made, today = self._made, self._made.agencies.world.day
        known = self._known()
        due = {number for number in known if today - self._asked.get(number, -self._days) >= self._days}
        heard = made.agencies.public_security.asked[self._heard :]
        self._heard += len(heard)
        names = {number: name for _, number, name in heard}
        out = [f"not asked {n}" for n in due - names.keys()] + [f"asked early {n}" for n in names.keys() - due]
        if len(heard) - len(names) > twice:
            out.append(f"{len(heard) - len(names)} asked twice")
        out += [f"{n} is not called so" for n, name in names.items() if name not in known.get(n, ())]
        self._asked |= dict.fromkeys(names, today)
        truth = []
        for number, name in names.items():
            items = made.agencies.world.resident(number) if made.agencies.world.is_called(number, name) else []
            (self.not_found.discard if items else self.not_found.add)(number)
            truth += [dict(item.truth()) for item in items]
        self._oracle.read(sorted(truth, key=lambda entry: entry["updated"]))
        progress = made.gateway.worklists(EVERYTHING)[POLICE]
        if (progress.asked, progress.not_found, progress.due) != (len(self._asked), len(self.not_found), 0):
            out.append(f"{progress}: {len(self._asked)} asked, {len(self.not_found)} not found")
        return out + _differences(made, self._oracle)

    def _known(self) -> dict[str, set[str]]:
        """Number -> its bearer's names, of everybody of whom the county's land and subsidies speak."""
        out: dict[str, set[str]] = {}
        for dataset in self.SPEAK:
            for record in self._made.records(dataset):
                for path in DATASETS[dataset].subjects.values():
                    part, _, field = path.rpartition(".")
                    for holder in record[part] if part else [record]:
                        if holder[field]:
                            out.setdefault(holder[field], set()).add(holder[field.replace("id_no", "name")] or "")
        return out


def _differences(made: House, oracle: Oracle) -> list[str]:
    name = oracle.dataset.name
    feed_name = oracle.feed or made.feeds[name]
    records = made.records(name, feed_name)
    got = {canonical_key(name, r): r for r in records}
    wanted = oracle.held
    out = [f"missing {k}" for k in wanted.keys() - got.keys()] + [f"extra {k}" for k in got.keys() - wanted.keys()]
    if len(got) != len(records):
        out.append(f"{len(records) - len(got)} records share a key")
    for key in wanted.keys() & got.keys():
        fields = wanted[key].keys() | got[key].keys()
        out += [
            f"{key} {f}: {got[key].get(f, '-')!r} is {wanted[key].get(f, '-')!r}"
            for f in sorted(fields)
            if got[key].get(f, "-") != wanted[key].get(f, "-")
        ]
    with made.gateway.store.read() as tx:
        states = ("open", "superseded", "repaired", "discarded")
        rows = [r for s in states for r in tx.all("quarantine_list", feed=feed_name, state=s, count=1_000_000)]
        feed = tx.one("feed_by_name", name=feed_name)
        versions = tx.one("stream_by_name", name=f"feed:{feed.uid}").next_seq
    held = Counter((r.state, r.reason, r.field) for r in rows)
    causes = oracle.causes
    out += [f"quarantine {c}: {held[c]} is {causes[c]}" for c in held.keys() | causes.keys() if held[c] != causes[c]]
    if versions != oracle.versions:
        out.append(f"versions: {versions} is {oracle.versions}")
    return out
