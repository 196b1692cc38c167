"""`config check | show | diff | publish | history | rollback`: drafts are validated with their places; publishing is explicit, its
effect is said before, and it has an actor.
"""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.app import Preview
from gateway.audit import Action
from gateway.cli.common import JSON, actor, err, fail, gateway, out, say_json, state, told
from gateway.cli.tables import plain_table
from gateway.config import read
from gateway.errors import ConfigInvalid
from gateway.i18n import _, retell

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
def diff(
    ctx: typer.Context,
    texts: Annotated[bool, typer.Option("--text", help="也列出逐行的不同")] = False,
    as_json: bool = JSON,
) -> None:
    """草稿与生效版本有什么不同，发布后会怎样。"""
    with gateway(ctx, Action.CHECK_CONFIG) as g:
        found = g.drafts.preview()
    if as_json:
        say_json(found.as_dict())
    else:
        for problem in found.problems:
            err.print(told(problem), style="red", markup=False, soft_wrap=True)
        _tell(found, texts=texts)
    if found.problems:
        raise typer.Exit(2)


def _tell(found: Preview, *, texts: bool = False) -> None:
    for effect in found.effects:
        sentence = retell(effect.sentence)
        line = _("{where}：{sentence}").format(where=effect.target, sentence=sentence) if effect.target else sentence
        out.print(line, markup=False, soft_wrap=True)
    if not found.effects and found.publishable:
        out.print(_("发布后什么也不变"))
    for line in found.lines if texts else ():
        out.print(line, markup=False, soft_wrap=True)


@app.command()
def publish(ctx: typer.Context) -> None:
    """让草稿生效，先说明会怎样。坏的县文件不影响其他县。"""
    with gateway(ctx, Action.PUBLISH_CONFIG) as g:
        _tell(g.drafts.preview(g.draft))
        changed = g.publish(actor())
        problems = g.draft.problems
        out.print(
            _("已发布 {digest}").format(digest=g.config.digest[:16]) if changed else _("与生效版本相同，没有发布")
        )
    if problems:
        raise fail(ConfigInvalid(problems))


@app.command()
def history(
    ctx: typer.Context,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="最多列几条")] = 20,
    as_json: bool = JSON,
) -> None:
    """发布过的版本：何时、谁、摘要；最上面的正在生效。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        rows = g.drafts.history(count)
    if as_json:
        say_json(rows)
        return
    table = plain_table()
    for column in ("版本", "时间", "操作者", "摘要", "说明"):
        table.add_column(_(column))
    for row in rows:
        table.add_row(str(row["id"]), row["at"][:16], row["actor"], row["digest"][:16], retell(row["note"] or ""))
    out.print(table)


@app.command()
def rollback(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="版本号，见 config history")],
) -> None:
    """回退到以前的版本，作为新的一版生效；草稿文件不动。"""
    with gateway(ctx, Action.ROLL_BACK_CONFIG, str(number)) as g:
        _tell(g.drafts.preview(g.drafts.version(number)))
        if not g.drafts.rollback(actor(), number):
            out.print(_("与生效版本相同，没有发布"))
            return
        out.print(_("已回退到第 {number} 版；草稿文件没有动，再发布会重新采用草稿").format(number=number))
