"""Structured logs, one JSON line an event, on stderr. Every line is scrubbed: no ID number, phone or account leaves."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from schemas.masking import scrub


def scrub_event(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Masks what looks like an ID number, a phone or an account number in every text of the event."""
    return {key: scrub(value) if isinstance(value, str) else value for key, value in event.items()}


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is now: a runner that lent us a stream may have closed it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self._given: TextIO | None = None

    @property
    def stream(self) -> TextIO:
        return self._given or sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        self._given = value


def configure(level: str) -> None:
    """Sends structlog and the standard library's loggers through one chain."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        scrub_event,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "apscheduler", "alembic", "zeep", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def _render(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
    text = structlog.processors.JSONRenderer(ensure_ascii=False)(logger, name, event)
    return text if isinstance(text, str) else text.decode()
