"""`upload`: spreadsheets by hand, and empty ones to fill in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.kit import SourceMalformed, UploadAdapter, registry
from gateway.audit import Action
from gateway.cli.common import JSON, actor, err, fail, gateway, out, say_json
from gateway.cli.sync import run_now
from gateway.dispatch.execute import RunOptions
from gateway.errors import Busy, Usage
from gateway.i18n import _, show
from gateway.templates import template
from gateway.uploads import Handed
from schemas import DATASETS

MANUAL = "county_upload"


def upload(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="人工报送的任务，如 360981/assistance")] = "",
    files: Annotated[
        list[Path] | None, typer.Argument(help="表格：XLSX、XLS、CSV 或 ZIP", exists=True, dir_okay=False)
    ] = None,
    template_of: Annotated[str, typer.Option("--template", help="写出这个数据资源的空表（XLSX）到标准输出")] = "",
    as_json: bool = JSON,
) -> None:
    """上传人工报送的表格：当场检查、答复，随即采集；同一个文件只收一次。"""
    if template_of:
        with gateway(ctx, Action.READ_STATUS):
            _write_template(template_of)
        return
    if not feed or not files:
        raise Usage("请写明任务和文件，或用 --template 写出空表")
    with gateway(ctx, Action.UPLOAD, feed) as g:
        answered = []
        bad = False
        for number, file in enumerate(files, 1):
            try:
                handed = g.uploads.hand_in(g.prepare(feed), file.read_bytes())
            except SourceMalformed as error:
                err.print(
                    _("第 {number} 个文件没有收：{why}").format(number=number, why=show(error)),
                    style="red",
                    markup=False,
                )
                bad = True
                continue
            g.audit.record(actor(), Action.UPLOAD, feed, handed.figures)
            answered.append(handed.as_dict())
            bad = bad or handed.quarantined > 0
            if not as_json:
                _tell(number, handed)
        if as_json:
            say_json(answered)
        try:
            outcome = run_now(g, feed, RunOptions(), quiet=as_json)
            bad = bad or outcome.verdict.state != "ok"
        except Busy as busy:
            fail(busy)
    if bad:
        raise typer.Exit(1)


def _write_template(dataset: str) -> None:
    if dataset not in DATASETS:
        raise Usage("没有数据资源 {name}。可用的有：{known}", name=dataset, known="、".join(DATASETS))
    adapter = registry.find(MANUAL)
    assert issubclass(adapter, UploadAdapter)
    sys.stdout.buffer.write(template(DATASETS[dataset], adapter.streams[dataset]))


def _tell(number: int, handed: Handed) -> None:
    if handed.known:
        out.print(_("第 {number} 个文件以前收过，没有重复入库").format(number=number), style="yellow", markup=False)
    told = _(
        "第 {number} 个文件：{rows} 行，采纳 {accepted}（其中修复 {repaired}），隔离 {quarantined}，重复 {repeated}，忽略 {ignored}"
    )
    figures = {**handed.figures, "ignored": sum(handed.ignored.values())}
    out.print(told.format(number=number, **figures), markup=False)
    for fault in handed.faults:
        where = " › ".join(filter(None, (fault.place, fault.column)))
        out.print(f"  {where}: {fault.sentence}", style="yellow", markup=False)
