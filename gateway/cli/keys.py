"""`keys`: master keys that rotate, a suite that changes, key files for a member that comes late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from gateway.audit import Action
from gateway.cli.common import JSON, actor, err, gateway, out, say_json
from gateway.errors import Usage
from gateway.i18n import _
from gateway.proof import SUITES

app = typer.Typer(help="密钥：主密钥轮换、换算法套件、补发成员密钥文件", no_args_is_help=True)


@app.command("show")
def show(ctx: typer.Context, as_json: bool = JSON) -> None:
    """各主密钥还管着多少数据，数据用的是哪个套件。"""
    with gateway(ctx, Action.KEYS) as g:
        masters, suites, current = g.masters.in_use(), g.masters.suites(), g.vault.suite.name
    if as_json:
        say_json({"suite": current, "masters": masters, "content": suites})
        return
    out.print(_("套件 {suite}").format(suite=current), markup=False)
    for key_id, count in masters.items():
        out.print(_("主密钥 {key}：{count} 项").format(key=key_id, count=count), markup=False)
    for suite, count in suites.items():
        out.print(_("{suite} 加密的内容：{count} 段").format(suite=suite, count=count), markup=False)


@app.command("rotate")
def rotate(ctx: typer.Context, as_json: bool = JSON) -> None:
    """换一把新的主密钥，并把旧的管着的全部重新包裹；中断后再运行 keys rewrap 即可接着做。"""
    with gateway(ctx, Action.KEYS_ROTATE) as g:
        with _progress() as on_rows:
            done = g.masters.rotate(on_rows)
        g.audit.record(actor(), Action.KEYS_ROTATE, g.vault.suite.name, {"rows": done})
    _tell(done, as_json=as_json)


@app.command("rewrap")
def rewrap(
    ctx: typer.Context,
    suite: Annotated[str, typer.Option("--suite", help="换到哪个算法套件；默认是 gateway.yaml 里写的")] = "",
    as_json: bool = JSON,
) -> None:
    """把全部内容重新包裹到当前主密钥和套件下；可随时中断，再运行就接着做。"""
    with gateway(ctx, Action.KEYS_REWRAP, suite) as g:
        assert g.config.gateway is not None
        asked = suite or g.config.gateway.suite
        if asked not in SUITES:
            raise Usage("没有算法套件 {name}。可用的有：{known}", name=asked, known="、".join(SUITES))
        if asked != g.config.gateway.suite:
            raise Usage(
                "gateway.yaml 生效的套件是 {now}；请先写成 suite: {asked} 并发布，再运行一次",
                now=g.config.gateway.suite,
                asked=asked,
            )
        with _progress() as on_rows:
            done = g.masters.rewrap(SUITES[asked], on_rows)
        g.audit.record(actor(), Action.KEYS_REWRAP, asked, {"rows": done})
    _tell(done, as_json=as_json)


@app.command("prune")
def prune(ctx: typer.Context, as_json: bool = JSON) -> None:
    """丢弃已不管任何数据的旧主密钥；旧备份从此打不开。"""
    with gateway(ctx, Action.KEYS_PRUNE) as g:
        gone = g.masters.prune()
        g.audit.record(actor(), Action.KEYS_PRUNE, "", {"masters": len(gone)})
    if as_json:
        say_json({"pruned": gone})
    else:
        out.print(_("已丢弃 {count} 把旧主密钥").format(count=len(gone)))


@app.command("issue")
def issue(
    ctx: typer.Context,
    member: Annotated[str, typer.Argument(help="成员单位，gateway.yaml 里的名字")],
    again: Annotated[bool, typer.Option("--again", help="已有密钥文件的批次也重发（授权范围改了）")] = False,
    as_json: bool = JSON,
) -> None:
    """给晚来的成员补发以往各批的密钥文件；密文不动。"""
    with gateway(ctx, Action.MEMBER_ISSUE, member) as g:
        with _progress() as on_rows:
            issued = g.grants.late(member, g.clock.today(), again=again, on_batch=lambda: on_rows(1))
        g.audit.record(actor(), Action.MEMBER_ISSUE, member, {"issued": issued.written})
    if as_json:
        say_json({"issued": issued.written, "standing": issued.standing, "held": issued.held})
    else:
        counts = {"written": issued.written, "standing": issued.standing}
        out.print(_("补发 {written} 批，{standing} 批原已有").format(**counts))
        for reason in issued.held:
            err.print(reason, style="yellow", markup=False)
    if issued.held:
        raise typer.Exit(1)


def _tell(done: int, *, as_json: bool) -> None:
    if as_json:
        say_json({"rows": done})
    else:
        out.print(_("已重新包裹 {rows} 项").format(rows=done))


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    columns = (SpinnerColumn(), TextColumn("{task.completed}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda count: bar.advance(task, count)
