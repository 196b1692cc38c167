"""`cutover`: what comes by hand beside what the system gives, until the hand is given up by a decision that is recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.cli.tables import plain_table
from gateway.cutover import SHOWN, Comparison
from gateway.errors import Usage
from gateway.i18n import _, language, retell
from gateway.scope import EVERYTHING
from schemas import DATASETS

app = typer.Typer(help="人工报送与系统直连的并行核对和切换", no_args_is_help=True)

DUTY = typer.Argument(help="县/数据资源，如 360921/assistance")
REASON = typer.Option("--reason", help="原因（3 到 200 字），不写个人信息")


@app.command("list")
def list_(ctx: typer.Context, as_json: bool = JSON) -> None:
    """哪些数据资源同时有人工报送和系统直连，上次核对怎样。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        g.config  # noqa: B018 # publishes at the first start, so that the feeds exist
        found = g.cutover.parallels(EVERYTHING)
    if as_json:
        say_json([each.as_dict() for each in found])
        return
    for each in found:
        out.print(f"{each.county}/{each.dataset}  {retell(each.sentence)}", markup=False)


@app.command()
def compare(
    ctx: typer.Context,
    duty: Annotated[str, DUTY],
    most: Annotated[int, typer.Option("--most", "-n", min=0, help="每类最多列几行")] = SHOWN,
    as_json: bool = JSON,
) -> None:
    """逐行核对：只在一边的行、字段不同的行（遮盖），从什么时候起一致；有不同则退出码 1。"""
    with gateway(ctx, Action.COMPARE, duty) as g:
        told = g.cutover.compare(*split(duty))
        g.cutover.note(told)
        g.audit.record(actor(), Action.COMPARE, duty, {"differences": told.differences})
    if as_json:
        say_json(told.as_dict(most))
    else:
        _tell(told, most)
    if not told.agreed:
        raise typer.Exit(1)


@app.command()
def retire(
    ctx: typer.Context,
    duty: Annotated[str, DUTY],
    reason: Annotated[str, REASON],
    despite: Annotated[bool, typer.Option("--despite", help="核对过仍有不同，也停用")] = False,
    as_json: bool = JSON,
) -> None:
    """停用人工报送：此后的表格不再收，已收的都留着；记下谁、何时、为什么。"""
    with gateway(ctx, Action.RETIRE, duty) as g:
        told = g.cutover.retire(*split(duty), reason, str(actor()), despite=despite)
        g.audit.record(actor(), Action.RETIRE, duty, {"differences": told.differences, "despite": despite})
    if as_json:
        say_json(told.as_dict())
    else:
        out.print(
            _("{duty} 的人工报送已停用；已收的 {rows} 行都留着").format(duty=duty, rows=told.rows_manual), markup=False
        )


@app.command()
def reopen(ctx: typer.Context, duty: Annotated[str, DUTY]) -> None:
    """恢复人工报送。"""
    with gateway(ctx, Action.REOPEN, duty) as g:
        g.cutover.reopen(*split(duty))
        g.audit.record(actor(), Action.REOPEN, duty)
    out.print(_("{duty} 的人工报送已恢复").format(duty=duty), markup=False)


def split(duty: str) -> tuple[str, str]:
    """County and dataset. Raises Usage."""
    county, _slash, dataset = duty.partition("/")
    if not county or dataset not in DATASETS:
        raise Usage("{duty} 要写成 县/数据资源，如 360921/assistance", duty=duty)
    return county, dataset


def _tell(told: Comparison, most: int) -> None:
    line = _("{manual}（{rows_manual} 行）与 {system}（{rows_system} 行）：{same} 行相同")
    sides = {"manual": "、".join(told.manual), "system": "、".join(told.system)}
    out.print(
        line.format(**sides, rows_manual=told.rows_manual, rows_system=told.rows_system, same=told.same), markup=False
    )
    if told.agreed:
        out.print(
            _("自 {since} 起一致").format(since=str(told.agreed_since)[:16].replace("T", " ")),
            style="green",
            markup=False,
        )
    for sentence, handles in (("只在人工 {count} 行", told.only_manual), ("只在系统 {count} 行", told.only_system)):
        if handles:
            out.print(_(sentence).format(count=len(handles)), style="yellow", markup=False)
            for handle in handles[:most]:
                out.print(f"  {handle}", markup=False)
    if not told.pairs:
        return
    dataset, chinese = DATASETS[told.dataset], language.get() == "zh"
    names = {path: dataset.fields[path].of.title if chinese else path for path in told.by_field}
    by_field = _("，").join(f"{names[path]} {rows}" for path, rows in told.by_field.items())
    differing = _("字段不同 {count} 行：{fields}").format(count=len(told.pairs), fields=by_field)
    out.print(differing, style="yellow", markup=False)
    table = plain_table()
    for column in ("编号", "字段", "人工", "系统"):
        table.add_column(_(column), no_wrap=column == "编号")
    for pair in told.pairs[:most]:
        for leaf in pair.fields:
            table.add_row(pair.manual, names[leaf.path], leaf.manual or "—", leaf.system or "—")
    out.print(table)
