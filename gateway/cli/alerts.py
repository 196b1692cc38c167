"""`alerts`, `alerts take | test | window …`: who was told what, and when nobody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from gateway.alerts import Window
from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, said, say_json
from gateway.clock import SHANGHAI
from gateway.errors import Usage
from gateway.i18n import _, word
from gateway.scope import EVERYTHING

app = typer.Typer(help="告警：谁被告知了什么，认领、试发、维护窗口", invoke_without_command=True)
windows = typer.Typer(help="维护窗口：这段时间里不告警", invoke_without_command=True)
app.add_typer(windows, name="window")


@app.callback()
def alerts(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="连同已恢复的")] = False,
    as_json: bool = JSON,
) -> None:
    """未恢复的告警：怎么了，归谁，告知了没有，谁认领了。"""
    if ctx.invoked_subcommand is not None:
        return
    with gateway(ctx, Action.READ_STATUS) as g:
        g.config  # noqa: B018 # publishes at the first start
        rows = g.alerts.alerts(EVERYTHING, everything=everything)
    if as_json:
        say_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("号", "对象", "判定", "归谁", "自", "告知", "认领"):
        table.add_column(_(column))
    for row in rows:
        ended = f"{word('ok')} {row['closed_at'][5:16]}" if row["closed_at"] else ""
        told = row["told_at"][5:16].replace("T", " ") if row["told_at"] else "—"
        taken, since = row["taken_by"] or ended or "—", row["since"][5:16].replace("T", " ")
        table.add_row(str(row["id"]), row["target"], word(row["code"]), word(row["owner"]), since, told, taken)
    out.print(table)
    for row in rows:
        if row["closed_at"] is None:
            verdict = {"sentence": said(row["sentence"]), "owner": word(row["owner"]), "action": said(row["action"])}
            told = _("{feed}：{sentence}（{owner}）{action}").format(feed=f"{row['id']} {row['target']}", **verdict)
            out.print(told, style="yellow", markup=False, soft_wrap=True)
    if any(row["closed_at"] is None for row in rows):
        raise typer.Exit(1)


@app.command()
def take(ctx: typer.Context, number: Annotated[int, typer.Argument(help="告警的号")]) -> None:
    """认领一条：由你处理，不再上报。"""
    with gateway(ctx, Action.TAKE_ALERT) as g:
        g.alerts.take(number, str(actor()))
        g.audit.record(actor(), Action.TAKE_ALERT, str(number))
    out.print(_("已认领"))


@app.command()
def test(ctx: typer.Context, channel: Annotated[str, typer.Argument(help="gateway.yaml 里的渠道名")]) -> None:
    """经真实的渠道发一条测试消息。"""
    with gateway(ctx, Action.TEST_ALERT, channel) as g:
        g.post.test(channel)
        g.audit.record(actor(), Action.TEST_ALERT, channel)
    out.print(_("渠道 {channel} 已接收测试消息").format(channel=channel))


@windows.callback()
def listed(ctx: typer.Context, as_json: bool = JSON) -> None:
    """还没有结束的维护窗口。"""
    if ctx.invoked_subcommand is not None:
        return
    with gateway(ctx, Action.READ_STATUS) as g:
        rows = g.alerts.windows()
    if as_json:
        say_json(rows)
        return
    for row in rows:
        out.print(
            f"{row['id']}  {row['pattern']}  {row['starts'][:16]} – {row['ends'][:16]}  {row['reason']}", markup=False
        )


@windows.command()
def add(
    ctx: typer.Context,
    pattern: Annotated[str, typer.Argument(help="对象：360981/*、account:*、*")],
    starts: Annotated[str, typer.Option("--from", help="开始，如 2026-12-01T22:00")],
    ends: Annotated[str, typer.Option("--to", help="结束，如 2026-12-02T06:00")],
    reason: Annotated[str, typer.Option("--reason", help="原因，必填")],
) -> None:
    """预告一段维护时间：其间不告警，结束后仍没好的才告警。"""
    with gateway(ctx, Action.ALERT_WINDOW) as g:
        number = g.alerts.add_window(Window(pattern, moment(starts), moment(ends), reason), str(actor()))
        g.audit.record(actor(), Action.ALERT_WINDOW, str(number), {"step": "add"})
    out.print(_("维护窗口 {number} 已登记").format(number=number))


@windows.command()
def end(ctx: typer.Context, number: Annotated[int, typer.Argument(help="维护窗口的号")]) -> None:
    """提前结束一个维护窗口。"""
    with gateway(ctx, Action.ALERT_WINDOW, str(number)) as g:
        g.alerts.end_window(number)
        g.audit.record(actor(), Action.ALERT_WINDOW, str(number), {"step": "end"})
    out.print(_("维护窗口 {number} 已结束").format(number=number))


def moment(text: str) -> datetime:
    """A moment as people type it, Asia/Shanghai unless it says otherwise. Raises Usage."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Usage("“{text}”不是时间，请写成 2026-12-01T22:00", text=text) from None
    return found.astimezone(SHANGHAI) if found.tzinfo else found.replace(tzinfo=SHANGHAI)
