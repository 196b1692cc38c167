"""The command line in this process: one verb, everything it said, and what it raised; the logging it set up is undone."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import click
import typer.main
from typer.testing import CliRunner

from gateway.cli import app
from gateway.i18n import language
from gateway.settings import Settings

QUIET = ("httpx", "httpcore", "apscheduler", "alembic", "zeep", "uvicorn.access")


def verbs() -> dict[str, click.Command]:
    """Every command there is, by the words that call it."""

    def below(command: Any, words: tuple[str, ...]) -> dict[str, click.Command]:
        if not hasattr(command, "commands"):
            return {" ".join(words): command}
        own = {" ".join(words): command} if words and command.invoke_without_command else {}
        return own | {k: v for name, sub in command.commands.items() for k, v in below(sub, (*words, name)).items()}

    return below(typer.main.get_command(app), ())


def shuqiao(settings: Settings, *arguments: str, log: str = "info", typed: str | None = None) -> Any:
    """Runs a verb as `click.testing.Result`; wide, so that no text is broken into lines. `typed`: standard input."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in QUIET}, language.get()
    where: Sequence[str] = ("--config", str(settings.config), "--data", str(settings.data))
    try:
        return CliRunner().invoke(app, [*where, *arguments], env={"COLUMNS": "1000", "SHUQIAO_LOG": log}, input=typed)
    finally:
        root.handlers[:], root.level = before[0], before[1]
        for name, level in before[2].items():
            logging.getLogger(name).setLevel(level)
        language.set(before[3])
