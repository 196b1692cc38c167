"""The dashboard in a browser: it renders without a complaint, asks no other host, stays small, and can be used by everybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.web import key
from tests.web.conftest import Dashboard

pytestmark = pytest.mark.sockets

ROOT = Path(__file__).parents[2]
AXE = ROOT / "tests/web/node_modules/axe-core/axe.min.js"
COLD_BYTES = 1_500_000
PICTURE_BYTES = 250_000
WIDE, PHONE = {"width": 1280, "height": 760}, {"width": 390, "height": 844}
PAGES = {
    "overview": "/",
    "feeds": "/feeds",
    "feed": "/feeds/360981/household_member",
    "run": "/runs/1",
    "duties": "/duties",
    "duty": "/duties/360981/payment",
    "accounts": "/accounts",
    "account": "/accounts/provincial-exchange",
    "chain": "/chain",
    "batch": "/chain/1",
    "quarantine": "/quarantine",
    "held": "/quarantine/items",
    "configuration": "/configuration",
    "county": "/configuration/360981",
}
PICTURES = ("overview", "feed", "quarantine", "configuration")


class Watched:
    """A page whose complaints and requests are remembered."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        self.asked: dict[str, int] = {}
        page.on("console", lambda told: told.type in ("error", "warning") and self.complaints.append(told.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._came)

    def _came(self, answer: Any) -> None:
        self.asked[answer.url] = len(answer.body()) if answer.status == 200 else 0

    def open(self, path: str) -> Any:
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page


@contextmanager
def opened(chromium: Any, dashboard: Dashboard, size: dict[str, int] = WIDE, theme: str = "light") -> Iterator[Watched]:
    known = {"Authorization": f"Bearer {key(dashboard.house.gateway, 'operator')}"}
    context = chromium.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce", extra_http_headers=known)
    try:
        yield Watched(context.new_page(), dashboard.url)
    finally:
        context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds(chromium: Any, dashboard: Dashboard, name: str) -> None:
    """No complaint, no request to another host, small when cold, nothing that keeps people out in either theme, and nothing
    sticks out on a phone.
    """
    with opened(chromium, dashboard) as watched:
        page = watched.open(PAGES[name])
        assert page.locator("main h1").count() == 1
        assert page.title().endswith("· 数桥")
        assert {urlsplit(url).netloc for url in watched.asked} == {urlsplit(dashboard.url).netloc}
        assert sum(watched.asked.values()) < COLD_BYTES
        assert barriers(page) == []
        page.emulate_media(color_scheme="dark")
        assert barriers(page) == []
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        watched.open(f"{PAGES[name]}?lang=en")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert page.title().endswith("· Shuqiao")
        assert watched.complaints == []


def barriers(page: Any) -> list[Any]:
    """What axe-core calls serious or worse; nothing where it is not installed, which `make test` does where there is npm."""
    if not AXE.exists():
        return []
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    grave = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
    return [(v["id"], [node["target"] for node in v["nodes"]][:3]) for v in grave]


def test_the_map_is_walked_by_keys(chromium: Any, dashboard: Dashboard) -> None:
    with opened(chromium, dashboard) as watched:
        page = watched.open("/")
        page.locator(".map td a").first.focus()
        page.keyboard.press("ArrowRight")
        where = page.evaluate("document.activeElement.closest('td').cellIndex")
        assert where == 2
        page.keyboard.press("Enter")
        page.wait_for_url("**/duties/**")


def test_a_theme_is_kept(chromium: Any, dashboard: Dashboard) -> None:
    with opened(chromium, dashboard) as watched:
        page = watched.open("/")
        page.locator("#theme").click()
        page.locator("#theme").click()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 24)"
        watched.open("/feeds")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.shots
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PICTURES)
def test_pictures_for_the_documents(chromium: Any, dashboard: Dashboard, name: str, lang: str) -> None:
    with opened(chromium, dashboard) as watched:
        page = watched.open(f"{PAGES[name]}?lang={lang}")
        file = ROOT / f"docs/pictures/{name}-{lang}.png"
        file.parent.mkdir(exist_ok=True)
        page.screenshot(path=file)
        assert file.stat().st_size <= PICTURE_BYTES
