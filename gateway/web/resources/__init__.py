"""What the pages show and do, for programs: the same functions and steps under `/api/v1`."""

from fastapi import APIRouter

from gateway.web.resources import chain, duties, feeds

resources = APIRouter()
for group in (feeds.group, duties.group, chain.group):
    resources.include_router(group)

__all__ = ["resources"]
