"""`quarantine list | show | replay | discard`: nothing rejected is lost, nothing leaves without a reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from gateway.app import Gateway
from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.i18n import _, language
from gateway.quarantine import Quarantine, column_kinds
from gateway.replay import replay as replay_items
from schemas.flags import title

app = typer.Typer(help="隔离区：查看、重放、丢弃被拒的数据", no_args_is_help=True)
Handle = Annotated[str, typer.Argument(help="编号（32 位）")]


@app.command("list")
def list_(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="只看这个采集任务")] = "",
    causes: Annotated[bool, typer.Option("--causes", help="按原因归并")] = False,
    state: Annotated[str, typer.Option("--state", help="open / repaired / superseded / discarded")] = "open",
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="最多列几条")] = 50,
    as_json: bool = JSON,
) -> None:
    """列出隔离的数据。"""
    with gateway(ctx, Action.QUARANTINE_LIST, feed) as g:
        held = Quarantine(g.store, g.vault, g.clock)
        rows = held.causes() if causes else [asdict(i) for i in held.items(feed, state, count)]
    if as_json:
        say_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in (
        ("条数", "采集任务", "字段", "原因") if causes else ("编号", "采集任务", "字段", "原因", "首次", "最近")
    ):
        table.add_column(_(column))
    for r in rows:
        reason = title(r["reason"], language.get())
        if causes:
            table.add_row(str(r["rows"]), r["feed"], r["field"] or "", reason)
        else:
            table.add_row(r["handle"], r["feed"], r["field"] or "", reason, r["first_at"][:16], r["last_at"][:16])
    out.print(table)


@app.command()
def show(ctx: typer.Context, handle: Handle, as_json: bool = JSON) -> None:
    """看一条：原因、字段、原始各列（已脱敏）。"""
    with gateway(ctx, Action.QUARANTINE_SHOW, handle) as g:
        held = Quarantine(g.store, g.vault, g.clock)
        item = held.show(handle, _kinds(g, held.feed_of(handle)))
    if as_json:
        say_json(asdict(item))
        return
    out.print(
        f"{item.handle}  {item.feed}  {item.state}\n{title(item.reason, language.get())}  {item.field or ''}",
        markup=False,
    )
    if item.place:
        out.print(f"  {_('位置')}: {item.place}", markup=False)
    for column, value in (item.item or {}).items():
        out.print(f"  {column}: {value}", markup=False)


def _kinds(g: Gateway, feed: str) -> dict[str, str]:
    """What the columns of a feed hold; nothing is known of one that is no longer configured."""
    if feed not in g.config.feeds:
        return {}
    work = g.prepare(feed)
    work.adapter.close()
    return column_kinds(work.translator)


@app.command()
def replay(ctx: typer.Context, feed: Annotated[str, typer.Argument(help="采集任务")], as_json: bool = JSON) -> None:
    """映射改好并发布后，把该任务隔离的数据重新转换一遍；不再去打扰部门。"""
    with gateway(ctx, Action.QUARANTINE_REPLAY, feed) as g:
        g.feed(feed)
        result = replay_items(g.prepare(feed), g.store, g.vault, g.clock, g.leases)
        g.audit.record(actor(), Action.QUARANTINE_REPLAY, feed, asdict(result))
    if as_json:
        say_json(asdict(result))
    else:
        out.print(_("重放 {tried} 条：修复 {repaired} 条，仍隔离 {held} 条").format(**asdict(result)))


@app.command()
def discard(
    ctx: typer.Context,
    handle: Handle,
    reason: Annotated[str, typer.Option("--reason", help="原因，必填")],
) -> None:
    """丢弃一条，写明原因；记录保留。"""
    with gateway(ctx, Action.QUARANTINE_DISCARD, handle) as g:
        Quarantine(g.store, g.vault, g.clock).discard(handle, reason, str(actor()))
        g.audit.record(actor(), Action.QUARANTINE_DISCARD, handle)
    out.print(_("已丢弃"))
