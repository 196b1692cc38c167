"""The gateway, its node and the way between them killed at random under load: each batch is on the chain exactly once."""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from gateway.member import verify as member_verify
from gateway.status import reconcile
from tests.kills.test_kills import finish, queue_all, worker
from tests.support.anvil import Anvil, anvil, declared, kept, new_key
from tests.support.house import House, house
from tests.support.proxy import Proxy, proxy
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets
SINKS = ("local", "bank")


def strike(what: str, chance: random.Random, made: House, node: Anvil, way: Proxy) -> None:
    """One disaster while a worker works; the worker is gone afterwards, everything else is whole again."""
    before = last_state(made.home.parent / "state")
    child = worker(made)
    time.sleep(chance.uniform(0.8, 2.5))
    match what:
        case "gateway":
            child.kill()
        case "node":
            # what it did not write down is lost with its pool
            node.stop(signal.SIGKILL)
            (made.home.parent / "state").write_bytes(before)
            time.sleep(chance.uniform(0.0, 1.0))
            node.start()
        case "frozen node":
            node.freeze()
            time.sleep(chance.uniform(0.5, 3.0))
            node.thaw()
        case "way":
            way.cut = True
            time.sleep(chance.uniform(0.2, 1.5))
            way.cut = False
        case "answers":
            way.lose = {"eth_sendRawTransaction"}
            time.sleep(chance.uniform(0.2, 1.5))
            way.lose = set()
        case "all":
            way.lose = {"eth_sendRawTransaction"}
            time.sleep(0.3)
            child.kill()
            node.stop(signal.SIGKILL)
            (made.home.parent / "state").write_bytes(before)
            node.start()
            way.lose = set()
    child.kill()
    child.wait()


def last_state(path: Path) -> bytes:
    """What the node wrote down last; it writes in place, so a half of it is no state."""
    while True:
        found = path.read_bytes() if path.exists() else b""
        try:
            json.loads(found)
        except ValueError:
            time.sleep(0.1)
        else:
            return found


def must_hold(made: House) -> None:
    """What stands is what was confirmed, once each, on both; nothing is owed; a member agrees at the node."""
    gateway = made.gateway
    deadline = time.monotonic() + 60
    while gateway.forwarder.reconcile("bank")[1] or gateway.forwarder.forward().waiting:
        assert time.monotonic() < deadline
    assert reconcile(gateway.store, list(SINKS)) == []
    with gateway.store.read() as tx:
        wanted = {sink: [row.batch_id for row in tx.all("deliveries_confirmed", sink=sink)] for sink in SINKS}
    assert sorted(wanted["bank"]) == sorted(wanted["local"])
    chain = gateway.chains["bank"]
    found = Counter(block.batch_id for block, _manifest in chain.blocks(gateway.signer.public))
    assert found == Counter(wanted["bank"])
    gateway.verify_chains()
    report = member_verify(gateway.payloads.path, made.member_key, gateway.signer.public, endpoint=chain.endpoint)
    assert report.problems == []
    assert report.batches == len(wanted["bank"])


def suffer(home: Path, monkeypatch: pytest.MonkeyPatch, kills: list[str], households: int) -> None:
    chance = random.Random(len(kills))
    monkeypatch.setenv("BANK", new_key())
    with anvil(*kept(home / "state"), "--state-interval", "1", "--block-time", "1") as node, proxy(node.url) as way:
        sinks = {"bank": declared(way.url, "BANK")}
        with house(home / "made", monkeypatch, households=households, sinks=sinks) as made:
            assert shuqiao(made.gateway.settings, "chain", "deploy", "bank").exit_code == 0
            made.gateway.close()
            made.gateway = type(made.gateway)(made.gateway.settings)
            time.sleep(2.5)
            for day, what in enumerate(kills):
                if day:
                    made.advance(1)
                queue_all(made)
                strike(what, chance, made, node, way)
                finish(made, *SINKS)
            must_hold(made)


KINDS = ("gateway", "node", "answers", "way", "all", "frozen node")


def test_each_kind_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suffer(tmp_path, monkeypatch, list(KINDS[:5]), households=40)


@pytest.mark.kills
def test_fifty_at_random(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(50)
    kills = [chance.choice(KINDS) for _ in range(50)]
    print("kills:", Counter(kills))
    suffer(tmp_path, monkeypatch, kills, households=150)
