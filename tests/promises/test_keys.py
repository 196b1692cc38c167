"""Keys turn: masters rotate, a store changes its suite, a member comes late. Nothing is lost and nothing renamed (ADR 0015)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import member
from gateway.app import Gateway
from gateway.audit import Actor
from gateway.errors import Busy, Usage
from gateway.keyfiles import keyring
from gateway.proof import GM, INTL, Manifest, MemberKey, Suite
from gateway.rewrap import KEYS
from gateway.store.pages import living
from tests.promises.test_reports import consent, farmer, query
from tests.support.anvil import anvil, declared, new_key
from tests.support.house import FEEDS, House, copied, delivered, house
from tests.support.suite import SUITE
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets
OTHER = GM if SUITE is INTL else INTL


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with delivered(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
def made(template: House, tmp_path: Path) -> Iterator[House]:
    """Collected and forwarded, each test's own; the world moves on from test to test."""
    with copied(template, tmp_path) as running:
        yield running


def again(made: House) -> None:
    """The gateway as it starts anew."""
    settings = made.gateway.settings
    made.gateway.close()
    made.gateway = Gateway(settings)


def seen(made: House) -> dict[str, Any]:
    """Everything a person can ask for: records, handles, quarantine, cursors."""
    with made.gateway.store.read() as tx:
        feeds = {name: tx.one("feed_by_name", name=FEEDS[name]) for name in FEEDS}
        handles = {
            name: [bytes(r.handle) for r in tx.among("observations_sealed_with", living(tx, f.id))]
            for name, f in feeds.items()
        }
    vault = made.gateway.vault
    return {
        "records": {name: sorted(map(str, made.records(name))) for name in FEEDS},
        "handles": handles,
        "held": {name: made.held(name) for name in FEEDS},
        "cursors": {name: vault.open("cursor", f.cursor) for name, f in feeds.items() if f.cursor},
    }


def verified(made: House, key: MemberKey, tmp_path: Path) -> member.Report:
    headers = tmp_path / "headers.jsonl"
    made.gateway.chains["local"].export_headers(headers)
    pinned = member.load_signer(made.gateway.paths.signer_public)
    report = member.verify(made.gateway.payloads.path, key, pinned, headers=headers)
    assert report.problems == []
    return report


def hand_in(made: House, suite: Suite) -> MemberKey:
    key = MemberKey.new(suite)
    (made.gateway.settings.data / "members" / "demo-bank.pub").write_text(key.public.text, "ascii")
    return key


def test_a_master_rotates_and_the_old_one_can_be_forgotten(made: House) -> None:
    before = seen(made)
    assert set(made.gateway.masters.in_use()) == {"m1"}
    assert made.gateway.masters.rotate() > sum(map(len, before["handles"].values()))
    assert made.gateway.masters.in_use()["m1"] == 0
    assert seen(made) == before, "a process that began before the rotation reads on"
    again(made)
    assert made.gateway.masters.prune() == ["m1"]
    assert keyring(made.gateway.settings.data).masters.keys() == {"m2"}
    again(made)
    assert seen(made) == before
    assert {o.state for o in made.sync()} == {"done"}
    assert made.gateway.masters.in_use().keys() == {"m2"}


def test_a_rewrap_that_died_goes_on(made: House) -> None:
    before, masters = seen(made), made.gateway.masters

    class Died(Exception):
        pass

    def die(_count: int) -> None:
        raise Died

    with pytest.raises(Died):
        masters.rotate(die)
    left = masters.in_use()
    assert left["m1"] > 0
    assert left["m2"] > 0
    assert seen(made) == before
    masters.rewrap(SUITE)
    assert masters.in_use()["m1"] == 0
    assert masters.rewrap(SUITE) == 0
    assert seen(made) == before


def test_a_used_master_is_not_forgotten(made: House) -> None:
    masters = made.gateway.masters
    assert masters.prune() == []
    masters.rotate()
    with made.gateway.leases.take("feed:x"), pytest.raises(Usage, match="feed:x"):
        masters.prune()
    with made.gateway.leases.take(KEYS), pytest.raises(Busy):
        masters.rotate()


def test_a_store_changes_its_suite(made: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person = farmer(made)
    consent(made, person)
    old = query(made, person)
    made.gateway.forwarder.forward()
    before, first = seen(made), verified(made, made.member_key, tmp_path)

    monkeypatch.setenv("SHUQIAO_SUITE", OTHER.name)
    again(made)
    made.gateway.__dict__.pop("config", None)
    with pytest.raises(Usage, match="keys rewrap"):
        _ = made.gateway.forwarder
    made.gateway.masters.rewrap(OTHER)
    assert made.gateway.masters.suites() == {OTHER.name: sum(made.gateway.masters.suites().values())}
    again(made)

    assert made.gateway.suite is OTHER
    assert seen(made) == before, "nothing was lost, and nothing renamed"
    assert made.gateway.office.again(old.number).text == old.text
    with pytest.raises(Usage, match="--suite"):
        _advance(made)
    key = hand_in(made, OTHER)
    made.gateway.forwarder.forward()
    issued = made.gateway.grants.late("demo-bank", made.gateway.clock.today())
    assert issued.written > 0
    report = verified(made, key, tmp_path)
    assert report.batches > first.batches
    assert report.groups_opened > first.groups_opened
    assert verified(made, made.member_key, tmp_path).groups_opened == first.groups_opened
    assert query(made, person).document["suite"] == OTHER.name


def test_a_consortium_chain_follows_the_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of both suites stand at the node under one name, in streams without a gap, and a member proves them all."""
    monkeypatch.setenv("BANK", new_key())
    with (
        anvil() as node,
        house(tmp_path, monkeypatch, households=20, sinks={"bank": declared(node.url, "BANK")}) as made,
    ):
        assert shuqiao(made.gateway.settings, "chain", "deploy", "bank").exit_code == 0
        again(made)
        made.sync()
        made.gateway.forwarder.forward()

        monkeypatch.setenv("SHUQIAO_SUITE", OTHER.name)
        again(made)
        made.gateway.publish(Actor.system())
        made.gateway.masters.rewrap(OTHER)
        again(made)
        key = hand_in(made, OTHER)
        made.gateway.grants.late("demo-bank", made.gateway.clock.today())
        _advance(made)

        bank = made.gateway.chains["bank"]
        pinned = member.load_signer(made.gateway.paths.signer_public)
        report = member.verify(made.gateway.payloads.path, key, pinned, endpoint=bank.endpoint)
        assert report.problems == []
        with made.gateway.store.read() as tx:
            suites = Counter(Manifest.parse(row.manifest).suite for row in tx.all("deliveries_confirmed", sink="bank"))
        assert suites.keys() == {SUITE.name, OTHER.name}
        assert report.batches == suites.total()
        assert report.groups_opened == verified(made, key, tmp_path).groups_opened > 0
        assert made.gateway.verify_chains()["local"] == suites.total()


def _advance(made: House) -> None:
    made.advance(2)
    made.sync()
    made.gateway.forwarder.forward()


def test_a_late_member_reads_the_past(made: House, tmp_path: Path) -> None:
    first = verified(made, made.member_key, tmp_path)
    payloads = {p.name: p.stat().st_mtime_ns for p in (made.gateway.payloads.path / "payloads").iterdir()}
    late = hand_in(made, SUITE)
    assert verified(made, late, tmp_path).groups_opened == 0
    today = made.gateway.clock.today()
    issued = made.gateway.grants.late("demo-bank", today)
    assert (issued.standing, issued.held) == (0, [])
    assert verified(made, late, tmp_path).groups_opened == first.groups_opened
    repeated = made.gateway.grants.late("demo-bank", today)
    assert (repeated.written, repeated.standing) == (0, issued.written)
    made.gateway.grants.late("demo-bank", today, again=True)
    assert verified(made, late, tmp_path).groups_opened == first.groups_opened
    assert {p.name: p.stat().st_mtime_ns for p in (made.gateway.payloads.path / "payloads").iterdir()} == payloads
    with pytest.raises(Usage, match="没有成员单位"):
        made.gateway.grants.late("nobody", today)
