"""`drift`: how a source's fields differ from what it used to send, and how a person takes that as it is."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.i18n import _, retell

app = typer.Typer(help="来源字段的变化", no_args_is_help=True)

FEED = typer.Argument(help="采集任务")


@app.command()
def show(ctx: typer.Context, feed: Annotated[str, FEED], as_json: bool = JSON) -> None:
    """来源多了、少了、改了哪些字段，该怎么办；有未处理的则退出码 1。"""
    with gateway(ctx, Action.READ_STATUS, feed) as g:
        changes = g.drift(feed)
    if as_json:
        say_json([change.as_dict() for change in changes])
    for change in () if as_json else changes:
        out.print(
            f"{str(change.since)[:16].replace('T', ' ')}  {retell(change.sentence)}", style="yellow", markup=False
        )
        out.print(f"  {retell(change.remedy)}", markup=False)
    if changes:
        raise typer.Exit(1)


@app.command()
def accept(ctx: typer.Context, feed: Annotated[str, FEED]) -> None:
    """核对过，不必改映射：来源现在的字段就是约定。"""
    with gateway(ctx, Action.ACCEPT_DRIFT, feed) as g:
        count = g.accept_drift(feed)
        g.audit.record(actor(), Action.ACCEPT_DRIFT, feed, {"changes": count})
    out.print(_("已采用来源现在的字段，{count} 处变化").format(count=count), markup=False)
