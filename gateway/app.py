"""Composition root: the only place that builds concrete things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from adapters.kit import Adapter, Allowance, Described, Http, Ports, SoapAdapter, SourceSettings, Translator, registry
from adapters.kit.recording import Recording, record
from gateway.accounts import AccountBudget, AccountSecrets
from gateway.audit import Action, Actor, AllowAll, Authorizer
from gateway.auditlog import AuditLog
from gateway.chain import Chain, ChainBroken, Head, LocalChain
from gateway.chain.evm import PROFILES, Endpoint
from gateway.clock import Clock
from gateway.config import Config, EvmSinkModel, Feed, overlaid, read, resolve
from gateway.disclosure import Disclosure
from gateway.dispatch import Executor
from gateway.documents import StoreDocuments
from gateway.errors import ConfigInvalid, Usage
from gateway.forwarder import Forwarder
from gateway.freshness import Keeper, Ledger
from gateway.keyfiles import keyring, signing_seed
from gateway.lanes import StoreJournal
from gateway.leases import Leases
from gateway.names import Namer, name_kinds
from gateway.pipeline import Pipeline
from gateway.promise import CONTINUOUS
from gateway.proof import DirectoryPayloadStore, Signer
from gateway.publish import publish, published
from gateway.reports.consents import Consents
from gateway.reports.facts import FactFinder
from gateway.reports.office import Office
from gateway.reports.report import ReportMaker
from gateway.settings import Settings
from gateway.sorter import FeedWork
from gateway.store import Store, upgrade
from gateway.vault import Vault
from schemas import DATASETS


@dataclass(frozen=True, slots=True)
class Paths:
    """Where things lie under the data directory."""

    data: Path

    @property
    def store(self) -> Path:
        return self.data / "store.db"

    @property
    def signer_public(self) -> Path:
        return self.data / "keys" / "signer.pub"


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
        self.vault = Vault(keyring(settings.data))
        self.signer = Signer(signing_seed(settings.data))
        self._publish_key()
        self.leases = Leases(self.store)
        self.audit = AuditLog(self.store, self.clock, authorizer or AllowAll())

    def _publish_key(self) -> None:
        public = self.signer.public_text
        if not self.paths.signer_public.exists():
            self.paths.signer_public.write_text(public + "\n", "ascii")

    @cached_property
    def config(self) -> Config:
        """The published configuration; the first start publishes by itself.

        Raises:
            ConfigInvalid: nothing was ever published and the drafts cannot be.
        """
        running = published(self.store, self.settings.config)
        if running is None:
            self.publish(Actor.system())
            running = self.draft
        return running

    def publish(self, actor: Actor) -> bool:
        """Makes the drafts the running version; feeds of broken county files stay as they were.

        Raises:
            ConfigInvalid: gateway.yaml, catalogue.yaml or accounts.yaml is broken, or no feed is left.
        """
        draft = self.draft
        if draft.gateway is None or not draft.catalogue or not draft.accounts or not draft.feeds:
            raise ConfigInvalid(draft.problems)
        changed = publish(self.store, self.clock, draft, actor.name)
        self.__dict__.pop("config", None)
        if changed:
            running = self.config
            self.audit.record(actor, Action.PUBLISH_CONFIG, running.digest[:16], {"feeds": len(running.feeds)})
            self.keeper.keep_all(anew=True)
        return changed

    def feed(self, name: str) -> Feed:
        """Raises Usage, naming what there is."""
        feed = self.config.feeds.get(name)
        if feed is None:
            raise Usage("没有采集任务 {name}。可用的有：{known}", name=name, known="、".join(self.config.feeds))
        return feed

    def adapter(self, feed: Feed) -> Adapter:
        """A fresh adapter with its account's ports."""
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
            documents=StoreDocuments(self.store, self.clock, self.config.root),
        )
        settings: SourceSettings = cls.Settings.model_validate(feed.source.settings)
        return cls(ports, settings, feed.county.code)

    def prepare(self, name: str) -> FeedWork:
        """A feed made ready to run with the published rules."""
        feed = self.feed(name)
        adapter = self.adapter(feed)
        stream = adapter.offers[feed.dataset] = overlaid(feed.model, adapter.offers[feed.dataset])
        dataset = DATASETS[feed.dataset]
        translator = Translator(
            dataset,
            stream.mapping,
            source_time=stream.source_time,
            ignore=stream.ignore,
            deleted=stream.deleted,
            today=self.clock.today(),
        )
        with self.store.write() as tx:
            row = tx.one("feed_by_name", name=name)
            assert row is not None
            tx.run("rules_add", digest=translator.version)
            rules_id = int(tx.value("rules_id", digest=translator.version))
            for kind in name_kinds(dataset):
                tx.run("name_kind_add", kind=kind)
            kinds = {known.kind: known.id for known in tx.all("name_kinds")}
        return FeedWork(
            id=row.id,
            uid=row.uid,
            name=name,
            stream_id=row.stream_id,
            rules_id=rules_id,
            dataset=dataset,
            adapter=adapter,
            stream=stream,
            translator=translator,
            namer=Namer(self.vault, dataset, row.uid, kinds),
            period_field=_period_field(feed),
            vanish_limit=feed.model.vanish_limit,
        )

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

    def record(self, name: str, pages: int) -> Recording:
        """Every stream of a feed's source, read once and once more, scrubbed of people, keys and addresses.

        Raises:
            SourceError: the source did not give what was asked.
        """
        feed = self.feed(name)
        adapter = self.adapter(feed)
        account = self.config.accounts[feed.source.account]
        try:
            secrets = {key: adapter.ports.secrets.get(key) for key in account.secrets}
            return record(
                type(adapter), adapter.ports, adapter.settings, feed.county.code, pages=pages, secrets=secrets
            )
        finally:
            adapter.close()

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
    def ledger(self) -> Ledger:
        """The ledger of obligations, to be read."""
        return Ledger(self.store, self.clock, lambda: self.config)

    @cached_property
    def chains(self) -> Mapping[str, Chain]:
        """The sinks of gateway.yaml, by name."""
        assert self.config.gateway is not None
        return {
            name: self._evm(name, sink)
            if isinstance(sink, EvmSinkModel)
            else LocalChain(self.settings.data / sink.path, self.signer, name)
            for name, sink in self.config.gateway.sinks.items()
        }

    def _evm(self, name: str, sink: EvmSinkModel) -> Chain:
        """A sink at a consortium node; only now is its client library needed.

        Raises:
            Usage: the library is not installed, or the sender's key is not where the configuration says.
        """
        try:
            from gateway.chain.evm.lane import account_of
            from gateway.chain.evm.sink import EvmChain
        except ImportError as error:
            raise Usage("{sink} 是 evm 链，请先安装：pip install 'shuqiao[evm]'", sink=name) from error
        root = self.config.root
        try:
            key = resolve(sink.secrets.sender, root)
        except LookupError as error:
            raise Usage("{sink} 的账户私钥取不到：{why}", sink=name, why=str(error)) from error
        certificate, private = sink.client_cert, sink.client_key
        endpoint = Endpoint(
            url=sink.url,
            chain_id=sink.chain_id,
            contract=sink.contract,
            timeout=sink.timeout.total_seconds(),
            ca=root / sink.ca if sink.ca else None,
            client=(root / certificate, root / private) if certificate and private else None,
        )
        return EvmChain(
            name,
            endpoint,
            PROFILES[sink.profile],
            self.signer,
            StoreJournal(self.store, name, str(account_of(key).address).lower()),
            key,
            gas_price=sink.gas_price,
            confirmations=sink.confirmations,
            window=sink.window,
        )

    def verify_chains(self) -> dict[str, int]:
        """Re-checks every sink from its first block on, against our own receipts; sink -> number of blocks.

        Raises:
            ChainBroken: names the block that does not hold.
        """
        found: dict[str, int] = {}
        for name, chain in self.chains.items():
            with self.store.read() as tx:
                confirmed = tx.all("deliveries_confirmed", sink=name)
            newest = max(confirmed, key=lambda row: int(row.block), default=None)
            expected = Head(int(newest.block), newest.block_hash) if newest else None
            found[name] = chain.verify(expected_head=expected).number
            for row in confirmed:
                receipt = chain.receipt(row.batch_id)
                if receipt is None or (str(receipt.block), receipt.block_hash) != (row.block, row.block_hash):
                    raise ChainBroken(int(row.block), "与网关保存的回执不符：区块不在，或已被替换")
        return found

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
    def office(self) -> Office:
        """The desk at which banks ask."""
        assert self.config.gateway is not None
        maker = ReportMaker(self.store, FactFinder(self.store, self.vault), self.disclosure, self.config.catalogue)
        return Office(
            self.store,
            self.vault,
            self.clock,
            signer=self.signer,
            maker=maker,
            consents=self.consents,
            members=self.config.gateway.members,
            submitter=self.config.gateway.submitter,
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
            members=self.config.gateway.members,
            member_keys=self.settings.data,
            submitter=self.config.gateway.submitter,
            batch_size=self.config.gateway.batch_size,
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


def _period_field(feed: Feed) -> str | None:
    """The field whose date a version counts by; None where its source time does."""
    promise = feed.entry.promise(feed.dataset, feed.county.code)
    return None if promise.period_by == "as_of" or promise.frequency in CONTINUOUS else promise.period_by
