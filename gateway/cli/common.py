"""What every verb shares: settings, the actor, the language, and how answers and failures leave."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import typer
from rich.console import Console

from gateway.app import Gateway
from gateway.audit import Action, Actor
from gateway.config import Problem
from gateway.errors import ConfigInvalid, GatewayError
from gateway.i18n import _, retell, show
from gateway.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


@dataclass(slots=True)
class State:
    """Set once by the root command."""

    settings: Settings


def state(ctx: typer.Context) -> State:
    found = ctx.find_object(State)
    assert found is not None
    return found


def actor() -> Actor:
    """Who types: the name of the login, until accounts of people come with roles."""
    return Actor.person(os.environ.get("SHUQIAO_ACTOR") or getpass.getuser())


@contextmanager
def gateway(ctx: typer.Context, action: Action, target: str = "") -> Iterator[Gateway]:
    """A gateway for one verb, after the verb was permitted; closed at its end."""
    opened = Gateway(state(ctx).settings)
    try:
        opened.audit.permit(actor(), action, target)
        yield opened
    finally:
        opened.close()


def say_json(value: Any) -> None:
    """One JSON document on stdout."""
    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    out.print(text.decode(), soft_wrap=True, markup=False)


def fail(error: Exception) -> typer.Exit:
    """Says what is wrong on stderr, one sentence a line; the exit that belongs to it."""
    if isinstance(error, ConfigInvalid):
        for problem in error.problems:
            err.print(told(problem), style="red", markup=False, soft_wrap=True)
        return typer.Exit(error.exit_code)
    err.print(_("错误：{why}").format(why=show(error)), style="red", markup=False, soft_wrap=True)
    return typer.Exit(error.exit_code if isinstance(error, GatewayError) else 1)


def told(problem: object) -> str:
    """A fault of a file with its place, in the language of this context."""
    if not isinstance(problem, Problem):
        return retell(str(problem))
    sentence = retell(problem.sentence)
    told = _("{where}：{sentence}").format(where=problem.where, sentence=sentence) if problem.where else sentence
    return f"{problem.file}:{problem.line}:{problem.column} {told}"


def said(sentence: str) -> str:
    """A sentence with its notes, in the language of this context."""
    return _("；").join(map(retell, sentence.split("；")))


JSON = typer.Option(False, "--json", help="以 JSON 输出")
