"""The layers of `check`, in their order: each stands on the one before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from adapters.kit import FieldRule, MappingError, Page, Probe, SourceDenied, SourceError, listed
from gateway.checks.network import Note, network
from gateway.checks.remedies import remedy
from gateway.config import Config, Feed, impossible
from gateway.errors import GatewayError
from gateway.trial import Trial
from schemas import Dataset
from schemas.flags import title

ADDRESSES: Final = ("base_url", "endpoint", "wsdl", "url", "directory")
"""Settings that say where a source is."""
REASONS: Final = 3
"""Reasons of rejection that one sentence lists."""


def check_feed(
    feed: Feed,
    config: Config,
    prepare: Callable[[], Trial],
    faults: Config | None = None,
    note: Note = lambda _host, _ends: None,
) -> list[Probe]:
    """Stops at the first layer that does not hold: what lies above it could not hold either.

    `config` is what the feed belongs to; `faults` the drafts whose faults count, where they are others. `note` is told of
    each server's certificate and when it ends. What does not hold says what to do.
    """
    out: list[Probe] = []
    for probe in _layers(feed, config, prepare, faults or config, note):
        out.append(probe if probe.ok or probe.remedy else replace(probe, remedy=remedy(probe.layer)))
        if not probe.ok and probe.stops:
            break
    return out


def _layers(feed: Feed, config: Config, prepare: Callable[[], Trial], faults: Config, note: Note) -> Iterator[Probe]:
    mine = [p for p in faults.problems if feed.county.code in p.file or not p.file.count("counties/")]
    yield Probe("config", not mine, str(mine[0]) if mine else "配置没有问题")
    try:
        trial = prepare()
    except (MappingError, GatewayError, SourceError) as error:
        yield Probe("mapping", False, str(error))
        return
    try:
        told = (str(feed.source.settings.get(key, "")) for key in ADDRESSES)
        address = next((address for address in told if "://" in address or address.startswith("/")), "")
        yield from network(address, _authority(trial), note)
        for probe in trial.adapter.probe():
            yield probe if probe.ok or not probe.code else replace(probe, remedy=remedy(probe.layer, probe.code))
        yield from _read(trial)
    finally:
        trial.adapter.close()
    yield _duty(feed, config)


def _authority(trial: Trial) -> str:
    """The CA a server's certificate is issued by, where it is the account's own."""
    auth = getattr(trial.adapter.settings, "auth", None)
    if not getattr(auth, "private_ca", False):
        return ""
    try:
        return trial.adapter.ports.secrets.get("server_ca")
    except SourceError:
        return ""  # the layer of credentials says so


def _read(trial: Trial) -> Iterator[Probe]:
    try:
        page = trial.adapter.fetch(trial.dataset.name, None)
        items = page.rows.decode()
    except SourceError as error:
        layer = "auth" if isinstance(error, SourceDenied) else "read"
        yield Probe(layer, False, str(error), remedy=remedy(layer, error.code))
        return
    yield Probe("read", True, _told(page, len(items)))
    missing = _never(trial, items)
    if missing:
        fields, columns = "、".join(missing), "、".join(dict.fromkeys(missing.values()))
        yield Probe("mapping", False, f"取到的 {len(items)} 条里，{fields} 要的列 {columns} 一次也没有值")
    t = trial.translator.translate(items)
    ignored = sum(map(len, t.ignored.values()))
    if items and ignored == len(items):
        yield Probe("mapping", False, f"取到的 {ignored} 条全部被 ignore 的规则忽略")
    if not missing:
        yield Probe("mapping", True, f"{len(trial.translator.rules)} 个字段都有来源；按规则忽略 {ignored} 条")
    good, bad = len(t.records), len(t.rejected)
    yield from _unschematic(trial.dataset, t.records)
    reasons = Counter(f"{r.field or ''} {title(r.reason)[:-1]}".strip() for r in t.rejected)  # without its full stop
    why = "；".join(f"{text}（{count} 条）" for text, count in reasons.most_common(REASONS))
    told = f"可采纳 {good} 条" if not bad else f"可采纳 {good} 条，{bad} 条要进隔离区：{why}"
    yield Probe("schema", not bad or good > 0, told)


def _told(page: Page, got: int) -> str:
    if page.declared is None:
        return f"取得 {got} 条，来源没有说共有多少"
    return f"取得 {got} 条，来源声明共 {page.declared} 条"


def _never(trial: Trial, items: list[dict[str, Any]]) -> dict[str, str]:
    """Required fields whose columns had a value in no row, and those columns."""
    required = {path for path, spec in trial.dataset.fields.items() if spec.of.required}
    return {
        path: "、".join(rule.sources)
        for path, rule in trial.translator.rules.items()
        if path in required and rule.sources and items and not any(_has(rule, item) for item in items)
    }


def _has(rule: FieldRule, item: dict[str, Any]) -> bool:
    rows = [item] if rule.each is None else listed(item.get(rule.each)) or []
    return any(rule.value(row) not in (None, "") for row in rows)


def _unschematic(dataset: Dataset, records: list[Any]) -> Iterator[Probe]:
    """What the rules let through must be a record by its own model."""
    for record in records:
        try:
            dataset.record.model_validate(record)
        except ValidationError as error:
            where = "、".join(sorted({".".join(map(str, fault["loc"])) for fault in error.errors()}))
            yield Probe("schema", False, f"{dataset.title} 的 {where} 不合字段约束")
            return


def _duty(feed: Feed, config: Config) -> Probe:
    promise = feed.entry.promise(feed.dataset, feed.county.code)
    account = config.accounts.get(feed.source.account)
    window = account.budget.window if account else None
    broken = list(impossible(promise, feed.model, window, config.calendar))
    if broken:
        return Probe("duty", False, "；".join(broken), stops=False)
    if promise.rule is None:
        return Probe("duty", True, f"更新周期“{promise.frequency}”，没有期限")
    return Probe("duty", True, f"更新周期“{promise.frequency}”，期限“{promise.rule.text}”，按现在的间隔来得及")
