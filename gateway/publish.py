"""Publishing: drafts become the version that runs; feeds keep their identity whatever they are called (DESIGN §2b, §6)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import msgspec

from gateway.clock import Clock
from gateway.config import Config, Feed, digest, read
from gateway.store import Store, Tx


def published(store: Store, root: Path) -> Config | None:
    """The version that runs, or None before the first."""
    with store.read() as tx:
        row = tx.one("config_latest")
    return None if row is None else read(root, texts_of(row))


def publish(store: Store, clock: Clock, config: Config, actor: str, note: str | None = None) -> bool:
    """Makes a draft the running version; False when it already is. Feeds of broken county files are left as they were."""
    with store.write() as tx:
        last = tx.one("config_latest")
        for feed in config.feeds.values():
            if tx.one("feed_by_name", name=feed.name) is None and not _renamed(tx, config, feed):
                _add_feed(tx, feed.name, feed.dataset, feed.county.code, feed.channel)
        texts = _texts(config, last)
        if last is not None and last.digest == digest(texts):
            return False
        body = msgspec.json.encode(texts, order="sorted").decode()
        tx.run("config_add", at=clock.stamp(), actor=actor, digest=digest(texts), body=body, note=note)
        return True


def _renamed(tx: Tx, config: Config, feed: Feed) -> bool:
    """Gives a feed that was known by another name its new one: as it says itself, or back to a name that it once had."""
    known = tx.one("feed_by_name", name=feed.renamed_from) if feed.renamed_from else None
    known = known or tx.one("feed_once_called", name=feed.name)
    if known is None or known.name in config.feeds or known.dataset != feed.dataset:
        return False
    tx.run("feed_alias_add", name=known.name, feed_id=known.id)
    tx.run("feed_rename", id=known.id, name=feed.name)
    return True


def _texts(config: Config, last: Any) -> dict[str, str]:
    """The drafts, but of a broken county file what was published before, so that its feeds keep running."""
    texts, before = dict(config.texts), texts_of(last)
    for name in config.broken:
        if name.startswith("counties/"):
            del texts[name]
            texts |= {name: before[name]} if name in before else {}
    return texts


def texts_of(version: Any) -> dict[str, str]:
    """The files of a published version; none before the first."""
    return {} if version is None else msgspec.json.decode(version.body, type=dict[str, str])


def _add_feed(tx: Tx, name: str, dataset: str, county: str, channel: str) -> None:
    uid = uuid.uuid4().hex
    tx.run("stream_add", name=f"feed:{uid}", kind="versions")
    stream = tx.one("stream_by_name", name=f"feed:{uid}")
    assert stream is not None
    tx.run("feed_add", uid=uid, name=name, dataset=dataset, county=county, channel=channel, stream_id=stream.id)
