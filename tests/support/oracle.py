"""What a perfect gateway holds after days of reading: the truth of every day, read in source order, nothing forgotten."""

from __future__ import annotations

from collections import Counter
from typing import Any

from schemas import DATASETS
from tests.support.house import House, canonical_key

Cause = tuple[str, str, str | None]
"""State in quarantine, reason, field."""


class Oracle:
    """The truth of one dataset, day by day.

    An accepted row stays when it is later sent dirty. A quarantined row whose key could be read is superseded by the
    next accepted row under that key. Only a snapshot that lacks a row ends it.
    """

    def __init__(self, dataset: str, *, snapshot: bool) -> None:
        self.dataset, self.snapshot = DATASETS[dataset], snapshot
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
    """One oracle for every feed of a house's county, or for those of these datasets."""

    def __init__(self, made: House, *datasets: str) -> None:
        self._made = made
        self._of = {name: Oracle(name, snapshot=made.is_snapshot(name)) for name in datasets or made.feeds}
        self.read()

    def read(self) -> None:
        for name, oracle in self._of.items():
            oracle.read(self._made.truth(name))

    def differences(self) -> list[str]:
        """Everything in which the gateway differs; empty when it is right."""
        return [f"{name}: {line}" for name, oracle in self._of.items() for line in _differences(self._made, oracle)]


def _differences(made: House, oracle: Oracle) -> list[str]:
    name = oracle.dataset.name
    records = made.records(name)
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
        rows = [r for s in states for r in tx.all("quarantine_list", feed=made.feeds[name], state=s, count=1_000_000)]
        feed = tx.one("feed_by_name", name=made.feeds[name])
        versions = tx.one("stream_by_name", name=f"feed:{feed.uid}").next_seq
    held = Counter((r.state, r.reason, r.field) for r in rows)
    causes = oracle.causes
    out += [f"quarantine {c}: {held[c]} is {causes[c]}" for c in held.keys() | causes.keys() if held[c] != causes[c]]
    if versions != oracle.versions:
        out.append(f"versions: {versions} is {oracle.versions}")
    return out
