"""From an agency's system into the store, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Final

from adapters.kit import Adapter, Allowance, Described, Http, Ports, Probe, SoapAdapter, SourceSettings, registry
from adapters.kit.recording import Recording
from gateway.accounts import AccountBudget, AccountSecrets
from gateway.alerts import AlertBook, Post, Posted
from gateway.app.alerting import post
from gateway.app.foundation import Foundation, found
from gateway.app.work import feed_trial, feed_work, recorded
from gateway.audit import Actor
from gateway.checks import check_feed
from gateway.config import Config, Feed, read
from gateway.cutover import Cutover
from gateway.dispatch import Executor
from gateway.documents import StoreDocuments
from gateway.drift import Change, accept, changes_of, mapped
from gateway.errors import Usage
from gateway.freshness import Keeper, Ledger, note_certificate, verdicts
from gateway.inbox import FeedInbox
from gateway.pipeline import Pipeline
from gateway.preview import Preview, preview
from gateway.quarantine import Quarantine
from gateway.repair import Repairs
from gateway.replay import Replays
from gateway.scope import EVERYTHING, Scope
from gateway.sorter import FeedWork
from gateway.steering import Steering
from gateway.trial import Trial
from gateway.uploads import Uploads
from gateway.worklist import Errand, Progress, StoredWorklist

NOBODY: Final = Errand(Actor.system(), most=1)


class Collecting(Foundation):
    """Adapters, runs, what was rejected, what is owed, and who is told."""

    def worklist(self, feed: Feed, errand: Errand = NOBODY) -> StoredWorklist:
        """Whom this feed asks about, on whose behalf."""
        return StoredWorklist(
            self.store,
            self.vault,
            self.clock,
            self.audit,
            feed=feed.name,
            county=feed.county.code,
            ask_again=feed.model.ask_again,
            errand=errand,
        )

    def worklists(self, within: Scope) -> dict[str, Progress]:
        """How far each feed in reach is that asks about named persons, by feed."""
        asking = [feed for feed in self.config.feeds.values() if registry.find(feed.source.adapter).asks]
        reached = [feed for feed in asking if within.sees(feed.county.code, feed.dataset)]
        return {feed.name: self.worklist(feed).progress() for feed in reached}

    def adapter(self, feed: Feed, errand: Errand = NOBODY, config: Config | None = None) -> Adapter:
        """A fresh adapter with its account's ports; `errand` answers for the persons it asks about. `config`: another than the running one."""
        config = config or self.config
        cls = registry.find(feed.source.adapter)
        account = config.accounts[feed.source.account]
        b = account.budget
        allowance = Allowance(
            per_minute=b.per_minute,
            per_day=b.per_day,
            concurrency=b.concurrency,
            window=b.window,
            failures=b.failures,
            cool_down=b.cool_down.total_seconds(),
        )
        ports = Ports(
            http=self.http,
            secrets=AccountSecrets(feed.source.account, account, config.root, self.store, self.vault, self.leases),
            budget=AccountBudget(feed.source.account, allowance, self.store, self.clock, self.leases.process),
            now=self.clock.real,
            today=self.clock.today,
            inbox=FeedInbox(self.store, self.vault, feed.name),
            worklist=self.worklist(feed, errand),
            documents=StoreDocuments(self.store, self.clock, config.root),
        )
        settings: SourceSettings = cls.Settings.model_validate(feed.source.settings)
        return cls(ports, settings, feed.county.code)

    def prepare(self, name: str, errand: Errand = NOBODY) -> FeedWork:
        """A feed made ready to run with the published rules."""
        feed = self.feed(name)
        return feed_work(feed, self.adapter(feed, errand), self.store, self.vault, self.clock)

    def check(self, name: str, errand: Errand, *, draft: bool = False) -> list[Probe]:
        """Layer by layer from the configuration to one mapped row; `draft`: as the files are now, published or not.

        Raises:
            Usage: there is no such feed.
        """
        faults = read(self.settings.config)
        config = faults if draft else self.config
        feed, note = found(config, name), partial(note_certificate, self.store)
        probes = check_feed(feed, config, partial(self._trial, feed, config, errand), faults, note)
        changes = self.drift(name) if name in self.config.feeds else []
        return probes + [Probe("fields", False, c.sentence, stops=False, remedy=c.remedy) for c in changes]

    def drift(self, name: str) -> list[Change]:
        """How the source's fields changed, under the rules in force, until somebody accepted it. Raises Usage: no such feed."""
        feed = self.feed(name)
        adapter = self.adapter(feed)
        try:
            reads = mapped(feed_trial(feed, adapter, self.clock))
        finally:
            adapter.close()
        with self.store.read() as tx:
            row = tx.one("feed_by_name", name=name)
            return changes_of(tx, row.id, reads) if row is not None else []

    def accept_drift(self, name: str) -> int:
        """A source's fields are as they are to be; how many changes that were. Raises Usage: no such feed."""
        with self.store.read() as tx:
            row = tx.one("feed_by_name", name=self.feed(name).name)
        assert row is not None
        return accept(self.store, row.id)

    def preview(self, name: str, rows: int, errand: Errand, *, draft: bool = False) -> Preview:
        """One page for people's eyes. Raises Usage, SourceError; MappingError where a draft's mapping does not hold."""
        config = read(self.settings.config) if draft else self.config
        return preview(self._trial(found(config, name), config, errand), rows)

    def _trial(self, feed: Feed, config: Config, errand: Errand) -> Trial:
        return feed_trial(feed, self.adapter(feed, errand, config), self.clock)

    @contextmanager
    def described(self, name: str) -> Iterator[Described]:
        """The service description of a feed's source.

        Raises:
            Usage: the source is not SOAP.
        """
        adapter = self.adapter(self.feed(name))
        try:
            if not isinstance(adapter, SoapAdapter):
                raise Usage("采集任务 {name} 的来源不是 SOAP，没有服务描述", name=name)
            yield adapter.described
        finally:
            adapter.close()

    def record(self, name: str, pages: int, errand: Errand = NOBODY) -> Recording:
        """Every stream of a feed's source, read once and once more, scrubbed of people, keys and addresses.

        Raises:
            SourceError: the source did not give what was asked.
        """
        feed = self.feed(name)
        return recorded(feed, self.adapter(feed, errand), self.config, pages)

    @cached_property
    def http(self) -> Http:
        """One client, its connections kept warm, for every source."""
        return Http()

    @cached_property
    def executor(self) -> Executor:
        pipeline = Pipeline(self.store, self.vault, self.clock)
        return Executor(self.store, self.clock, self.leases, pipeline, self.prepare, self.keeper)

    @cached_property
    def keeper(self) -> Keeper:
        """Carries the ledger of obligations forward."""
        return Keeper(self.store, self.clock, lambda: self.config)

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(self.store, self.clock, self.inboxes)

    @property
    def cutover(self) -> Cutover:
        """What comes by hand and from a system."""
        return Cutover(self.store, self.vault, self.clock, self._running)

    def upload_folder(self, feed: Feed) -> Path:
        """Where files of a feed may be put to be taken in."""
        return self.settings.data / "uploads" / feed.county.code / feed.name.partition("/")[2]

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.store, self.vault, self.clock)

    @property
    def repairs(self) -> Repairs:
        """What is put right by hand."""
        return Repairs(
            self.store,
            self.vault,
            self.clock,
            self.leases,
            audit=self.audit,
            config=self.config,
            prepare=self.prepare,
        )

    @property
    def replays(self) -> Replays:
        """Kept answers, translated again."""
        return Replays(self.store, self.vault, self.clock, self.leases)

    @cached_property
    def steering(self) -> Steering:
        return Steering(self.store, self.clock, self.leases)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of obligations, to be read."""
        return Ledger(self.store, self.clock, lambda: self.config)

    @cached_property
    def alerts(self) -> AlertBook:
        """Which alerts stand, and whom they were told to."""
        return AlertBook(self.store, self.clock, lambda: self.config)

    @cached_property
    def post(self) -> Post:
        """The way out of alerts."""
        return post(self.store, self.clock, self.leases, lambda: self.config)

    def tell(self) -> Posted:
        """Holds the verdicts of now against the alerts that stand, and sends what is due."""
        self.alerts.observe(
            verdicts(self.store, self.clock, self.config, self.ledger.standings(EVERYTHING), EVERYTHING)
        )
        return self.post.deliver()
