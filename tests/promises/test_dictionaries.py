"""A code list that no longer means what was agreed: every code is valid, every record would be wrong (china-facts §2.8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.kit import Translated
from gateway.dictionaries import LEAST, Dictionaries
from gateway.quarantine import Quarantine
from gateway.scope import EVERYTHING
from mock_agencies.faults import Faults
from schemas import DATASETS
from tests.support.house import FEEDS, House, differences, house
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets

SWAPPED = {"02": "01", "10": "02", "11": "02", "12": "02"}
"""户主 as 01 and 配偶 as 02: what a county's contract-extension system really did."""
_RELATION = rb"\"YHZGX\":\"%s\""  # JSON inside JSON


class Vendor:
    """Answers with its codes swapped while `swaps` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.swaps = False
        intercept = Faults.intercept

        def answered(faults: Faults, agency: Any, request: Any, closing: Any) -> Any:
            response = intercept(faults, agency, request, closing)
            if not self.swaps or agency.name != "provincial" or response is None:
                return response
            body = response.body
            for agreed, sent in SWAPPED.items():
                body = body.replace(_RELATION % agreed.encode(), _RELATION % sent.encode())
            return replace(response, body=body)

        monkeypatch.setattr(Faults, "intercept", answered)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[House, Vendor]]:
    vendor = Vendor(monkeypatch)
    with house(tmp_path, monkeypatch, households=100) as running:
        yield running, vendor


def test_a_swapped_dictionary_is_held_back_whole_and_told(made: tuple[House, Vendor]) -> None:
    running, vendor = made
    vendor.swaps = True
    (outcome,) = running.sync("household_member")
    assert (outcome.state, outcome.verdict.state, outcome.verdict.code) == ("failed", "needs_person", "DICT_MISMATCH")
    assert "与户主关系" in str(outcome.verdict.sentence)
    assert running.records("household_member") == []
    held = running.held("household_member")
    assert held["DICT_MISMATCH", "relation_to_head"] > 0.9 * outcome.counts["fetched"]
    (again,) = running.sync("household_member")
    assert again.verdict.code == "DICT_MISMATCH", "nobody has looked at it yet"


def test_the_rows_come_home_when_the_vendor_has_mended_its_codes(made: tuple[House, Vendor]) -> None:
    running, vendor = made
    vendor.swaps = True
    running.sync("household_member")
    vendor.swaps = False
    (outcome,) = running.sync("household_member", full=True)
    assert outcome.verdict.state == "ok"
    wrong = [line for line in differences(running, "household_member") if not line.startswith("quarantine")]
    assert wrong == [], "rows unreadable in themselves were held twice, as they were sent twice"
    g = running.gateway
    assert "DICT_MISMATCH" not in {cause.reason for cause in Quarantine(g.store, g.vault, g.clock).causes(EVERYTHING)}


def test_a_replay_under_the_same_rules_takes_nothing_in(made: tuple[House, Vendor]) -> None:
    running, vendor = made
    vendor.swaps = True
    running.sync("household_member")
    done = shuqiao(running.gateway.settings, "quarantine", "replay", FEEDS["household_member"], "--json")
    assert done.exit_code == 0, done.output
    assert running.records("household_member") == []


def page(relations: list[str], *, swapped: bool) -> Translated:
    """Heads and their wives, ID numbers in turn."""
    persons = ["360999198001010016", "360999198203150025"] * len(relations)
    relations = ["01" if r == "02" else "02" for r in relations] if swapped else relations
    names = ("id_no", "sex", "relation_to_head", "head_id_no")
    columns = [persons[: len(relations)], ["1", "2"] * len(relations), relations, [None] * len(relations)]
    columns[1] = columns[1][: len(relations)]
    return Translated(list(range(len(relations))), names, columns, [()] * len(relations), [None] * len(relations))


def test_a_doubt_needs_three_rows_and_stays_until_a_page_contradicts_it() -> None:
    judge = Dictionaries(DATASETS["household_member"], None)
    few = page(["02", "10"], swapped=True)
    assert judge.judge(few) is few, f"fewer than {LEAST} prove nothing"
    assert not judge.judge(page(["02", "10"] * 3, swapped=True)).positions
    assert not judge.judge(few).positions, "what follows is doubted with it"
    trusted = page(["02", "10"], swapped=False)
    assert judge.judge(trusted) is trusted


def test_sexes_that_contradict_the_numbers_are_doubted() -> None:
    judge = Dictionaries(DATASETS["household_member"], None)
    t = page(["02", "10"] * 3, swapped=False)
    t.columns[1][:] = ["2", "1"] * 3  # type: ignore[index] # a list here
    refused = judge.judge(t)
    assert {(r.reason, r.field) for r in refused.rejected} == {("DICT_MISMATCH", "sex")}


def test_a_county_whose_heads_are_01_is_read_so_until_its_vendor_goes_back_to_the_standard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """高安: its contracts say 01 户主 and 02 配偶, and its file says so too; then an update is not announced."""
    with house(tmp_path, monkeypatch, households=10, others=60) as running:
        gaoan = running.of("360983")
        (outcome,) = gaoan.sync("contracted_land")
        assert outcome.state == "done"
        assert differences(gaoan, "contracted_land") == []
        before = gaoan.records("contracted_land")
        running.advance(1)
        running.agencies.fault("vendors", "dictionary", times=0, match="/360983/agriculture")
        (outcome,) = gaoan.sync("contracted_land", full=True)
        assert (outcome.verdict.state, outcome.verdict.code) == ("needs_person", "DICT_MISMATCH")
        assert gaoan.records("contracted_land") == before
