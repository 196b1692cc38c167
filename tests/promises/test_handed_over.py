"""Files and front-end tables of a whole county, over days and dirt: the truth comes out, whatever is wrong with a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.quarantine import Quarantine
from gateway.scope import EVERYTHING
from gateway.status import reconcile
from tests.promises.test_no_leak import personal
from tests.support.handed import DATASETS, FORMS, Handed, handed_over
from tests.support.leaks import Needles, searched
from tests.support.oracle import Oracles
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets


def done(county: Handed, *datasets: str) -> set[tuple[str, str, str]]:
    """What ended in another way than well."""
    runs = county.made.sync(*(datasets or DATASETS))
    return {(o.feed, o.state, o.verdict.sentence) for o in runs if o.state != "done"}


@pytest.mark.parametrize(("form", "refreshed", "seed", "dirt"), [
    ("csv", True, 1, 0.1), ("zip", False, 2, 0.1), ("xls", True, 3, 0.1), ("xlsx", False, 4, 0.3),
])  # fmt: skip
def test_a_month_leaves_nothing_but_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, refreshed: bool, seed: int, dirt: float
) -> None:
    with handed_over(tmp_path, monkeypatch, form=form, refreshed=refreshed, seed=seed, dirt=dirt) as county:
        oracles = Oracles(county.made, *DATASETS)
        assert done(county) == set()
        assert oracles.differences() == []
        for days in (1, 4, 8, 5, 12, 1):
            county.advance(days)
            county.publish()
            oracles.read()
            assert done(county) == set()
            assert oracles.differences() == []
        county.made.gateway.forwarder.forward()
        assert reconcile(county.made.gateway.store, ["local"]) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", ["unflagged", "altered", "half"])
def test_a_wrong_delivery_ends_the_run_and_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, fault: str
) -> None:
    with handed_over(tmp_path, monkeypatch, form=form, households=60) as county:
        oracles = Oracles(county.made, "payment")
        assert done(county, "payment") == set()
        county.advance(8)
        (name,) = county.drop.publish(fault)
        (run,) = county.made.sync("payment")
        assert (run.state, run.verdict.state, run.verdict.owner) == ("failed", "malformed", "agency")
        assert name in run.verdict.sentence
        assert oracles.differences() == []
        county.drop.mend()
        oracles.read()
        assert done(county, "payment") == set()
        assert oracles.differences() == []


def test_a_file_that_is_still_being_put_there_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with handed_over(tmp_path, monkeypatch, households=60, grace_minutes=30) as county:
        oracles = Oracles(county.made, "payment")
        assert done(county, "payment") == set()
        county.advance(8)
        county.drop.publish("half")
        assert done(county, "payment") == set()
        assert oracles.differences() == []
        county.drop.mend()
        oracles.read()
        assert done(county, "payment") == set()
        assert oracles.differences() == []


def test_what_the_exchange_commits_late_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of any of the tables, stamped before what was read and committed after it."""
    with handed_over(tmp_path, monkeypatch, households=200, refreshed=False) as county:
        oracles = Oracles(county.made, "contracted_land")
        assert done(county, "contracted_land") == set()
        waited = 0
        for _ in range(6):
            county.advance(1)
            county.land.publish(late=3)
            assert done(county, "contracted_land") == set()
            oracles.read()
            waited += len(oracles.differences())
            county.land.publish()
            assert done(county, "contracted_land") == set()
            assert oracles.differences() == []
        assert waited, "what was late was not missing before it came"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Handed, dict[str, str], list[str]]]:
    """A county whose files and sheets are named for people, read well and badly; all that was said of it."""
    patch = pytest.MonkeyPatch()
    said: list[str] = []
    with handed_over(tmp_path_factory.mktemp("people"), patch, form="zip") as county:
        assert done(county) == set()
        county.advance(8)
        county.drop.publish("altered")
        county.land.publish()
        said += [repr(o) for o in county.made.sync(*DATASETS)]
        county.drop.mend()
        assert done(county) == set()
        county.made.gateway.forwarder.forward()
        feeds = [county.made.feeds[d] for d in DATASETS]
        for words in (
            ["status"],
            ["runs"],
            ["quarantine", "list"],
            *(["preview", f] for f in feeds),
            *(["check", f] for f in feeds),
        ):
            answer = shuqiao(county.made.gateway.settings, *words, log="debug")
            assert answer.exit_code in (0, 1), answer.stderr
            said.append(answer.stdout + answer.stderr)
        yield county, personal(county.made), said
    patch.undo()


def test_nobody_is_named_outside_the_vault(people: tuple[Handed, dict[str, str], list[str]]) -> None:
    county, texts, said = people
    needles = Needles(texts)
    assert {"ID number", "name"} <= {what for what, _ in needles.found_in((county.made.home / "land.db").read_bytes())}
    assert needles.found_in("\n".join(said).encode("utf-8", "surrogatepass")) == set()
    found = dict(searched(needles, county.made.home / "data"))
    assert "store.db" in found
    assert {name: leaks for name, leaks in found.items() if leaks} == {}


def test_a_held_row_is_shown_with_its_place(people: tuple[Handed, dict[str, str], list[str]]) -> None:
    """Whoever may see it sees where it stands, down to the file in the ZIP."""
    county, _, _ = people
    gateway = county.made.gateway
    held = Quarantine(gateway.store, gateway.vault, gateway.clock)
    places = {held.show(item.handle, {}).place or "" for item in held.items(EVERYTHING, county.made.feeds["payment"])}
    assert places
    assert all(".zip › " in place and ".csv › " in place for place in places)
