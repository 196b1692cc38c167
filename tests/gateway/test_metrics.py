"""What Prometheus is told: figures of the store, within reach, and nobody's data; the rules shipped name what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from gateway.freshness import Finding
from gateway.scope import EVERYTHING
from gateway.status import feed_statuses
from gateway.web import build
from tests.support.house import FEEDS, ROOT, House, house
from tests.support.verbs import verbs
from tests.support.web import ask

pytestmark = pytest.mark.sockets
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, house(tmp_path_factory.mktemp("metrics"), patch, households=40) as home:
        home.sync()
        home.gateway.forwarder.forward()
        home.gateway.alerts.observe([Finding("sink", "local", "unconfirmed", "x", "chain", "x")])
        yield home


def scraped(made: House, role: str = "operator") -> Samples:
    answer = ask(build(made.gateway, lambda: True), "/metrics", role=role)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def at(found: Samples, name: str, **labels: str) -> float:
    return found[f"shuqiao_{name}", frozenset(labels.items())]


def test_figures_are_those_of_the_status(made: House) -> None:
    found = scraped(made)
    rows = [row for row in feed_statuses(made.gateway.store, EVERYTHING) if row.feed in made.feeds.values()]
    assert len(rows) == len(made.feeds)
    for row in rows:
        for outcome in ("fetched", "accepted", "repaired", "quarantined"):
            value = at(found, "feed_items_total", feed=row.feed, channel=row.channel, outcome=outcome)
            assert value == getattr(row, outcome)
        assert at(found, "feed_confirmed_total", feed=row.feed, sink="local") == row.versions > 0
        assert at(found, "feed_state", feed=row.feed, state="ok", owner="") == 1
    assert at(found, "sink_lag_batches", sink="local") == 0
    assert at(found, "sink_unconfirmed_age_seconds", sink="local") == 0
    assert at(found, "alerts_open", owner="chain") == 1
    contact = at(found, "feed_contact_timestamp_seconds", feed=FEEDS["homestead"])
    assert abs(contact - made.gateway.clock.now().timestamp()) < 600


def test_a_county_is_told_of_itself(made: House) -> None:
    told = scraped(made, "county:360981")
    assert {dict(labels).get("county", "360981") for _, labels in told} == {"360981"}
    assert not any(name.startswith(("shuqiao_sink", "shuqiao_account", "shuqiao_alerts")) for name, _ in told)


def test_an_agency_is_told_of_what_it_owes(made: House) -> None:
    told = scraped(made, "agency:360981/丰城市民政局")
    assert {dict(labels)["feed"] for _, labels in told if "feed" in dict(labels)} == {
        FEEDS["marriage"],
        FEEDS["assistance"],
    }


def test_nobody_asks_without_a_key(made: House) -> None:
    assert ask(build(made.gateway, lambda: True), "/metrics", role="").status_code == 401


def test_the_rules_that_are_shipped_name_what_there_is(made: House) -> None:
    rules = YAML(typ="safe").load((ROOT / "deploy/prometheus/shuqiao.rules.yml").read_text("utf-8"))
    named = {
        name
        for group in rules["groups"]
        for rule in group["rules"]
        for name in re.findall(r"shuqiao_\w+", rule["expr"])
    }
    told = ask(build(made.gateway, lambda: True), "/metrics").text
    assert named <= set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))
    assert len(named) > 5


def test_the_unit_calls_a_verb_there_is() -> None:
    unit = (ROOT / "deploy/systemd/shuqiao.service").read_text("utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert command.split()[-1] in verbs()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    unit = (ROOT / "deploy/systemd/shuqiao.service").read_text("utf-8")
    mine = tmp_path / "shuqiao.service"
    mine.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit, flags=re.MULTILINE), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", str(mine)], capture_output=True, text=True, check=False)
    assert "Unknown" not in done.stderr
    assert "shuqiao.service:" not in done.stderr
