"""What a source sends is remembered by its fields, and a change is told, stopped or held back, as its feed says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.config import DriftModel
from gateway.drift import remembered, shape_of
from gateway.freshness import verdicts
from gateway.scope import EVERYTHING
from gateway.web import build
from tests.support.house import COUNTY, FEEDS, House, copied, delivered
from tests.support.verbs import shuqiao
from tests.support.web import ask

pytestmark = pytest.mark.sockets

FEED = f"{COUNTY}/marriage"
URL = f"/api/v1/feeds/{FEED}/drift"
Twist = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with delivered(tmp_path_factory.mktemp("drift"), households=60, dirt=0.05) as made:
        yield made


@pytest.fixture
def made(template: House, tmp_path: Path) -> Iterator[House]:
    with copied(template, tmp_path) as running:
        yield running


def renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {"certNo" if name == "cert_no" else name: value for name, value in row.items()}


def lacking(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "dept_name"}


def added(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"remark": "无"}


def retyped(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"dept_code": f"丰民{row['dept_code']}"}


def switched(monkeypatch: pytest.MonkeyPatch, twist: Twist) -> None:
    """From now on the agency of marriages sends its rows so."""
    array = "[{}]".format
    monkeypatch.setattr(
        "mock_agencies.civil._array",
        lambda items: array(",".join(json.dumps(twist(item.raw), ensure_ascii=False) for item in items)),
    )


def says(made: House, **policy: Any) -> None:
    """The feed's file says so of changes."""
    feeds: Any = made.gateway.config.feeds
    model = feeds[FEED].model.model_copy(update={"drift": DriftModel(**policy)})
    feeds[FEED] = replace(feeds[FEED], model=model)


def kinds(made: House) -> dict[str, tuple[str, str]]:
    return {change.field: (change.kind, change.other) for change in made.gateway.drift(FEED)}


def test_a_new_field_goes_on_and_is_told(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made.records("marriage")
    switched(monkeypatch, added)
    (done,) = made.sync("marriage", full=True)
    assert (done.state, done.counts["puts"], made.records("marriage")) == ("done", 0, before)
    assert kinds(made) == {"remark": ("new", "")}
    shown = shuqiao(made.gateway.settings, "drift", "show", FEED)
    assert (shown.exit_code, "来源多了字段 remark" in shown.stdout) == (1, True)
    gateway = made.gateway
    standings = gateway.ledger.standings(EVERYTHING)
    found = verdicts(gateway.store, gateway.clock, gateway.config, standings, EVERYTHING)
    assert [(f.target, f.owner) for f in found if f.code == "drift"] == [(FEED, "county")]
    assert "来源多了字段 remark" in shuqiao(gateway.settings, "check", FEED).stdout
    page = ask(build(gateway, lambda: True), f"/feeds/{FEED}", headers={"accept": "text/html"})
    assert "来源多了字段 remark" in page.text
    assert shuqiao(gateway.settings, "drift", "accept", FEED).exit_code == 0
    assert kinds(made) == {}
    (again,) = made.sync("marriage", full=True)
    assert (again.state, kinds(made)) == ("done", {})


def test_a_rename_is_proposed_and_the_run_stops_until_the_mapping_says_so(
    made: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, application = made.records("marriage"), build(made.gateway, lambda: True)
    switched(monkeypatch, renamed)
    (stopped,) = made.sync("marriage", full=True)
    assert (stopped.state, stopped.verdict.code, stopped.verdict.owner) == ("failed", "SCHEMA_DRIFT", "county")
    assert "看起来 certNo 就是原来的 cert_no" in str(stopped.verdict.sentence)
    assert stopped.verdict.action == "请与部门核实，确是改名就在 mapping 里把 cert_no 改成 certNo 并发布"
    assert (stopped.counts["fetched"], made.records("marriage")) == (0, before)
    assert kinds(made) == {"cert_no": ("renamed", "certNo")}
    (told,) = ask(application, URL).json()
    assert (told["kind"], told["remedy"]) == ("renamed", stopped.verdict.action)
    file = next((made.gateway.settings.config / "counties").glob(f"{COUNTY}*"))
    text = file.read_text("utf-8")
    try:
        mended = text.replace("  marriage: {source", "  marriage: {mapping: {cert_no: certNo}, source")
        assert mended != text
        file.write_text(mended, "utf-8")
        assert shuqiao(made.gateway.settings, "config", "publish").exit_code == 0
        made.gateway.refresh()
        (mend,) = made.sync("marriage", full=True)
        assert (mend.state, made.records("marriage"), kinds(made)) == ("done", before, {})
    finally:
        file.write_text(text, "utf-8")


def test_a_missing_field_is_stopped_held_back_or_let_through_as_the_feed_says(
    made: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = made.records("marriage")
    switched(monkeypatch, lacking)
    says(made)
    (stopped,) = made.sync("marriage", full=True)
    assert (stopped.verdict.code, made.records("marriage")) == ("SCHEMA_DRIFT", before)
    says(made, missing="quarantine")
    (held,) = made.sync("marriage", full=True)
    assert (held.state, held.counts["puts"], made.records("marriage")) == ("done", 0, before)
    assert held.counts["quarantined"] > 20
    assert made.held("marriage")["SCHEMA_DRIFT", None] > 20
    assert ask(build(made.gateway, lambda: True), f"{URL}/accept", "POST").json() == {"changes": 1}
    assert shuqiao(made.gateway.settings, "quarantine", "replay", FEED).exit_code == 0
    assert sum(r["dept_name"] is None for r in made.records("marriage")) > 20
    assert kinds(made) == {}


def test_a_field_of_another_shape_is_told(made: House, monkeypatch: pytest.MonkeyPatch) -> None:
    switched(monkeypatch, retyped)
    made.sync("marriage", full=True)
    assert kinds(made) == {"dept_code": ("retyped", "number>text")}
    (told,) = ask(build(made.gateway, lambda: True), URL).json()
    assert told["sentence"] == "字段 dept_code 原来是数字，现在是文字"
    made.gateway.accept_drift(FEED)
    made.sync("marriage", full=True)
    assert kinds(made) == {}


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (["1", "2", "3.5", "4,000", 5], "number"),
        (["2026-01-02", "2026/1/2", "2026年1月2日", "2026-01", "2026.01.02 08:00:00"], "date"),
        (["男", "女", "男", "女", "男", None, ""], "text"),
        (["男", "1", "男", "1", "男", "1"], ""),
        (["1"] * 4, ""),
        ([[], [1], [], [], []], "list"),
    ],
)
def test_shapes(values: list[Any], shape: str) -> None:
    assert shape_of(values) == shape


def test_the_fields_of_every_source_are_remembered_and_none_of_them_changes_by_itself(made: House) -> None:
    with made.gateway.store.read() as tx:
        known = {name: remembered(tx, tx.one("feed_by_name", name=feed).id) for name, feed in FEEDS.items()}
    assert all(known.values())
    assert known["marriage"]["cert_num_man"].steady
    assert known["marriage"]["update_time"].shape == "date"
    made.advance(30)
    assert {o.state for o in made.sync()} == {"done"}
    assert {name: made.gateway.drift(feed) for name, feed in FEEDS.items()} == {key: [] for key in FEEDS}
