"""`demo`: the whole way on real sockets, for the ten counties of Yichun, in one command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from adapters.kit import registry
from gateway.app import Gateway
from gateway.audit import Actor
from gateway.cli.common import err, fail, out, state
from gateway.cli.devchain import SINK, deploy, dev_chain
from gateway.cli.loan import lend
from gateway.cli.people import cast
from gateway.cli.serve import serve
from gateway.cli.summary import dataset_title, summary
from gateway.cli.trace import lineage_panel
from gateway.clock import SHANGHAI, Clock
from gateway.config import EvmSinkModel, Feed
from gateway.dispatch.execute import Outcome, RunOptions, queue_run
from gateway.errors import Unreconciled, Usage
from gateway.i18n import _, language, retell
from gateway.member import keygen
from gateway.scope import EVERYTHING
from gateway.status import feed_statuses, reconcile, sink_statuses
from gateway.store.pages import Counts
from gateway.trace import trace
from gateway.vault import handle_bytes, handle_text

MARK: Final = "demo.json"
MEMBER: Final = "demo-bank"
PILOT: Final = "360981"
URLS: Final = {
    "SHUQIAO_DEMO_EXCHANGE": ("provincial", ""),
    "SHUQIAO_DEMO_REAL_ESTATE": ("real_estate", "/services/RealEstate?wsdl"),
    "SHUQIAO_DEMO_CIVIL": ("civil", ""),
    "SHUQIAO_DEMO_AGRICULTURE": ("agriculture", ""),
    "SHUQIAO_DEMO_NATURAL_RESOURCES": ("natural_resources", ""),
    "SHUQIAO_DEMO_PUBLIC_SECURITY": ("public_security", "/services/Population?wsdl"),
}


def demo(
    ctx: typer.Context,
    households: int = typer.Option(2000, min=10, max=100_000, help="丰城市的农户数"),
    others: int = typer.Option(300, min=10, max=5_000, help="其余九个县各自的农户数"),
    days: int = typer.Option(3, min=0, max=60, help="模拟经过的天数"),
    seed: int = typer.Option(1, help="模拟世界的种子"),
    dirt: float = typer.Option(0.03, min=0, max=1, help="脏数据比例"),
    anvil: Annotated[
        Path | None, typer.Option("--anvil", help="开发链节点 anvil 的路径；给出则送上这条以太坊接口的链")
    ] = None,
    once: bool = typer.Option(False, "--once", help="演示完即结束，不留在 serve"),
) -> None:
    """演示：模拟十个县的部门，逐县采集，过几天，全部上链，追溯一户，由成员单位独立验证，再办一笔贷款的核查报告。"""
    _fresh(state(ctx).settings.data)
    with ExitStack() as running:
        ports, sources = running.enter_context(_agencies(households, others, seed, dirt))
        if anvil is not None:
            state(ctx).settings = running.enter_context(dev_chain(anvil, state(ctx).settings))
        settings = state(ctx).settings
        control = httpx.Client(base_url=f"http://127.0.0.1:{ports['control']}", timeout=60)
        for name, (agency, path) in URLS.items():
            os.environ[name] = f"http://127.0.0.1:{ports[agency]}{path}"
        for source, url in sources.items():
            os.environ[f"SHUQIAO_DEMO_{source.replace('/', '_').upper()}"] = url
        gateway = Gateway(settings)
        try:
            desks = {at.partition("/")[0]: Path(place) for at, place in sources.items() if at.endswith("/manual")}
            _show(gateway, control, days, desks)
            if not once:
                out.print(cast(gateway))
        except Unreconciled as error:
            raise fail(error) from error
        finally:
            gateway.close()
            control.close()
        if not once:
            out.print(
                _(
                    "\n网关留在运行中；另开一个终端试试：\n  .venv/bin/shuqiao status\n  .venv/bin/shuqiao sync 360981/homestead --json\n"
                ),
                markup=False,
            )
            serve(ctx, host="", port=-1)


def _fresh(data: Path) -> None:
    """A demo starts from nothing, and never touches data that is not a demo's."""
    if data.exists() and any(data.iterdir()):
        if not (data / MARK).exists():
            raise Usage("{data} 里有非演示数据，不会覆盖；请用 --data 另指一个目录", data=str(data))
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True)
    (data / MARK).write_text("{}\n", "utf-8")


@contextmanager
def _agencies(households: int, others: int, seed: int, dirt: float) -> Iterator[tuple[dict[str, int], dict[str, str]]]:
    """The mock agencies as a child process, which ends when we do, however we end: the pilot's ports, and the addresses of
    the other counties' sources by `<county>/<source>`.
    """
    command = [sys.executable, "-m", "mock_agencies", "--stdin-guard"]
    command += ["--households", str(households), "--others", str(others), "--seed", str(seed), "--dirt", str(dirt)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 # our own module
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        if not line:
            raise Usage("模拟部门没有启动；端口 18600–18607 是否被占用？")
        ready = json.loads(line)
        yield ready["ports"], ready["sources"]
    finally:
        child.terminate()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


def _show(gateway: Gateway, control: httpx.Client, days: int, desks: Mapping[str, Path]) -> None:
    key = gateway.settings.data / "members" / f"{MEMBER}.key"
    _set_clock(gateway, control.get("/world").json())
    keygen(key, gateway.suite.name)
    gateway.publish(Actor.system())
    if SINK in gateway.chains:
        out.print(_("合约 {contract} 已部署").format(contract=deploy(gateway.chains[SINK])))
    feeds = gateway.config.feeds
    counties = {feed.county.code for feed in feeds.values()}
    told = _("首次采集：{counties} 个县（市、区），{feeds} 个采集任务").format(counties=len(counties), feeds=len(feeds))
    out.print(Panel(told, style="bold cyan"))
    began = time.perf_counter()
    _hand_in(gateway, feeds, desks)
    _collect(gateway, feeds)
    _forward(gateway)
    out.print(summary(gateway, feed_statuses(gateway.store, EVERYTHING)))
    for _day in range(days):
        moved = control.post("/advance", json={"days": 1}).json()
        _set_clock(gateway, control.get("/world").json())
        _hand_in(gateway, feeds, desks)
        outcomes = _collect(gateway, feeds)
        _forward(gateway)
        moves = Counter[str]()
        for o in outcomes:
            moves[dataset_title(feeds[o.feed].dataset)] += o.counts["puts"] + o.counts["gone"]
        changes = _("，").join(f"{title} {count}" for title, count in moves.items() if count) or _("无")
        out.print(_("{today}：新增或变化 {changes}").format(today=moved["today"], changes=changes), markup=False)
    out.print(summary(gateway, feed_statuses(gateway.store, EVERYTHING)))
    _both_ways(gateway)
    _must_reconcile(gateway)
    out.print(_("账目全部相符；用时 {seconds:.1f} 秒").format(seconds=time.perf_counter() - began), style="green")
    out.print(Panel(_("追溯一户：从字段到区块"), style="bold cyan"))
    out.print(lineage_panel(trace(gateway, _someone(gateway))))
    where = _("链节点") if SINK in gateway.chains else _("账本头")
    told = _("成员单位独立验证：另一个进程，空环境，只有自己的私钥、签名公钥、{where}和共享目录").format(where=where)
    out.print(Panel(told, style="bold cyan"))
    _member_verifies(gateway, key)
    out.print(Panel(_("贷款申请：本人授权，银行查询，报告由银行自行核验"), style="bold cyan"))
    _loan(gateway)


def _set_clock(gateway: Gateway, world: dict[str, Any]) -> None:
    gateway.clock.set(datetime.fromisoformat(world["now"]).replace(tzinfo=SHANGHAI))


def _collect(gateway: Gateway, feeds: Mapping[str, Feed]) -> list[Outcome]:
    """Every feed once, two at a time, a line for each county; those that ask about persons when the others have told of them."""
    asking = [name for name, feed in feeds.items() if registry.find(feed.source.adapter).asks]
    telling = [name for name in feeds if name not in asking]
    with _bars() as bars, ThreadPoolExecutor(2) as pool:
        sizes = Counter(feed.county.name for feed in feeds.values())
        tasks = {name: bars.add_task(name, total=count, rows=0) for name, count in sizes.items()}
        rows, lock = Counter[str](), threading.Lock()

        def one(name: str) -> Outcome:
            county = feeds[name].county.name

            def on_page(counts: Counts, _declared: int | None) -> None:
                with lock:
                    rows[county] += counts.fetched
                    bars.update(tasks[county], rows=rows[county])

            with gateway.store.read() as tx:
                row = tx.one("feed_by_name", name=name)
            assert row is not None
            slot = Clock.real().isoformat(timespec="microseconds")
            run_id, _new = queue_run(
                gateway.store, row.id, due_at=slot, reason="demo", actor="demo", options=RunOptions()
            )
            outcome = gateway.executor.execute(run_id, on_page)
            bars.advance(tasks[county])
            return outcome

        outcomes = [*pool.map(one, telling), *pool.map(one, asking)]
    for o in outcomes:
        if o.verdict.state not in ("ok", "deferred"):
            raise Unreconciled("{feed}：{why}", feed=o.feed, why=o.verdict.sentence)
    return outcomes


def _hand_in(gateway: Gateway, feeds: Mapping[str, Feed], desks: Mapping[str, Path]) -> None:
    """What clerks typed since, through the door of `shuqiao upload`; `desks`: where a county's clerk puts it."""
    for name, feed in feeds.items():
        if feed.channel == "MANUAL" and feed.county.code in desks:
            for sheet in sorted(desks[feed.county.code].iterdir()):
                gateway.uploads.hand_in(gateway.prepare(name), sheet.read_bytes())
                sheet.unlink()


def _both_ways(gateway: Gateway) -> None:
    """What comes by hand beside a system: how far both are from agreeing."""
    gateway.cutover.keep()
    for each in gateway.cutover.parallels(EVERYTHING):
        out.print(f"{each.county}/{each.dataset}: {retell(each.sentence)}", markup=False)


def _bars() -> Progress:
    """Feeds done and rows read, by county."""
    rows = TextColumn("{task.fields[rows]:,} " + _("行"), justify="right")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rows, TimeElapsedColumn())
    return Progress(SpinnerColumn(), *columns, console=err, disable=not out.is_terminal, transient=True)


def _forward(gateway: Gateway) -> None:
    report = gateway.forwarder.forward()
    if report.waiting:
        raise Unreconciled("{waiting} 批没有确认上链", waiting=report.waiting)


def _must_reconcile(gateway: Gateway) -> None:
    found = reconcile(gateway.store, list(gateway.chains))
    if found:
        raise Unreconciled("账目不平：{places}", places=_("；").join(f"{i.where} {retell(i.sentence)}" for i in found))


def _someone(gateway: Gateway) -> str:
    """A household member about whom several agencies say something."""
    with gateway.store.read() as tx:
        row = tx.one("observation_well_known", feed=f"{PILOT}/household_member")
    assert row is not None
    return handle_text(row.handle)


def _member_verifies(gateway: Gateway, key: Path) -> None:
    command = ["member", "verify", "--key", str(key), *_trusted(gateway), "--shared", str(gateway.payloads.path)]
    _alone(command, "成员验证失败：{why}")


def _trusted(gateway: Gateway) -> list[str]:
    """What a member is told to believe: the pinned key, and a node or exported headers."""
    assert gateway.config.gateway is not None
    sink = gateway.config.gateway.sinks.get(SINK)
    signer = ["--signer", str(gateway.paths.signer_public)]
    if isinstance(sink, EvmSinkModel):
        (status,) = sink_statuses(gateway.store, [SINK])
        return [*signer, "--endpoint", sink.url, "--chain-id", str(sink.chain_id), "--contract", str(status.contract)]
    headers = gateway.settings.data / "headers.jsonl"
    next(iter(gateway.chains.values())).export_headers(headers)
    return [*signer, "--headers", str(headers)]


def _alone(words: list[str], failure: str) -> None:
    """A verb in a process of its own with an empty environment."""
    command = [sys.executable, "-m", "gateway", "--lang", language.get(), *words]
    done = subprocess.run(command, env={}, capture_output=True, text=True, check=False)  # noqa: S603 # ourselves
    out.print(done.stdout.rstrip(), markup=False)
    if done.returncode:
        raise Unreconciled(failure, why=done.stderr.strip())


def _loan(gateway: Gateway) -> None:
    """A farmer applies for a loan: a bank asks over the API, archives the report, checks it by itself and decides."""
    (fact,) = gateway.finder.of(handle_bytes(_someone(gateway)))
    headers = gateway.settings.data / "headers.jsonl"
    next(iter(gateway.chains.values())).export_headers(headers)
    began = time.perf_counter()
    loan = lend(gateway, MEMBER, str(fact.text("id_no")), str(fact.text("name")), headers)
    seconds = time.perf_counter() - began
    _forward(gateway)
    told = _(
        "丰收贷 {number}：申请 {asked:,} 元，核定 {granted:,} 元（{why}），用时 {seconds:.1f} 秒\n报告归档在 {file}"
    )
    out.print(
        told.format(
            number=loan.number,
            asked=loan.asked,
            granted=loan.granted,
            why=loan.why,
            seconds=seconds,
            file=loan.pdf,
        ),
        markup=False,
    )
    _alone(["member", "report", str(loan.pdf), *_trusted(gateway)], "报告核验失败：{why}")
