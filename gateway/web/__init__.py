"""The web process: health and the API (the dashboard comes with its own issue)."""

from gateway.web.api import build

__all__ = ["build"]
