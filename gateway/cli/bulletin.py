"""`bulletin MONTH`: how counties and agencies kept their promises, to print and to calculate with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gateway.audit import Action
from gateway.bulletin import bulletin as made
from gateway.bulletin import printed, sheets
from gateway.cli.common import JSON, gateway, out, say_json
from gateway.errors import Usage
from gateway.i18n import _
from gateway.scope import EVERYTHING
from gateway.status import percent

WRITERS = {".pdf": printed, ".xlsx": sheets}


def bulletin(
    ctx: typer.Context,
    month: Annotated[str, typer.Argument(help="哪个月，如 2026-10；默认上个月")] = "",
    to: Annotated[Path | None, typer.Option("--to", help="写成文件：.pdf 或 .xlsx")] = None,
    as_json: bool = JSON,
) -> None:
    """通报：一个月里各县、各部门的按时率、合格率、纠正用时、人工占比。"""
    with gateway(ctx, Action.READ_STATUS, month) as g:
        g.config  # noqa: B018 # publishes at the first start
        g.keeper.keep_all()
        told = made(g.store, g.clock, g.config, EVERYTHING, month)
        if to is not None:
            if to.suffix not in WRITERS:
                raise Usage("通报可以写成 .pdf 或 .xlsx，不能写成 {name}", name=to.name)
            to.write_bytes(WRITERS[to.suffix](told, g.config))
            out.print(_("已写入 {file}").format(file=to), markup=False)
            return
        names = {code: county.name for code, county in g.config.counties.items()}
    if as_json:
        say_json(told.as_dict())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("县（市、区）"))
    for column in ("到期", "按时", "补报", "未报", "按时率", "合格率", "人工占比", "纠正用时"):
        table.add_column(_(column), justify="right")
    for score in (*told.counties, told.whole):
        counts = [str(n) for n in (score.due, score.on_time, score.made_up, score.missed)]
        shares = [percent(share) for share in (score.rate, score.quality, score.manual)]
        days = "—" if score.cure_days is None else f"{score.cure_days:.1f}d"
        table.add_row(names.get(score.county, _("合计")), *counts, *shares, days)
    out.print(table)
