"""`erase`: a person, or one observation, for good."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, err, gateway, out, say_json
from gateway.errors import Usage
from gateway.i18n import _
from gateway.reports.office import canonical_id


def erase(
    ctx: typer.Context,
    handle: Annotated[str, typer.Argument(help="编号（32 位）；不给则从标准输入读公民身份号码，擦除其全部数据")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="已核实申请人与依据；擦除不可恢复")] = False,
    as_json: bool = JSON,
) -> None:
    """擦除一个人或一条观测：删除密钥，重发成员密钥文件，以后采到也不再收；再运行一次可补做中断的部分。"""
    if not yes:
        raise Usage("擦除不可恢复；核实申请人与依据后，请加 --yes")
    with gateway(ctx, Action.ERASE, handle) as g:
        if handle:
            done = g.eraser.observation(handle)
        else:
            number = sys.stdin.readline().strip()
            done = g.eraser.person(canonical_id(number, g.clock.today()))
        counts = {name: count for name, count in asdict(done).items() if name != "handle"}
        g.audit.record(actor(), Action.ERASE, done.handle or "", counts)
    if as_json:
        say_json(asdict(done))
        return
    if done.handle is None:
        out.print(_("没有可擦除的数据，或已擦除过"))
    else:
        told = _("擦除声明 {handle}：{observations} 条观测、{statements} 条授权与查询、{quarantined} 条隔离数据")
        out.print(told.format(handle=done.handle, **counts), markup=False)
    told = _("删除 {answers} 份原始应答、{reports} 份报告存件，重发 {key_files} 份成员密钥文件")
    out.print(told.format(**counts))
    if done.cursors:
        out.print(_("{cursors} 个任务的采集位置写着此人，已清除，下次从头读").format(**counts))
    if done.waiting:
        told = _("收件箱里有 {waiting} 份推送或上传写着此人或无法查找；其任务下次运行时略去此人，不留原文")
        err.print(told.format(**counts), style="yellow")
    if not done.trimmed:
        err.print(_("数据库日志正被读取，尚未清空；请停止 serve 后再运行一次"), style="yellow")
    if done.unsearched:
        told = _("{unsearched} 份原始应答是压缩包或工作簿，无法查找，未删除")
        err.print(told.format(**counts), style="yellow")
