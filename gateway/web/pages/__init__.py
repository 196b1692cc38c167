"""The dashboard: pages over the same Python functions that the API and the CLI call."""

from fastapi import APIRouter

from gateway.web.pages import duties, login, overview, static

pages = APIRouter(include_in_schema=False)
for group in (static.group, login.group, overview.group, duties.group):
    pages.include_router(group)

__all__ = ["pages"]
