"""`adapter record`: real exchanges, scrubbed, as a fixture that the contract suite replays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import actor, gateway, out
from gateway.i18n import _
from gateway.worklist import Errand

app = typer.Typer(help="适配器开发工具", no_args_is_help=True)


@app.command()
def record(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="采集任务")],
    to: Annotated[Path, typer.Option("--to", help="录制文件")],
    pages: Annotated[int, typer.Option("--pages", min=1, max=20, help="最多录几页")] = 2,
) -> None:
    """录制一次真实往来并脱敏：号码、姓名、密钥都换成合成的，同一值换成同一值。"""
    with gateway(ctx, Action.ADAPTER_RECORD, feed) as g:
        recording = g.record(feed, pages, Errand(actor()))
        count = len(recording.exchanges) + len(recording.files) + len(recording.rows)
        recording.save(to)
        g.audit.record(actor(), Action.ADAPTER_RECORD, feed, {"exchanges": count})
    out.print(_("已录制 {count} 次往来：{path}").format(count=count, path=to), markup=False)
