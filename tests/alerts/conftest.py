"""A book of alerts over a still clock, and channels that remember what they were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.alerts import AlertBook, Message, Post, Undelivered
from gateway.clock import SHANGHAI
from gateway.config import AlertsModel, Config, GatewayFile
from gateway.freshness import Finding
from gateway.leases import Leases
from gateway.store import Store
from tests.freshness.books import StillClock


@dataclass
class Ear:
    """A channel that hears, or not."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    deaf: bool = False
    titles: list[str] = field(default_factory=list)

    def send(self, message: Message) -> None:
        if self.deaf:
            raise Undelivered("告警地址没有接收：{why}", why="HTTP 503")
        self.titles.append(message.title())
        self.heard += [(message.occasion, f"{line.target} {line.code}") for line in message.lines]


def finding(
    target: str = "360981/subsidy", code: str = "overdue", owner: str | None = "agency", kind: str = "duty"
) -> Finding:
    return Finding(kind, target, code, f"{target} {code}", owner, "请补报", "2026-10-11T00:00:00+08:00")


class Desk:
    """Everything alerts need, with the night put in the model where a test says so."""

    def __init__(self, store: Store, **model: Any) -> None:
        self.clock = StillClock(store, "2026-10-12T09:00:00")
        self.ears = {"duty": Ear(), "chief": Ear()}
        self.model = AlertsModel.model_validate(
            {
                "channels": {name: {"kind": "webhook", "secrets": {"url": {"env": "X"}}} for name in self.ears},
                "routes": [{"to": ["duty"]}],
                "settle": "10m",
                **model,
            }
        )
        self.book = AlertBook(
            store, self.clock, lambda: Config(Path(), gateway=GatewayFile(submitter="x", alerts=self.model))
        )
        self.post = Post(store, self.clock, Leases(store), lambda: dict(self.ears), lambda: {"360981": "丰城市"})

    def at(self, moment: str, *found: Finding) -> list[tuple[str, str]]:
        """Holds these verdicts at this moment and sends; what the channel on duty heard just then."""
        self.clock.set_to(moment)
        before = len(self.ears["duty"].heard)
        self.book.observe(found)
        self.post.deliver()
        return self.ears["duty"].heard[before:]


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def noon(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)
