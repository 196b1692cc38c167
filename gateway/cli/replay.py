"""`replay`: kept answers translated again under the mapping in force; the difference is shown before it is committed."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.cli.sync import progress
from gateway.cli.tables import plain_table
from gateway.i18n import _, language
from gateway.replay import Difference
from gateway.store.pages import Counts
from schemas.flags import title


def replay(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="采集任务")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看有什么不同，不入库")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="看过不同之处后不再询问")] = False,
    as_json: bool = JSON,
) -> None:
    """映射改好并发布后，把留存的应答重新转换一遍：先看逐个字段有什么不同，再入库；不打扰部门，也不算联系过来源。"""
    with gateway(ctx, Action.REPLAY, feed) as g:
        g.feed(feed)
        difference = g.replays.difference(g.prepare(feed))
        if not as_json:
            _tell(difference)
        if not dry_run and difference.found and (yes or (not as_json and typer.confirm(_("入库吗？")))):
            with progress(disable=as_json) as bars:
                task = bars.add_task(feed, total=difference.found)

                def on_page(counts: Counts, _declared: int | None) -> None:
                    bars.update(task, advance=counts.fetched)

                difference = g.replays.commit(g.prepare(feed), str(actor()), on_page)
            told = {"changed": difference.changed, "same": difference.same}
            g.audit.record(actor(), Action.REPLAY, feed, told)
            if not as_json:
                out.print(_("已入库：{changed} 条有了新版本").format(changed=difference.changed))
    if as_json:
        say_json(difference.as_dict())


def _tell(d: Difference) -> None:
    told = _("{stale} 条记录是按以前的规则转换的：{found} 条有留存的应答，其中 {changed} 条会变，{same} 条不变")
    out.print(told.format(stale=d.stale, found=d.found, changed=d.changed, same=d.same), markup=False)
    if d.missing:
        told = _("{missing} 条没有留存的应答，等来源下次报送时才变").format(missing=d.missing)
        out.print(told, style="yellow", markup=False)
    if d.rekeyed:
        told = _("{rekeyed} 条的主键变了，没有动；请用 shuqiao sync {feed} --full 重读")
        out.print(told.format(rekeyed=d.rekeyed, feed=d.feed), style="yellow", markup=False)
    for reason, rows in d.refused.items():
        told = _("{rows} 条按新规则不能成为记录：{reason}").format(rows=rows, reason=title(reason, language.get()))
        out.print(told, style="yellow", markup=False)
    if d.fields:
        table = plain_table()
        for column in ("字段", "会变的值", "原来 → 以后"):
            table.add_column(_(column), justify="right" if column == "会变的值" else "left")
        for change in d.fields:
            name = change.title if language.get() == "zh" else change.field
            shown = "，".join(f"{was} → {now}" for was, now in change.examples)
            table.add_row(name, f"{change.values:,}", shown)
        out.print(table)
