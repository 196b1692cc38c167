"""`spot-check` and `correction`: samples checked on the spot, and what agencies are asked to put right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.i18n import _, word
from gateway.scope import EVERYTHING
from gateway.spotcheck.sheet import read_back, sheet

checks = typer.Typer(help="抽样核查：抽取、核查表、交回、准确率", no_args_is_help=True)
corrections = typer.Typer(help="更正：请部门核实的值、答复", no_args_is_help=True)

Check = Annotated[int, typer.Argument(help="核查编号")]


@checks.command("draw")
def draw(
    ctx: typer.Context,
    county: Annotated[str, typer.Argument(help="区划代码")],
    each: Annotated[int, typer.Option("--each", min=1, max=1000, help="每个任务抽几条")] = 20,
    seed: Annotated[str, typer.Option("--seed", help="随机种子；默认今天的日期，同样的种子抽到同样的样本")] = "",
    as_json: bool = JSON,
) -> None:
    """随机抽取一个县的样本，每个任务（部门 × 渠道）分别抽。"""
    with gateway(ctx, Action.SPOT_CHECK, county) as g:
        check = g.spot_checks.draw(county, each=each, seed=seed or g.clock.today().isoformat(), actor=str(actor()))
        items = len(g.spot_checks.sample(check))
        g.audit.record(actor(), Action.SPOT_CHECK, f"{county}/{check}", {"each": each})
    if as_json:
        say_json({"check": check, "items": items})
    else:
        out.print(_("核查 {check}：抽取 {items} 条").format(check=check, items=items), markup=False)


@checks.command("sheet")
def taken_along(ctx: typer.Context, check: Check, to: Annotated[Path, typer.Argument(help="Excel 写到哪里")]) -> None:
    """给外勤的核查表：可打印，含个人信息，用后交回。"""
    with gateway(ctx, Action.SPOT_CHECK, str(check)) as g:
        sample = g.spot_checks.sample(check)
        to.touch(mode=0o600, exist_ok=True)
        to.write_bytes(sheet(check, sample))
        g.audit.record(actor(), Action.SPOT_CHECK, str(check), {"sheet": len(sample)})
    out.print(_("已写入 {count} 条").format(count=len(sample)), markup=False)


@checks.command("enter")
def enter(
    ctx: typer.Context,
    check: Check,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="填好的核查表")],
    as_json: bool = JSON,
) -> None:
    """交回填好的核查表；不一致的值逐个转给部门核实。"""
    with gateway(ctx, Action.SPOT_CHECK, str(check)) as g:
        taken = g.spot_checks.take(check, read_back(file.read_bytes()), str(actor()))
        g.audit.record(actor(), Action.SPOT_CHECK, str(check), {"answers": taken.answers, "wrong": taken.wrong})
    if as_json:
        say_json(taken.as_dict())
    else:
        told = _("记下 {answers} 个结果，{wrong} 个不一致，已转部门核实")
        out.print(told.format(answers=taken.answers, wrong=taken.wrong), markup=False)


@checks.command("accuracy")
def accuracy(ctx: typer.Context, as_json: bool = JSON) -> None:
    """实测准确率：按县、部门、渠道、项目，95% 置信区间。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        found = [m.as_dict() for m in g.spot_checks.measured(EVERYTHING)]
    if as_json:
        say_json(found)
        return
    table = Table(box=None)
    for column in ("县", "部门", "渠道", "项目", "核对", "一致", "准确率", "区间"):
        table.add_column(_(column))
    for m in found:
        share = (m["checked"], m["right"], m["share"], f"{m['low']}–{m['high']}")
        table.add_row(m["county"], m["agency"], word(m["channel"]), m["title"], *share)
    out.print(table)


@corrections.command("list")
def listed(
    ctx: typer.Context,
    state: Annotated[str, typer.Option("--state", help="open、corrected、upheld、withdrawn；空为全部")] = "open",
    as_json: bool = JSON,
) -> None:
    """请部门核实的值，最急的在前；值已脱敏。"""
    with gateway(ctx, Action.READ_CORRECTIONS) as g:
        found = [c.as_dict() for c in g.corrections.within(EVERYTHING, state)]
    if as_json:
        say_json(found)
        return
    table = Table(box=None)
    for column in ("编号", "来由", "县", "部门", "项目", "期限", "状态"):
        table.add_column(_(column))
    for c in found:
        where = (c["county"], c["agency"], c["title"], c["due_on"])
        table.add_row(c["handle"], word(c["origin"]), *where, word(c["state"]))
    out.print(table)


@corrections.command("answer")
def answer(
    ctx: typer.Context,
    handle: Annotated[str, typer.Argument(help="更正的编号")],
    outcome: Annotated[str, typer.Option("--outcome", help="corrected 已更正，upheld 核实无误")],
    note: Annotated[str, typer.Option("--note", help="核实的经过和依据；不写个人信息")],
) -> None:
    """部门的书面答复。"""
    with gateway(ctx, Action.ANSWER_CORRECTION, handle) as g:
        done = g.corrections.answer(handle, outcome, note, str(actor()))
        g.audit.record(actor(), Action.ANSWER_CORRECTION, handle, {"outcome": outcome})
    out.print(_("已答复 {handle}：{outcome}").format(handle=done.handle, outcome=word(done.state)), markup=False)
