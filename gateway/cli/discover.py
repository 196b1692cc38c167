"""`discover`: a stanza proposed from interface documents and pasted answers; offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.discover import MAX_MB, propose, write


def discover(
    ctx: typer.Context,
    documents: Annotated[
        list[Path], typer.Argument(help="接口文档（Word、Excel、PDF）和样例应答（JSON、XML），可写几个", exists=True)
    ],
    dataset: Annotated[str, typer.Option("--dataset", help="数据资源；不写则自己判断")] = "",
    source: Annotated[str, typer.Option("--source", help="数据源的名字；不写则用数据资源的名字")] = "",
    as_json: bool = JSON,
) -> None:
    """读接口文档和样例应答，提出县文件里的一段配置：拿不准的写明原因；不联网，不保存。"""
    bodies = []
    for path in documents:
        with path.open("rb") as file:
            bodies.append(file.read((MAX_MB << 20) + 1))
    with gateway(ctx, Action.DISCOVER) as g:
        proposal = propose(bodies, dataset)
        g.audit.record(actor(), Action.DISCOVER, proposal.dataset, {"documents": len(bodies)})
    if as_json:
        say_json({**proposal.as_dict(), "stanza": write(proposal, source)})
    else:
        out.print(write(proposal, source), markup=False, soft_wrap=True, end="")
