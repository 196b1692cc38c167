"""Who asks: the session of a browser or the key of a program; and that a form was sent by a page of ours (CSRF)."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Final, NoReturn
from urllib.parse import urlsplit

from fastapi import Request, Response

from gateway.app import Gateway
from gateway.audit import Action, Actor
from gateway.errors import Told
from gateway.people import NoEntry, User, credentials

SESSION: Final = "shuqiao"
"""The cookie of a session: a random secret that the store knows as a hash only."""
SEAT: Final = "shuqiao-seat"
"""The cookie of an agency's link that was opened: its key. It goes to the agency's page only."""
FORM: Final = "shuqiao-form"
"""The cookie of who has not signed in, so that the log-in form cannot be sent by another site either."""
HEADER: Final = "X-CSRF-Token"
FIELD: Final = "csrf"
BACKGROUND: Final = "X-Background"
"""A request that a page makes by itself says so with this header: it does not keep a session alive."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Who:
    """Who asks. `session` and `form` are secrets of cookies."""

    actor: Actor = field(default_factory=Actor.anybody)
    user: User | None = None
    session: str = ""
    form: str = ""
    link: str = ""
    """The key that came as a cookie: what it sends proves itself by token, as sessions do."""

    @property
    def cookie(self) -> str:
        """What the token of forms hangs on."""
        return self.session or self.link or self.form


class Forged(Told):
    """What changes something did not come from a page of ours."""


def refuse_forged() -> NoReturn:
    raise Forged("页面已过期，或请求不是从本站页面发出的；请刷新页面再试")


def who_of(request: Request) -> Who:
    found: Who = request.state.who
    return found


def csrf_of(request: Request) -> str:
    """The token that forms carry as `csrf` and htmx as the header X-CSRF-Token."""
    who = who_of(request)
    request.state.form_shown = True
    return credentials.form_token(who.cookie)


async def forged(request: Request) -> bool:
    """Whether a request that changes something lacks what only our own pages know. Keys are no cookies: nobody can lend them."""
    who = who_of(request)
    if request.method in SAFE or (who.actor.kind == "api_key" and not who.link):
        return False
    if not ours(request.headers.get("sec-fetch-site"), request.headers.get("origin"), request.headers.get("host")):
        return True
    given = request.headers.get(HEADER)
    if given is None and request.headers.get("content-type", "").partition(";")[0] in _FORMS:
        found = (await request.form()).get(FIELD)
        given = found if isinstance(found, str) else None
    return given is None or not credentials.same(given, credentials.form_token(who.cookie))


def ours(site: str | None, origin: str | None, host: str | None) -> bool:
    """Whether a browser sent this from a page of this very origin; who is no browser says nothing, and proves it by token."""
    if site is not None and site != "same-origin":
        return False
    return origin is None or urlsplit(origin).netloc == host


def cookies_of(header: str) -> dict[str, str]:
    """By name; nothing where the header is none."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def recognise(gateway: Gateway, authorization: str, cookies: dict[str, str], *, used: bool) -> Who | None:
    """Who asks; None: a key that is nobody's."""
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() == "bearer":
        actor = gateway.api_keys.whose(key.strip())
        return Who(actor) if actor is not None else None
    session = cookies.get(SESSION, "")
    user = gateway.users.of_session(session, used=used) if session else None
    if user is None and (link := cookies.get(SEAT, "")):
        actor = gateway.api_keys.whose(link)
        if actor is not None:
            return Who(actor, link=link)
    if user is None:
        return Who(form=cookies.get(FORM, "") or credentials.secret())
    return Who(user.actor, user, session)


def begin(response: Response, session: str, *, secure: bool) -> None:
    """Hands a browser its session."""
    response.set_cookie(SESSION, session, httponly=True, samesite="lax", secure=secure, path="/")
    response.delete_cookie(FORM, path="/")


def end(response: Response) -> None:
    response.delete_cookie(SESSION, path="/")


def enter(gateway: Gateway, name: str, password: str, code: str) -> str:
    """As `Users.enter`; the audit log has it either way. Raises NoEntry."""
    try:
        session = gateway.users.enter(name, password, code)
    except NoEntry as refused:
        gateway.audit.record(Actor.anybody(), Action.LOG_IN, refused.name, {"refused": refused.code})
        raise
    gateway.audit.record(Actor.user(name.strip().lower()), Action.LOG_IN, "")
    return session
