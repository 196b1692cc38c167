"""Thirty spreadsheets as clerks make them, all the way by configuration alone: right rows in, wrong rows held by sheet and row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from adapters.kit import FieldRule
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.dispatch.execute import queue_run
from gateway.settings import Settings
from gateway.status import reconcile
from gateway.store.pages import living
from gateway.store.segments import versions_at
from tests.adapters.drops import STREAM
from tests.adapters.uglies import UGLIES, Ugly
from tests.support.house import copy_config
from tests.support.verbs import shuqiao

FILE = "360981_CZJ_YKT_20260301_001.xlsx"
CASES = {f"u{n}": case for n, case in enumerate(UGLIES)}


def stanza(case: Ugly) -> dict[str, Any]:
    """What a county's file says of this drop."""
    told = {"pattern": STREAM.pattern, "flag": STREAM.flag, "mapping": dict(STREAM.mapping), **case.changes}
    told["mapping"] = {path: rule if isinstance(rule, str) else said(rule) for path, rule in told["mapping"].items()}
    return told


def said(rule: FieldRule) -> dict[str, Any]:
    return rule.model_dump(by_alias=True, exclude_defaults=True)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("uglies")
    (county,) = (copy_config(home) / "counties").iterdir()
    sources: dict[str, Any] = {}
    for name, case in CASES.items():
        drop, body = home / name, case.content()
        drop.mkdir()
        (drop / FILE).write_bytes(body)
        (drop / f"{FILE}.md5").write_text(hashlib.md5(body).hexdigest(), "ascii")
        where = {"adapter": "files", "account": "fengcheng-civil-affairs", "directory": str(drop)}
        sources[name] = {**where, "datasets": {"payment": stanza(case)}}
    feeds = {name: {"source": name, "dataset": "payment", "poll": "1h"} for name in CASES}
    told = {
        "county": {"code": "360981", "name": "丰城市", "bureau": "丰城市数据局"},
        "sources": sources,
        "feeds": feeds,
    }
    county.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    gateway = Gateway(Settings(config=home / "config", data=home / "data"))
    _ = gateway.config
    yield gateway
    gateway.close()


@pytest.mark.parametrize("name", CASES, ids=[case.name for case in CASES.values()])
def test_right_rows_in_wrong_rows_held(office: Gateway, name: str) -> None:
    case, feed = CASES[name], f"360981/{name}"
    with office.store.read() as tx:
        row = tx.one("feed_by_name", name=feed)
    run, _ = queue_run(office.store, row.id, due_at=Clock.real().isoformat(), reason="test", actor="test")
    done = office.executor.execute(run)
    assert done.verdict.state == "ok", done.verdict
    assert sorted(record["detail_id"] for record in records(office, row)) == sorted(case.right)
    with office.store.read() as tx:
        assert {r.rule: r.items for r in tx.among("runs_ignored", [run])} == dict(case.ignored)
    listed = json.loads(shuqiao(office.settings, "quarantine", "list", feed, "--json").stdout)
    held = [(shown(office, item["handle"]), item["reason"], item["field"]) for item in listed]
    assert held == list(case.wrong)
    assert reconcile(office.store, []) == []


def shown(office: Gateway, handle: str) -> str:
    """Where a clerk is told to look, without the file's name."""
    place: str = json.loads(shuqiao(office.settings, "quarantine", "show", handle, "--json").stdout)["place"]
    return place.removeprefix(f"{FILE} › ")


def records(office: Gateway, feed: Any) -> list[dict[str, Any]]:
    with office.store.read() as tx:
        heads = tx.among("observations_state", living(tx, feed.id))
        rows = versions_at(tx, feed.stream_id, [head.seq for head in heads]).values()
    unwrap, opened = office.vault.unwrap, office.vault.open_version
    return [msgspec.json.decode(opened(unwrap(r.wrapped_key), r.number, r.handle, r.sealed, r.suite)) for r in rows]
