"""`trace` and `verify`: where a value came from, and whether the ledger still holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.i18n import _
from gateway.trace import Trace
from gateway.trace import trace as trace_handle


def trace(
    ctx: typer.Context,
    handle: Annotated[str, typer.Argument(help="编号（32 位）")],
    version: Annotated[int, typer.Option("--version", help="版本号；默认最新")] = 0,
    as_json: bool = JSON,
) -> None:
    """从字段追到区块，并当场验证证明。"""
    with gateway(ctx, Action.TRACE, handle) as g:
        found = trace_handle(g, handle, version)
        g.audit.record(actor(), Action.TRACE, handle, {"proven": found.proven})
    if as_json:
        say_json(asdict(found))
    else:
        out.print(lineage_panel(found))
    if not found.proven:
        raise typer.Exit(1)


def lineage_panel(t: Trace) -> Group:
    """The lineage of one version as lines, its fields as a table."""
    hashes = {name: (value or "—")[:32] for name, value in (("answer", t.answer_hash), ("batch", t.batch_id))}
    at = {"feed": t.feed, "version": t.version, "op": t.op, "channel": t.channel, "as_of": t.as_of or "—"}
    steps = [
        (_("编号"), t.handle),
        (_("观测"), _("{feed}  第 {version} 版 {op}  {channel}  数据截至 {as_of}").format(**at)),
        (
            _("采集"),
            _("批次 {run} 第 {page} 页  {request}").format(run=t.run_id, page=t.page or "—", request=t.request or ""),
        ),
        (_("证据"), _("应答指纹 {hash}…  {at}").format(hash=hashes["answer"], at=t.answered_at or "")),
        (_("规则"), _("映射·清洗·代码表 {rules}").format(rules=t.rules)),
    ]
    if t.batch_id is not None:
        where = {"batch": hashes["batch"], "leaf": t.leaf, "of": t.of}
        steps.append((_("封存"), _("批 {batch}…  第 {leaf} 叶，共 {of} 叶").format(**where)))
    if t.ledger is not None:
        block = {"ledger": t.ledger, "block": t.block, "hash": (t.block_hash or "")[:32]}
        steps.append((_("上链"), _("{ledger}  区块 {block}  {hash}…").format(**block)))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("字段", "中文名", "值（脱敏）", "披露组"):
        table.add_column(_(column))
    for f in t.fields:
        if f.value is not None:
            table.add_row(f.path, f.title, f.value, f.group)
    lines = Table.grid(padding=(0, 2))
    for name, text in steps:
        lines.add_row(Text(name, style="bold"), Text(text))
    verdict = Text(_("证明成立") if t.proven else _("尚未上链，无法证明"), style="green" if t.proven else "yellow")
    also = [Text(f"  {a['feed']}  {a['handle']}  {a['role']}") for a in t.also]
    return Group(table, lines, verdict, *([Text(_("同一人在其他数据中："), style="bold"), *also] if also else []))


def verify(
    ctx: typer.Context,
    only_audit: Annotated[bool, typer.Option("--audit", help="只核对审计日志，和它锚定在链上的各条")] = False,
    as_json: bool = JSON,
) -> None:
    """重新核对整个账本和审计日志；哪个区块、哪条日志不对，就指出哪个。"""
    with gateway(ctx, Action.VERIFY) as g:
        results = {} if only_audit else g.verify_chains()
        entries = g.verify_audit()
        g.audit.record(actor(), Action.VERIFY, "", {"blocks": sum(results.values())})
    if as_json:
        say_json(results)
        return
    for sink, blocks in results.items():
        out.print(_("{sink}：{blocks} 个区块全部相符").format(sink=sink, blocks=blocks), style="green")
    out.print(_("审计日志 {entries} 条，完整").format(entries=entries), style="green")
