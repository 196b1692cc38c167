"""`chain check | deploy | status | reconcile | export-headers`: the sinks, for whoever connects and watches them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.app import Gateway
from gateway.audit import Action
from gateway.chain import Chain, ChainError, LocalChain
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.errors import Usage
from gateway.i18n import _, retell
from gateway.status import SinkStatus, sink_statuses

app = typer.Typer(help="链：检查、部署合约、核对、导出账本头", no_args_is_help=True)

Sink = Annotated[str, typer.Argument(help="sinks 里的名字；只有一条链时可不写")]


@app.command()
def check(ctx: typer.Context, sink: Sink = "", as_json: bool = JSON) -> None:
    """逐层检查：节点、链号、创世块、合约、账户、写入权、序号。什么都不写。"""
    with gateway(ctx, Action.CHAIN_CHECK, sink) as g:
        g.config  # noqa: B018 # published first
        found = {name: _findings(chain) for name, chain in g.chains.items() if sink in ("", name)}
        if not found:
            _one(g, sink)
    if as_json:
        say_json(found)
    else:
        for name, layers in found.items():
            for layer in layers:
                told = _("{sink} {layer}：{sentence}").format(
                    sink=name, layer=_(layer["layer"]), sentence=retell(layer["sentence"])
                )
                out.print(told, style="green" if layer["ok"] else "red", markup=False, soft_wrap=True)
    if not all(layer["ok"] for layers in found.values() for layer in layers):
        raise typer.Exit(1)


def _findings(chain: Chain) -> list[dict[str, Any]]:
    if isinstance(chain, LocalChain):
        try:
            return [{"layer": "账本", "ok": True, "sentence": f"内置账本，{chain.verify().number} 个区块全部相符"}]
        except ChainError as error:
            return [{"layer": "账本", "ok": False, "sentence": str(error)}]
    from gateway.chain.evm.inspect import findings
    from gateway.chain.evm.sink import EvmChain

    assert isinstance(chain, EvmChain)
    return [asdict(finding) for finding in findings(chain)]


@app.command()
def deploy(ctx: typer.Context, sink: Sink = "", as_json: bool = JSON) -> None:
    """部署合约，把本网关的账户登记为写入者，并钉住这条链。只做一次。"""
    with gateway(ctx, Action.CHAIN_DEPLOY, sink) as g:
        g.config  # noqa: B018 # published first
        name, chain = _one(g, sink)
        if isinstance(chain, LocalChain):
            raise Usage("{sink} 是内置账本，没有合约可部署", sink=name)
        from gateway.chain.evm.sink import EvmChain

        assert isinstance(chain, EvmChain)
        with g.leases.take(chain.lane):
            contract, gas = chain.deploy()
        g.audit.record(actor(), Action.CHAIN_DEPLOY, name, {"contract": contract, "gas": gas})
    if as_json:
        say_json({"sink": name, "contract": contract, "gas": gas})
    else:
        told = _("合约 {contract} 已部署（gas {gas}）；请写进 gateway.yaml：sinks.{sink}.contract")
        out.print(told.format(contract=contract, gas=gas, sink=name), soft_wrap=True)


@app.command()
def status(ctx: typer.Context, as_json: bool = JSON) -> None:
    """每条链：还差多少、最久等了多久、区块高度、序号、在途交易、余额。只看存储，不问节点。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        assert g.config.gateway is not None
        rows = sink_statuses(g.store, g.config.gateway.sinks)
        now = g.clock.now()
    if as_json:
        say_json([row.as_dict() for row in rows])
    else:
        out.print(sink_table(rows, now))
        for row in rows:
            if row.sentence:
                told = _("{sink}：{sentence}").format(sink=row.sink, sentence=retell(row.sentence))
                out.print(told, style="yellow", markup=False)


def sink_table(rows: list[SinkStatus], now: datetime) -> Table:
    """A line for each sink; what a chain does not have is a dash."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column(_("链"), no_wrap=True)
    for column in ("待确认", "条数", "最久", "高度", "序号", "在途", "余额", "应答于"):
        table.add_column(_(column), justify="right", no_wrap=True)
    for row in rows:
        told = (row.tip, row.nonce, row.in_flight, row.balance, row.seen_at and row.seen_at[5:16].replace("T", " "))
        age = _age(row.unconfirmed_since, now)
        table.add_row(
            row.sink, str(row.lag_batches), str(row.lag_statements), age, *("—" if t is None else str(t) for t in told)
        )
    return table


def _age(since: str | None, now: datetime) -> str:
    """How long ago, in the largest unit that says something."""
    if since is None:
        return "—"
    seconds = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@app.command()
def reconcile(ctx: typer.Context, sink: Sink = "", as_json: bool = JSON) -> None:
    """把保存的每张回执与链上重新核对；区块已不在的，退回待确认，由下一次送达重发原来的字节。"""
    with gateway(ctx, Action.CHAIN_RECONCILE, sink) as g:
        g.config  # noqa: B018 # published first
        names = [sink] if sink else list(g.chains)
        found = {name: g.forwarder.reconcile(_one(g, name)[0]) for name in names}
        totals = {
            "receipts": sum(n for n, _gone in found.values()),
            "demoted": sum(gone for _n, gone in found.values()),
        }
        g.audit.record(actor(), Action.CHAIN_RECONCILE, sink, totals)
    if as_json:
        say_json({name: {"receipts": n, "demoted": gone} for name, (n, gone) in found.items()})
    else:
        for name, (receipts, gone) in found.items():
            told = _("{sink}：{receipts} 张回执，{gone} 张的区块已不在链上").format(
                sink=name, receipts=receipts, gone=gone
            )
            out.print(told, style="yellow" if gone else "green")
    if totals["demoted"]:
        raise typer.Exit(1)


@app.command()
def export_headers(
    ctx: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="写到哪个文件")],
    sink: Sink = "",
    as_json: bool = JSON,
) -> None:
    """导出账本头，交给连不上链的成员；成员凭它和签名公钥离线验证。"""
    with gateway(ctx, Action.CHAIN_EXPORT, sink) as g:
        g.config  # noqa: B018 # published first
        name, chain = _one(g, sink)
        head = chain.export_headers(to)
        g.audit.record(actor(), Action.CHAIN_EXPORT, name, {"block": head.number})
    if as_json:
        say_json({"sink": name, "block": head.number, "hash": head.hash})
    else:
        out.print(_("{sink}：账本头写到区块 {block}").format(sink=name, block=head.number))


def _one(g: Gateway, sink: str) -> tuple[str, Chain]:
    """Raises Usage, naming what there is."""
    if not sink and len(g.chains) == 1:
        return next(iter(g.chains.items()))
    if sink not in g.chains:
        raise Usage("请写明是哪条链。可用的有：{known}", known="、".join(g.chains))
    return sink, g.chains[sink]
