"""One gateway process: what it is built of, each thing made when first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from adapters.kit import Adapter, Allowance, Described, Http, Ports, SoapAdapter, SourceSettings, registry
from adapters.kit.recording import Recording
from gateway.accounts import AccountBudget, AccountSecrets
from gateway.alerts import AlertBook, Post, Posted
from gateway.app.alerting import post
from gateway.app.drafts import Drafts, newest
from gateway.app.keys import agreed_suite, opened, public_path
from gateway.app.sinks import chains, verified
from gateway.app.work import feed_work, recorded
from gateway.audit import Actor, Authorizer
from gateway.auditlog import AuditLog
from gateway.chain import Chain
from gateway.clock import Clock
from gateway.config import Config, Feed, read
from gateway.disclosure import Disclosure
from gateway.dispatch import Executor
from gateway.documents import StoreDocuments
from gateway.erasure import Eraser
from gateway.errors import Usage
from gateway.forwarder import Forwarder
from gateway.freshness import Keeper, Ledger, verdicts
from gateway.grants import Grants
from gateway.heads import AuditHeads
from gateway.inbox import FeedInbox, Inboxes
from gateway.leases import Leases
from gateway.people import ByRole, Keys, Users
from gateway.pipeline import Pipeline
from gateway.proof import DirectoryPayloadStore, Suite
from gateway.publish import published
from gateway.quarantine import Quarantine
from gateway.repair import Repairs
from gateway.replay import Replays
from gateway.reports.consents import Consents
from gateway.reports.facts import FactFinder
from gateway.reports.office import Office
from gateway.reports.report import ReportMaker
from gateway.rewrap import Masters
from gateway.scope import EVERYTHING, Scope
from gateway.settings import Settings
from gateway.sorter import FeedWork
from gateway.steering import Steering
from gateway.store import Store, upgrade
from gateway.uploads import Uploads
from gateway.worklist import Errand, Progress, StoredWorklist

NOBODY: Final = Errand(Actor.system(), most=1)


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things lie under the data directory."""

    data: Path

    @property
    def store(self) -> Path:
        return self.data / "store.db"

    @property
    def signer_public(self) -> Path:
        return public_path(self.data)


class Gateway:
    """One gateway process: store, vault, configuration in force, and everything built on them."""

    def __init__(self, settings: Settings, *, authorizer: Authorizer | None = None) -> None:
        self.settings = settings
        self.paths = Paths(settings.data)
        self.draft = read(settings.config)
        url = settings.store or (self.draft.gateway.store if self.draft.gateway else None)
        self.store = Store.open(url) if url else Store.at(self.paths.store)
        upgrade(self.store)
        self.clock = Clock(self.store)
        self.vault, self.signer = opened(settings.data, self.draft)
        self.leases = Leases(self.store)
        self.inboxes = Inboxes(self.store, self.vault)
        self.users = Users(self.store, self.vault, self.clock, self._running)
        self.api_keys = Keys(self.store, self.clock, self._running)
        self.audit = AuditLog(self.store, self.clock, authorizer or ByRole(self.store, self.users, self._running))
        self._version: int | None = None

    @property
    def suite(self) -> Suite:
        """See `agreed_suite`."""
        return agreed_suite(self.config, self.vault)

    @cached_property
    def config(self) -> Config:
        """The published configuration; the first start publishes by itself.

        Raises:
            ConfigInvalid: nothing was ever published and the drafts cannot be.
        """
        running = published(self.store, self.settings.config)
        if running is None:
            self.publish(Actor.system())
            running = published(self.store, self.settings.config)
            assert running is not None
        return running

    def _running(self) -> Config:
        return self.config

    def publish(self, actor: Actor) -> bool:
        """Makes the drafts the running version; feeds of broken county files stay as they were.

        Raises:
            ConfigInvalid: gateway.yaml, catalogue.yaml or accounts.yaml is broken, or no feed is left.
        """
        return self.drafts.publish(actor, self.draft)

    @property
    def drafts(self) -> Drafts:
        """Drafts, published versions, and what changes from one to the other."""
        return Drafts(self.store, self.clock, self.audit, self.settings.config, self._take_over)

    def _take_over(self, running: Config) -> None:
        """What was published runs here from now on; sinks and the store are those of this process's start."""
        self.__dict__["config"] = running
        if "forwarder" in self.__dict__:
            self.__dict__.pop("forwarder").close()
        for built in ("consents", "office"):
            self.__dict__.pop(built, None)
        self.keeper.keep_all(anew=True)

    def refresh(self) -> bool:
        """Takes over what another process published since; whether there was anything."""
        self._version, newer = newest(self.store, self.settings.config, self._version, self.config.digest)
        if newer is not None:
            self._take_over(newer)
        return newer is not None

    def feed(self, name: str) -> Feed:
        """Raises Usage, naming what there is."""
        feed = self.config.feeds.get(name)
        if feed is None:
            raise Usage("没有采集任务 {name}。可用的有：{known}", name=name, known="、".join(self.config.feeds))
        return feed

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

    def adapter(self, feed: Feed, errand: Errand = NOBODY) -> Adapter:
        """A fresh adapter with its account's ports; `errand` answers for the persons it asks about."""
        cls = registry.find(feed.source.adapter)
        account = self.config.accounts[feed.source.account]
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
            secrets=AccountSecrets(feed.source.account, account, self.config.root, self.store, self.vault, self.leases),
            budget=AccountBudget(feed.source.account, allowance, self.store, self.clock, self.leases.process),
            now=self.clock.real,
            today=self.clock.today,
            inbox=FeedInbox(self.store, self.vault, feed.name),
            worklist=self.worklist(feed, errand),
            documents=StoreDocuments(self.store, self.clock, self.config.root),
        )
        settings: SourceSettings = cls.Settings.model_validate(feed.source.settings)
        return cls(ports, settings, feed.county.code)

    def prepare(self, name: str, errand: Errand = NOBODY) -> FeedWork:
        """A feed made ready to run with the published rules."""
        feed = self.feed(name)
        return feed_work(feed, self.adapter(feed, errand), self.store, self.vault, self.clock)

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

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.store, self.vault, self.clock)

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(self.store, self.clock, self.inboxes)

    def upload_folder(self, feed: Feed) -> Path:
        """Where files of a feed may be put to be taken in."""
        return self.settings.data / "uploads" / feed.county.code / feed.name.partition("/")[2]

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

    @cached_property
    def steering(self) -> Steering:
        return Steering(self.store, self.clock, self.leases)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of obligations, to be read."""
        return Ledger(self.store, self.clock, lambda: self.config)

    @cached_property
    def chains(self) -> Mapping[str, Chain]:
        """The sinks of gateway.yaml, by name."""
        return chains(self.config, self.settings.data, self.store, self.signer)

    @cached_property
    def heads(self) -> AuditHeads:
        return AuditHeads(self.store, self.vault, self.clock, self.audit)

    def verify_audit(self) -> int:
        """Checks the audit log against itself and against every sink; the number of entries. Raises Unreconciled."""
        return self.heads.verify(self.chains, self.signer.public)

    def verify_chains(self) -> dict[str, int]:
        """Re-checks every sink from its first block on, against our own receipts; sink -> number of blocks.

        Raises:
            ChainBroken: names the block that does not hold.
        """
        return {name: verified(name, chain, self.store) for name, chain in self.chains.items()}

    @cached_property
    def payloads(self) -> DirectoryPayloadStore:
        assert self.config.gateway is not None
        return DirectoryPayloadStore(self.settings.data / self.config.gateway.payloads)

    @cached_property
    def disclosure(self) -> Disclosure:
        return Disclosure(self.store, self.vault, self.payloads, self.chains)

    @cached_property
    def consents(self) -> Consents:
        assert self.config.gateway is not None
        return Consents(self.store, self.vault, self.clock, self.config.gateway.members)

    @cached_property
    def finder(self) -> FactFinder:
        return FactFinder(self.store, self.vault)

    @cached_property
    def office(self) -> Office:
        """The desk at which banks ask."""
        assert self.config.gateway is not None
        maker = ReportMaker(self.store, self.finder, self.disclosure, self.config.catalogue)
        return Office(
            self.store,
            self.vault,
            self.clock,
            signer=self.signer,
            maker=maker,
            consents=self.consents,
            members=self.config.gateway.members,
            submitter=self.config.gateway.submitter,
            suite=self.suite,
        )

    @cached_property
    def eraser(self) -> Eraser:
        return Eraser(self.store, self.vault, self.clock, self.leases, grants=self.grants, suite=self.suite)

    @cached_property
    def masters(self) -> Masters:
        return Masters(self.store, self.settings.data, self.leases)

    @cached_property
    def grants(self) -> Grants:
        assert self.config.gateway is not None
        return Grants(
            self.store,
            self.vault,
            self.payloads,
            catalogue=self.config.catalogue,
            members=self.config.gateway.members,
            member_keys=self.settings.data,
            suite=self.suite,
        )

    @cached_property
    def forwarder(self) -> Forwarder:
        assert self.config.gateway is not None
        return Forwarder(
            self.store,
            self.vault,
            self.clock,
            self.leases,
            signer=self.signer,
            chains=self.chains,
            payloads=self.payloads,
            catalogue=self.config.catalogue,
            grants=self.grants,
            submitter=self.config.gateway.submitter,
            batch_size=self.config.gateway.batch_size,
            suite=self.suite,
        )

    def close(self) -> None:
        """Lets go of connections and files; only of what was ever used."""
        if "forwarder" in self.__dict__:
            self.forwarder.close()
        for chain in self.__dict__.get("chains", {}).values():
            chain.close()
        if "http" in self.__dict__:
            self.http.close()
        self.store.close()
