"""`freshness`, `freshness waive | revoke`: promises held against what came, and why a verdict stands."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from gateway.app import Gateway
from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, said, say_json
from gateway.errors import Usage
from gateway.freshness import Explained, Standing
from gateway.freshness.verdicts import OWED
from gateway.i18n import _, language, retell, word
from gateway.scope import EVERYTHING
from schemas import DATASETS

app = typer.Typer(help="时效：报送义务、判定、为什么", invoke_without_command=True)
Duty = Annotated[str, typer.Argument(help="<县代码>/<数据资源>，如 360981/subsidy")]
Period = Annotated[str, typer.Argument(help="哪一期，如 2026-10")]


@app.callback()
def freshness(
    ctx: typer.Context,
    county: Annotated[str, typer.Option("--county", help="只看这个县")] = "",
    dataset: Annotated[str, typer.Option("--dataset", help="只看这个数据资源")] = "",
    explain: Annotated[str, typer.Option("--explain", help="为什么这样判定：<县代码>/<数据资源>")] = "",
    as_json: bool = JSON,
) -> None:
    """各项报送义务：这一期怎么样，按时、补报、未报各几期，该谁处理。"""
    if ctx.invoked_subcommand is not None:
        return
    with gateway(ctx, Action.READ_STATUS, explain or county) as g:
        g.config  # noqa: B018 # publishes at the first start
        g.keeper.keep_all()
        if explain:
            told = g.ledger.explain(*parts(explain))
            say_json(asdict(told)) if as_json else _explain(told)
            return
        rows = g.ledger.standings(EVERYTHING, county, dataset)
        names = {code: found.name for code, found in g.config.counties.items()}
    if as_json:
        say_json([row.as_dict() for row in rows])
    else:
        _tables(rows, names)
    if any(row.code in OWED for row in rows):
        raise typer.Exit(1)


def parts(duty: str) -> tuple[str, str]:
    """County and dataset of a duty's name. Raises Usage."""
    county, slash, dataset = duty.partition("/")
    if not (county and slash and dataset):
        raise Usage("请写成 <县代码>/<数据资源>，如 360981/subsidy")
    return county, dataset


def _tables(rows: list[Standing], names: dict[str, str]) -> None:
    """80 columns; what needs somebody is said below."""
    for code in dict.fromkeys(row.county for row in rows):
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        table.title, table.title_justify, table.title_style = f"{code} {names[code]}", "left", "bold"
        for column in ("数据资源", "周期", "期", "判定", "期限", "渠道"):
            table.add_column(_(column), no_wrap=True)
        for column in ("按时", "补报", "未报", "实测"):
            table.add_column(_(column), justify="right", no_wrap=True)
        for row in (row for row in rows if row.county == code):
            table.add_row(
                DATASETS[row.dataset].title if language.get() == "zh" else row.dataset,
                word(row.frequency),
                row.period or "—",
                Text(word(row.code), style="yellow" if row.owner else ""),
                row.due_at[5:10] if row.due_at else "—",
                word(row.channel) if row.channel else "—",
                *(str(count) for count in (row.on_time, row.made_up, row.missed)),
                "—" if row.cadence_days is None else f"{row.cadence_days:g}d",
            )
        out.print(table)
    for row in rows:
        if row.owner:
            facts = {"sentence": said(row.sentence), "owner": word(row.owner), "action": retell(row.action or "")}
            told = _("{feed}：{sentence}（{owner}）{action}").format(feed=row.target, **facts)
            out.print(told, style="yellow", markup=False, soft_wrap=True)


def _explain(told: Explained) -> None:
    standing = told.standing
    title = f"{standing.target}  {word(standing.code)}"
    out.print(title, style="bold", markup=False)
    for sentence in told.sentences:
        out.print(f"  {said(sentence)}", markup=False, soft_wrap=True)
    for line in told.periods:
        out.print(f"  {word(line.code):<6} {said(line.sentence)}", style="dim", markup=False, soft_wrap=True)


@app.command()
def waive(
    ctx: typer.Context,
    duty: Duty,
    period: Period,
    reason: Annotated[str, typer.Option("--reason", help="原因，必填")],
) -> None:
    """豁免一期，写明原因；可以撤销，台账保留。"""
    with gateway(ctx, Action.WAIVE, duty) as g:
        _ready(g)
        g.ledger.waive(*parts(duty), period, reason, str(actor()))
        g.audit.record(actor(), Action.WAIVE, f"{duty}/{period}")
    out.print(_("已豁免 {duty} {period}").format(duty=duty, period=period), markup=False)


@app.command()
def revoke(ctx: typer.Context, duty: Duty, period: Period) -> None:
    """撤销豁免。"""
    with gateway(ctx, Action.REVOKE_WAIVER, duty) as g:
        _ready(g)
        g.ledger.revoke(*parts(duty), period, str(actor()))
        g.audit.record(actor(), Action.REVOKE_WAIVER, f"{duty}/{period}")
    out.print(_("已撤销 {duty} {period} 的豁免").format(duty=duty, period=period), markup=False)


def _ready(g: Gateway) -> None:
    g.config  # noqa: B018 # see freshness
    g.keeper.keep_all()
