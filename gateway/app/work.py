"""One feed made ready to run."""

from __future__ import annotations

from adapters.kit import Adapter, Translator
from adapters.kit.recording import Recording, record
from gateway.clock import Clock
from gateway.config import Config, Feed, overlaid
from gateway.names import Namer, name_kinds
from gateway.promise import CONTINUOUS
from gateway.sorter import FeedWork
from gateway.store import Store
from gateway.trial import Trial
from gateway.vault import Vault
from schemas import DATASETS


def feed_trial(feed: Feed, adapter: Adapter, clock: Clock) -> Trial:
    """What looking at this feed needs: the adapter with the feed's own mapping laid over it. Raises MappingError."""
    stream = adapter.offers[feed.dataset] = overlaid(feed.model, adapter.offers[feed.dataset])
    dataset = DATASETS[feed.dataset]
    translator = Translator(
        dataset,
        stream.mapping,
        source_time=stream.source_time,
        ignore=stream.ignore,
        deleted=stream.deleted,
        today=clock.today(),
    )
    return Trial(feed.name, dataset, adapter, stream, translator)


def feed_work(feed: Feed, adapter: Adapter, store: Store, vault: Vault, clock: Clock) -> FeedWork:
    """What a run of this feed needs: besides, rules and names known to the store."""
    trial = feed_trial(feed, adapter, clock)
    dataset = trial.dataset
    with store.write() as tx:
        row = tx.one("feed_by_name", name=feed.name)
        assert row is not None
        tx.run("rules_add", digest=trial.translator.version)
        rules_id = int(tx.value("rules_id", digest=trial.translator.version))
        for kind in name_kinds(dataset):
            tx.run("name_kind_add", kind=kind)
        kinds = {known.kind: known.id for known in tx.all("name_kinds")}
    return FeedWork(
        id=row.id,
        uid=row.uid,
        name=feed.name,
        stream_id=row.stream_id,
        rules_id=rules_id,
        dataset=dataset,
        adapter=adapter,
        stream=trial.stream,
        translator=trial.translator,
        namer=Namer(vault, dataset, row.uid, kinds),
        period_field=_period_field(feed),
        drift=feed.model.drift,
        vanish_limit=feed.model.vanish_limit,
    )


def recorded(feed: Feed, adapter: Adapter, config: Config, pages: int) -> Recording:
    """Every stream of an adapter, read once and once more, scrubbed; the adapter is closed. Raises SourceError."""
    account = config.accounts[feed.source.account]
    try:
        secrets = {key: adapter.ports.secrets.get(key) for key in account.secrets}
        return record(type(adapter), adapter.ports, adapter.settings, feed.county.code, pages=pages, secrets=secrets)
    finally:
        adapter.close()


def _period_field(feed: Feed) -> str | None:
    """The field whose date a version counts by; None where its source time does."""
    promise = feed.entry.promise(feed.dataset, feed.county.code)
    return None if promise.period_by == "as_of" or promise.frequency in CONTINUOUS else promise.period_by
