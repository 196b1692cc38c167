"""`discover`: a stanza proposed from interface documents and pasted answers; offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.discover import MAX_MB, propose, write
from gateway.errors import Usage


def discover(
    ctx: typer.Context,
    documents: Annotated[
        list[Path], typer.Argument(help="接口文档（Word、Excel、PDF）和样例应答（JSON、XML），可写几个", exists=True)
    ],
    dataset: Annotated[str, typer.Option("--dataset", help="数据资源；不写则自己判断")] = "",
    source: Annotated[str, typer.Option("--source", help="数据源的名字；不写则用数据资源的名字")] = "",
    account: Annotated[str, typer.Option("--account", help="accounts.yaml 里的账号")] = "",
    county: Annotated[str, typer.Option("--county", help="县（市、区）的区划代码；写了就给出整个县文件")] = "",
    save: Annotated[bool, typer.Option("--save", help="把县文件存为草稿；已有的不覆盖")] = False,
    as_json: bool = JSON,
) -> None:
    """读接口文档和样例应答，提出县文件里的一段配置：拿不准的写明原因；不联网，不写 --save 就不保存。"""
    bodies = []
    for path in documents:
        with path.open("rb") as file:
            bodies.append(file.read((MAX_MB << 20) + 1))
    if save and not county:
        raise Usage("--save 要与 --county 一起写，才知道是哪个县的文件")
    with gateway(ctx, Action.DISCOVER) as g:
        proposal = propose(bodies, dataset)
        stanza = write(proposal, source, account, county)
        if save:
            name = f"counties/{county}.yaml"
            g.audit.permit(actor(), Action.SAVE_CONFIG, name)
            if any(known.startswith(f"counties/{county}") for known in g.drafts.texts()):
                raise Usage("{county} 已经有县文件，没有覆盖；去掉 --save，把给出的一段抄进去", county=county)
            g.drafts.save(actor(), name, stanza, None)
        g.audit.record(actor(), Action.DISCOVER, proposal.dataset, {"documents": len(bodies)})
    if as_json:
        say_json({**proposal.as_dict(), "stanza": stanza})
    else:
        out.print(stanza, markup=False, soft_wrap=True, end="")
