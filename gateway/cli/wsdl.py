"""`wsdl`: the description of a SOAP service that runs follow, and how a person takes over a changed one."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.kit import outline
from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.documents import digest
from gateway.i18n import _, retell

app = typer.Typer(help="SOAP 服务描述（WSDL）", no_args_is_help=True)

FEED = typer.Argument(help="采集任务")


@app.command()
def show(ctx: typer.Context, feed: Annotated[str, FEED], as_json: bool = JSON) -> None:
    """采集所依据的服务描述：操作、参数、字段，以及对方现在有什么不同。"""
    with gateway(ctx, Action.WSDL_SHOW, feed) as g, g.described(feed) as described:
        kept = described.pinned()
        told, changes = outline(kept), described.changes()
    if as_json:
        say_json({"digest": digest(kept), "described": told, "changes": changes})
        return
    for name, value in told.items():
        out.print(f"{retell(name)}  {value}", markup=False)
    for change in changes:
        out.print(f"≠ {retell(change)}", style="red", markup=False)
    if changes:
        raise typer.Exit(1)


@app.command()
def accept(ctx: typer.Context, feed: Annotated[str, FEED]) -> None:
    """采用对方现在的服务描述；此后的采集都依据它。"""
    with gateway(ctx, Action.WSDL_ACCEPT, feed) as g, g.described(feed) as described:
        before = digest(described.pinned())
        changes = described.accept()
        after = digest(described.pinned())
        if after == before:
            out.print(_("服务描述没有变化，无需采用"), markup=False)
            return
        detail: dict[str, str | int] = {"changes": len(changes), "before": before[:16], "after": after[:16]}
        g.audit.record(actor(), Action.WSDL_ACCEPT, feed, detail)
    for change in changes:
        out.print(f"≠ {retell(change)}", markup=False)
    out.print(_("已采用新的服务描述，{count} 处不同").format(count=len(changes)), markup=False)
