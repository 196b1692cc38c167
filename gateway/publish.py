"""Publishing: drafts become the version that runs; feeds keep their identity whatever they are called (DESIGN §2b, §6)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import msgspec

from gateway.clock import Clock
from gateway.config import Config, digest, read
from gateway.store import Store, Tx


def published(store: Store, root: Path) -> Config | None:
    """The version that runs, or None before the first."""
    with store.read() as tx:
        row = tx.one("config_latest")
    return None if row is None else read(root, _body(row))


def publish(store: Store, clock: Clock, config: Config, actor: str) -> bool:
    """Makes a draft the running version; False when it already is. Feeds of broken county files are left as they were."""
    with store.write() as tx:
        last = tx.one("config_latest")
        for feed in config.feeds.values():
            known = tx.one("feed_by_name", name=feed.name)
            if known is None and feed.renamed_from:
                known = tx.one("feed_by_name", name=feed.renamed_from)
                if known is not None:
                    tx.run("feed_rename", id=known.id, name=feed.name)
            if known is None:
                _add_feed(tx, feed.name, feed.dataset, feed.county.code, feed.channel)
        texts = _texts(config, last)
        if last is not None and last.digest == digest(texts):
            return False
        body = msgspec.json.encode(texts, order="sorted").decode()
        tx.run("config_add", at=clock.stamp(), actor=actor, digest=digest(texts), body=body)
        return True


def _texts(config: Config, last: Any) -> dict[str, str]:
    """The drafts, but of a broken county file what was published before, so that its feeds keep running."""
    texts, before = dict(config.texts), _body(last)
    for name in config.broken:
        if name.startswith("counties/"):
            del texts[name]
            texts |= {name: before[name]} if name in before else {}
    return texts


def _body(version: Any) -> dict[str, str]:
    return {} if version is None else msgspec.json.decode(version.body, type=dict[str, str])


def _add_feed(tx: Tx, name: str, dataset: str, county: str, channel: str) -> None:
    uid = uuid.uuid4().hex
    tx.run("stream_add", name=f"feed:{uid}", kind="versions")
    stream = tx.one("stream_by_name", name=f"feed:{uid}")
    assert stream is not None
    tx.run("feed_add", uid=uid, name=name, dataset=dataset, county=county, channel=channel, stream_id=stream.id)
