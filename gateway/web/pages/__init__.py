"""The dashboard: pages over the same Python functions that the API and the CLI call."""

from fastapi import APIRouter

from gateway.web.pages import account, audit, bank, duties, keys, login, overview, static, users

pages = APIRouter(include_in_schema=False)
OURS = (static.group, login.group, account.group, bank.group, users.group, keys.group, audit.group)
for group in (*OURS, overview.group, duties.group):
    pages.include_router(group)

__all__ = ["pages"]
