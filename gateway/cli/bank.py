"""`consent` and `report`: a bank's desk. An ID number is asked for on standard input, never typed as an argument."""

from __future__ import annotations

import sys
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.table import Table

from gateway.app import Gateway
from gateway.audit import Action
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.errors import Usage
from gateway.i18n import _, word
from gateway.reports.consents import CLASSES, Refused
from gateway.reports.office import Report, canonical_id
from gateway.scope import EVERYTHING

consents = typer.Typer(help="授权：登记、查看、撤销", no_args_is_help=True)
subjects = typer.Typer(help="本人：存有什么、谁读过", no_args_is_help=True)
reports = typer.Typer(help="核查报告：查询、重取、核验", no_args_is_help=True)

ALL: Final = ",".join(CLASSES)

Institution = Annotated[str, typer.Option("--institution", help="成员单位，gateway.yaml 里的名称")]
Purpose = Annotated[
    str, typer.Option("--purpose", help="查询目的：loan_application、credit_line、post_loan、acceptance_test")
]
Classes = Annotated[str, typer.Option("--classes", help="数据类别，用逗号隔开；默认全部")]


def _person() -> tuple[str, str]:
    """ID number and name, two lines of standard input."""
    if sys.stdin.isatty():
        return typer.prompt(_("公民身份号码"), hide_input=True), typer.prompt(_("姓名"))
    lines = sys.stdin.read().splitlines()
    if len(lines) != 2:
        raise Usage("请在标准输入给两行：公民身份号码、姓名")
    return lines[0], lines[1]


@consents.command("add")
def add(
    ctx: typer.Context,
    institution: Institution,
    purpose: Purpose,
    file: Annotated[Path, typer.Option("--file", exists=True, dir_okay=False, help="本人签署的授权书")],
    valid_to: Annotated[str, typer.Option("--to", help="授权止期，如 2026-12-31")],
    valid_from: Annotated[str, typer.Option("--from", help="授权起期；默认今天")] = "",
    classes: Classes = ALL,
    express: Annotated[bool, typer.Option("--express", help="授权书单列了不动产和收入，并告知了不利后果")] = False,
    as_json: bool = JSON,
) -> None:
    """登记一份授权；本人的号码和姓名从标准输入读。"""
    with gateway(ctx, Action.CONSENT, institution) as g:
        number, name = _person()
        today = g.clock.today()
        given = g.consents.grant(
            id_no=canonical_id(number, today),
            name=name.strip(),
            institution=institution,
            purpose=purpose,
            classes=set(filter(None, classes.split(","))),
            file_hash=sha256(file.read_bytes()).hexdigest(),
            valid_from=_date(valid_from) if valid_from else today,
            valid_to=_date(valid_to),
            express=express,
            actor=str(actor()),
        )
        g.audit.record(actor(), Action.CONSENT, given.handle, {"classes": len(given.classes)})
    if as_json:
        say_json(given.as_dict())
    else:
        out.print(_("已登记授权 {handle}，有效至 {to}").format(handle=given.handle, to=given.valid_to), markup=False)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Usage("{text} 不是日期；请写成 2026-12-31", text=text) from None


@consents.command("list")
def listed(
    ctx: typer.Context, institution: Annotated[str, typer.Option("--institution")] = "", as_json: bool = JSON
) -> None:
    """最近登记的授权；不列本人是谁。"""
    with gateway(ctx, Action.CONSENT, institution) as g:
        found = [c.as_dict() for c in g.consents.recent(EVERYTHING, institution)]
    if as_json:
        say_json(found)
        return
    table = Table(box=None)
    for column in ("编号", "成员单位", "目的", "数据类别", "起", "止", "撤销"):
        table.add_column(_(column))
    for c in found:
        classes = "、".join(c["classes"])
        table.add_row(
            c["handle"], c["institution"], c["purpose"], classes, c["valid_from"], c["valid_to"], c["revoked_at"] or ""
        )
    out.print(table)


@consents.command("revoke")
def revoke(ctx: typer.Context, handle: Annotated[str, typer.Argument(help="授权编号")]) -> None:
    """本人撤销授权，当即生效。"""
    with gateway(ctx, Action.CONSENT, handle) as g:
        done = g.consents.revoke(handle)
        g.audit.record(actor(), Action.CONSENT, handle, {"revoked": True})
    out.print(_("已撤销 {handle}").format(handle=done.handle), markup=False)


@reports.command("make")
def make(
    ctx: typer.Context,
    institution: Institution,
    purpose: Purpose,
    classes: Classes = ALL,
    pdf: Annotated[Path | None, typer.Option("--pdf", help="PDF 写到哪里（含数据与证明）")] = None,
    to: Annotated[Path | None, typer.Option("--out", help="JSON 写到哪里（含签名）")] = None,
    as_json: bool = JSON,
) -> None:
    """查询一人并出具报告；号码和姓名从标准输入读。没有授权则拒绝，并记入审计。"""
    if pdf is None and to is None:
        raise Usage("请用 --pdf 或 --out 说明报告写到哪里")
    with gateway(ctx, Action.REPORT, institution) as g:
        number, name = _person()
        try:
            report = g.office.query(
                id_no=number,
                name=name,
                institution=institution,
                purpose=purpose,
                classes=set(filter(None, classes.split(","))),
                user=actor().name,
            )
        except Refused as refused:
            g.audit.record(actor(), Action.REPORT, institution, {"refused": refused.code})
            raise
        g.audit.record(actor(), Action.REPORT, report.number, {"digest": report.digest})
        _write(g, report, pdf, to)
    if as_json:
        say_json({"number": report.number, "digest": report.digest})
    else:
        out.print(_("报告 {number}，指纹 {digest}").format(number=report.number, digest=report.digest), markup=False)


@reports.command("again")
def again(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(help="报告编号")],
    pdf: Annotated[Path | None, typer.Option("--pdf")] = None,
    to: Annotated[Path | None, typer.Option("--out")] = None,
) -> None:
    """重取一份出具过的报告，逐字节相同。"""
    with gateway(ctx, Action.REPORT, number) as g:
        report = g.office.again(number)
        g.audit.record(actor(), Action.REPORT, number, {"again": True})
        _write(g, report, pdf, to)


@reports.command("changes")
def changes(ctx: typer.Context, number: Annotated[str, typer.Argument(help="报告编号")], as_json: bool = JSON) -> None:
    """出报告之后变了什么；授权须仍然有效。"""
    with gateway(ctx, Action.REPORT, number) as g:
        found = g.aftermath.changes(number)
        g.audit.record(actor(), Action.REPORT, number, {"changes": len(found)})
    if as_json:
        say_json([change.as_dict() for change in found])
        return
    table = Table(box=None)
    for column in ("条目", "资料", "编号", "状态", "数据截至"):
        table.add_column(_(column))
    for change in found:
        table.add_row(change.fact, change.title, change.handle, word(change.kind), change.as_of or "—")
    out.print(table)


@reports.command("dispute")
def dispute(
    ctx: typer.Context,
    number: Annotated[str, typer.Argument(help="报告编号")],
    fact: Annotated[str, typer.Argument(help="报告里的条目，如 f3")],
    path: Annotated[str, typer.Argument(help="项目，如 op_date")],
) -> None:
    """本人对报告里的一个值有异议；应当是什么从标准输入读。部门须在二十天内书面答复。"""
    with gateway(ctx, Action.DISPUTE, number) as g:
        claim = typer.prompt(_("应当是什么")) if sys.stdin.isatty() else sys.stdin.read()
        handle = g.aftermath.dispute(number, fact, path, claim, institution="", actor=str(actor()))
        g.audit.record(actor(), Action.DISPUTE, handle, {"report": number})
        due = g.corrections.get(handle).due_on
    out.print(_("已受理 {handle}，{due} 前答复").format(handle=handle, due=due), markup=False)


@subjects.command("access")
def access(
    ctx: typer.Context, to: Annotated[Path, typer.Option("--out", help="JSON 写到哪里；含个人信息，交给本人")]
) -> None:
    """本人查询：存有本人哪些信息、谁读过；号码从标准输入读。"""
    with gateway(ctx, Action.SUBJECT_ACCESS) as g:
        number = typer.prompt(_("公民身份号码"), hide_input=True) if sys.stdin.isatty() else sys.stdin.read()
        told = g.access.about(canonical_id(number.strip(), g.clock.today()))
        to.touch(mode=0o600, exist_ok=True)
        to.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))
        g.audit.record(actor(), Action.SUBJECT_ACCESS, "cli", {name: len(found) for name, found in told.items()})
    out.print(
        _("存有 {held} 条，被查询 {read} 次").format(held=len(told["held"]), read=len(told["read"])), markup=False
    )


def _write(g: Gateway, report: Report, pdf: Path | None, to: Path | None) -> None:
    """Files only their owner reads: they hold personal data in the clear."""
    from gateway.reports.pdf import envelope  # typesetting is 35 MB that no other verb needs

    for path, made in ((to, envelope), (pdf, g.pdf)):
        if path is not None:
            path.touch(mode=0o600, exist_ok=True)
            path.write_bytes(made(report))


@reports.command("log")
def log(
    ctx: typer.Context, institution: Annotated[str, typer.Option("--institution")] = "", as_json: bool = JSON
) -> None:
    """谁在什么时候为什么查过，包括被拒绝的；不列被查的是谁。"""
    with gateway(ctx, Action.REPORT, institution) as g:
        rows = g.office.recent(EVERYTHING, institution)
    if as_json:
        say_json([row._asdict() for row in rows])
        return
    table = Table(box=None)
    for column in ("编号", "成员单位", "查询人", "目的", "时间", "结果"):
        table.add_column(_(column))
    for row in rows:
        table.add_row(row.number, row.institution, row.actor, row.purpose, row.at, row.result)
    out.print(table)
