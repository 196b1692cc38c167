"""Many counties at a glance: what each dataset and each county holds, and how much of it still comes by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from rich.console import Group
from rich.table import Table

from gateway.app import Gateway
from gateway.cli.tables import plain_table
from gateway.i18n import _, language
from gateway.status import FeedStatus, manual_share, percent
from schemas import DATASETS

_FIGURES: Final = ("取得", "采纳", "修复", "隔离", "已上链")


def summary(g: Gateway, rows: Sequence[FeedStatus]) -> Group:
    """Three tables of at most 80 columns: by dataset, by county, and the manual share of each dataset in each county."""
    names = {f.county.code: f.county.name for f in g.config.feeds.values()}
    by_dataset = {name: [r for r in rows if r.dataset == name] for name in DATASETS}
    by_county = {code: found for code in names if (found := [r for r in rows if r.county == code])}
    return Group(
        _totals(_("数据资源"), _("县"), {dataset_title(n): found for n, found in by_dataset.items() if found}, _places),
        "",
        _totals(_("县（市、区）"), _("任务"), {f"{code} {names[code]}": found for code, found in by_county.items()}),
        "",
        _shares({n: found for n, found in by_dataset.items() if found}, {code: names[code] for code in by_county}),
    )


def dataset_title(name: str) -> str:
    return DATASETS[name].title if language.get() == "zh" else name


def _places(rows: Sequence[FeedStatus]) -> int:
    """In how many counties each dataset is, all datasets together; two feeds of one dataset in one county are one place."""
    return len({(r.county, r.dataset) for r in rows})


def _totals(
    what: str,
    count: str,
    groups: Mapping[str, Sequence[FeedStatus]],
    counted: Callable[[Sequence[FeedStatus]], int] = len,
) -> Table:
    table = plain_table()
    table.add_column(what, no_wrap=True)
    for column in (count, *map(_, _FIGURES), _("人工")):
        table.add_column(column, justify="right", no_wrap=True)
    for title, rows in {**groups, _("合计"): [r for group in groups.values() for r in group]}.items():
        confirmed = sum(min(r.confirmed.values(), default=0) for r in rows)
        figures = [sum(column) for column in zip(*map(_figures, rows), strict=True)]
        table.add_row(title, str(counted(rows)), *map(str, figures), str(confirmed), percent(manual_share(rows)))
    return table


def _figures(r: FeedStatus) -> tuple[int, ...]:
    return r.fetched, r.accepted, r.repaired, r.quarantined


def _shares(groups: Mapping[str, Sequence[FeedStatus]], counties: Mapping[str, str]) -> Table:
    """What no system gives stays blank."""
    table = plain_table(title=_("人工报送占比：人工渠道的条数 / 全部条数，空白是没有接入"))
    table.add_column(_("数据资源"), no_wrap=True)
    for name in counties.values():
        table.add_column(name[:2], justify="right", no_wrap=True)
    for dataset, rows in groups.items():
        mine = [[r for r in rows if r.county == code] for code in counties]
        table.add_row(dataset_title(dataset), *(percent(manual_share(found)) if found else "" for found in mine))
    return table
