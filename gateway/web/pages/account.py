"""One's own account: who one is here, another password, and the one-time code of a phone."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Annotated, Final

import segno
from cryptography.exceptions import InvalidTag
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from gateway.audit import Action
from gateway.errors import Usage
from gateway.i18n import show
from gateway.people import NoEntry, User, credentials
from gateway.vault import Vault
from gateway.web.common import Seat, permitted
from gateway.web.pages.frame import page

OFFER: Final = "totp-offer"
"""Purpose under which a key is sealed that was shown and not bound yet: the page carries it to and fro."""

group = APIRouter(prefix="/account")
Owner = Annotated[Seat, Depends(permitted(Action.OWN_ACCOUNT))]


@group.get("")
def account(request: Request, seat: Owner) -> Response:
    """What is known of one, and what one may change."""
    return _page(request, seat)


@group.post("/password")
def password(
    request: Request,
    seat: Owner,
    old: Annotated[str, Form(max_length=128)],
    new: Annotated[str, Form(max_length=128)],
    again: Annotated[str, Form(max_length=128)],
) -> Response:
    """Chooses another password; the other sessions of this user end."""
    user = _user(seat)
    try:
        if new != again:
            raise Usage("两次输入的新口令不一样")
        seat.gateway.users.choose(user.name, old, new, seat.who.session)
    except (Usage, NoEntry) as refused:
        return _page(request, seat, wrong=show(refused))
    seat.record(Action.OWN_ACCOUNT, user.name, {"changed": "password"})
    return RedirectResponse("/account", 303)


@group.post("/totp")
def totp(
    request: Request, seat: Owner, offer: Annotated[str, Form(max_length=512)], code: Annotated[str, Form(max_length=6)]
) -> Response:
    """Binds the phone that shows this code."""
    user = _user(seat)
    try:
        key = _taken(seat.gateway.vault, user, offer)
        seat.gateway.users.bind(user.name, key, code)
    except Usage as refused:
        return _page(request, seat, wrong=show(refused), offer=offer)
    seat.record(Action.OWN_ACCOUNT, user.name, {"changed": "totp"})
    return RedirectResponse("/account", 303)


def _user(seat: Seat) -> User:
    """The authoriser let none but users through."""
    assert seat.user is not None
    return seat.gateway.users.get(seat.user.name)


def _page(request: Request, seat: Seat, *, wrong: str = "", offer: str = "") -> Response:
    user = _user(seat)
    key = picture = ""
    if not user.has_totp and user.must != "password":
        secret = _taken(seat.gateway.vault, user, offer) if offer else credentials.totp_key()
        offer = offer or urlsafe_b64encode(seat.gateway.vault.seal(_purpose(user), secret)).decode()
        key = credentials.totp_text(secret)
        code = segno.make(credentials.totp_uri(secret, user.name), error="m")
        picture = Markup(code.svg_inline(scale=4, border=3, dark="#000", light="#fff"))  # noqa: S704 # drawn here
    return page(
        request, "account.html", 422 if wrong else 200, mine=user, wrong=wrong, offer=offer, key=key, picture=picture
    )


def _purpose(user: User) -> str:
    return f"{OFFER}/{user.name}"


def _taken(vault: Vault, user: User, offer: str) -> bytes:
    """The key that was shown to this user. Raises Usage."""
    try:
        return vault.open(_purpose(user), urlsafe_b64decode(offer))
    except (InvalidTag, Error, ValueError, KeyError):
        raise Usage("页面已过期，请刷新后重新扫码") from None
