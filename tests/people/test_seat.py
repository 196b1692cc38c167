"""The agency's seat: a letter with a link, and behind the link its own duties and rows and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from gateway.people import credentials
from gateway.scope import EVERYTHING
from gateway.web import build
from gateway.web.session import HEADER, SEAT, Who
from tests.support.house import FEEDS, House, house
from tests.support.verbs import shuqiao
from tests.support.web import ask

pytestmark = pytest.mark.sockets
OFFICE = "丰城市民政局"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        with house(tmp_path_factory.mktemp("seat"), patch, households=60, dirt=0.3) as home:
            home.sync("marriage", "assistance", "homestead")
            yield home


@pytest.fixture(scope="module")
def application(made: House) -> FastAPI:
    return build(made.gateway, lambda: True)


@pytest.fixture
def link(made: House) -> str:
    told = json.loads(shuqiao(made.gateway.settings, "invite", "360981", OFFICE, "--days", "3", "--json").stdout)
    assert told["text"].splitlines()[0] == f"{OFFICE}："
    assert told["address"] in told["text"]
    assert told["address"].startswith("http://127.0.0.1:8360/seat/sq_")
    return str(told["address"].rpartition("/")[2])


def sits(application: FastAPI, link: str, path: str = "/seat", method: str = "GET", **more: object) -> httpx.Response:
    return ask(application, path, method, role="", cookies={SEAT: link}, **more)  # type: ignore[arg-type]


def test_a_link_is_kept_by_the_browser_and_leaves_the_address(application: FastAPI, link: str) -> None:
    answer = ask(application, f"/seat/{link}", role="")
    assert (answer.status_code, answer.headers["location"]) == (303, "/seat")
    cookie = answer.headers["set-cookie"]
    assert f"{SEAT}={link}" in cookie
    assert "HttpOnly" in cookie
    assert "Path=/seat" in cookie


def test_the_page_shows_its_own_and_nobody_elses(made: House, application: FastAPI, link: str) -> None:
    told = sits(application, link).text
    assert "婚姻登记" in told
    assert "社会救助" in told
    assert "宅基地" not in told
    assert "总览" not in told, "the menu leads where the link does not"
    counts = {c.feed: c.rows for c in made.gateway.quarantine.causes(EVERYTHING)}
    assert FEEDS["homestead"] in counts, "somebody else's rows are held too"


def test_nothing_else_opens_to_it(application: FastAPI, link: str) -> None:
    told = sits(application, link, "/api/v1/status").json()
    assert {row["dataset"] for row in told} == {"marriage", "assistance"}
    assert sits(application, link, "/api/v1/quarantine/export?full=true").status_code == 403
    assert sits(application, link, "/api/v1/users").status_code in (403, 404)


def test_rows_go_down_masked_and_come_back_checked_at_once(application: FastAPI, link: str) -> None:
    body = sits(application, link, "/seat/rows.xlsx").content
    assert body[:2] == b"PK"
    token = {HEADER: credentials.form_token(Who(link=link).cookie)}
    answer = sits(application, link, "/seat/rows", "POST", file=body, headers=token)
    assert answer.status_code == 200
    assert "没有改动" in answer.text
    assert "采用 0" in answer.text
    junk = sits(application, link, "/seat/rows", "POST", file=b"not a workbook", headers=token)
    assert junk.status_code == 422
    assert 'class="told bad"' in junk.text


def test_another_site_cannot_hand_in(application: FastAPI, link: str) -> None:
    assert sits(application, link, "/seat/rows", "POST", file=b"x").status_code == 403


def test_a_link_that_is_over_says_so(made: House, application: FastAPI, link: str) -> None:
    (name,) = [key.name for key in made.gateway.api_keys.all() if link.startswith(key.prefix) and key.state == "active"]
    made.gateway.api_keys.revoke(name)
    answer = ask(application, f"/seat/{link}", role="", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "请向县数据局另要一个" in answer.text
    assert sits(application, link).status_code == 401


def test_only_who_owes_there_is_invited(made: House) -> None:
    done = shuqiao(made.gateway.settings, "invite", "360981", "靖安县民政局")
    assert done.exit_code != 0
    assert "360981 没有报送部门 靖安县民政局。可用的有：丰城市公安局" in str(done.exception)
