"""Erasing a person: nothing opens it any more, nobody else loses anything, and it does not come back (DESIGN §2b, §5.6)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import member
from gateway.clock import Clock
from gateway.errors import LeaseLost, Usage
from gateway.grants import Grants
from gateway.inbox import Parcel
from gateway.names import short
from gateway.proof import MemberKey, Trust, verify_document
from gateway.quarantine import Quarantine
from gateway.reports.consents import Refused
from gateway.reports.facts import roles
from gateway.scope import EVERYTHING
from gateway.sorter import Sorter
from gateway.status import reconcile
from gateway.store.pages import living
from gateway.store.tables import metadata
from gateway.trace import find, trace
from gateway.vault import handle_text
from schemas import DATASETS
from tests.promises.test_reports import consent, farmer, query
from tests.support.house import FEEDS, House, copied, delivered
from tests.support.suite import SUITE

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with delivered(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
def made(template: House, tmp_path: Path) -> Iterator[House]:
    """Collected and forwarded, each test's own; the world moves on from test to test."""
    with copied(template, tmp_path) as running:
        yield running


def opened(made: House, tmp_path: Path) -> list[dict[str, Any]]:
    """What the member reads, all of it verified."""
    headers, out = tmp_path / "headers.jsonl", tmp_path / "opened.jsonl"
    made.gateway.chains["local"].export_headers(headers)
    report = member.verify(
        made.gateway.payloads.path, made.member_key, made.gateway.signer.public, headers=headers, out=out
    )
    assert report.problems == []
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def about(dataset: str, records: list[dict[str, Any]], id_no: str) -> list[dict[str, Any]]:
    """Records of which the person is a subject; that of a household's other member may name its head besides."""
    return [r for r in records if roles(DATASETS[dataset], r, id_no)]


def read_about(lines: list[dict[str, Any]], id_no: str) -> list[dict[str, Any]]:
    """Versions in which a member finds the person under any field but the head of a household."""
    out = []
    for line in lines:
        values = {f"{g}.{k}": v for g, group in line["groups"].items() for k, v in group.items()}
        if any(v == id_no and not name.endswith("head_id_no") for name, v in values.items()):
            out.append(line)
    return out


def everything(made: House) -> dict[str, list[dict[str, Any]]]:
    return {name: made.records(name) for name in FEEDS}


def test_nothing_opens_an_erased_person_and_nobody_else_loses_anything(made: House, tmp_path: Path) -> None:
    person = farmer(made)
    id_no = person["id_no"]
    consent(made, person)
    report = query(made, person)
    made.gateway.forwarder.forward()
    before, read = everything(made), opened(made, tmp_path)
    theirs = {name: about(name, records, id_no) for name, records in before.items()}
    with made.gateway.store.read() as tx:
        handles = [r.handle for r in tx.all("observations_of_person", name=_short(made, id_no))]
        keys = [bytes(r.wrapped_key) for r in tx.among("observations_sealed_with", _ids(made, id_no))]
    assert len(handles) >= 4
    assert read_about(read, id_no)

    done = made.gateway.eraser.person(id_no)

    assert done.observations == sum(map(len, theirs.values())) == len(handles)
    assert done.statements == 2
    assert done.answers > 0
    assert done.key_files > 0
    after = everything(made)
    for name, records in before.items():
        assert sorted(map(str, after[name])) == sorted(str(r) for r in records if r not in theirs[name])
    left = opened(made, tmp_path)
    assert read_about(left, id_no) == []
    erased = {e["envelope"]["handle"] for e in read} - {e["envelope"]["handle"] for e in left if e["groups"]}
    assert [e for e in left if e["envelope"]["handle"] not in erased] == [
        e for e in read if e["envelope"]["handle"] not in erased
    ]
    for handle in handles:
        assert find(made.gateway, handle_text(handle)).version.wrapped_key is None
        assert all(field.value is None for field in trace(made.gateway, handle_text(handle)).fields)
    with pytest.raises(Refused, match="撤销"):
        query(made, person)
    with pytest.raises(Exception, match="没有报告"):
        made.gateway.office.again(report.number)
    store = b"".join(p.read_bytes() for p in made.gateway.paths.store.parent.glob("store.db*"))
    assert not any(key in store for key in keys)
    assert id_no.encode() not in b"".join(p.read_bytes() for p in made.home.rglob("*.db*"))


def test_what_was_erased_does_not_come_back(made: House, tmp_path: Path) -> None:
    id_no = farmer(made)["id_no"]
    before = everything(made)
    done = made.gateway.eraser.person(id_no)
    made.advance(3)
    outcomes = made.sync(full=True)
    assert {o.state for o in outcomes} <= {"done", "ok"}, outcomes
    assert all(about(name, records, id_no) == [] for name, records in everything(made).items())
    with made.gateway.store.read() as tx:
        ignored = sum(row.ignored for row in tx.all("runs_recent", count=len(outcomes)))
        assert all(living(tx, tx.one("feed_by_name", name=FEEDS[name]).id) for name in before)
    assert ignored >= done.observations
    made.gateway.forwarder.forward()
    assert reconcile(made.gateway.store, ["local"]) == []
    assert read_about(opened(made, tmp_path), id_no) == []


def test_an_erasure_is_stated_and_names_nobody(made: House) -> None:
    id_no = farmer(made)["id_no"]
    done = made.gateway.eraser.person(id_no)
    made.gateway.forwarder.forward()
    with made.gateway.store.read() as tx:
        stream = tx.one("stream_by_name", name="desk:erasures")
        batch = tx.one("batch_of_statement", stream_id=stream.id, seq=1)
    assert made.gateway.chains["local"].read(batch.batch_id) == batch.manifest
    payload = made.gateway.payloads.get(f"payloads/{batch.payload_digest}")
    assert id_no.encode() not in payload
    assert done.handle in payload.decode()
    assert made.gateway.eraser.person(id_no).handle is None


def test_one_observation_is_erased_by_its_handle(made: House, tmp_path: Path) -> None:
    id_no = farmer(made)["id_no"]
    with made.gateway.store.read() as tx:
        row = next(r for r in tx.all("observations_of_person", name=_short(made, id_no)) if r.dataset == "subsidy")
        others = len(tx.all("observations_of_person", name=_short(made, id_no))) - 1
    done = made.gateway.eraser.observation(handle_text(row.handle))
    assert (done.observations, done.statements) == (1, 0)
    with made.gateway.store.read() as tx:
        assert len(tx.all("observations_of_person", name=_short(made, id_no))) == others
    made.sync("subsidy", full=True)
    assert find(made.gateway, handle_text(row.handle)).version.wrapped_key is None
    with pytest.raises(Exception, match="没有可擦除"):
        made.gateway.eraser.observation(handle_text(row.handle))


def test_no_kept_answer_and_no_rejected_item_names_them(made: House) -> None:
    """An answer that brought others' changes, and a row that could not be read."""
    made.advance(30)
    made.sync(full=True)
    held = Counter(n for item in _rejected(made) for n in re.findall(rb"36099[0-9]{12}[0-9X]", item))
    people = {r["id_no"].encode() for r in made.records("household_member")}
    id_no = next(n for n in sorted(held) if n in people).decode()
    assert any(id_no.encode() in body for body in _answers(made))
    done = made.gateway.eraser.person(id_no)
    assert done.quarantined >= 1
    assert not any(id_no.encode() in body for body in [*_answers(made), *_rejected(made)])
    assert _rejected(made)


def test_what_brings_them_again_is_not_kept(made: House) -> None:
    """Their rows are ignored, and so no answer that holds one is kept, whatever else it brings."""
    id_no = farmer(made)["id_no"]
    made.gateway.eraser.person(id_no)
    made.advance(30)
    assert {o.state for o in made.sync(full=True)} <= {"done", "ok"}
    with made.gateway.store.engine.connect() as connection:
        assert "ERASED" in {row.rule for row in connection.execute(metadata.tables["run_ignored"].select())}
    # the number of a household's head stands in the rows of its other members: those are about others
    heads = re.compile(rb'"(?:head_id_no|HZSFZH|hzSfzh)":\s*"%s"' % id_no.encode())
    assert not any(id_no.encode() in heads.sub(b"", body) for body in _answers(made))
    assert _answers(made)


def test_positions_parcels_and_who_was_asked_about(made: House) -> None:
    """Wherever else a number may be sealed, or follow from one."""
    id_no = farmer(made)["id_no"]
    store, vault = made.gateway.store, made.gateway.vault
    body = f'{{"rows": [{{"id_no": "{id_no}"}}]}}'.encode()
    with store.write() as tx:
        feed = tx.one("feed_by_name", name=made.feeds["payment"])
        was, sealed = feed.cursor, vault.seal("cursor", f'{{"after": "{id_no}"}}'.encode())
        assert tx.run("renew_cursor", id=feed.id, was=was, sealed=sealed) == 1
        tx.many("asked_put", [(feed.id, _short(made, id_no), "2026-03-01", 1)])
    made.gateway.inboxes.put(feed, Parcel("batch", body, 1, body), Clock.real(), max_rows=9, max_bytes=999, runs=False)
    done = made.gateway.eraser.person(id_no)
    assert (done.cursors, done.waiting) == (1, 1)
    with store.read() as tx:
        assert tx.one("feed_by_name", name=made.feeds["payment"]).cursor is None
        assert tx.one("asked_count", feed_id=feed.id).asked == 0
    assert made.run(made.feeds["payment"]).state in {"done", "ok"}


def test_a_report_that_names_them_goes_whoever_it_is_about(made: House) -> None:
    """A report names nobody else (tests/promises/test_reports.py); one that does all the same is found."""
    person, store, vault = farmer(made), made.gateway.store, made.gateway.vault
    other = next(r["id_no"] for r in made.records("household_member") if r["id_no"] != person["id_no"])
    consent(made, person)
    reports = [query(made, person) for _ in range(2)]
    assert not any(other.encode() in report.text for report in reports)
    with store.write() as tx:
        row = tx.one("query_get", number=reports[0].number)
        (kept, *_) = tx.all("reports_kept", after=0, count=9)
        tx.run("renew_report", id=kept.id, was=row.report, sealed=vault.seal("report", other.encode()))
    assert made.gateway.eraser.person(other).reports == 1
    with pytest.raises(Usage, match="没有报告"):
        made.gateway.office.again(reports[0].number)
    assert made.gateway.office.again(reports[1].number).text == reports[1].text


def test_an_erased_item_is_seen_as_one(made: House) -> None:
    made.advance(30)
    made.sync(full=True)
    people = {r["id_no"].encode() for r in made.records("household_member")}
    held = [n for item in _rejected(made) for n in re.findall(rb"36099[0-9]{12}[0-9X]", item) if n in people]
    made.gateway.eraser.person(min(held).decode())
    kept = Quarantine(made.gateway.store, made.gateway.vault, made.gateway.clock)
    items = kept.items(EVERYTHING, state="erased")
    assert items
    assert [kept.show(item.handle, {}).item for item in items] == [{}] * len(items)


def _rejected(made: House) -> list[bytes]:
    with made.gateway.store.read() as tx:
        rows = tx.all("items_kept", after=0, count=10_000)
    return [made.gateway.vault.open("quarantine", row.sealed) for row in rows]


def _answers(made: House) -> list[bytes]:
    with made.gateway.store.read() as tx:
        rows = tx.all("evidence_kept", after=0, count=10_000)
    return [made.gateway.vault.open("evidence", row.sealed) for row in rows]


def test_a_page_from_before_the_erasure_is_not_committed(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    id_no = farmer(made)["id_no"]
    place = Sorter.place

    def erased_meanwhile(self: Sorter, *arguments: Any) -> None:
        monkeypatch.setattr(Sorter, "place", place)
        made.gateway.eraser.person(id_no)
        place(self, *arguments)

    made.advance(3)
    monkeypatch.setattr(Sorter, "place", erased_meanwhile)
    with pytest.raises(LeaseLost, match="擦除"):
        made.sync("household_member", full=True)
    assert about("household_member", made.records("household_member"), id_no) == []


def test_what_an_erasure_left_to_do_is_done_by_the_forwarder(
    made: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_no = farmer(made)["id_no"]
    with monkeypatch.context() as dying:
        dying.setattr(Grants, "catch_up", _die)
        with pytest.raises(KeyboardInterrupt):
            made.gateway.eraser.person(id_no)
    assert read_about(opened(made, tmp_path), id_no)
    made.gateway.forwarder.forward()
    assert read_about(opened(made, tmp_path), id_no) == []


def test_a_key_file_of_a_key_that_is_nobodys_is_withdrawn(made: House, tmp_path: Path) -> None:
    old = made.member_key
    made.member_key = MemberKey.new(SUITE)
    (made.gateway.settings.data / "members" / "demo-bank.pub").write_text(made.member_key.public.text, "ascii")
    id_no = farmer(made)["id_no"]
    assert made.gateway.eraser.person(id_no).key_files == 0
    assert opened(made, tmp_path)
    made.member_key = old
    assert read_about(opened(made, tmp_path), id_no) == []


def _die(_self: Grants) -> int:
    raise KeyboardInterrupt


def test_what_was_anchored_stays_provable(made: House) -> None:
    id_no = farmer(made)["id_no"]
    with made.gateway.store.read() as tx:
        rows = tx.all("observations_of_person", name=_short(made, id_no))
    made.gateway.eraser.person(id_no)
    for row in rows:
        proof = made.gateway.disclosure.document(find(made.gateway, handle_text(row.handle)).version)
        trust = Trust(made.gateway.signer.public, made.gateway.chains["local"])
        found = verify_document(proof, trust)
        assert found.groups == {}
        assert found.closed or DATASETS[row.dataset]


def _short(made: House, id_no: str) -> int:
    return short([made.gateway.vault.name("subject", id_no)])[0]


def _ids(made: House, id_no: str) -> list[int]:
    with made.gateway.store.read() as tx:
        return [r.id for r in tx.all("observations_of_person", name=_short(made, id_no))]
