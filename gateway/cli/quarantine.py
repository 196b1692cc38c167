"""`quarantine …`: nothing rejected is lost; each item is put right, returned, replayed or discarded with a reason."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.app import Gateway
from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.cli.tables import plain_table
from gateway.errors import Usage
from gateway.i18n import _, language, retell, word
from gateway.quarantine import Cure, Event, column_kinds, cures
from gateway.replay import replay as replay_items
from gateway.scope import EVERYTHING
from schemas.flags import title

app = typer.Typer(help="隔离区：被拒的数据按原因归并，导出、更正、退回、重放、丢弃", no_args_is_help=True)
Handle = Annotated[str, typer.Argument(help="编号（32 位）")]
Reason = Annotated[str, typer.Option("--reason", help="只要这个原因（代码）")]


@app.command("list")
def list_(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="只看这个采集任务")] = "",
    causes: Annotated[bool, typer.Option("--causes", help="按原因归并")] = False,
    state: Annotated[
        str, typer.Option("--state", help="open / returned / repaired / superseded / discarded / erased")
    ] = "open",
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="最多列几条")] = 50,
    as_json: bool = JSON,
) -> None:
    """列出隔离的数据。"""
    with gateway(ctx, Action.QUARANTINE_LIST, feed) as g:
        found = g.quarantine.causes(EVERYTHING, feed) if causes else []
        held = [] if causes else g.quarantine.items(EVERYTHING, feed, state, count)
    if as_json:
        say_json([asdict(row) for row in (found or held)])
        return
    table = plain_table()
    for column in (
        ("采集任务", "字段", "原因", "条数", "退回") if causes else ("编号", "采集任务", "字段", "原因", "首次", "最近")
    ):
        table.add_column(_(column), justify="right" if column in ("条数", "退回") else "left")
    for cause in found:
        same = _("{rows} 行，同一原因").format(rows=f"{cause.rows:,}")
        reason = title(cause.reason, language.get())
        table.add_row(cause.feed, cause.field or "", reason, same, str(cause.returned or ""))
    for r in held:
        reason = title(r.reason, language.get())
        table.add_row(r.handle, r.feed, r.field or "", reason, r.first_at[:16], r.last_at[:16])
    out.print(table)


@app.command()
def show(ctx: typer.Context, handle: Handle, as_json: bool = JSON) -> None:
    """看一条：原因、字段、原始各列（已脱敏）、来历。"""
    with gateway(ctx, Action.QUARANTINE_SHOW, handle) as g:
        item = g.quarantine.show(handle, _kinds(g, g.quarantine.feed_of(handle)))
    if as_json:
        say_json(asdict(item))
        return
    reason = title(item.reason, language.get())
    out.print(f"{item.handle}  {item.feed}  {word(item.state)}\n{reason}  {item.field or ''}", markup=False)
    if item.place:
        out.print(f"  {_('位置')}: {retell(item.place)}", markup=False)
    for column, value in (item.item or {}).items():
        out.print(f"  {column}: {value}", markup=False)
    for event in item.history:
        _tell(event)


def _tell(event: Event) -> None:
    out.print(f"{event.at[:16]}  {word(event.event)}  {word(event.actor)}  {event.note or ''}".rstrip(), markup=False)
    for column, (was, now) in event.changes.items():
        out.print(f"  {column}: {was} → {now}", markup=False)
    if event.notice:
        out.print(f"  {event.notice}", markup=False)


@app.command()
def agencies(ctx: typer.Context, as_json: bool = JSON) -> None:
    """各县各部门：未了结、退回、最久、已纠正、纠正用时的中位数。"""
    with gateway(ctx, Action.QUARANTINE_LIST) as g:
        found = cures(g.store, g.config, EVERYTHING)
    if as_json:
        say_json([cure.as_dict() for cure in found])
    else:
        out.print(cure_table(found))


def cure_table(found: list[Cure]) -> object:
    """One line an agency; the county stands in front where it is one."""
    table = plain_table(title=_("隔离数据的纠正：用时自隔离起，中位数"))
    table.add_column(_("部门"), no_wrap=True)
    for column in ("未了结", "退回", "最久", "已纠正", "用时（天）"):
        table.add_column(_(column), justify="right", no_wrap=True)
    for cure in found:
        median = "—" if cure.median_days is None else f"{cure.median_days:g}"
        figures = (str(cure.open), str(cure.returned), (cure.oldest or "—")[:10], str(cure.cured), median)
        table.add_row(f"{cure.county} {cure.agency}".strip(), *figures)
    return table


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="写到这个文件（XLSX）")],
    feed: Annotated[str, typer.Option("--feed", help="只要这个采集任务")] = "",
    county: Annotated[str, typer.Option("--county", help="只要这个县（代码）")] = "",
    agency: Annotated[str, typer.Option("--agency", help="只要这个部门")] = "",
    reason: Reason = "",
    full: Annotated[bool, typer.Option("--full", help="不遮盖：需要权限，并记入审计")] = False,
) -> None:
    """导出给部门的更正表：部门自己的栏目、原因、位置；默认遮盖。"""
    with gateway(ctx, Action.QUARANTINE_EXPORT, feed or county) as g:
        body = g.repairs.export(actor(), EVERYTHING, feed=feed, county=county, agency=agency, reason=reason, full=full)
    file.write_bytes(body)
    out.print(_("已写到 {file}").format(file=file), markup=False)


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="部门交回的更正表", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只检查，不入库")] = False,
    as_json: bool = JSON,
) -> None:
    """读回更正表：逐行重新检查，能读的入库，其余逐行说明。"""
    with gateway(ctx, Action.QUARANTINE_REPAIR) as g:
        taken = g.repairs.take_back(actor(), EVERYTHING, file.read_bytes(), dry_run=dry_run)
    if as_json:
        say_json(taken.as_dict())
    else:
        told = _("{rows} 行：采用 {accepted}，仍有问题 {refused}，未改 {unchanged}，未采用 {settled}")
        out.print(told.format(**taken.figures), markup=False)
        for verdict in taken.told:
            where = " › ".join(filter(None, (verdict.place, verdict.column)))
            sentence = (
                title(verdict.code, language.get()) if verdict.code and not verdict.sentence else verdict.sentence
            )
            out.print(f"  {where}: {retell(sentence)}", style="yellow", markup=False)
    if taken.told:
        raise typer.Exit(1)


@app.command()
def repair(
    ctx: typer.Context,
    handle: Handle,
    column: Annotated[list[str], typer.Option("--column", help="要更正的栏目；更正的值从标准输入读，一行一个")],
    note: Annotated[str | None, typer.Option("--note", help="依据，如核对了什么")] = None,
    as_json: bool = JSON,
) -> None:
    """更正一条：原值、新值和操作者都留存，版本注明由人工更正。"""
    with gateway(ctx, Action.QUARANTINE_REPAIR, handle) as g:
        values = sys.stdin.read().splitlines()
        if len(values) != len(column):
            raise Usage("标准输入应有 {count} 行，一个栏目一行", count=len(column))
        verdict = g.repairs.put_right(actor(), handle, dict(zip(column, values, strict=True)), note)
    if as_json:
        say_json(asdict(verdict))
    elif verdict.state == "accepted":
        out.print(_("已更正，已入库"))
    else:
        out.print(retell(verdict.sentence), style="yellow", markup=False)
    if verdict.state != "accepted":
        raise typer.Exit(1)


@app.command("return")
def return_(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="采集任务")],
    note: Annotated[str, typer.Option("--note", help="给部门的说明，必填")],
    handle: Annotated[list[str] | None, typer.Option("--handle", help="只退回这些编号")] = None,
    reason: Reason = "",
    as_json: bool = JSON,
) -> None:
    """退回部门：写出通知，从此该部门处理。"""
    with gateway(ctx, Action.QUARANTINE_RETURN, feed) as g:
        terms = g.repairs.terms(feed)
        handles = handle or [item.handle for item in g.quarantine.unsettled(feed, reason) if item.state == "open"]
        if not handles:
            raise Usage("没有可退回的数据")
        told = g.quarantine.give_back(terms, handles, note, str(actor()))
        g.audit.record(actor(), Action.QUARANTINE_RETURN, feed, {"rows": told.items, "notice": told.id})
    if as_json:
        say_json(asdict(told))
    else:
        out.print(told.text, markup=False)


@app.command()
def returned(ctx: typer.Context, as_json: bool = JSON) -> None:
    """退回过的通知：何时、哪个部门、多少行、还有多少没有了结。"""
    with gateway(ctx, Action.QUARANTINE_LIST) as g:
        found = g.quarantine.returned(EVERYTHING)
    if as_json:
        say_json([asdict(told) for told in found])
        return
    table = plain_table()
    for column in ("时间", "部门", "条数", "未了结"):
        table.add_column(_(column), no_wrap=True)
    for told in found:
        table.add_row(told.at[:16], f"{told.county} {told.agency}", str(told.items), str(told.waiting))
    out.print(table)


def _kinds(g: Gateway, feed: str) -> dict[str, str]:
    """What the columns of a feed hold; nothing is known of one that is no longer configured."""
    if feed not in g.config.feeds:
        return {}
    work = g.prepare(feed)
    work.adapter.close()
    return column_kinds(work.translator)


@app.command()
def replay(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="采集任务")],
    as_json: bool = JSON,
) -> None:
    """映射改好并发布后，把该任务隔离的数据重新转换一遍；不再去打扰部门。"""
    with gateway(ctx, Action.QUARANTINE_REPLAY, feed) as g:
        g.feed(feed)
        result = replay_items(g.prepare(feed), g.store, g.vault, g.clock, g.leases, str(actor()))
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
        g.quarantine.discard(handle, reason, str(actor()))
        g.audit.record(actor(), Action.QUARANTINE_DISCARD, handle)
    out.print(_("已丢弃"))
