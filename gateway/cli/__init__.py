"""What people type: `shuqiao VERB`. Exit 0 fine, 1 something needs a person, 2 wrong usage or configuration (DESIGN §10)."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.kit import SourceError
from gateway.audit import NotAllowed, PersonalData
from gateway.chain import ChainError
from gateway.cli import (
    adapter,
    alerts,
    bank,
    chain,
    checks,
    config,
    cutover,
    drift,
    freshness,
    keys,
    member,
    people,
    quarantine,
    wsdl,
)
from gateway.cli.bulletin import bulletin
from gateway.cli.check import check, preview
from gateway.cli.common import State, fail
from gateway.cli.demo import demo
from gateway.cli.discover import discover
from gateway.cli.erase import erase
from gateway.cli.replay import replay
from gateway.cli.serve import serve, worker
from gateway.cli.sync import forward, inbox, runs, status, sync
from gateway.cli.trace import trace, verify
from gateway.cli.upload import upload
from gateway.errors import GatewayError
from gateway.i18n import LANGUAGES, _, language
from gateway.log import configure
from gateway.proof import ProofError
from gateway.settings import Settings

app = typer.Typer(
    name="shuqiao",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    ctx: typer.Context,
    config_dir: Annotated[
        Path | None, typer.Option("--config", help="配置目录（SHUQIAO_CONFIG，默认 config/）")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option("--data", help="数据目录（SHUQIAO_DATA，默认 var/）")] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="语言：zh 或 en（SHUQIAO_LANG，默认 zh）")] = None,
) -> None:
    """数桥：把政务数据可证明地送到金融联盟链"""
    given: dict[str, Any] = {"config": config_dir, "data": data_dir, "lang": lang}
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter("zh / en", param_hint="--lang")
    settings = Settings(**{k: v for k, v in given.items() if v is not None})
    configure(settings.log)
    language.set(settings.lang)
    ctx.obj = State(settings)


for verb in (
    people.invite,
    demo,
    serve,
    worker,
    discover,
    check,
    preview,
    sync,
    upload,
    replay,
    forward,
    status,
    inbox,
    runs,
    trace,
    verify,
    erase,
    bulletin,
):
    app.command()(verb)
app.add_typer(freshness.app, name="freshness")
app.add_typer(alerts.app, name="alerts")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(cutover.app, name="cutover")
app.add_typer(drift.app, name="drift")
app.add_typer(member.app, name="member")
app.add_typer(keys.app, name="keys")
app.add_typer(chain.app, name="chain")
app.add_typer(config.app, name="config")
app.add_typer(adapter.app, name="adapter")
app.add_typer(bank.consents, name="consent")
app.add_typer(bank.reports, name="report")
app.add_typer(checks.checks, name="spot-check")
app.add_typer(checks.corrections, name="correction")
app.add_typer(bank.subjects, name="subject")
app.add_typer(wsdl.app, name="wsdl")
app.add_typer(people.users, name="user")
app.add_typer(people.keys, name="api-key")


def main() -> None:
    """Runs a verb; what is expected to go wrong is one sentence and an exit code, never a traceback."""
    language.set(_asked(sys.argv[1:]))
    command = typer.main.get_command(app)
    _translate(command)
    try:
        command()
    except (GatewayError, SourceError, ProofError, ChainError, NotAllowed, PersonalData) as error:
        raise SystemExit(fail(error).exit_code) from None


def _asked(words: list[str]) -> str:
    """The language of this command line; help is written before options are parsed."""
    given = [b for a, b in pairwise(words) if a == "--lang"] + [w[7:] for w in words if w.startswith("--lang=")]
    asked = (given or [os.environ.get("SHUQIAO_LANG", "")])[-1]
    return asked if asked in LANGUAGES else LANGUAGES[0]


def _translate(command: Any) -> None:
    """Help texts of a command, its options and its subcommands, in the language of this context."""
    for told in (command, *command.params):
        if getattr(told, "help", None):
            told.help = _(told.help)
    for verb in getattr(command, "commands", {}).values():
        _translate(verb)
