"""What every part of a gateway process stands on."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gateway.app.drafts import Drafts, newest
from gateway.app.keys import agreed_suite, opened, public_path
from gateway.audit import Actor, Authorizer
from gateway.auditlog import AuditLog
from gateway.clock import Clock
from gateway.config import Config, Feed, read
from gateway.errors import ConfigInvalid, Usage
from gateway.inbox import Inboxes
from gateway.leases import Leases
from gateway.people import ByRole, Keys, Users
from gateway.proof import Suite
from gateway.publish import published
from gateway.settings import Settings
from gateway.store import Store, upgrade


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


class Foundation:
    """Store, clock, vault, people, and the configuration in force."""

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
        self._taking_over = threading.Lock()

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
        """What was published runs here from now on; what is built of it overrides this and is built anew."""
        self.__dict__["config"] = running

    def refresh(self) -> bool:
        """Takes over what another process published since; whether there was anything."""
        with self._taking_over:
            self._version, newer = newest(self.store, self.settings.config, self._version, self.config.digest)
            if newer is not None:
                self._take_over(newer)
            return newer is not None

    def feed(self, name: str) -> Feed:
        """Raises Usage, naming what there is."""
        return found(self.config, name)


def found(config: Config, name: str) -> Feed:
    """One feed of a configuration.

    Raises:
        ConfigInvalid: its county's file does not hold.
        Usage: there is none, naming what there is.
    """
    feed = config.feeds.get(name)
    if feed is None and (faults := [p for p in config.problems if f"/counties/{name[:6]}" in p.file]):
        raise ConfigInvalid(faults)
    if feed is None:
        raise Usage("没有采集任务 {name}。可用的有：{known}", name=name, known="、".join(config.feeds))
    return feed
