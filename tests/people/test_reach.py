"""Nobody sees or touches what is another's, by whichever route: the router is walked, with every role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha1
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute

from gateway.audit import Action
from gateway.dispatch.execute import queue_run
from gateway.freshness import Finding
from gateway.people import ROLES, Grant
from gateway.people.roles import ANYBODY, SIGNED_IN
from gateway.store import Store
from gateway.store.tables import rejected
from gateway.store.tables.collection import feed
from gateway.vault import handle_text
from gateway.web import build
from gateway.web.session import HEADER, SAFE
from tests.support.house import House
from tests.support.web import ask, visit

OWN, FOREIGN = "360981", "360982"
AGENCY = "丰城市民政局"
PLACES = {
    "seat": f"seat:{OWN}/{AGENCY}",
    "county": f"county:{OWN}",
    "agency": f"agency:{OWN}/{AGENCY}",
    "bank": "bank:demo-bank",
}
GRANTS = {str(role): PLACES.get(role, str(role)) for role in ROLES}


def handle_of(name: str) -> bytes:
    """Of the item that lies in this feed's quarantine."""
    return sha1(name.encode()).digest()


FILL = {
    "county": (OWN, FOREIGN),
    "dataset": ("marriage", "marriage"),
    "feed": ("marriage", "marriage"),
    "alert": ("1", "2"),
    "channel": ("duty", "duty"),
    "link": ("sq_nobody", "sq_nobody"),
    "window": ("1", "1"),
    "handle": tuple(handle_text(handle_of(f"{county}/marriage")) for county in (OWN, FOREIGN)),
    "institution": ("demo-bank", "other-bank"),
    "consent": ("a" * 32, "a" * 32),
    "number": ("SQ20260301-000001", "SQ20260301-000001"),
    "login": ("operator", "operator"),
    "key": ("a-key", "a-key"),
    "name": ("app.css", "app.css"),
    "period": ("2026-02", "2026-02"),
    "account": ("provincial-exchange", "none"),
    "run": ("1", "2"),
    "batch": ("1", "2"),
    "check": ("1", "1"),
    "list_": ("a" * 32, "a" * 32),
    "item": ("1", "1"),
    "correction": ("a" * 32, "a" * 32),
}
"""What stands for each name in a path: one's own, and another's. A path that names something new says it here."""
MARK = "暗记"


def walked(router: Any) -> Iterator[APIRoute]:
    """Every route, those of included routers too."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from walked(included)
        else:
            assert isinstance(route, APIRoute), f"{route.path} has no dependency to ask"
            yield route


def action_of(route: APIRoute) -> Action:
    found = [call.action for d in route.dependant.dependencies if hasattr(call := d.call, "action")]
    assert len(found) == 1, f"{route.path} asks {len(found)} times"
    return Action(found[0])


def path_of(route: APIRoute, which: int) -> str:
    return re.sub(r"{(\w+)}", lambda name: FILL[name[1]][which], route.path)


@pytest.fixture(scope="module")
def application(idle: House) -> FastAPI:
    """Every feed of every county has failed, each with a mark of its own, and one of everything lies in its lists."""
    made = idle.gateway
    with made.store.read() as tx:
        feeds = tx.all("feeds")
    for row in feeds:
        mark = f"{MARK}:{row.county}:{row.dataset}:"
        run, _ = queue_run(made.store, row.id, due_at="2026-03-02", reason=mark, actor="x")
        made.inboxes.refused(row, mark, made.clock.real())
        held(made.store, row, run, mark)
    with made.store.engine.begin() as connection:
        named = sa.literal(f"{MARK}:") + feed.c.county + ":" + feed.c.dataset + ":"
        failed = feed.update().values(state="failed", since="2099-01-01", owner="agency", sentence=named)
        connection.execute(failed)
    made.alerts.observe([told(county) for county in (OWN, FOREIGN)])
    return build(made, lambda: True)


def told(county: str) -> Finding:
    """An alert of each county, in the order of FILL."""
    return Finding("duty", f"{county}/marriage", "overdue", f"{MARK}:{county}:marriage:", "agency", "x", "2026-03-02")


def held(store: Store, row: Any, run: int, mark: str) -> None:
    """One item in quarantine, and a notice of one that was returned; either says the mark."""
    at = {"first_at": "2026-03-02T00:00:00+08:00", "last_at": "2026-03-02T00:00:00+08:00"}
    item = {"handle": handle_of(row.name), "feed_id": row.id, "raw_digest": b"r", "rules_id": 1, "reason": mark}
    told = {"at": "2026-03-02", "actor": "x", "agency": AGENCY, "county": "丰城市", "items": 1, "text": mark}
    with store.engine.begin() as connection:
        kept = connection.execute(rejected.quarantine.insert().values(**item, **at, run_id=run, item=b""))
        notice = connection.execute(rejected.notice.insert().values(**told))
        (number,), (about,) = notice.inserted_primary_key, kept.inserted_primary_key
        event = {"quarantine_id": about, "at": "2026-03-02", "actor": "x", "event": "returned", "notice_id": number}
        connection.execute(rejected.quarantine_event.insert().values(**event))


@pytest.fixture(scope="module")
def routes(application: FastAPI) -> list[tuple[APIRoute, str]]:
    return [(route, method) for route in walked(application) for method in sorted(route.methods)]


def test_every_name_in_a_path_is_known_here(routes: list[tuple[APIRoute, str]]) -> None:
    assert {name for route, _ in routes for name in re.findall(r"{(\w+)}", route.path)} <= FILL.keys()
    assert len(routes) > 15


def test_without_a_session_or_a_key_nothing_is_told_or_done(
    application: FastAPI, routes: list[tuple[APIRoute, str]]
) -> None:
    for route, method in routes:
        answer = ask(application, path_of(route, 0), method, role="")
        if action_of(route) in ANYBODY:
            assert MARK not in answer.text
        else:
            assert answer.status_code == 401, (method, route.path)
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", GRANTS)
def test_what_a_role_may_not_do_is_refused(application: FastAPI, routes: list[tuple[APIRoute, str]], role: str) -> None:
    """By the table, and no route knows better. A key is no administrator's, so those come with a session."""
    for route, method in routes:
        action = action_of(route)
        if action in ANYBODY | ROLES[Grant.parse(GRANTS[role]).role].actions | SIGNED_IN:
            continue
        assert visit(application, path_of(route, 0), method, grant=GRANTS[role]).status_code == 403, (
            method,
            route.path,
        )


@pytest.mark.parametrize("role", PLACES)
def test_what_is_anothers_is_neither_told_nor_touched(
    application: FastAPI, routes: list[tuple[APIRoute, str]], role: str
) -> None:
    config = application.state.gateway.config
    others = {code for code in config.counties if code != OWN}
    names = {config.counties[code].name for code in others}
    seen = 0
    for route, method in routes:
        if action_of(route) in ANYBODY:
            continue
        if {"county", "institution", "handle"} & set(re.findall(r"{(\w+)}", route.path)):
            foreign = visit(application, path_of(route, 1), method, grant=GRANTS[role])
            assert foreign.status_code == 403, (method, route.path)
        if method not in SAFE:
            continue
        for query in ("", f"?county={FOREIGN}", f"?feed={FOREIGN}/marriage", "?everything=true&count=1000"):
            told = visit(application, path_of(route, 0) + query, method, grant=GRANTS[role]).text
            marks = {tuple(m.split(":")) for m in re.findall(rf"{MARK}:(\d+:\w+)", told)}
            seen += len(marks)
            assert not marks & {(code, m[1]) for code in others for m in marks}, (route.path, query)
            if role == "agency":
                assert {m[1] for m in marks} <= {"marriage", "assistance"}, (route.path, query)
            if FOREIGN not in query:  # a page repeats what it was asked
                assert not [word for word in others | names if word in told], (route.path, query)
    assert (seen > 0) == (role != "bank"), "the marks are where they would be seen"


def test_a_foreign_mark_is_told_to_who_may_see_everything(application: FastAPI) -> None:
    """The test above would be worthless if it were nowhere."""
    for path in (
        "/api/v1/status",
        "/api/v1/runs?count=1000",
        "/api/v1/verdicts",
        "/api/v1/inboxes",
        "/api/v1/overview",
        "/api/v1/quarantine",
        "/api/v1/quarantine/causes",
        "/api/v1/quarantine/returned",
    ):
        assert f"{MARK}:{FOREIGN}:" in ask(application, path, role="operator").text, path


def test_what_changes_something_comes_from_a_page_of_ours(
    application: FastAPI, routes: list[tuple[APIRoute, str]]
) -> None:
    """A session alone does not do: it must bring the token that another site does not know."""
    changing = [(r, m) for r, m in routes if m not in SAFE and action_of(r) is not Action.PUSH]
    assert changing
    for route, method in changing:
        for grant in GRANTS.values():
            for headers in (
                {HEADER: ""},
                {HEADER: "forged"},
                {"Sec-Fetch-Site": "cross-site"},
                {"Origin": "https://evil.example"},
            ):
                answer = visit(application, path_of(route, 0), method, grant=grant, headers=headers)
                assert answer.status_code == 403, (method, route.path, grant, headers)
                assert "页面已过期" in answer.text
