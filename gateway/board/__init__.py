"""What the dashboard and the API show of many things at once, each put together from the store by one function."""

from gateway.board.metrics import Metrics
from gateway.board.overview import Changes, Overview, Today, overview

__all__ = ["Changes", "Metrics", "Overview", "Today", "overview"]
