"""`serve` and `worker`: the two processes of an installation."""

from __future__ import annotations

from typing import Annotated

import typer
import uvicorn

from gateway.audit import Action
from gateway.cli.common import err, gateway, state
from gateway.i18n import _
from gateway.settings import Settings
from gateway.web import build
from gateway.worker import Supervisor, stop_with_parent, until_signalled, work


def worker(
    ctx: typer.Context,
    supervised: Annotated[bool, typer.Option("--supervised", help="标准输入关闭时停止", hidden=True)] = False,
) -> None:
    """只运行调度、采集和送达（serve 会自动带一个）。"""
    stop = until_signalled()
    if supervised:
        stop_with_parent(stop)
    with gateway(ctx, Action.WORKER) as g:
        work(g, stop)


def serve(
    ctx: typer.Context,
    host: str = typer.Option("", help="监听地址；默认见 gateway.yaml"),
    port: int = typer.Option(-1, help="端口；默认见 gateway.yaml"),
) -> None:
    """运行网关：网页与接口，加一个受看护的 worker。"""
    with gateway(ctx, Action.SERVE) as g:
        web = g.config.gateway.web if g.config.gateway else None
        assert web is not None
        supervisor = Supervisor(global_options(state(ctx).settings))
        supervisor.start()
        try:
            address = (host or web.host, web.port if port < 0 else port)
            err.print(_("网关已启动：http://{0}:{1}/（Ctrl-C 停止）").format(*address), markup=False)
            if g.users.none():
                err.print(_("还没有用户：请另开一个终端运行 shuqiao user add admin --role system"), markup=False)
            config = uvicorn.Config(
                build(g, lambda: supervisor.alive),
                host=address[0],
                port=address[1],
                log_config=None,
                access_log=False,
                server_header=False,
            )
            uvicorn.Server(config).run()
        finally:
            supervisor.stop()


def global_options(settings: Settings) -> list[str]:
    """The options that make a child process see what we see."""
    return ["--config", str(settings.config), "--data", str(settings.data), "--lang", settings.lang]
