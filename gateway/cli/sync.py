"""`sync`, `forward`, `status`, `runs`: moving data by hand, and seeing how it stands."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated

import typer
from rich.console import Group
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from gateway.app import Gateway
from gateway.audit import Action
from gateway.cli.chain import sink_table
from gateway.cli.common import JSON, actor, err, fail, gateway, out, said, say_json
from gateway.cli.quarantine import cure_table
from gateway.cli.summary import summary
from gateway.cli.tables import plain_table
from gateway.clock import Clock
from gateway.dispatch.execute import Outcome, RunOptions, queue_run
from gateway.errors import Busy
from gateway.freshness import tellable, verdicts
from gateway.i18n import _, language, retell, word
from gateway.quarantine import by_agency, cures
from gateway.scope import EVERYTHING
from gateway.status import FeedStatus, feed_statuses, recent_runs, sink_statuses
from gateway.store.pages import Counts
from schemas import DATASETS


def sync(
    ctx: typer.Context,
    feeds: Annotated[list[str], typer.Argument(help="采集任务，如 360981/homestead")],
    full: Annotated[bool, typer.Option("--full", help="从头重读，不重复入库")] = False,
    allow_vanish: Annotated[bool, typer.Option("--allow-vanish", help="已与部门核实：允许大量记录消失")] = False,
    as_json: bool = JSON,
) -> None:
    """立即采集一个或多个任务。与调度器使用同一把租约，不会重叠。"""
    with gateway(ctx, Action.SYNC, " ".join(feeds)) as g:
        for name in feeds:
            g.feed(name)
        options = RunOptions(full=full, allow_vanish=allow_vanish)
        outcomes, busy = [], []
        for name in feeds:
            try:
                outcomes.append(run_now(g, name, options, quiet=as_json))
            except Busy as error:
                busy.append(error)
    if as_json:
        say_json([asdict(o) for o in outcomes])
    elif outcomes:
        _table(outcomes)
    for refused in busy:
        fail(refused)
    if busy or any(o.verdict.state not in ("ok", "deferred") for o in outcomes):
        raise typer.Exit(1)


def run_now(g: Gateway, name: str, options: RunOptions, *, quiet: bool) -> Outcome:
    """One run, here and now, with a progress bar unless `quiet`."""
    g.config  # noqa: B018 # publishes at the first start, so that the feed's row exists
    with g.store.read() as tx:
        row = tx.one("feed_by_name", name=name)
    assert row is not None
    slot = Clock.real().isoformat(timespec="microseconds")
    who = actor()
    run_id, _new = queue_run(g.store, row.id, due_at=slot, reason="manual", actor=str(who), options=options)
    with progress(disable=quiet) as bars:
        task = bars.add_task(name, total=None)

        def on_page(counts: Counts, declared: int | None) -> None:
            bars.update(task, advance=counts.fetched, total=declared)

        outcome = g.executor.execute(run_id, on_page)
    g.audit.record(who, Action.SYNC, name, {"run": run_id, "state": outcome.state})
    return outcome


class RateColumn(ProgressColumn):
    """Rows a second, as measured over the last moments."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} {_('行/秒')}", style="progress.data.speed")


def progress(*, disable: bool) -> Progress:
    """The bars of everything that takes long."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=disable,
        transient=True,
    )


def _table(outcomes: list[Outcome]) -> None:
    table = plain_table()
    columns = ["采集任务", "状态", "取得", "识别", "映射", "重复", "隔离", "忽略", "变更", "未变", "注销"]
    for column in columns:
        table.add_column(_(column), justify="left" if column in columns[:2] else "right", no_wrap=True)
    keys = ["fetched", "recognised", "mapped", "duplicate", "quarantined", "ignored", "changed", "unchanged", "gone"]
    for o in outcomes:
        table.add_row(o.feed, word(o.verdict.state), *(str(o.counts[k]) for k in keys))
    out.print(table)
    for o in outcomes:
        if o.verdict.sentence:
            verdict = {"sentence": retell(o.verdict.sentence), "action": retell(o.verdict.action or "")}
            out.print(_("{feed}：{sentence}；{action}").format(feed=o.feed, **verdict), style="yellow", markup=False)


def forward(ctx: typer.Context, as_json: bool = JSON) -> None:
    """封存已提交的版本，送达每条链，并读回核对。"""
    with gateway(ctx, Action.FORWARD) as g:
        g.heads.state()
        report = g.forwarder.forward()
        g.audit.record(actor(), Action.FORWARD, "", {"batches": report.confirmed})
    if as_json:
        say_json(asdict(report))
    else:
        out.print(_("新封存 {sealed} 批，确认上链 {confirmed} 批，待送达 {waiting} 批").format(**asdict(report)))
        for line in report.held:
            out.print(retell(line), style="yellow", markup=False)
    if report.waiting or report.held:
        raise typer.Exit(1)


def status(
    ctx: typer.Context,
    brief: Annotated[bool, typer.Option("--summary", help="只看合计：按数据资源、按县，以及人工报送占比")] = False,
    as_json: bool = JSON,
) -> None:
    """各采集任务的数量、三个时钟、该谁处理。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        g.config  # noqa: B018 # see run_now
        rows = feed_statuses(g.store, EVERYTHING)
        table = summary(g, rows) if brief else status_table(g, rows)
        waits = list(by_agency(cures(g.store, g.config, EVERYTHING)).values()) if brief else []
        worklists, both = g.worklists(EVERYTHING), g.cutover.parallels(EVERYTHING)
        g.keeper.keep_all()
        found = verdicts(g.store, g.clock, g.config, g.ledger.standings(EVERYTHING), EVERYTHING)
        assert g.config.gateway is not None
        sinks, now = sink_statuses(g.store, g.config.gateway.sinks), g.clock.now()
    if as_json:
        asked = {name: asdict(p) for name, p in worklists.items()}
        say_json([r.as_dict() | {"worklist": asked.get(r.feed)} for r in rows])
        return
    out.print(table)
    if waits:
        out.print("", cure_table(waits))
    out.print(sink_table(sinks, now))
    for r in rows:
        if r.sentence:
            verdict = {"sentence": retell(r.sentence), "owner": word(r.owner or ""), "action": retell(r.action or "")}
            told = _("{feed}：{sentence}（{owner}）{action}").format(feed=r.feed, **verdict)
            out.print(told, style="yellow", markup=False)
    for name, p in worklists.items():
        told = _("{feed}：已问 {asked} 人，其中查无此人 {not_found} 人；待问 {due} 人")
        out.print(told.format(feed=name, **asdict(p)), markup=False)
    for each in both:
        out.print(f"{each.county}/{each.dataset}: {retell(each.sentence)}", markup=False)
    for v in tellable(found):
        if v.kind not in ("feed", "county"):
            verdict = {"sentence": said(v.sentence), "owner": word(v.owner or ""), "action": retell(v.action or "")}
            told = _("{feed}：{sentence}（{owner}）{action}").format(feed=v.target, **verdict)
            out.print(told, style="yellow", markup=False)


def status_table(g: Gateway, rows: list[FeedStatus]) -> Group:
    """Per county, dataset × {declared, fetched, accepted, repaired, quarantined, confirmed, three clocks}; 80 columns hold
    five digits. What is on chain reads `17/20` while versions wait; a clock is hh:mm today, else MM-DD.
    """
    counties: dict[str, list[FeedStatus]] = {}
    for r in rows:
        counties.setdefault(r.feed.partition("/")[0], []).append(r)
    names = {f.county.code: f.county.name for f in g.config.feeds.values()}
    today = g.clock.today()
    return Group(*(_county(f"{code} {names.get(code, '')}", feeds, today) for code, feeds in counties.items()))


def _county(title: str, rows: list[FeedStatus], today: date) -> Table:
    table = plain_table(title)
    for column in ("数据资源", "状态"):
        table.add_column(_(column), no_wrap=True, min_width=4)
    for column in ("声明", "取得", "采纳", "修复", "隔离", "已上链"):
        table.add_column(_(column), justify="right", no_wrap=True)
    for column in ("联系于", "截至", "上链于"):
        table.add_column(_(column), justify="right", no_wrap=True)
    for r in rows:
        confirmed = min(r.confirmed.values(), default=0)
        table.add_row(
            feed_title(r.feed, r.dataset),
            Text(word(r.state), style="" if r.state == "ok" else "yellow"),
            "—" if r.declared is None else str(r.declared),
            *(str(n) for n in (r.fetched, r.accepted, r.repaired, r.quarantined)),
            str(confirmed) if confirmed == r.versions else f"{confirmed}/{r.versions}",
            *(_moment(t, today) for t in (r.contact_at, r.as_of, r.confirmed_at)),
        )
    return table


def feed_title(feed: str, dataset: str) -> str:
    """A feed of a known county, as its dataset is called; by its own key where that is another."""
    key = feed.partition("/")[2]
    return DATASETS[dataset].title if language.get() == "zh" and key == dataset else key


def _moment(moment: str | None, today: date) -> str:
    if moment is None:
        return "—"
    if moment[:10] == today.isoformat():
        return moment[11:16]
    return moment[5:10] if moment[:4] == str(today.year) else moment[2:7]


def _short(moment: str | None) -> str:
    return "—" if moment is None else moment[5:16].replace("T", " ")


def inbox(ctx: typer.Context, as_json: bool = JSON) -> None:
    """推送收件箱：已收、待处理、重复与拒收。"""
    with gateway(ctx, Action.READ_STATUS) as g:
        rows = g.inboxes.figures(EVERYTHING)
    if as_json:
        say_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column(_("采集任务"), no_wrap=True)
    for column in ("已收", "待处理", "待处理行", "重复", "拒收"):
        table.add_column(_(column), justify="right", no_wrap=True)
    table.add_column(_("最早"), no_wrap=True)
    for r in rows:
        numbers = (r["accepted"], r["waiting"], r["waiting_rows"], r["repeated"], sum(r["refused"].values()))
        table.add_row(r["feed"], *map(str, numbers), _short(r["oldest"]))
    out.print(table)
    for r in rows:
        for code, times in sorted(r["refused"].items()):
            told = _("{feed}：拒收 {code} {times} 次").format(feed=r["feed"], code=code, times=times)
            out.print(told, style="yellow", markup=False)


def runs(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="只看这个采集任务")] = "",
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=1000, help="最多列几条")] = 20,
    as_json: bool = JSON,
) -> None:
    """最近的采集批次。"""
    with gateway(ctx, Action.READ_STATUS, feed) as g:
        if feed:
            g.feed(feed)
        rows = recent_runs(g.store, EVERYTHING, feed, count)
    if as_json:
        say_json(rows)
        return
    table = plain_table()
    for column in ("批次", "采集任务", "缘由", "状态", "开始"):
        table.add_column(_(column), no_wrap=True)
    for column in ("页", "取得", "变更", "隔离", "忽略"):
        table.add_column(_(column), justify="right", no_wrap=True)
    for r in rows:
        numbers = (str(r[key]) for key in ("pages", "fetched", "changed", "quarantined", "ignored"))
        table.add_row(str(r["id"]), r["feed"], word(r["reason"]), word(r["state"]), _short(r["started_at"]), *numbers)
    out.print(table)
    for r in rows:
        if r["ignored_by"]:
            rules = "、".join(f"{rule} {items}" for rule, items in sorted(r["ignored_by"].items()))
            out.print(_("批次 {run} 忽略：{rules}").format(run=r["id"], rules=rules), markup=False)
        if r["sentence"]:
            told = _("批次 {run}：{sentence}").format(run=r["id"], sentence=retell(r["sentence"]))
            out.print(told, style="yellow", markup=False)
