"""Asking an application in this process, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fastapi import FastAPI


def ask(
    application: FastAPI,
    path: str,
    method: str = "GET",
    content: bytes | None = None,
    file: bytes | None = None,
    headers: dict[str, str] | None = None,
    json: Any = None,
) -> httpx.Response:
    """One answer; `file` is sent as the form's field of that name. What the application does not handle is raised."""
    files = None if file is None else {"file": ("../../张某.xlsx", file)}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, content=content, files=files, headers=headers, json=json)

    return asyncio.run(send())
