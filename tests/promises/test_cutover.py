"""What comes by hand is held against the system until the hand is given up; from then on nothing is taken in, and nothing lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.cutover import Comparison
from gateway.errors import Usage
from gateway.scope import EVERYTHING
from gateway.status import feed_statuses, shares
from gateway.store.pages import living
from gateway.store.segments import versions_at
from gateway.uploads import SETTLED
from gateway.vault import handle_text
from gateway.web import build
from gateway.worker import _keep, _take_in
from tests.support.house import House, canonical_key, house
from tests.support.leaks import Needles, searched
from tests.support.verbs import shuqiao
from tests.support.web import ask

pytestmark = pytest.mark.sockets

PLACES = {"360921": "assistance", "360983": "subsidy"}
SAID: list[str] = []
REASON = "系统已连续三个月与手工表核对一致"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Two counties whose clerks still type what the system gives, both collected."""
    home = tmp_path_factory.mktemp("cutover")
    with pytest.MonkeyPatch.context() as patch:
        with house(home, patch, households=10, others=60, dirt=0.1, counties=PLACES) as running:
            for county, dataset in PLACES.items():
                seen = running.of(county)
                assert {o.state for o in [*seen.sync(dataset), *seen.hand_in()]} == {"done"}
            yield running


def verb(made: House, *words: str) -> Any:
    """As `shuqiao`, with all that it said kept for the last test."""
    done = shuqiao(made.gateway.settings, *words, log="debug")
    SAID.append(f"{done.stdout}{done.stderr}{done.exception}")
    return done


def web(made: House, *asked: Any, **more: Any) -> Any:
    """As `ask`, with the answer kept for the last test."""
    answer = ask(build(made.gateway, lambda: True), *asked, **more)
    SAID.append(answer.text)
    return answer


def keys(made: House, feed: str, dataset: str) -> dict[str, str]:
    """Handle -> record key, of everything a feed holds."""
    with made.gateway.store.read() as tx:
        row = tx.one("feed_by_name", name=feed)
        heads = tx.among("observations_state", living(tx, row.id))
        versions = versions_at(tx, row.stream_id, [head.seq for head in heads])
    records = made.records(dataset, feed)
    return {handle_text(v.handle): canonical_key(dataset, r) for v, r in zip(versions.values(), records, strict=True)}


def told_of(made: House, found: Comparison) -> dict[str, Any]:
    """A comparison in the words of the clerk's slips: record key -> which."""
    typed, system = (keys(made, f, found.dataset) for f in (found.manual[0], found.system[0]))
    return {
        **{typed[handle]: "EXTRA" for handle in found.only_manual},
        **{system[handle]: "MISSING" for handle in found.only_system},
        **{system[pair.system]: "+".join(leaf.path for leaf in pair.fields) for pair in found.pairs},
    }


@pytest.mark.parametrize("county", PLACES)
def test_the_differences_shown_are_those_that_were_planted(made: House, county: str) -> None:
    clerk = made.of(county).clerk
    found = made.gateway.cutover.compare(county, PLACES[county])
    planted = {key: "MISSING" if slip == "UNREADABLE" else slip for key, slip in clerk.slips.items()}
    assert set(planted.values()) > {"MISSING", "EXTRA", "division"}
    assert told_of(made, found) == planted
    assert found.same == found.rows_system - len(planted) + list(planted.values()).count("EXTRA")
    assert (found.agreed, found.agreed_since) == (False, None)
    names = [leaf for pair in found.pairs for leaf in pair.fields if leaf.path in ("name", "payee_name")]
    assert names
    assert all("*" in str(leaf.manual) and "*" in str(leaf.system) for leaf in names)


def test_the_share_by_hand_is_told_everywhere(made: House) -> None:
    told = {(s.county, s.dataset): s.manual for s in shares(feed_statuses(made.gateway.store, EVERYTHING))}
    assert all(0.3 < float(told[place] or 0) < 0.7 for place in PLACES.items())
    (subsidy,) = [s for s in web(made, "/api/v1/shares").json() if s["manual"] and s["county"] == "360983"]
    assert subsidy["manual"] == told["360983", "subsidy"]
    assert 'shuqiao_manual_share{county="360921",dataset="assistance"} 0.' in web(made, "/metrics").text
    share = f"{told['360921', 'assistance']:.0%}"
    assert share in verb(made, "status", "--summary").stdout
    assert share in web(made, "/overview/channels", headers={"accept": "text/html"}).text


def test_a_dataset_that_comes_one_way_has_nothing_to_compare(made: House) -> None:
    with pytest.raises(Usage, match="360921/marriage 没有同时接入"):
        made.gateway.cutover.compare("360921", "marriage")


def test_the_hand_is_given_up_by_a_decision_and_then_refused_by_every_door(made: House) -> None:
    """In one go: what differs is refused, a person decides, files are refused with a sentence, nothing is lost, and back."""
    county, dataset = "360983", "subsidy"
    seen, gateway = made.of(county), made.gateway
    place, url = f"{county}/{dataset}", f"/api/v1/cutover/{county}/{dataset}"
    done = verb(made, "cutover", "compare", place, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["only_system"] > 0
    refused = verb(made, "cutover", "retire", place, "--reason", REASON)
    assert "只在系统" in str(refused.exception)
    assert web(made, f"{url}/retire", "POST", json={"reason": REASON}).status_code == 422
    for reason in ("对", "与 360999196001010016 核对一致"):
        with pytest.raises(Usage):
            gateway.cutover.retire(county, dataset, reason, "person:li", despite=True)

    seen.clerk.mend()
    (sheet,) = seen.clerk.directory.iterdir()
    gateway.uploads.hand_in(gateway.prepare(seen.by_hand), sheet.read_bytes())
    with pytest.raises(Usage, match=f"还有 1 份表格没有采集：请先运行 shuqiao sync {seen.by_hand}"):
        gateway.cutover.retire(county, dataset, REASON, "person:li", despite=True)
    seen.run(seen.by_hand)
    before = made.records(dataset, seen.by_hand)
    assert {pair.fields for pair in gateway.cutover.compare(county, dataset).pairs} == set()

    told = web(made, f"{url}/retire", "POST", json={"reason": REASON, "despite": True})
    assert told.status_code == 200
    assert told.json()["only_manual"] > 0
    with gateway.store.read() as tx:
        entry = next(row for row in reversed(tx.all("audit_all")) if row.action == "retire")
        feed = tx.one("feed_by_name", name=seen.by_hand)
    assert (entry.target, "despite" in entry.detail) == (place, True)
    assert (feed.retired_by, feed.retired_for) == (entry.actor, REASON)

    sentence = f"{seen.by_hand} 的人工报送已于 {feed.retired_at[:10]} 停用（{REASON}），文件没有收"
    body = sheet.read_bytes()
    done = verb(made, "upload", seen.by_hand, str(sheet))
    assert sentence in str(done.exception)
    answer = web(made, f"/api/v1/feeds/{seen.by_hand}/uploads", "POST", file=body)
    assert (answer.status_code, sentence in answer.json()["detail"]) == (422, True)
    folder = gateway.upload_folder(gateway.feed(seen.by_hand))
    folder.mkdir(parents=True)
    (folder / "表.xlsx").write_bytes(body)
    past = (folder / "表.xlsx").stat().st_mtime - SETTLED - 1
    os.utime(folder / "表.xlsx", (past, past))
    _take_in(gateway)
    (left,) = folder.iterdir()
    assert left.name == "表.xlsx.refused"
    left.unlink()
    assert made.records(dataset, seen.by_hand) == before
    (inbox,) = [i for i in gateway.inboxes.figures(EVERYTHING) if i["feed"] == seen.by_hand]
    assert inbox["refused"] == {"RETIRED": 3}

    told_now = {(s.county, s.dataset): s.manual for s in shares(feed_statuses(gateway.store, EVERYTHING))}
    assert told_now[county, dataset] == 0
    (gone,) = [p for p in gateway.cutover.parallels(EVERYTHING) if p.county == county]
    assert (gone.retired_for, gone.retired_at) == (REASON, feed.retired_at)
    assert "停用了人工报送" in verb(made, "cutover", "list").stdout
    with pytest.raises(Usage, match="已经停用"):
        gateway.cutover.retire(county, dataset, REASON, "person:li", despite=True)
    assert verb(made, "cutover", "reopen", place).exit_code == 0
    assert gateway.uploads.hand_in(gateway.prepare(seen.by_hand), body).known


def test_both_agree_since_the_first_comparison_that_found_nothing(made: House) -> None:
    county, dataset, gateway = "360921", "assistance", made.gateway
    seen = made.of(county)
    system = made.records(dataset, seen.feeds[dataset])
    gone = [key for key, slip in seen.clerk.slips.items() if slip == "EXTRA"]
    assert gone
    day = gateway.clock.today().isoformat()

    def agreeing(feeds: Any) -> Iterator[tuple[str, Any]]:
        return ((str(n), record) for n, record in enumerate(system))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.cutover.Cutover._records", lambda _self, feeds: agreeing(feeds))
        _keep(gateway)
        first = gateway.cutover.compare(county, dataset)
        assert first.agreed
        assert str(first.agreed_since)[:10] == day
        made.advance(2)
        _keep(gateway)
        (kept,) = [p for p in gateway.cutover.parallels(EVERYTHING) if p.county == county]
        assert (str(kept.at)[:10] > day, kept.agreed_since) == (True, first.agreed_since)
        assert gateway.cutover.keep() == 0
        done = verb(made, "cutover", "compare", f"{county}/{dataset}")
        assert (done.exit_code, "起一致" in done.stdout) == (0, True)
    assert verb(made, "cutover", "compare", f"{county}/{dataset}").exit_code == 1
    (kept,) = [p for p in gateway.cutover.parallels(EVERYTHING) if p.county == county]
    assert kept.agreed_since is None


def test_nobody_is_named_by_what_was_said_or_is_kept(made: House) -> None:
    texts: dict[str, str] = {}
    for county, dataset in PLACES.items():
        for feed in (made.of(county).by_hand, made.of(county).feeds[dataset]):
            for record in made.records(dataset, feed):
                for field in ("id_no", "payee_id_no", "cert_no"):
                    texts |= {record[field]: field} if record.get(field) else {}
                for field in ("name", "payee_name"):
                    texts |= {record[field]: field} if len(record.get(field) or "") > 2 else {}
    needles = Needles(texts)
    assert len(texts) > 100
    assert len(SAID) > 10
    assert needles.found_in("\n".join(SAID).encode()) == set()
    kept = {name: found for name, found in searched(needles, made.home / "data") if found}
    assert kept == {}
    with made.gateway.store.read() as tx:
        audited = "".join(f"{row.target}{row.detail}" for row in tx.all("audit_all"))
    assert needles.found_in(audited.encode()) == set()
