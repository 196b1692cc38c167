"""What every page stands in: `page` renders a template with the frame's own facts, `Speaking` finds the reader's language.

A route of the dashboard is three lines:

    @group.get("/duties/{county}/{dataset}")
    def duty(request: Request, seat: Reader, county: str, dataset: str) -> HTMLResponse:
        return page(request, "duty.html", told=seat.gateway.ledger.explain(county, dataset))

Its template extends `frame.html` and fills the blocks `title` and `main`; a fragment for htmx extends nothing. Both say
sentences with `_("…{n}…", n=3)` and what the store keeps with `word`, `said` and `retell`; tables, forms, badges and
confirmations are macros of `ui.html`, described there; a step is offered where `may("sync", spot)` says so (`spot`: the `Place`
it touches). Nothing in a page is inline script or inline style.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from http.cookies import SimpleCookie
from importlib.resources import files
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.audit import Action
from gateway.config import Config
from gateway.freshness.verdicts import SEVERITY
from gateway.i18n import LANGUAGES, _, language, retell, word
from gateway.people import ROLES
from gateway.status import percent
from gateway.web.common import gateway_of, may, problem
from gateway.web.session import csrf_of, who_of
from schemas import DATASETS
from schemas.flags import title as flag_title

YEAR_SECONDS: Final = 365 * 86400
THEMES: Final = ("auto", "light", "dark")
STATIC: Final = files("gateway.web").joinpath("static")

NAVIGATION: Final = (
    ("/", "总览", Action.READ_STATUS),
    ("/feeds", "任务一览", Action.READ_STATUS),
    ("/duties", "义务", Action.READ_STATUS),
    ("/quarantine", "隔离区", Action.QUARANTINE_LIST),
    ("/checks", "核查与更正", Action.READ_STATUS),
    ("/chain", "链与成员", Action.READ_STATUS),
    ("/accounts", "来源账号", Action.READ_STATUS),
    ("/configuration", "配置管理", Action.READ_STATUS),
    ("/bank", "授权与查询", Action.REPORT),
    ("/users", "用户", Action.USER_LIST),
    ("/keys", "接口密钥", Action.KEY_LIST),
    ("/audit", "审计", Action.READ_AUDIT),
)
"""Address and name of each entry of the menu, in its order, and what its reader must be allowed to do."""

DONE: Final[Mapping[str, str]] = {
    "queued": "已排队，worker 马上开始",
    "paused": "已暂停；正在进行的批次会做完",
    "resumed": "已恢复",
    "reset": "已清除采集位置；下一批从头读，认得的不会重复入库",
    "waived": "已豁免",
    "revoked": "已撤销豁免",
    "accepted": "已采用来源现在的字段",
    "retired": "已停用人工报送，决定已记下",
    "reopened": "已恢复人工报送",
    "verified": "全部相符",
    "published": "已发布",
    "rolled_back": "已回退；草稿文件没有动，再发布会重新采用草稿",
    "replayed": "已按新映射重放；仍不能读的留在隔离区",
    "discarded": "已丢弃，原因已记下",
    "granted": "已登记授权",
    "disputed": "已受理异议，部门二十天内书面答复",
    "entered": "已记下核查结果",
    "answered": "已答复",
}
"""What a page says after a form was done."""

SIGNS: Final[Mapping[str, str]] = {
    "overdue": "▲",
    "missing": "■",
    "unverified": "◆",
    "not_connected": "○",
    "unverified_calendar": "◎",
    "due_soon": "△",
    "made_up": "◇",
    "waived": "□",
    "on_time": "●",
    "open": "·",
    "as_needed": "—",
}
"""A verdict is told apart by its sign as well as by its colour; every font for Chinese has them (GB/T 2312)."""


def page(request: Request, template: str, /, status: int = 200, **facts: Any) -> HTMLResponse:
    """A page or a fragment, in the reader's language. `facts` are what the template names; one it lacks is an error."""
    gateway = gateway_of(request)
    who = who_of(request)
    menu = [(address, name) for address, name, action in NAVIGATION if not who.link and may(request, action)]
    frame = {
        "request": request,
        "path": request.url.path,
        "lang": language.get(),
        "theme": theme if (theme := request.cookies.get("theme", "")) in THEMES else THEMES[0],
        "navigation": menu,
        "home": menu[0][0] if menu else "/seat" if who.link else "/account",
        "user": who.user,
        "csrf": lambda: csrf_of(request),
        "now": gateway.clock.now(),
        "role_title": lambda role: ROLES[role].title,
        "reach_title": lambda text: reached(text, gateway.config),
        "may": lambda action, spot=None: may(request, Action(action), spot),
        "done": DONE.get(request.query_params.get("done", "")),
        "place": lambda target: placed(target, gateway.config),
    }
    return HTMLResponse(_environment().get_template(template).render(**frame, **facts), status)


def done(address: str, what: str) -> RedirectResponse:
    """After a form: the page that shows what came of it, with a word of `DONE`."""
    return RedirectResponse(f"{address}?{urlencode({'done': what})}", 303)


def refusal(request: Request, status: int, title: str, detail: str) -> Response:
    """What was refused, in words: a page for who reads pages, problem+json for everybody else."""
    if "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers:
        return page(request, "refused.html", status, title=_(title), detail=detail)
    return problem(status, _(title), detail)


def tell(sentence: str, /, **facts: object) -> str:
    """A Chinese sentence of a template, in the reader's language, with its facts in their places."""
    told = _(sentence)
    return told.format(**facts) if facts else told


def said(sentence: str | None) -> str:
    """A kept sentence with its notes, in the reader's language."""
    return _("；").join(map(retell, (sentence or "").split("；")))


def dataset_title(name: str) -> str:
    """The dataset as people call it: its Chinese title, or its name in words."""
    if language.get() == "zh" and name in DATASETS:
        return DATASETS[name].title
    return name.replace("_", " ")


def county_title(code: str, config: Config) -> str:
    """A county's name; in another language as its file is called (`360981-fengcheng.yaml`), where it is."""
    if language.get() != "zh":
        for file in config.texts:
            head, _dash, slug = file.removesuffix(".yaml").partition("-")
            if head == f"counties/{code}" and slug:
                return slug.replace("-", " ").title()
    return config.counties[code].name


def placed(target: str, config: Config) -> str:
    """What a duty or a feed is called: its county's name and its dataset's, or its own key; itself if it is neither."""
    code, slash, key = target.partition("/")
    if code not in config.counties:
        return target
    county = county_title(code, config)
    return f"{county} · {dataset_title(key) if key in DATASETS else key}" if slash else county


def marks() -> dict[str, Markup]:
    """Verdicts as cells show them: the sign for who sees, the word for who is read to. Made once a page, for all its cells."""
    cell = Markup('<b aria-hidden="true">{}</b><span class="vh">{}</span>')
    return {code: cell.format(SIGNS[code], word(code)) for code in SEVERITY}


def reached(text: str, config: Config) -> str:
    """How far a grant reaches, as people call it: a county, an agency in one, an institution."""
    code, _slash, agency = text.partition("/")
    if code in config.counties:
        return f"{config.counties[code].name} · {agency}" if agency else config.counties[code].name
    members = config.gateway.members if config.gateway else {}
    return members[text].title if text in members else text


def moment(at: str | datetime | None) -> str:
    """A moment to the minute; a dash for none."""
    text = at.isoformat() if isinstance(at, datetime) else at
    return text[:16].replace("T", " ") if text else "—"


def count(number: float | None) -> str:
    """A whole number with its thousands apart; a dash for none."""
    return "—" if number is None else f"{number:,.0f}"


def switched(request: Request, **changes: str) -> str:
    """The address of this very page with some of its questions changed; an empty answer takes the question away."""
    asked = {**dict(request.query_params), **changes}
    told = urlencode({name: value for name, value in asked.items() if value})
    return f"{request.url.path}?{told}" if told else request.url.path


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content: browsers may keep it for good."""
    return f"/static/{name}?v={sha256(STATIC.joinpath(name).read_bytes()).hexdigest()[:12]}"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("gateway.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "_": tell,
        "asset": asset,
        "switched": switched,
        "signs": SIGNS,
        "marks": marks,
        "severity": SEVERITY,
    }
    made.filters |= {
        "word": word,
        "said": said,
        "retell": retell,
        "moment": moment,
        "count": count,
        "percent": percent,
        "dataset": dataset_title,
        "flag": lambda code: flag_title(code, language.get()),
    }
    return made


class Speaking:
    """Sets the language of each request: `?lang=` where it is asked for, which a cookie then remembers; else the cookie;
    else the gateway's own.
    """

    def __init__(self, app: ASGIApp, default: str) -> None:
        self._app, self._default = app, default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        asked = (parse_qs(scope["query_string"].decode("latin-1")).get("lang") or [""])[-1]
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
        kept = cookies["lang"].value if "lang" in cookies else ""

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start" and asked in LANGUAGES and asked != kept:
                cookie = f"lang={asked}; Path=/; Max-Age={YEAR_SECONDS}; SameSite=Lax"
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        token = language.set(next((told for told in (asked, kept) if told in LANGUAGES), self._default))
        try:
            await self._app(scope, receive, remembering)
        finally:
            language.reset(token)
