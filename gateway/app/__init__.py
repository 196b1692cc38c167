"""Composition root: the only place that builds concrete things."""

from gateway.app.drafts import Preview
from gateway.app.foundation import Paths
from gateway.app.root import Gateway

__all__ = ["Gateway", "Paths", "Preview"]
