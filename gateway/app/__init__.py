"""Composition root: the only place that builds concrete things."""

from gateway.app.drafts import Preview
from gateway.app.root import Gateway, Paths

__all__ = ["Gateway", "Paths", "Preview"]
