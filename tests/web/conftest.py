"""The dashboard as a browser sees it: a house with a past, served on loopback, and Debian's Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from gateway.web import build
from tests.support.house import House, house
from tests.web.scene import furnish

SHOTS = "SHUQIAO_SHOTS" in os.environ
"""`make shots`: the ten counties, and pictures are written to docs/."""


@dataclass
class Dashboard:
    """A running dashboard: its house and its address."""

    house: House
    url: str


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Collected once, forwarded, with a past."""
    home, others = tmp_path_factory.mktemp("dashboard"), 12 if SHOTS else 0
    with pytest.MonkeyPatch.context() as patch, house(home, patch, households=60, others=others, dirt=0.06) as made:
        for name in made.gateway.config.feeds:
            made.run(name)
        made.gateway.forwarder.forward()
        furnish(made)
        yield made


@pytest.fixture(scope="module")
def dashboard(furnished: House) -> Iterator[Dashboard]:
    """Served without a worker: nothing moves while it is looked at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = uvicorn.Config(build(furnished.gateway, lambda: True), port=port, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="dashboard")
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Dashboard(furnished, f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, found by PATH."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium on this machine: pages are not opened in a browser (apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()
