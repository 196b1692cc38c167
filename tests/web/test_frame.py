"""The frame of the dashboard: what it is made of, both languages, refusals in words, and what is new since somebody looked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from gateway.clock import SHANGHAI
from gateway.freshness.verdicts import SEVERITY
from gateway.web import build
from gateway.web.pages.frame import SIGNS
from gateway.web.pages.overview import _visits
from tests.support.house import house
from tests.support.web import ask

STATIC = Path("gateway/web/static")
TEMPLATES = Path("gateway/web/templates")
PAGES = {"accept": "text/html"}


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """A gateway in which nothing was collected yet."""
    with pytest.MonkeyPatch.context() as patch, house(tmp_path_factory.mktemp("web"), patch, households=10) as made:
        yield build(made.gateway, lambda: True)


def see(application: FastAPI, path: str, **headers: str) -> httpx.Response:
    return ask(application, path, headers={**PAGES, **headers})


def test_what_comes_from_elsewhere_is_what_its_manifest_says() -> None:
    told = json.loads((STATIC / "vendored.json").read_text("utf-8"))
    assert told.keys() == {p.name for p in STATIC.iterdir() if ".min." in p.name}
    for name, entry in told.items():
        assert sha256((STATIC / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert entry.keys() == {"package", "version", "licence", "licence_file", "file", "sha256"}
        assert (STATIC / entry["licence_file"]).stat().st_size > 100


def test_no_page_holds_a_script_or_a_style_of_its_own() -> None:
    """The policy of contents allows neither; an address of another host is in none of them."""
    for path in TEMPLATES.glob("*.html"):
        source = path.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|<script(?![^>]*\ssrc=)", source), path.name
        assert not re.search(r"(src|href|action)=.?(https?:)?//", source), path.name


def test_every_verdict_has_a_sign_of_its_own() -> None:
    assert SIGNS.keys() == set(SEVERITY)
    assert len(set(SIGNS.values())) == len(SEVERITY)
    styles = (STATIC / "app.css").read_text("utf-8")
    assert [code for code in SEVERITY if f".v-{code}" not in styles] == []


def test_files_are_kept_for_good_and_no_other_is_given(application: FastAPI) -> None:
    found = re.findall(r'"(/static/[^"]+)"', see(application, "/").text)
    assert {name.partition("?")[0].rpartition(".")[2] for name in found} == {"css", "js", "svg"}
    for address in found:
        answer = see(application, address)
        assert (answer.status_code, "immutable" in answer.headers["cache-control"]) == (200, True)
    for other in ("vendored.json", "echarts.LICENSE.txt", "..%2Fapi.py", "none.css"):
        assert see(application, f"/static/{other}").status_code == 404


def test_a_language_is_asked_for_once(application: FastAPI) -> None:
    assert 'lang="zh-CN"' in see(application, "/").text
    first = see(application, "/?lang=en")
    assert '<html lang="en"' in first.text
    assert "lang=en" in first.headers["set-cookie"]
    assert '<html lang="en"' in see(application, "/", cookie="lang=en").text
    assert 'lang="zh-CN"' in see(application, "/?lang=fr", cookie="lang=xx").text


def test_refusals_are_pages_for_people_and_problems_for_programs(application: FastAPI) -> None:
    page = see(application, "/duties/360981/nothing")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "没有数据资源 nothing" in page.text
    english = see(application, "/duties/360981/nothing?lang=en")
    assert "there is no dataset nothing" in english.text
    for answer in (
        see(application, "/duties/360981/nothing", **{"hx-request": "true"}),
        ask(application, "/duties/1/x"),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 404


def test_a_theme_that_was_chosen_is_in_the_page(application: FastAPI) -> None:
    assert 'data-theme="dark"' in see(application, "/", cookie="theme=dark").text
    assert 'data-theme="auto"' in see(application, "/", cookie="theme=<script>").text


def test_what_a_page_shows_the_interface_gives(application: FastAPI) -> None:
    told = ask(application, "/api/v1/overview").json()
    page = see(application, "/").text
    assert len(told["duties"]) == len(told["counties"]) * len(told["datasets"]) == page.count('class="cell ')
    assert sum(told["codes"].values()) == len(told["duties"])
    assert sum(told["owners"].values()) == len(told["moves"]) > 0


NOON = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)


def visits(*asked: datetime) -> list[datetime]:
    """Since when something is new, at each of these looks of one browser."""
    kept, out = "", []
    for now in asked:
        times = _visits(kept, now)
        kept = "/".join(at.isoformat() for at in times)
        out.append(times[0])
    return out


def test_looking_again_at_once_does_not_hide_what_is_new() -> None:
    minute, day = timedelta(minutes=1), timedelta(days=1)
    looked = [NOON, NOON + minute, NOON + day, NOON + day + minute]
    assert visits(*looked) == [NOON - day, NOON - day, NOON + minute, NOON + minute]


def test_a_long_absence_is_not_told_in_full() -> None:
    assert visits(NOON, NOON + timedelta(days=400))[-1] == NOON + timedelta(days=400 - 31)


def test_a_cookie_that_says_nothing_is_a_first_look() -> None:
    assert _visits("../x/y", NOON)[0] == NOON - timedelta(days=1)
