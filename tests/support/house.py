"""A whole installation in a folder: mock agencies, configuration, gateway; and the oracle that compares it with the truth."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import mock_agencies
from gateway.app import Gateway
from gateway.clock import SHANGHAI, Clock
from gateway.config import read
from gateway.dispatch.execute import Outcome, RunOptions, queue_run
from gateway.proof import MemberKey
from gateway.settings import Settings
from gateway.store.pages import living
from gateway.store.segments import versions_at
from schemas import DATASETS
from tests.support.suite import SUITE

ROOT = Path(__file__).parents[2]
COUNTY = "360981"


def _feeds() -> dict[str, dict[str, str]]:
    """By county and dataset, the feed by which its own file collects it from a system: one added there is covered from then on."""
    out: dict[str, dict[str, str]] = {}
    for name, feed in read(ROOT / "config").feeds.items():
        if feed.channel == "SYSTEM":
            out.setdefault(feed.county.code, {}).setdefault(feed.dataset, name)
    return out


COUNTIES = _feeds()
FEEDS = COUNTIES[COUNTY]
POLICE = f"{COUNTY}/population"
"""The second feed of household members: it asks about named persons."""


@dataclass
class House:
    """A gateway over running mock agencies, as one of its counties sees it: Fengcheng, unless `of` says another."""

    home: Path
    agencies: Any
    gateway: Gateway
    member_key: MemberKey
    outcomes: list[Outcome] = field(default_factory=list)
    county: str = COUNTY

    def of(self, county: str) -> House:
        """The same house, seen from another county."""
        return replace(self, county=county)

    @property
    def feeds(self) -> dict[str, str]:
        """The county's feeds by dataset."""
        return COUNTIES[self.county]

    def truth(self, dataset: str) -> list[Any]:
        """What is true of every row that the county's agency serves today."""
        found: list[Any] = self.agencies.truth(dataset, self.county)
        return found

    @property
    def clerk(self) -> Any:
        """Who still hands a dataset in by hand in this county; None: nobody."""
        return self.agencies.clerks.get(self.county)

    @property
    def by_hand(self) -> str:
        """The feed of what the clerk hands in."""
        return f"{self.county}/{self.clerk.dataset}_manual"

    def hand_in(self) -> list[Outcome]:
        """Hands in what the clerk typed since, and collects it."""
        for sheet in sorted(self.clerk.directory.iterdir()) if self.clerk else ():
            self.gateway.uploads.hand_in(self.gateway.prepare(self.by_hand), sheet.read_bytes())
            sheet.unlink()
        return [self.run(self.by_hand)] if self.clerk else []

    def sync(self, *datasets: str, **options: bool) -> list[Outcome]:
        """Runs the feeds here and now; all of them: what comes by hand too."""
        found = [self.run(self.feeds[name], **options) for name in datasets or self.feeds]
        return found if datasets else found + self.hand_in()

    def run(self, feed: str, **options: bool) -> Outcome:
        """Runs one feed here and now, whichever of its dataset it is."""
        with self.gateway.store.read() as tx:
            row = tx.one("feed_by_name", name=feed)
        slot = Clock.real().isoformat(timespec="microseconds")
        run, _ = queue_run(
            self.gateway.store, row.id, due_at=slot, reason="test", actor="test", options=RunOptions(**options)
        )
        self.outcomes.append(self.gateway.executor.execute(run))
        return self.outcomes[-1]

    def is_snapshot(self, dataset: str) -> bool:
        """Whether what is missing is gone: each run of its feed reads everything, or the source says what it withdraws."""
        adapter = self.gateway.adapter(self.gateway.feed(self.feeds[dataset]))
        try:
            stream = adapter.offers[dataset]
            return bool(stream.snapshot or stream.deleted)
        finally:
            adapter.close()

    def advance(self, days: int) -> dict[str, int]:
        """Lets days pass everywhere; answers how many observations the world changed, by dataset that is collected."""
        changed = self.agencies.advance_all(days)[self.county]
        self.set_clock()
        return {name: changed[name] for name in self.feeds}

    def set_clock(self) -> None:
        now = datetime.fromisoformat(self.agencies.world.now).replace(tzinfo=SHANGHAI)
        self.gateway.clock.set(now)

    def records(self, dataset: str, feed_name: str = "") -> list[dict[str, Any]]:
        """Every living observation of a feed, decrypted."""
        vault, out = self.gateway.vault, []
        with self.gateway.store.read() as tx:
            feed = tx.one("feed_by_name", name=feed_name or self.feeds[dataset])
            heads = tx.among("observations_state", living(tx, feed.id))
            for row in versions_at(tx, feed.stream_id, [head.seq for head in heads]).values():
                text = vault.open_version(vault.unwrap(row.wrapped_key), row.number, row.handle, row.sealed, row.suite)
                out.append(msgspec.json.decode(text))
        return out

    def held(self, dataset: str) -> Counter[tuple[str, str | None]]:
        """Quarantine by reason and field; an item that a later one made history was held rightly too."""
        with self.gateway.store.read() as tx:
            states = ("open", "superseded")
            rows = [
                r for s in states for r in tx.all("quarantine_list", feed=self.feeds[dataset], state=s, count=1_000_000)
            ]
        return Counter((r.reason, r.field) for r in rows)

    def close(self) -> None:
        self.gateway.close()


def copy_config(to: Path, counties: Container[str] = (COUNTY,)) -> Path:
    """The repository's own configuration in a folder of its own, with the files of these counties; answers where it is."""
    shutil.copytree(ROOT / "config", to / "config")
    for file in (to / "config" / "counties").iterdir():
        if file.name[:6] not in counties:
            file.unlink()
    return to / "config"


def install(
    home: Path,
    agencies: Any,
    monkeypatch: pytest.MonkeyPatch,
    sinks: Mapping[str, str] | None = None,
    counties: Container[str] = (),
) -> tuple[Settings, MemberKey]:
    """The repository's own configuration in a folder of its own, of those counties whose agencies run, or of `counties` among
    them; `sinks` beside the ledger.
    """
    config = copy_config(home, counties or agencies.served)
    file = config / "gateway.yaml"
    more = "".join(f"  {name}: {said}\n" for name, said in (sinks or {}).items())
    file.write_text(file.read_text("utf-8").replace("payloads:", f"{more}payloads:", 1), "utf-8")
    for source, url in agencies.sources.items():
        monkeypatch.setenv(f"SHUQIAO_DEMO_{source.replace('/', '_').upper()}", url)
    urls = agencies.urls
    monkeypatch.setenv("SHUQIAO_DEMO_EXCHANGE", urls["provincial"])
    monkeypatch.setenv("SHUQIAO_DEMO_REAL_ESTATE", f"{urls['real_estate']}/services/RealEstate?wsdl")
    monkeypatch.setenv("SHUQIAO_DEMO_CIVIL", urls["civil"])
    monkeypatch.setenv("SHUQIAO_DEMO_AGRICULTURE", urls["agriculture"])
    monkeypatch.setenv("SHUQIAO_DEMO_NATURAL_RESOURCES", urls["natural_resources"])
    monkeypatch.setenv("SHUQIAO_DEMO_PUBLIC_SECURITY", f"{urls['public_security']}/services/Population?wsdl")
    key = MemberKey.new(SUITE)
    (home / "data" / "members").mkdir(parents=True)
    (home / "data" / "members" / "demo-bank.pub").write_text(key.public.text, "ascii")
    return Settings(config=config, data=home / "data"), key


@contextmanager
def house(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    households: int = 150,
    seed: int = 1,
    dirt: float = 0.03,
    store: str | None = None,
    others: int = 0,
    sinks: Mapping[str, str] | None = None,
    counties: Container[str] = (),
) -> Iterator[House]:
    """Everything running, nothing collected yet; `others`: households of each of the nine other counties, 0: they are left out;
    `counties`: those that are configured, if not all.
    """
    with mock_agencies.start(households=households, seed=seed, dirt=dirt, others=others) as agencies:
        settings, key = install(home, agencies, monkeypatch, sinks, counties)
        gateway = Gateway(settings.model_copy(update={"store": store}) if store else settings)
        made = House(home, agencies, gateway, key)
        made.set_clock()
        _ = gateway.config
        try:
            yield made
        finally:
            made.close()


@contextmanager
def delivered(home: Path, households: int = 40, dirt: float = 0.1) -> Iterator[House]:
    """A house collected and forwarded, its own gateway closed: `copied` for each test that changes it."""
    with pytest.MonkeyPatch.context() as patch, house(home, patch, households=households, dirt=dirt) as running:
        running.sync()
        running.gateway.forwarder.forward()
        running.gateway.close()
        yield running


@contextmanager
def copied(template: House, home: Path) -> Iterator[House]:
    """The house as it stands, on data of its own; configuration and agencies are shared. Its own gateway must be closed."""
    settings = template.gateway.settings
    shutil.copytree(settings.data, home / "data")
    gateway = Gateway(settings.model_copy(update={"data": home / "data"}))
    made = replace(template, home=home, gateway=gateway, outcomes=[])
    try:
        yield made
    finally:
        made.close()


def canonical_key(dataset: str, record: dict[str, Any]) -> str:
    """As the mock agencies write keys: values joined by `|`, named where it is another alternative than the best."""
    best, fields = DATASETS[dataset].record_key[0], DATASETS[dataset].key_fields(record)
    assert fields
    return "|".join(str(record[f]) if fields == best else f"{f}={record[f]}" for f in fields)


def differences(made: House, dataset: str) -> list[str]:
    """Everything in which the gateway differs from the truth; empty when it is right."""
    truth = made.truth(dataset)
    wanted = {canonical_key(dataset, t["canonical"]): t["canonical"] for t in truth if t["verdict"] == "accept"}
    got = {canonical_key(dataset, r): r for r in made.records(dataset)}
    out = [f"missing {k}" for k in wanted.keys() - got.keys()] + [f"extra {k}" for k in got.keys() - wanted.keys()]
    for key in wanted.keys() & got.keys():
        out += [f"{key} {f}: {got[key][f]!r} is {v!r}" for f, v in wanted[key].items() if got[key][f] != v]
        out += [f"{key}: unknown field {f}" for f in got[key].keys() - wanted[key].keys()]
    reasons = Counter((t["reason"], t["field"]) for t in truth if t["verdict"] == "quarantine")
    held = made.held(dataset)
    out += [
        f"quarantine {k}: {held[k]} held, {reasons[k]} true"
        for k in held.keys() | reasons.keys()
        if held[k] != reasons[k]
    ]
    return out
