"""Whoever's move it is is told, once, and told again when it is over (DESIGN §9).

verdicts ─▶ book: opened, settled, recovered ─▶ notices: one for each alert, channel and occasion ─▶ post: grouped, signed, retried
"""

from gateway.alerts.book import AlertBook, Window
from gateway.alerts.channels import Channel, Undelivered, channel
from gateway.alerts.message import Line, Message
from gateway.alerts.post import Post, Posted

__all__ = ["AlertBook", "Channel", "Line", "Message", "Post", "Posted", "Undelivered", "Window", "channel"]
