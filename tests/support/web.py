"""Asking an application in this process, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.app import Gateway
from gateway.audit import Actor
from gateway.people import Grant

MAKER = Actor.system()


def key(gateway: Gateway, *grants: str) -> str:
    """A key with these roles, made when first asked for; `gateway` keeps it, for the store does not."""
    kept: dict[tuple[str, ...], str] = gateway.__dict__.setdefault("keys_of_tests", {})
    if grants not in kept:
        name = f"test-{len(gateway.api_keys.all())}"
        kept[grants] = gateway.api_keys.add(name, map(Grant.parse, grants), MAKER)
    return kept[grants]


def ask(
    application: FastAPI,
    path: str,
    method: str = "GET",
    content: bytes | None = None,
    *,
    file: bytes | None = None,
    form: dict[str, str] | None = None,
    role: str = "operator",
    headers: dict[str, str] | None = None,
    json: Any = None,
    cookies: dict[str, str] | None = None,
) -> httpx.Response:
    """One answer; `file` is sent as the form's field of that name. What the application does not handle is raised.

    `role` is the only one of the key that is sent along; empty: none is.
    """
    files = None if file is None else {"file": ("../../张某.xlsx", file)}
    brought = dict(headers or {})
    if role:
        brought["Authorization"] = f"Bearer {key(application.state.gateway, role)}"

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        settings: dict[str, Any] = {"transport": transport, "base_url": "http://127.0.0.1", "cookies": cookies}
        async with httpx.AsyncClient(**settings) as client:
            body: dict[str, Any] = {"content": content, "files": files, "data": form, "json": json}
            return await client.request(method, path, headers=brought, **body)

    return asyncio.run(send())
