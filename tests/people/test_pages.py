"""The pages of people, used as people use them: logging in, the own account, users, keys, the audit log."""

from __future__ import annotations

import base64
import csv
import re
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateway.clock import Clock
from gateway.people import credentials
from gateway.web import build, guard
from gateway.web.guard import HEADERS
from gateway.web.session import FORM, SESSION
from tests.support.house import House
from tests.support.web import PASSWORD, ask, session, visit

PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def application(idle: House) -> FastAPI:
    return build(idle.gateway, lambda: True)


def shown(application: FastAPI, path: str, grant: str, **more: Any) -> str:
    answer = visit(application, path, grant=grant, headers=PAGE, **more)
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


def post(application: FastAPI, path: str, grant: str, **form: Any) -> httpx.Response:
    return visit(application, path, "POST", grant=grant, headers=PAGE, form=form or {"x": ""})


def log_in(application: FastAPI, **form: str) -> httpx.Response:
    """By the form, as a browser does it: the token of the page, and the cookie that goes with it."""
    door = ask(application, "/login", role="", headers=PAGE)
    token = re.search(r'name="csrf" value="([^"]+)"', door.text)
    assert token
    cookies = {FORM: door.cookies[FORM]}
    return ask(application, "/login", "POST", role="", form={"csrf": token[1], **form}, headers=PAGE, cookies=cookies)


def test_before_there_is_a_user_the_page_says_how_to_add_one(idle: House) -> None:
    """Runs first: the fixtures of this module add users."""
    empty = build(idle.gateway, lambda: True)
    assert idle.gateway.users.none()
    assert "shuqiao user add admin --role system" in ask(empty, "/login", role="", headers=PAGE).text
    stranger = ask(empty, "/login", role="", headers=PAGE, address="203.0.113.9")
    assert "shuqiao user add" not in stranger.text


def test_who_is_not_logged_in_is_sent_to_the_door_and_back(application: FastAPI) -> None:
    session(application.state.gateway, "operator")
    sent = ask(application, "/duties/360981/marriage", role="", headers=PAGE)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?back=%2Fduties%2F360981%2Fmarriage")
    assert ask(application, "/", role="", headers={"hx-request": "true"}).headers["hx-redirect"] == "/login"
    entered = log_in(application, name="operator", password=PASSWORD, back="/duties/360981/marriage")
    assert (entered.status_code, entered.headers["location"]) == (303, "/duties/360981/marriage")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    told = ask(application, "/", role="", headers=PAGE, cookies={SESSION: entered.cookies[SESSION]})
    assert told.status_code == 200


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil", "evil"])
def test_nobody_is_sent_elsewhere(application: FastAPI, back: str) -> None:
    session(application.state.gateway, "operator")
    assert log_in(application, name="operator", password=PASSWORD, back=back).headers["location"] == "/"


def test_a_wrong_password_is_told_on_the_page_and_in_the_log(application: FastAPI) -> None:
    gateway = application.state.gateway
    session(gateway, "operator")
    answer = log_in(application, name="operator", password="wrong")
    assert answer.status_code == 401
    assert "登录名、口令或动态口令不对" in answer.text
    log_in(application, name="no-such-user", password="wrong")
    log_in(application, name="operator", password=PASSWORD)
    with gateway.store.read() as tx:
        told = [(row.target, row.detail) for row in tx.all("audit_all") if row.action == "log_in"][-3:]
    assert told == [("operator", '{"refused":"PASSWORD"}'), ("", '{"refused":"UNKNOWN"}'), ("", "{}")]


def test_a_log_in_from_another_site_is_refused(application: FastAPI) -> None:
    form = {"name": "operator", "password": PASSWORD, "csrf": "x"}
    assert ask(application, "/login", "POST", role="", form=form).status_code == 403
    assert ask(application, "/login", "POST", role="", form=form, cookies={FORM: "x"}).status_code == 403


def test_logging_out_ends_the_session(application: FastAPI) -> None:
    cookie = log_in(application, name="operator", password=PASSWORD).cookies[SESSION]
    token = {"X-CSRF-Token": credentials.form_token(cookie)}
    ask(application, "/logout", "POST", role="", headers=token, cookies={SESSION: cookie})
    assert ask(application, "/api/v1/status", role="", cookies={SESSION: cookie}).status_code == 401


def test_a_new_administrator_chooses_a_password_and_binds_a_phone(application: FastAPI) -> None:
    users = application.state.gateway.users
    first = users.add("newcomer", "新来的", [], users.get("operator").actor)
    cookie = log_in(application, name="newcomer", password=first).cookies[SESSION]
    at_first = ask(application, "/", role="", headers=PAGE, cookies={SESSION: cookie})
    assert (at_first.status_code, at_first.headers["location"]) == (303, "/account")

    def own(path: str, **form: str) -> httpx.Response:
        form = {"csrf": credentials.form_token(cookie), **form}
        return ask(application, path, "POST", role="", headers=PAGE, form=form, cookies={SESSION: cookie})

    assert "两次输入的新口令不一样" in own("/account/password", old=first, new=PASSWORD, again="x" * 12).text
    assert own("/account/password", old=first, new=PASSWORD, again=PASSWORD).status_code == 303
    page = ask(application, "/account", role="", headers=PAGE, cookies={SESSION: cookie}).text
    offer, key = re.search(r'name="offer" value="([^"]+)"', page), re.search(r'class="mono">([A-Z2-7]{32})<', page)
    assert offer
    assert key
    assert "<svg" in page
    assert "六位数字" in own("/account/totp", offer=offer[1], code="000000").text
    assert own("/account/totp", offer="x", code="000000").status_code == 422
    code = credentials.totp_code(base64.b32decode(key[1]), Clock.real().timestamp())
    assert own("/account/totp", offer=offer[1], code=code).status_code == 303
    assert users.get("newcomer").has_totp
    assert log_in(application, name="newcomer", password=PASSWORD).status_code == 401


def test_two_administrators_make_one_user(application: FastAPI) -> None:
    """One adds, the other gives the role; the first cannot, and nobody gives it to oneself."""
    for grant in ("system", "security"):
        session(application.state.gateway, grant)
    added = post(application, "/users", "system", name="Clerk", title="袁州区 科员")
    password = re.search(r"<code>([\w-]+)</code>", added.text)
    assert password
    assert post(application, "/users", "system", name="clerk").status_code == 422
    assert post(application, "/users/clerk/roles", "system", role="operator").status_code == 403
    assert log_in(application, name="clerk", password=password[1]).status_code == 303
    given = post(application, "/users/clerk/roles", "security", role=["county:360902", "observer", ""])
    assert (given.status_code, given.headers["location"]) == (303, "/users/clerk")
    assert "袁州区" in shown(application, "/users/clerk", "security")
    assert "三员分立" in post(application, "/users/clerk/roles", "security", role=["system", "audit"]).text
    assert "不能给自己设角色" in post(application, "/users/security/roles", "security", role="operator").text
    assert post(application, "/users/clerk/lock", "security").status_code == 303
    assert "已锁定" in shown(application, "/users", "system")
    assert post(application, "/users/clerk/unlock", "system").status_code == 303
    assert re.search(r"<code>[\w-]+</code>", post(application, "/users/clerk/reset", "system").text)
    assert post(application, "/users/clerk/totp", "security").status_code == 303
    assert visit(application, "/users/nobody", grant="system").status_code == 404


def test_a_key_is_shown_once_and_ends_at_once(application: FastAPI) -> None:
    session(application.state.gateway, "security")
    made = post(application, "/keys", "security", name="reader", days="30", role="observer")
    key = re.search(r"<code>(sq_[\w-]+)</code>", made.text)
    assert key
    assert key[1] not in shown(application, "/keys", "security")
    bearer = {"Authorization": f"Bearer {key[1]}"}
    assert ask(application, "/api/v1/status", role="", headers=bearer).status_code == 200
    assert "接口密钥不能有管理员角色" in post(application, "/keys", "security", name="boss", role="system").text
    assert post(application, "/keys/reader/revoke", "security").status_code == 303
    assert ask(application, "/api/v1/status", role="", headers=bearer).status_code == 401


def test_the_auditor_finds_checks_and_takes_along(application: FastAPI) -> None:
    gateway = application.state.gateway
    session(gateway, "audit")
    gateway.audit.record(gateway.users.get("audit").actor, "sync", "360981/marriage", {"rows": 3})
    page = shown(application, "/audit?action=sync&actor=user:audit", "audit")
    assert page.count("360981/marriage") == 1
    assert "log_in" not in page.split("<tbody>")[1]
    assert "没有符合的记录" in shown(application, "/audit?until=2000-01-01", "audit")
    assert "全部相符" in shown(application, "/audit/verified", "audit")
    answer = visit(application, "/audit/export.csv?action=sync", grant="audit")
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["target"] for row in rows] == ["360981/marriage"]
    assert visit(application, "/audit?since=yesterday", grant="audit").status_code == 422


def test_what_a_role_was_refused_is_in_the_log(application: FastAPI) -> None:
    session(application.state.gateway, "observer")
    assert visit(application, "/audit", grant="observer").status_code == 403
    with application.state.gateway.store.read() as tx:
        last = tx.one("audit_last")
    assert (last.actor, last.action, last.detail) == ("user:observer", "read_audit", '{"refused":"NOT_ALLOWED"}')


def test_every_answer_carries_the_headers(application: FastAPI) -> None:
    for path, status in (("/login", 200), ("/healthz", 200), ("/api/v1/status", 401), ("/none", 404)):
        answer = ask(application, path, role="")
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_too_many_requests_are_put_off(idle: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LIMITS", {"login": 2, "key": 2, "anybody": 8, "known": 3})
    application = build(idle.gateway, lambda: True)
    wrong = {"Authorization": "Bearer sq_wrong"}
    assert [ask(application, "/", role="", headers=wrong).status_code for _ in range(3)] == [401, 401, 429]
    assert [ask(application, "/api/v1/runs").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert [ask(application, "/login", "POST", role="").status_code for _ in range(3)] == [403, 403, 429]
    late = [ask(application, "/healthz", role="") for _ in range(7)]
    assert {answer.status_code for answer in late} == {200, 429}
    assert late[-1].headers["retry-after"] == "60"


def test_a_request_that_cannot_be_read_tells_no_value(application: FastAPI) -> None:
    answer = log_in(application, name="x" * 65, password="a-secret-value")
    assert answer.status_code == 422
    assert "a-secret-value" not in answer.text
    assert "body.name" in answer.text


def test_no_statement_alters_or_removes_an_audit_entry() -> None:
    """183 days at least (网络安全法 art. 21): nothing of ours deletes any."""
    sql = "\n".join(p.read_text("utf-8") for p in Path("gateway").rglob("*.sql"))
    code = "\n".join(p.read_text("utf-8") for p in Path("gateway").rglob("*.py"))
    assert re.findall(r"\b(?:UPDATE|DELETE FROM|DROP TABLE|TRUNCATE)\s+audit\b", sql + code, re.IGNORECASE) == []
