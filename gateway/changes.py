"""What publishing a draft does, in sentences: feeds, what is mapped again, how often is asked, what is owed, who is given what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from difflib import unified_diff
from typing import Any, Final

from adapters.kit import Translator, registry
from gateway.config import Config, Feed, FeedModel, overlaid
from gateway.promise import Promise
from schemas import DATASETS

Rows = Callable[[str], int]
"""How many living records a feed has, by its name in force."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that becomes different. `rows`: records that are mapped again, where any are."""

    kind: str
    target: str
    sentence: str
    rows: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def effects(running: Config | None, draft: Config, rows: Rows) -> list[Effect]:
    """Everything that publishing `draft` changes, county by county; what is broken in it stays as it runs."""
    if running is None:
        return [Effect("first", "", f"首次发布：{len(draft.feeds)} 个采集任务开始采集")]
    before, after = dict(running.feeds), _in_force(running, draft)
    out = list(_feeds(before, after, rows))
    out += _duties(before, after)
    out += _sharing(running, draft)
    out += _accounts(running, draft)
    out += _house(running, draft)
    return out


def lines(running: Config | None, draft: Config) -> list[str]:
    """The texts that differ, as a unified diff."""
    was = running.texts if running else {}
    out: list[str] = []
    for name in sorted({*was, *draft.texts}):
        old, new = was.get(name, "").splitlines(), draft.texts.get(name, "").splitlines()
        out += unified_diff(old, new, f"a/{name}" if name in was else "/dev/null", f"b/{name}", lineterm="", n=1)
    return out


def _in_force(running: Config, draft: Config) -> dict[str, Feed]:
    """The draft's feeds, and those that stay because their county's file is broken in it."""
    broken = {name[9:15] for name in draft.broken if name.startswith("counties/")}
    kept = {name: feed for name, feed in running.feeds.items() if name[:6] in broken}
    return {**kept, **draft.feeds}


def _feeds(before: Mapping[str, Feed], after: Mapping[str, Feed], rows: Rows) -> Iterator[Effect]:
    origin = {
        name: feed.renamed_from
        for name, feed in after.items()
        if name not in before and feed.renamed_from and feed.renamed_from in before
    }
    for name, feed in after.items():
        was = before.get(origin.get(name) or name)
        if was is None:
            how = "（暂停中）" if feed.model.paused else ""
            yield Effect("feed_added", name, f"新增采集任务{how}，{_asks(feed.model)}")
            continue
        if name in origin:
            yield Effect("feed_renamed", name, f"由 {was.name} 改名，位置与历史都保留")
        yield from _feed(was, feed, rows)
    for name in before.keys() - after.keys() - set(origin.values()):
        count = rows(name)
        yield Effect("feed_removed", name, f"不再采集；已有的 {count:,} 条记录保留，不再更新")


def _feed(was: Feed, feed: Feed, rows: Rows) -> Iterator[Effect]:
    name, old, new = feed.name, was.model, feed.model
    if old.paused != new.paused:
        yield Effect("paused" if new.paused else "resumed", name, "暂停采集" if new.paused else "恢复采集")
    if (old.poll, old.cron) != (new.poll, new.cron):
        yield Effect("poll", name, f"采集间隔由“{_asks(old)}”改为“{_asks(new)}”")
    if was.channel != feed.channel:
        before, after = was.channel, feed.channel
        yield Effect("channel", name, f"报送渠道由 {before} 改为 {after}")
    if was.source.adapter != feed.source.adapter or was.source.account != feed.source.account:
        yield Effect("source", name, f"来源改为适配器 {feed.source.adapter}、账号 {feed.source.account}")
    elif _address(was) != _address(feed):
        yield Effect("source", name, "来源的设置变了，下一次采集起按新的设置")
    yield from _mapping(was, feed, rows)
    if old.vanish_limit != new.vanish_limit:
        yield Effect("guard", name, f"消失多少要人核实：由 {_share(old)} 改为 {_share(new)}")


def _mapping(was: Feed, feed: Feed, rows: Rows) -> Iterator[Effect]:
    """Where the compiled rules differ every record is translated anew when it is next read, or by a replay."""
    old, new = _rules(was), _rules(feed)
    if old is None or new is None or old.version == new.version:
        return
    fields = [path for path in dict.fromkeys((*old.rules, *new.rules)) if old.rules.get(path) != new.rules.get(path)]
    told = "、".join(fields) or "忽略或注销的规则"
    count = rows(was.name)
    sentence = f"映射变了（{told}）：{count:,} 行将重新映射；要立即生效，发布后运行 shuqiao replay {feed.name}"
    yield Effect("mapping", feed.name, sentence, count)


def _rules(feed: Feed) -> Translator | None:
    adapter = registry.find(feed.source.adapter)
    stream = adapter.offered(adapter.Settings.model_validate(feed.source.settings)).get(feed.dataset)
    if stream is None:
        return None
    laid = overlaid(feed.model, stream)
    return Translator(
        DATASETS[feed.dataset],
        laid.mapping,
        source_time=laid.source_time,
        ignore=laid.ignore,
        deleted=laid.deleted,
        today=date.min,
    )


_MAPPED: Final = ("mapping", "ignore", "deleted", "source_time")


def _address(feed: Feed) -> Any:
    """What a source says besides how its rows are mapped."""
    settings = dict(feed.source.settings)
    declared = settings.pop("datasets", None)
    mine = declared.get(feed.dataset) if isinstance(declared, dict) else None
    read = {k: v for k, v in mine.items() if k not in _MAPPED} if isinstance(mine, dict) else mine
    return settings, read


def _duties(before: Mapping[str, Feed], after: Mapping[str, Feed]) -> Iterator[Effect]:
    old, new = _promises(before), _promises(after)
    for key in new.keys() | old.keys():
        target, was, now = "/".join(key), old.get(key), new.get(key)
        if was is None and now is not None:
            yield Effect("duty_added", target, f"新的报送义务：{_owes(now)}")
        elif now is None and was is not None:
            yield Effect("duty_removed", target, "没有任务再采集它，义务记为未接入")
        elif was is not None and now is not None and _owes(was) != _owes(now):
            yield Effect("duty", target, f"报送义务由“{_owes(was)}”改为“{_owes(now)}”，从还没有到期的一期起")


def _promises(feeds: Mapping[str, Feed]) -> dict[tuple[str, str], Promise]:
    keys = {(feed.county.code, feed.dataset): feed for feed in feeds.values()}
    return {key: feed.entry.promise(feed.dataset, feed.county.code) for key, feed in sorted(keys.items())}


def _owes(promise: Promise) -> str:
    rule = f"，{promise.rule.text}" if promise.rule else ""
    grace = f"，宽限 {_span(promise.grace)}" if promise.grace else ""
    waived = f"，豁免至 {promise.waived_until}" if promise.waived_until else ""
    return f"{promise.agency}，{promise.frequency}{rule}{grace}{waived}"


def _sharing(running: Config, draft: Config) -> Iterator[Effect]:
    for dataset, entry in draft.catalogue.items():
        was = running.catalogue.get(dataset)
        if was is not None and was.sharing != entry.sharing:
            changed = [
                k for k in type(entry.sharing).model_fields if getattr(was.sharing, k) != getattr(entry.sharing, k)
            ]
            yield Effect("sharing", dataset, f"共享条件变了：{'、'.join(changed)}，从下一批起")


def _accounts(running: Config, draft: Config) -> Iterator[Effect]:
    for name in sorted(running.accounts.keys() | draft.accounts.keys() if draft.accounts else ()):
        was, now = running.accounts.get(name), draft.accounts.get(name)
        if was is None or now is None:
            yield Effect("account", name, "新增账号" if was is None else "删去账号")
        elif was != now:
            parts = [
                word
                for word, a, b in (("密钥的位置", was.secrets, now.secrets), ("额度与时段", was.budget, now.budget))
                if a != b
            ]
            yield Effect("account", name, f"账号变了：{'、'.join(parts) or '名称'}")


def _house(running: Config, draft: Config) -> Iterator[Effect]:
    was, now = running.gateway, draft.gateway
    if running.calendar != draft.calendar:
        yield Effect("calendar", "calendar.yaml", "工作日历变了，还没有到期的期限重新计算")
    if was is None or now is None or was == now:
        return
    for name in sorted(was.members.keys() ^ now.members.keys()):
        yield Effect(
            "member",
            name,
            "新增成员，从下一批起可以看到给它的组" if name in now.members else "删去成员，以后的批不再给它",
        )
    for name in sorted(was.members.keys() & now.members.keys()):
        if was.members[name] != now.members[name]:
            yield Effect("member", name, "给成员的组、公钥或查询次数变了，从下一批起")
    if was.sinks != now.sinks or (was.store, was.payloads, was.web, was.workers) != (
        now.store,
        now.payloads,
        now.web,
        now.workers,
    ):
        yield Effect("restart", "gateway.yaml", "链、存储、共享目录、端口或线程数变了，重启 serve 后生效")


def _share(model: FeedModel) -> str:
    return f"{model.vanish_limit:.0%}"


def _asks(model: FeedModel) -> str:
    return f"每 {_span(model.poll)}" if model.poll is not None else f"定时 {model.cron}"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    days, whole, minutes = seconds // 86_400, seconds // 3600, seconds // 60
    if seconds % 86_400 == 0:
        return f"{days} 天"
    if seconds % 3600 == 0:
        return f"{whole} 小时"
    return f"{minutes} 分钟" if seconds % 60 == 0 else f"{seconds} 秒"
