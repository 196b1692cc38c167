"""`member keygen | fetch | verify`: the member's side. These verbs read no configuration, no store and no environment."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway import member
from gateway.chain.evm import Endpoint
from gateway.cli.common import JSON, err, out, say_json
from gateway.i18n import _, retell

app = typer.Typer(help="成员单位：生成密钥、取回密文、独立验证", no_args_is_help=True)

Key = Annotated[Path, typer.Option("--key", help="本单位的私钥文件")]
Signer = Annotated[Path, typer.Option("--signer", help="钉住的网关签名公钥")]
Shared = Annotated[Path, typer.Option("--shared", help="共享目录，或 fetch 取回的目录")]
Headers = Annotated[Path | None, typer.Option("--headers", help="导出的账本头")]
Ledger = Annotated[Path | None, typer.Option("--ledger", help="账本文件（与 --headers、--endpoint 三选一）")]
Url = Annotated[
    str | None, typer.Option("--endpoint", help="链节点的 JSON-RPC 地址；同时给出 --chain-id 和 --contract")
]
ChainId = Annotated[int | None, typer.Option("--chain-id", help="链号")]
Contract = Annotated[str | None, typer.Option("--contract", help="合约地址（0x 加 40 位十六进制）")]


@app.command()
def keygen(
    key: Annotated[Path, typer.Argument(help="私钥写到哪里")],
    suite: Annotated[str, typer.Option("--suite", help="网关的算法套件：intl-1 或 gm-1（国密）")] = "intl-1",
) -> None:
    """生成本单位的密钥；私钥不出门，公钥（.pub）交给网关。"""
    public = member.keygen(key, suite)
    out.print(public.text, markup=False)


@app.command()
def fetch(
    key: Key,
    signer: Signer,
    shared: Shared,
    to: Annotated[Path, typer.Option("--to", help="取到哪个目录")],
    headers: Headers = None,
    ledger: Ledger = None,
    endpoint: Url = None,
    chain_id: ChainId = None,
    contract: Contract = None,
    as_json: bool = JSON,
) -> None:
    """取回账本头、密文和给本单位的密钥，之后可离线验证。"""
    node = _one_of(headers, ledger, endpoint, chain_id, contract)
    who = member.load_key(key), member.load_signer(signer)
    done = member.fetch(shared, *who, to, headers=headers, ledger=ledger, endpoint=node)
    if as_json:
        say_json(asdict(done))
    else:
        out.print(_("{batches} 批，新取回 {copied} 个文件").format(batches=done.batches, copied=done.copied))
        _complain(done.problems)
    if done.problems:
        raise typer.Exit(1)


@app.command("report")
def report(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="报告的 PDF 或 JSON")],
    signer: Signer,
    headers: Headers = None,
    ledger: Ledger = None,
    endpoint: Url = None,
    chain_id: ChainId = None,
    contract: Contract = None,
    as_json: bool = JSON,
) -> None:
    """核验一份核查报告：逐项验到链上，指出第一处不成立的内容。"""
    node = _one_of(headers, ledger, endpoint, chain_id, contract)
    pinned = member.load_signer(signer)
    checked = member.verify_report(file.read_bytes(), pinned, headers=headers, ledger=ledger, endpoint=node)
    if as_json:
        told = {
            "number": checked.number,
            "proven": checked.proven,
            "waiting": checked.waiting,
            "broken": checked.broken,
        }
        say_json(told)
    else:
        counts = {"number": checked.number, "proven": len(checked.proven), "waiting": len(checked.waiting)}
        out.print(_("报告 {number}：{proven} 项已证明，{waiting} 项出具时尚未上链").format(**counts), markup=False)
        for fact, code, sentence in checked.broken:
            err.print(f"{fact} {code} {retell(sentence)}", style="red", markup=False)
    if not checked.ok:
        raise typer.Exit(1)


@app.command()
def verify(
    key: Key,
    signer: Signer,
    shared: Shared,
    headers: Headers = None,
    ledger: Ledger = None,
    endpoint: Url = None,
    chain_id: ChainId = None,
    contract: Contract = None,
    to: Annotated[Path | None, typer.Option("--out", help="把打开的数据写成 JSON 行（明文，0600）")] = None,
    as_json: bool = JSON,
) -> None:
    """从账本头一路验到每个披露组；缺失或被改动的批次逐一指出。"""
    node = _one_of(headers, ledger, endpoint, chain_id, contract)
    who = member.load_key(key), member.load_signer(signer)
    report = member.verify(shared, *who, headers=headers, ledger=ledger, endpoint=node, out=to)
    if as_json:
        say_json(asdict(report))
    else:
        told = (
            _("区块 {block}；{batches} 批、{versions} 个版本全部相符；打开 {opened} 组，{closed} 组未授权、打不开")
            if report.ok
            else _(
                "区块 {block}；{batches} 批、{versions} 个版本，{problems} 处不符；打开 {opened} 组，{closed} 组未授权、打不开"
            )
        )
        out.print(
            told.format(
                problems=len(report.problems),
                block=report.head.number,
                batches=report.batches,
                versions=report.versions,
                opened=report.groups_opened,
                closed=report.groups_closed,
            )
        )
        _complain(report.problems)
    if not report.ok:
        raise typer.Exit(1)


def _one_of(
    headers: Path | None, ledger: Path | None, url: str | None, chain_id: int | None, contract: str | None
) -> Endpoint | None:
    """The node to ask, if that is how the chain is given."""
    node = (url, chain_id, contract)
    if any(given is not None for given in node) and any(given is None for given in node):
        raise typer.BadParameter(_("--endpoint、--chain-id、--contract 要一起给出"))
    if sum(given is not None for given in (headers, ledger, url)) != 1:
        raise typer.BadParameter(_("请给出 --headers、--ledger 或 --endpoint 之一"))
    if url is None or chain_id is None or contract is None:
        return None
    if not re.fullmatch("0x[0-9a-fA-F]{40}", contract):
        raise typer.BadParameter(_("合约地址应为 0x 加 40 位十六进制"))
    return Endpoint(url, chain_id, contract)


def _complain(problems: list[member.Problem]) -> None:
    for problem in problems:
        err.print(retell(problem.sentence), style="red", markup=False)
