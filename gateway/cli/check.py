"""`check` and `preview`: what stands between a county and its agency, layer by layer, and what one page would become."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.cells import set_cell_size
from rich.table import Table

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.i18n import _, retell, word
from gateway.worklist import Errand

DRAFT: Final = typer.Option("--draft", help="按草稿，还没有发布的也行")
LAYER_CELLS: Final = 8
"""Terminal cells for the name of a layer; a Chinese character takes two."""


def check(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="采集任务；不写则检查全部")] = "",
    draft: Annotated[bool, DRAFT] = False,
    as_json: bool = JSON,
) -> None:
    """逐层检查，到第一层不通为止，并说明怎么办：配置、域名、端口、TLS、认证、服务描述、试读、映射、字段约束、报送义务。"""
    with gateway(ctx, Action.CHECK, feed) as g:
        names = [feed] if feed else list((g.draft if draft else g.config).feeds)
        results = {name: g.check(name, Errand(actor(), most=1), draft=draft) for name in names}
    if as_json:
        say_json({name: [asdict(p) for p in probes] for name, probes in results.items()})
    else:
        for name, probes in results.items():
            out.print(name, style="bold")
            for probe in probes:
                out.print(
                    f"  {'✓' if probe.ok else '✗'} {_padded(word(probe.layer))} {retell(probe.sentence)}",
                    style="" if probe.ok else "red",
                    markup=False,
                    soft_wrap=True,
                )
                if probe.remedy:
                    out.print(f"    {_padded('')} → {_(probe.remedy)}", markup=False, soft_wrap=True)
    if not all(p.ok for probes in results.values() for p in probes):
        raise typer.Exit(1)


def _padded(layer: str) -> str:
    return set_cell_size(layer, LAYER_CELLS)


def preview(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="采集任务")],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, max=100, help="显示几行")] = 5,
    draft: Annotated[bool, DRAFT] = False,
    as_json: bool = JSON,
) -> None:
    """读一页给人看：请求、脱敏后的原始值、标准值、标记；什么都不入库。"""
    with gateway(ctx, Action.PREVIEW, feed) as g:
        shown = g.preview(feed, rows, Errand(actor(), most=1), draft=draft)
        g.audit.record(actor(), Action.PREVIEW, feed, {"rows": len(shown.rows)})
    if as_json:
        say_json(asdict(shown))
        return
    out.print(_("请求：{request}").format(request=shown.request), markup=False)
    out.print(_("这一次取得 {got} 条").format(got=shown.got))
    for sentence in shown.capped:
        out.print(retell(sentence), markup=False)
    for row in shown.rows:
        table = Table(
            box=None,
            pad_edge=False,
            header_style="bold",
            title_justify="left",
            title=f"#{row.position + 1} {row.verdict}",
        )
        for column in ("字段", "来源列", "原始值（脱敏）", "标准值（脱敏）", "标记"):
            table.add_column(_(column), overflow="fold")
        for cell in row.cells:
            table.add_row(cell.field, cell.column, cell.raw or "", cell.canonical or "—", cell.flags)
        out.print(table)
    came = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", title=_("来源给的各列"))
    for column in ("来源列", "有值", "看上去是", "占"):
        came.add_column(_(column), overflow="fold")
    for one in shown.columns:
        came.add_row(one.column, f"{one.filled}/{one.of}", _(one.kind), f"{one.share}%")
    out.print(came)
    told = Table(box=None, pad_edge=False, header_style="bold", title_justify="left", title=_("试读的行里填得上几条"))
    for column in ("字段", "名称", "必填", "填得上"):
        told.add_column(_(column), overflow="fold")
    for field in shown.fields:
        told.add_row(field.field, field.title, "*" if field.required else "", f"{field.filled}/{field.of}")
    out.print(told)
