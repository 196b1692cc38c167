"""`config check | show | publish`: drafts are validated with their places; publishing is explicit and has an actor."""

from __future__ import annotations

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, fail, gateway, out, say_json, state, told
from gateway.config import read
from gateway.errors import ConfigInvalid
from gateway.i18n import _

app = typer.Typer(help="配置：检查草稿、查看生效版本、发布", no_args_is_help=True)


@app.command()
def check(ctx: typer.Context, as_json: bool = JSON) -> None:
    """检查草稿；每处问题给出 文件:行:列、错在哪里、可以怎么写。"""
    draft = read(state(ctx).settings.config)
    if as_json:
        say_json(
            [
                {"file": p.file, "line": p.line, "column": p.column, "where": p.where, "sentence": p.sentence}
                for p in [*draft.problems, *draft.warnings]
            ]
        )
    if draft.problems:
        if not as_json:
            fail(ConfigInvalid(draft.problems))
        raise typer.Exit(2)
    if not as_json:
        for warning in draft.warnings:
            out.print(_("提醒：{what}").format(what=told(warning)), style="yellow", markup=False, soft_wrap=True)
        out.print(
            _("配置没有问题：{feeds} 个采集任务，{accounts} 个账号").format(
                feeds=len(draft.feeds), accounts=len(draft.accounts)
            )
        )


@app.command()
def show(ctx: typer.Context, as_json: bool = JSON) -> None:
    """查看生效版本：任务、来源、轮询、更新周期；密钥只显示在哪里。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        running = g.config
        rows = [
            {
                "feed": f.name,
                "adapter": f.source.adapter,
                "account": f.source.account,
                "dataset": f.dataset,
                "poll": str(f.model.poll) if f.model.poll else f.model.cron,
                "update_frequency": f.entry.update_frequency,
                "agency": f.entry.promise(f.dataset, f.county.code).agency,
            }
            for f in running.feeds.values()
        ]
        digest = running.digest[:16]
        differs = digest != g.draft.digest[:16]
    if as_json:
        say_json({"digest": digest, "draft_differs": differs, "feeds": rows})
        return
    out.print(_("生效版本 {digest}").format(digest=digest))
    for row in rows:
        out.print("  ".join(str(v) for v in row.values()), markup=False)
    if differs:
        out.print(_("草稿与生效版本不同；请运行 shuqiao config check，再 shuqiao config publish"), style="yellow")


@app.command()
def publish(ctx: typer.Context) -> None:
    """让草稿生效。坏的县文件不影响其他县。"""
    with gateway(ctx, Action.PUBLISH_CONFIG) as g:
        changed = g.publish(actor())
        problems = g.draft.problems
        out.print(
            _("已发布 {digest}").format(digest=g.config.digest[:16]) if changed else _("与生效版本相同，没有发布")
        )
    if problems:
        raise fail(ConfigInvalid(problems))
