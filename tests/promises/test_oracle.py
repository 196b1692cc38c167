"""What the gateway holds is the truth, the whole truth and nothing but the truth, over days and dirt (DESIGN §5.1, §12)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import COUNTIES, POLICE, ROOT, house
from tests.support.oracle import Interview, Oracles

pytestmark = pytest.mark.sockets

COUNTY_FILE = "config/counties/360981-fengcheng.yaml"
DAYS = 3


@pytest.mark.parametrize(("seed", "dirt"), [(1, 0.03), (2, 0.03), (3, 0.03), (4, 0.30)])
def test_three_days_leave_nothing_but_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, dirt: float
) -> None:
    with house(tmp_path, monkeypatch, households=200, seed=seed, dirt=dirt) as made:
        oracles, interview = Oracles(made), Interview(made)
        assert {o.state for o in [*made.sync(), made.run(POLICE)]} == {"done"}
        assert oracles.differences() + interview.differences() == []
        for _ in range(DAYS):
            made.advance(1)
            oracles.read()
            assert {o.state for o in [*made.sync(), made.run(POLICE)]} == {"done"}
            assert oracles.differences() + interview.differences() == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_counties_each_with_vendors_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    with house(tmp_path, monkeypatch, households=80, others=80, seed=seed, dirt=0.15) as made:
        counties = [made.of(county) for county in COUNTIES]
        oracles = {county.county: Oracles(county) for county in counties}
        assert {(o.feed, o.verdict.sentence) for c in counties for o in c.sync() if o.state != "done"} == set()
        assert {code: found for code, oracle in oracles.items() if (found := oracle.differences())} == {}
        made.advance(1)
        for oracle in oracles.values():
            oracle.read()
        assert {(o.feed, o.verdict.sentence) for c in counties for o in c.sync() if o.state != "done"} == set()
        assert {code: found for code, oracle in oracles.items() if (found := oracle.differences())} == {}


@pytest.mark.parametrize(
    ("feed", "rule", "told"),
    [
        ("marriage", "{dept_name: dept_code}", "marriage: "),
        ("homestead", "{use_to: SYQQSSJ}", "homestead: "),
        ("assistance", "{since: SSNY}", "assistance: "),
    ],
)
def test_a_wrong_mapping_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: str, rule: str, told: str
) -> None:
    line = f"  {feed}: {{"
    county = (ROOT / COUNTY_FILE).read_text("utf-8")
    assert line in county
    wrong = county.replace(line, f"{line}mapping: {rule}, ")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda p: wrong.encode() if p.match("360981-*.yaml") else read(p))
    with house(tmp_path, monkeypatch, households=60, dirt=0.0) as made:
        oracles = Oracles(made)
        assert {o.state for o in made.sync(feed)} == {"done"}
        field = rule[1:].partition(":")[0]
        found = [d for d in oracles.differences() if d.startswith(told)]
        assert found
        assert all(f" {field}: " in d for d in found)
