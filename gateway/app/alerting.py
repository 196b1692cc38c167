"""The way out of alerts, as the configuration in force describes it."""

from __future__ import annotations

from collections.abc import Callable

from gateway.alerts import Post, channel
from gateway.clock import Clock
from gateway.config import Config
from gateway.leases import Leases
from gateway.store import Store


def post(store: Store, clock: Clock, leases: Leases, config: Callable[[], Config]) -> Post:
    return Post(
        store,
        clock,
        leases,
        channels=lambda: {name: channel(model, config().root) for name, model in config().alerts.channels.items()},
        names=lambda: {code: county.name for code, county in config().counties.items()},
    )
