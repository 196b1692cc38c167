"""What is shared is shared on the agreed terms only: sealing enforces the catalogue (DESIGN §5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.app import Gateway
from gateway.audit import Actor
from gateway.names import short
from gateway.proof import MemberKey, keys_folder, open_group, payload_name, read_payload, suite_named
from gateway.proof import verify_manifest as opened_manifest
from gateway.store.tables import delivery
from gateway.vault import handle_bytes
from mock_agencies.people import DAY_0
from tests.support.house import FEEDS, House, house
from tests.support.suite import SUITE

pytestmark = pytest.mark.sockets

TERMS = {
    name: f"赣数共〔2026〕010{n}号"
    for n, name in enumerate(("household_member", "payment", "homestead", "marriage"), 1)
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    with house(tmp_path, monkeypatch, households=25, dirt=0.0) as running:
        yield running


def change(made: House, name: str, old: str, new: str) -> None:
    """Edits a file, publishes it, and goes on with a gateway that has read it."""
    path = made.home / "config" / name
    text = path.read_text("utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), "utf-8")
    made.gateway.close()
    made.gateway = Gateway(made.gateway.settings)
    assert made.gateway.draft.problems == []
    made.gateway.publish(Actor.system())


def terms_of(made: House, dataset: str, old: str, new: str) -> None:
    """Changes the sharing terms of one dataset, on its line."""
    lines = (made.home / "config" / "catalogue.yaml").read_text("utf-8").splitlines()
    (line,) = [text for text in lines if TERMS[dataset] in text]
    change(made, "catalogue.yaml", line, line.replace(old, new))


def batches(made: House, dataset: str) -> list[Any]:
    with made.gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name=FEEDS[dataset])
    with made.gateway.store.engine.connect() as connection:
        wanted = (
            select(delivery.batch).where(delivery.batch.c.stream_id == feed.stream_id).order_by(delivery.batch.c.first)
        )
        return list(connection.execute(wanted))


def unsealed(made: House, dataset: str) -> tuple[int, int]:
    """Statements given a number, and how many of them were sealed."""
    with made.gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name=FEEDS[dataset])
        stream = tx.one("stream_by_name", name=f"feed:{feed.uid}")
    return stream.next_seq, stream.sealed_seq


def opened(made: House, dataset: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Handle and version -> group -> values: all that the payloads of a feed hold, opened with the vault's own keys."""
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for row in batches(made, dataset):
        manifest = opened_manifest(row.manifest, row.signature, made.gateway.signer.public)
        payload = made.gateway.payloads.get(payload_name(manifest.payload_digest))
        suite = suite_named(manifest.suite)
        for version in read_payload(manifest, payload):
            handle, number = str(version.envelope["handle"]), int(str(version.envelope["version"]))
            with made.gateway.store.read() as tx:
                (known,) = tx.among("observations_by_handle", short([handle_bytes(handle)]))
            key = made.gateway.vault.unwrap(known.wrapped_key).disclosure
            out[f"{handle}/{number}"] = {
                group: dict(open_group(suite, version, group, suite.expand(key, number, group)))
                for group in version.groups
            }
    return out


def test_a_field_outside_the_terms_reaches_no_payload(made: House) -> None:
    accounts = {t["canonical"]["account_tail"] for t in made.agencies.truth("payment")}
    assert accounts - {None}
    made.sync("payment")
    assert made.gateway.forwarder.forward().held == []
    shared = opened(made, "payment")
    assert shared
    assert {frozenset(groups) for groups in shared.values()} == {frozenset({"content", "subject", "money"})}
    values = [v for groups in shared.values() for group in groups.values() for v in group.items()]
    assert {"detail_id", "payee_id_no", "amount_paid"} <= {name for name, _ in values}
    assert "account_tail" not in {name for name, _ in values}
    assert not {value for _, value in values} & (accounts - {None})


def test_what_the_terms_allow_is_there(made: House) -> None:
    """The other half of the test above: were the account allowed, it would be found where we looked."""
    change(made, "catalogue.yaml", "failure, payee_name,", "failure, account_tail, payee_name,")
    made.sync("payment")
    made.gateway.forwarder.forward()
    found = [g["account"]["account_tail"] for g in opened(made, "payment").values() if "account" in g]
    assert sorted(found) == sorted(t["canonical"]["account_tail"] for t in made.agencies.truth("payment"))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("2027-12-31", str(DAY_0 - timedelta(days=1)), f"共享授权已于 {DAY_0 - timedelta(days=1)} 到期"),
        ("有条件共享", "不予共享", "目录规定不予共享"),
        (f"approval: {TERMS['homestead']}, ", "", "有条件共享，但目录里没有批准文号"),
    ],
)
def test_nothing_is_sealed_outside_the_terms(made: House, old: str, new: str, why: str) -> None:
    terms_of(made, "homestead", old, new)
    made.sync("homestead", "marriage")
    report = made.gateway.forwarder.forward()
    assert report.held == [f"{FEEDS['homestead']}：{why}"]
    committed, sealed = unsealed(made, "homestead")
    assert (committed > 0, sealed, batches(made, "homestead")) == (True, 0, [])
    assert len(made.gateway.payloads.names("payloads")) == len(batches(made, "marriage")) == report.confirmed == 1


def test_sharing_ends_after_its_last_day_and_goes_on_when_it_is_renewed(made: House) -> None:
    terms_of(made, "homestead", "2027-12-31", str(DAY_0))
    made.sync("homestead")
    assert made.gateway.forwarder.forward().held == [], "the last day counts"
    first, sealed = unsealed(made, "homestead")
    assert first == sealed > 0
    made.advance(1)
    made.sync("homestead")
    assert made.gateway.forwarder.forward().held == [f"{FEEDS['homestead']}：共享授权已于 {DAY_0} 到期"]
    committed, sealed = unsealed(made, "homestead")
    assert committed > sealed == first
    (line,) = [
        n for n in (made.home / "config/catalogue.yaml").read_text("utf-8").splitlines() if TERMS["homestead"] in n
    ]
    change(made, "catalogue.yaml", line, line.replace(str(DAY_0), "2028-12-31"))
    assert made.gateway.forwarder.forward().held == []
    assert unsealed(made, "homestead") == (committed, committed)


def test_only_a_recipient_with_a_grant_gets_keys(made: House) -> None:
    """demo-bank is granted and named; one bank is granted and not named; one is named and not granted."""
    ungranted, unnamed = MemberKey.new(SUITE), MemberKey.new(SUITE)
    for name, key in (("ungranted", ungranted), ("unnamed", unnamed)):
        (made.home / "data" / "members" / f"{name}.pub").write_text(key.public.text, "ascii")
    change(
        made,
        "gateway.yaml",
        "members:\n",
        "members:\n"
        "  unnamed: {title: 甲行, key: members/unnamed.pub, groups: {homestead: all, marriage: all, assistance: all}}\n"
        "  ungranted: {title: 乙行, key: members/ungranted.pub, groups: {marriage: [act]}}\n",
    )
    terms_of(made, "homestead", "[demo-bank]", "[demo-bank, ungranted]")
    made.sync("homestead", "marriage", "assistance")
    assert made.gateway.forwarder.forward().held == []

    def keyed(dataset: str) -> set[str]:
        names = {"demo-bank": made.member_key, "ungranted": ungranted, "unnamed": unnamed}
        (batch,) = batches(made, dataset)
        return {n for n, key in names.items() if made.gateway.payloads.names(keys_folder(batch.batch_id, key.public))}

    assert keyed("homestead") == {"demo-bank"}
    assert keyed("marriage") == {"demo-bank"}
    assert keyed("assistance") == set()
    folder = made.gateway.payloads.path / "keys"
    assert {p.name for p in folder.iterdir()} == {batches(made, d)[0].batch_id for d in ("homestead", "marriage")}
    assert {p.name for p in folder.glob("*/*")} == {made.member_key.public.id}
