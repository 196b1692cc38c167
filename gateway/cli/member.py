"""`member keygen | fetch | verify`: the member's side. These verbs read no configuration, no store and no environment."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway import member
from gateway.cli.common import JSON, err, out, say_json
from gateway.i18n import _, retell

app = typer.Typer(help="成员单位：生成密钥、取回密文、独立验证", no_args_is_help=True)

Key = Annotated[Path, typer.Option("--key", help="本单位的私钥文件")]
Signer = Annotated[Path, typer.Option("--signer", help="钉住的网关签名公钥")]
Shared = Annotated[Path, typer.Option("--shared", help="共享目录，或 fetch 取回的目录")]
Headers = Annotated[Path | None, typer.Option("--headers", help="导出的账本头")]
Ledger = Annotated[Path | None, typer.Option("--ledger", help="账本文件（与 --headers 二选一）")]


@app.command()
def keygen(key: Annotated[Path, typer.Argument(help="私钥写到哪里")]) -> None:
    """生成本单位的密钥；私钥不出门，公钥（.pub）交给网关。"""
    public = member.keygen(key)
    out.print(public.text, markup=False)


@app.command()
def fetch(
    key: Key,
    signer: Signer,
    shared: Shared,
    to: Annotated[Path, typer.Option("--to", help="取到哪个目录")],
    headers: Headers = None,
    ledger: Ledger = None,
    as_json: bool = JSON,
) -> None:
    """取回账本头、密文和给本单位的密钥，之后可离线验证。"""
    _one_of(headers, ledger)
    done = member.fetch(shared, member.load_key(key), member.load_signer(signer), to, headers=headers, ledger=ledger)
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
    as_json: bool = JSON,
) -> None:
    """核验一份核查报告：逐项验到链上，指出第一处不成立的内容。"""
    _one_of(headers, ledger)
    checked = member.verify_report(file.read_bytes(), member.load_signer(signer), headers=headers, ledger=ledger)
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
    to: Annotated[Path | None, typer.Option("--out", help="把打开的数据写成 JSON 行（明文，0600）")] = None,
    as_json: bool = JSON,
) -> None:
    """从账本头一路验到每个披露组；缺失或被改动的批次逐一指出。"""
    _one_of(headers, ledger)
    report = member.verify(
        shared, member.load_key(key), member.load_signer(signer), headers=headers, ledger=ledger, out=to
    )
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


def _one_of(headers: Path | None, ledger: Path | None) -> None:
    if (headers is None) == (ledger is None):
        raise typer.BadParameter(_("请给出 --headers 或 --ledger 之一"))


def _complain(problems: list[member.Problem]) -> None:
    for problem in problems:
        err.print(retell(problem.sentence), style="red", markup=False)
