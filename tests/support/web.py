"""Asking an application in this process, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.app import Gateway
from gateway.audit import Actor
from gateway.clock import Clock
from gateway.people import Grant, credentials
from gateway.web.session import HEADER, SESSION

MAKER = Actor.system()


def key(gateway: Gateway, *grants: str) -> str:
    """A key with these roles, made when first asked for; `gateway` keeps it, for the store does not."""
    kept: dict[tuple[str, ...], str] = gateway.__dict__.setdefault("keys_of_tests", {})
    if grants not in kept:
        name = f"test-{len(gateway.api_keys.all())}"
        kept[grants] = gateway.api_keys.add(name, map(Grant.parse, grants), MAKER)
    return kept[grants]


PASSWORD = "Own-Password-1"


def session(gateway: Gateway, grant: str) -> str:
    """The cookie of a user with this role, named as the role, who has done what comes first."""
    kept: dict[str, str] = gateway.__dict__.setdefault("sessions_of_tests", {})
    if grant not in kept:
        name, users, code = grant.partition(":")[0], gateway.users, ""
        first = users.add(name, "", [Grant.parse(grant)], MAKER)
        users.choose(name, first, PASSWORD, "")
        if users.get(name).must == "totp":
            secret, now = credentials.totp_key(), Clock.real().timestamp()
            users.bind(name, secret, credentials.totp_code(secret, now))
            code = credentials.totp_code(secret, now + credentials.STEP)
        kept[grant] = users.enter(name, PASSWORD, code)
    return kept[grant]


def visit(application: FastAPI, path: str, method: str = "GET", *, grant: str, **more: Any) -> httpx.Response:
    """As a user with this role, by session, with the token that a page of ours holds unless `headers` bring another."""
    cookie = session(application.state.gateway, grant)
    headers = {HEADER: credentials.form_token(cookie), **more.pop("headers", {})}
    return ask(application, path, method, role="", headers=headers, cookies={SESSION: cookie}, **more)


def ask(
    application: FastAPI,
    path: str,
    method: str = "GET",
    content: bytes | AsyncIterator[bytes] | None = None,
    *,
    file: bytes | None = None,
    form: Any = None,
    role: str = "operator",
    headers: dict[str, str] | None = None,
    json: Any = None,
    cookies: dict[str, str] | None = None,
    address: str = "127.0.0.1",
) -> httpx.Response:
    """One answer; `file` is sent as the form's field of that name. What the application does not handle is raised.

    `role` is the only one of the key that is sent along; empty: none is.
    """
    files = None if file is None else {"file": ("../../张某.xlsx", file)}
    brought = dict(headers or {})
    if role:
        brought["Authorization"] = f"Bearer {key(application.state.gateway, role)}"

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=application, client=(address, 1))
        settings: dict[str, Any] = {"transport": transport, "base_url": "http://127.0.0.1", "cookies": cookies}
        async with httpx.AsyncClient(**settings) as client:
            body: dict[str, Any] = {"content": content, "files": files, "data": form, "json": json}
            return await client.request(method, path, headers=brought, **body)

    with ThreadPoolExecutor(1) as aside:  # a browser's driver may keep a loop running in this thread
        return aside.submit(asyncio.run, send()).result()
