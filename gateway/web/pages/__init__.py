"""The dashboard: pages over the same Python functions that the API and the CLI call."""

from fastapi import APIRouter

from gateway.web.pages import (
    account,
    accounts,
    audit,
    bank,
    bulletin,
    chain,
    checks,
    configuration,
    duties,
    feeds,
    keys,
    login,
    overview,
    quarantine,
    seat,
    static,
    users,
)

pages = APIRouter(include_in_schema=False)
GROUPS = (
    static,
    login,
    account,
    bank,
    users,
    keys,
    audit,
    overview,
    feeds,
    bulletin,
    duties,
    quarantine,
    chain,
    accounts,
    seat,
    configuration,
    checks,
)
for group in (module.group for module in GROUPS):
    pages.include_router(group)

__all__ = ["pages"]
