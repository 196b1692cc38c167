"""`user` and `api-key`: who may come in over the network. The first of them is made here: who types on the server is trusted by it."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer
from rich.table import Table

from gateway.app import Gateway
from gateway.audit import Action, Actor
from gateway.board import invite as _invite
from gateway.cli.common import JSON, actor, gateway, out, say_json
from gateway.cli.tables import plain_table
from gateway.i18n import _, word
from gateway.people import Grant
from gateway.people.keys import DAYS

users = typer.Typer(help="用户：添加、角色、锁定、重置口令", no_args_is_help=True)
keys = typer.Typer(help="接口密钥：给程序用", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="登录名")]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="角色，可重复：system、security、audit、operator、observer、county:区划代码、agency:区划代码/部门名称、bank:成员单位",
    ),
]


CAST: Final = (
    ("operator", "市级运维", "operator"),
    ("county", "丰城市数据局", "county:360981"),
    ("agency", "丰城市民政局", "agency:360981/{agency}"),
    ("bank", "示范农商银行", "bank:demo-bank"),
    ("admin", "系统管理员", "system"),
    ("safety", "安全管理员", "security"),
    ("auditor", "审计管理员", "audit"),
)
"""Who plays in a demonstration: name, title, role; the agency is whoever owes marriages there."""


def cast(g: Gateway) -> Table:
    """A user of each role, with the generated passwords; nowhere else are they told."""
    out.print(_("演示用户（口令随机生成，只显示这一次；管理员首次登录要绑定动态口令）"), style="bold")
    agency = g.config.catalogue["marriage"].promise("marriage", "360981").agency
    table = plain_table()
    for column in ("登录名", "口令", "角色"):
        table.add_column(_(column), no_wrap=True)
    for name, title, pattern in CAST:
        role = pattern.format(agency=agency)
        password = g.users.add(name, title, [Grant.parse(role)], Actor.system(), lasting=True)
        g.audit.record(Actor.system(), Action.USER_ADD, name, {"roles": 1})
        table.add_row(name, password, role)
    return table


@users.command("add")
def add(
    ctx: typer.Context,
    name: Name,
    role: Roles = None,
    title: Annotated[str, typer.Option("--title", help="称呼，如 丰城市数据局 张科长")] = "",
    as_json: bool = JSON,
) -> None:
    """添加用户；打印一次性的初始口令，首次登录后要换。"""
    with gateway(ctx, Action.USER_ADD, name) as g:
        password = g.users.add(name, title, map(Grant.parse, role or []), actor())
        g.audit.record(actor(), Action.USER_ADD, name, {"roles": len(role or [])})
        grants = [str(grant) for grant in g.users.get(name).grants]
    if as_json:
        say_json({"name": name, "password": password, "grants": grants})
    else:
        out.print(_("已添加 {name}，初始口令 {password}").format(name=name, password=password), markup=False)


@users.command("list")
def listed(ctx: typer.Context, as_json: bool = JSON) -> None:
    """所有用户：角色、状态、上次登录。"""
    with gateway(ctx, Action.USER_LIST) as g:
        found = g.users.all()
    if as_json:
        say_json([user.as_dict() for user in found])
        return
    table = plain_table()
    for column in ("登录名", "称呼", "角色", "状态", "动态口令", "上次登录"):
        table.add_column(_(column))
    for user in found:
        roles = _("、").join(map(str, user.grants)) or "—"
        state = word("barred" if user.barred and user.state == "active" else user.state)
        code = _("已绑定") if user.has_totp else "—"
        table.add_row(user.name, user.title, roles, state, code, (user.seen_at or "—")[:16])
    out.print(table)


@users.command("role")
def role_(ctx: typer.Context, name: Name, role: Roles = None) -> None:
    """设定角色，取代原有的；不给 --role 则全部收回。"""
    with gateway(ctx, Action.USER_ROLE, name) as g:
        held = g.users.grant(name, map(Grant.parse, role or []))
        g.audit.record(actor(), Action.USER_ROLE, name, {"roles": len(held)})
    roles = _("、").join(map(str, held)) or "—"
    out.print(_("{name} 的角色：{roles}").format(name=name, roles=roles), markup=False)


@users.command("lock")
def lock(ctx: typer.Context, name: Name) -> None:
    """锁定用户，已登录的当即退出。"""
    with gateway(ctx, Action.USER_LOCK, name) as g:
        g.users.lock(name)
        g.audit.record(actor(), Action.USER_LOCK, name)
    out.print(_("已锁定 {name}").format(name=name), markup=False)


@users.command("unlock")
def unlock(ctx: typer.Context, name: Name) -> None:
    """解锁用户，不论是被人锁定还是输错口令。"""
    with gateway(ctx, Action.USER_UNLOCK, name) as g:
        g.users.unlock(name)
        g.audit.record(actor(), Action.USER_UNLOCK, name)
    out.print(_("已解锁 {name}").format(name=name), markup=False)


@users.command("reset")
def reset(ctx: typer.Context, name: Name, as_json: bool = JSON) -> None:
    """重置口令；打印一次性的初始口令。"""
    with gateway(ctx, Action.USER_RESET, name) as g:
        password = g.users.reset(name)
        g.audit.record(actor(), Action.USER_RESET, name)
    if as_json:
        say_json({"name": name, "password": password})
    else:
        out.print(_("{name} 的新初始口令 {password}").format(name=name, password=password), markup=False)


@users.command("totp")
def totp(ctx: typer.Context, name: Name) -> None:
    """解除动态口令（换手机时）；管理员下次登录要重新绑定。"""
    with gateway(ctx, Action.USER_TOTP, name) as g:
        g.users.unbind(name)
        g.audit.record(actor(), Action.USER_TOTP, name)
    out.print(_("已解除 {name} 的动态口令").format(name=name), markup=False)


@keys.command("add")
def add_key(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="密钥的名称，记入审计")],
    role: Roles = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="有效天数")] = DAYS,
    as_json: bool = JSON,
) -> None:
    """添加接口密钥；密钥只显示这一次。"""
    with gateway(ctx, Action.KEY_ADD, name) as g:
        text = g.api_keys.add(name, map(Grant.parse, role or []), actor(), days)
        g.audit.record(actor(), Action.KEY_ADD, name, {"days": days})
    if as_json:
        say_json({"name": name, "key": text})
    elif sys.stdout.isatty():
        out.print(_("接口密钥 {name}，只显示这一次：{key}").format(name=name, key=text), markup=False)
    else:
        out.print(text, markup=False, soft_wrap=True)


@keys.command("list")
def listed_keys(ctx: typer.Context, as_json: bool = JSON) -> None:
    """所有接口密钥：开头几位、角色、到期、上次使用。"""
    with gateway(ctx, Action.KEY_LIST) as g:
        found = g.api_keys.all()
    if as_json:
        say_json([key.as_dict() for key in found])
        return
    table = plain_table()
    for column in ("名称", "开头", "角色", "状态", "到期", "上次使用"):
        table.add_column(_(column))
    for key in found:
        roles = _("、").join(map(str, key.grants))
        used = (key.used_at or "—")[:16]
        table.add_row(key.name, f"{key.prefix}…", roles, word(key.state), key.expires_on, used)
    out.print(table)


@keys.command("revoke")
def revoke(ctx: typer.Context, name: Annotated[str, typer.Argument(help="密钥的名称")]) -> None:
    """撤销接口密钥，当即失效。"""
    with gateway(ctx, Action.KEY_REVOKE, name) as g:
        g.api_keys.revoke(name)
        g.audit.record(actor(), Action.KEY_REVOKE, name)
    out.print(_("已撤销接口密钥 {name}").format(name=name), markup=False)


def invite(
    ctx: typer.Context,
    county: Annotated[str, typer.Argument(help="区划代码，如 360981")],
    agency: Annotated[str, typer.Argument(help="报送部门的名称，如 丰城市民政局")],
    days: Annotated[int, typer.Option("--days", min=1, max=60, help="链接几天内有效")] = 14,
    as_json: bool = JSON,
) -> None:
    """写一封催报信，附上部门自己的页面的链接：欠什么、哪些行要更正，下载、交回都在那里。"""
    with gateway(ctx, Action.INVITE, county) as g:
        made = _invite(
            g.api_keys, g.config, g.ledger, g.quarantine, g.clock, county=county, agency=agency, days=days, by=actor()
        )
        g.audit.record(actor(), Action.INVITE, made.key, {"days": days})
    if as_json:
        say_json(
            {"key": made.key, "address": made.letter.address, "until": made.letter.until, "text": made.letter.text()}
        )
    else:
        out.print(made.letter.text(), markup=False, soft_wrap=True)
