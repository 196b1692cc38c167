"""Asking an application in this process, without a server."""

from __future__ import annotations

import asyncio

import httpx
from fastapi import FastAPI


def ask(application: FastAPI, path: str, method: str = "GET", content: bytes = b"") -> httpx.Response:
    """One answer. What the application does not handle is raised."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, content=content)

    return asyncio.run(send())
