"""Drafts in a directory become one validated configuration; a broken county file stops no other (DESIGN §5.8, §6)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError

from adapters.kit import DeclaredAdapter, FieldRule, SourceSettings, Stream, mapping_faults, registry
from gateway.calendar import KNOWN_THROUGH, WorkingCalendar
from gateway.config.alerting import AlertsModel
from gateway.config.base import SecretRef
from gateway.config.cron import cron_trigger
from gateway.config.duties import check_duties, impossible
from gateway.config.models import (
    AccountModel,
    AccountsFile,
    CalendarFile,
    CatalogueEntry,
    CatalogueFile,
    CountyFile,
    CountyModel,
    EvmSinkModel,
    FeedModel,
    GatewayFile,
    SourceModel,
)
from gateway.config.positions import Document, Problem, load, validate
from schemas import DATASETS

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=Stream)
Rules: TypeAlias = Mapping[str, FieldRule | str]


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed of a valid configuration, with everything it refers to."""

    name: str
    """`<county>/<feed>`, e.g. `360981/homestead`."""
    county: CountyModel
    model: FeedModel
    source: SourceModel
    entry: CatalogueEntry
    renamed_from: str | None

    @property
    def dataset(self) -> str:
        return self.model.dataset

    @property
    def channel(self) -> str:
        """报送渠道: SYSTEM or MANUAL."""
        return self.model.channel or registry.find(self.source.adapter).channel


@dataclass(slots=True)
class Config:
    """What the gateway runs on. `problems` names what was left out and why."""

    root: Path
    gateway: GatewayFile | None = None
    catalogue: dict[str, CatalogueEntry] = field(default_factory=dict)
    accounts: dict[str, AccountModel] = field(default_factory=dict)
    feeds: dict[str, Feed] = field(default_factory=dict)
    counties: dict[str, CountyModel] = field(default_factory=dict)
    """Counties whose file holds, by code."""
    calendar: WorkingCalendar = field(default_factory=WorkingCalendar)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    """What is allowed and cannot work: it stops nothing."""
    texts: dict[str, str] = field(default_factory=dict)
    """The files as they were read: what a published version keeps."""
    broken: set[str] = field(default_factory=set)
    """Names of the files that `problems` are about."""

    @property
    def digest(self) -> str:
        return digest(self.texts)

    @property
    def alerts(self) -> AlertsModel:
        return self.gateway.alerts if self.gateway else AlertsModel()


def digest(texts: Mapping[str, str]) -> str:
    """Names a version of the configuration; 64 hex digits."""
    return sha256(msgspec.json.encode(texts, order="sorted")).hexdigest()


def read_texts(root: Path) -> dict[str, str]:
    """Every configuration file under `root`, by relative name."""
    names = ["gateway.yaml", "catalogue.yaml", "accounts.yaml", "calendar.yaml"]
    names += sorted(f"counties/{p.name}" for p in (root / "counties").glob("*.yaml"))
    return {n: (root / n).read_bytes().decode("utf-8", "replace") for n in names if (root / n).exists()}


def read(root: Path, texts: dict[str, str] | None = None) -> Config:
    """Validates the drafts under `root`, or the texts of a published version. Never raises for what a file says."""
    config = Config(root, texts=read_texts(root) if texts is None else texts)
    shown = root.name if not root.is_absolute() else os.path.relpath(root)
    shown = str(root) if shown.startswith("..") else shown

    def document(name: str) -> Document:
        label = f"{shown}/{name}"
        if name not in config.texts:
            return Document(label, problems=[Problem(label, 1, 1, "", "缺少这个文件")])
        return load(config.texts[name], label)

    def note(name: str, doc: Document) -> None:
        config.problems += doc.problems
        if doc.problems:
            config.broken.add(name)

    def whole(name: str, model: type[BaseModel]) -> Any:
        doc = document(name)
        parsed = validate(doc, model) if not doc.problems else None
        if isinstance(parsed, AccountsFile):
            _check_secrets(doc, parsed, root)
        if isinstance(parsed, CatalogueFile):
            check_duties(doc, parsed)
        if isinstance(parsed, CalendarFile):
            _check_calendar(doc, parsed)
        if isinstance(parsed, GatewayFile):
            _check_sinks(doc, parsed, root)
            _check_alerts(doc, parsed.alerts, root)
        note(name, doc)
        return parsed

    config.gateway = whole("gateway.yaml", GatewayFile)
    catalogue = whole("catalogue.yaml", CatalogueFile)
    accounts = whole("accounts.yaml", AccountsFile)
    calendar = whole("calendar.yaml", CalendarFile) if "calendar.yaml" in config.texts else None
    config.calendar = calendar.calendar if calendar else WorkingCalendar()
    config.catalogue = dict(catalogue.datasets) if catalogue else {}
    config.accounts = dict(accounts.accounts) if accounts else {}
    for name in sorted(n for n in config.texts if n.startswith("counties/")):
        doc = document(name)
        if not doc.problems:
            parsed = validate(doc, CountyFile)
            _link(config, doc, parsed or _whole_parts(doc.data))
        note(name, doc)
    return config


def _check_calendar(doc: Document, parsed: CalendarFile) -> None:
    """A horizon that nothing supports would be the silent guess it is there to prevent."""
    for year in range(KNOWN_THROUGH.year + 1, parsed.valid_through.year + 1):
        if not any(day.year == year for day in parsed.holidays):
            doc.report(("valid_through",), f"{year} 年没有写任何节假日；请按国务院通知写全 holidays 和 workdays")
    for day in set(parsed.holidays) & set(parsed.workdays):
        doc.report(("workdays", parsed.workdays.index(day)), f"{day} 既是节假日又是上班日")


def _check_secrets(doc: Document, parsed: AccountsFile, root: Path) -> None:
    for name, account in parsed.accounts.items():
        for secret, ref in account.secrets.items():
            try:
                resolve(ref, root)
            except LookupError as error:
                doc.report(("accounts", name, "secrets", secret), str(error))


def _check_alerts(doc: Document, alerts: AlertsModel, root: Path) -> None:
    """Every channel's secrets are there: that one is missing must not come out on the day it is needed."""
    for name, channel in alerts.channels.items():
        for secret, ref in channel.secrets:
            try:
                if ref is not None:
                    resolve(ref, root)
            except LookupError as error:
                doc.report(("alerts", "channels", name, "secrets", secret), str(error))


def _check_sinks(doc: Document, parsed: GatewayFile, root: Path) -> None:
    """The sender's key is there, and no two sinks write with one account to one chain: a lane has one writer."""
    lanes: dict[tuple[int, str], str] = {}
    for name, sink in parsed.sinks.items():
        if not isinstance(sink, EvmSinkModel):
            continue
        where = ("sinks", name, "secrets", "sender")
        try:
            lane = (sink.chain_id, resolve(sink.secrets.sender, root))
        except LookupError as error:
            doc.report(where, str(error))
            continue
        if (other := lanes.setdefault(lane, name)) != name:
            doc.report(where, f"与 {other} 是同一条链上的同一个账户；每条链各用一个账户")
        if (sink.client_cert is None) != (sink.client_key is None):
            doc.report(("sinks", name), "client_cert 与 client_key 要写就都写", key=True)


def resolve(ref: SecretRef, root: Path) -> str:
    """The secret itself. Raises LookupError with a sentence that names where it was looked for, never the value."""
    given = {"env": ref.env, "file": ref.file, "credential": ref.credential}
    chosen = [(kind, where) for kind, where in given.items() if where]
    if len(chosen) != 1:
        raise LookupError("请写 env、file、credential 之一，指明密钥在哪里")
    kind, where = chosen[0]
    if kind == "env":
        if (value := os.environ.get(where)) is None:
            raise LookupError(f"缺少密钥：环境变量 {where} 没有设置")
        return value
    directory = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) if kind == "credential" else root
    path = directory / where
    if not path.is_file():
        raise LookupError(f"缺少密钥：找不到{'系统凭据' if kind == 'credential' else '文件'} {where}")
    return path.read_text("utf-8").strip()


def _whole_parts(data: Any) -> CountyFile:
    """What can be read of a county file that does not hold: one reading names every fault, not only the first kind."""

    def each(section: str, model: type[M]) -> dict[str, M]:
        given = data.get(section) if isinstance(data, dict) else None
        out: dict[str, M] = {}
        for key, value in given.items() if isinstance(given, dict) else ():
            try:
                out[key] = model.model_validate(value)
            except ValidationError:
                continue
        return out

    nobody = CountyModel(code="000000", name="", bureau="")
    return CountyFile.model_construct(
        county=nobody, sources=each("sources", SourceModel), feeds=each("feeds", FeedModel)
    )


def _link(config: Config, doc: Document, county: CountyFile) -> None:
    """Checks what a county's file refers to; its feeds join the configuration only when the whole file holds."""
    named = doc.data.get("sources") if isinstance(doc.data, dict) else None
    offered = {name: _source(config, doc, name, source) for name, source in county.sources.items()}
    found: dict[str, Feed] = {}
    for key, feed in county.feeds.items():
        where = ("feeds", key)
        source = county.sources.get(feed.source)
        if source is None and isinstance(named, dict) and feed.source in named:
            continue  # its own fault was told where it stands
        if source is None:
            doc.report((*where, "source"), f"没有数据源 {feed.source}。可用的有：{'、'.join(county.sources)}")
            continue
        entry = config.catalogue.get(feed.dataset)
        if entry is None and not config.catalogue:
            continue  # catalogue.yaml is broken: told there
        if entry is None:
            doc.report((*where, "dataset"), f"目录里没有 {feed.dataset}，请先写进 catalogue.yaml")
            continue
        if (feed.poll is None) == (feed.cron is None):
            doc.report(where, "请写 poll（间隔）或 cron（定时）之一", key=True)
        if feed.cron is not None:
            _try(doc, (*where, "cron"), partial(cron_trigger, feed.cron))
        if "ask_again" in feed.model_fields_set and not _asks(source):
            doc.report((*where, "ask_again"), f"数据源 {feed.source} 不是按人查询的，不用写 ask_again，请删去")
        streams = offered[feed.source]
        if streams is not None:
            _check_feed(doc, where, feed, streams)
        code = county.county.code
        renamed = f"{code}/{feed.renamed_from}" if feed.renamed_from else None
        found[f"{code}/{key}"] = Feed(f"{code}/{key}", county.county, feed, source, entry, renamed)
    for name in found.keys() & config.feeds.keys():
        doc.report(("county", "code"), f"另一个文件里已有 {name}")
    if not doc.problems:
        config.feeds.update(found)
        config.counties[county.county.code] = county.county
        _warn(config, doc, county, found)


def _warn(config: Config, doc: Document, county: CountyFile, feeds: Mapping[str, Feed]) -> None:
    """Notes the promises that cannot be seen kept, the way this county asks."""
    for key, feed in ((name.partition("/")[2], feed) for name, feed in feeds.items()):
        account = config.accounts.get(county.sources[feed.model.source].account)
        promise = feed.entry.promise(feed.dataset, feed.county.code)
        for sentence in impossible(promise, feed.model, account.budget.window if account else None, config.calendar):
            said = doc.problem(("feeds", key), sentence, key=True)
            config.warnings.append(Problem(said.file, said.line, said.column, f"feeds.{key}", sentence))


def _source(config: Config, doc: Document, name: str, source: SourceModel) -> Mapping[str, Stream] | None:
    """What a source offers; None if its own faults hide it."""
    where = ("sources", name)
    if config.accounts and source.account not in config.accounts:
        known = "、".join(config.accounts)
        doc.report((*where, "account"), f"没有账号 {source.account}。可用的有：{known}")
    try:
        adapter = registry.find(source.adapter)
    except ValueError as error:
        doc.report((*where, "adapter"), str(error))
        return None
    if issubclass(adapter, DeclaredAdapter):
        _check_declared(doc, where, source)
    settings = validate(doc, adapter.Settings, source.settings, where)
    if settings is None:
        return adapter.streams or None
    _check_account(config, doc, where, source, settings)
    return adapter.offered(settings)


def _asks(source: SourceModel) -> bool:
    """Whether it answers only about named persons; one that nobody knows is told of elsewhere."""
    try:
        return registry.find(source.adapter).asks
    except ValueError:
        return True


def _check_account(
    config: Config, doc: Document, where: tuple[str, str], source: SourceModel, settings: SourceSettings
) -> None:
    account = config.accounts.get(source.account)
    for secret in settings.secrets_needed:
        if account is not None and secret not in account.secrets:
            doc.report(
                (*where, "account"),
                f"账号 {source.account} 缺少密钥 {secret}，请在 accounts.yaml 里写进这个账号的 secrets",
            )


_mapping: Final = TypeAdapter[Rules](Rules)


def _check_declared(doc: Document, where: tuple[str, str], source: SourceModel) -> None:
    """The mappings that a source declares, each by itself: they are told of whatever else is wrong."""
    declared = source.settings.get("datasets")
    for dataset, stanza in declared.items() if isinstance(declared, dict) else ():
        try:
            mapping = _mapping.validate_python(stanza["mapping"])
        except (ValidationError, LookupError, TypeError):
            continue  # told by the model
        for error in mapping_faults(DATASETS[dataset], mapping) if dataset in DATASETS else ():
            doc.report((*where, "datasets", dataset, "mapping", error.path), error.sentence, key=True)


def _check_feed(doc: Document, where: tuple[str, str], feed: FeedModel, streams: Mapping[str, Stream]) -> None:
    stream = streams.get(feed.dataset)
    if stream is None:
        offered = "、".join(streams)
        doc.report((*where, "dataset"), f"数据源 {feed.source} 不提供 {feed.dataset}。可用的有：{offered}")
        return
    told = {problem.where for problem in doc.problems}
    for error in mapping_faults(DATASETS[feed.dataset], overlaid(feed, stream).mapping):
        if f"sources.{feed.source}.datasets.{feed.dataset}.mapping.{error.path}" not in told:
            doc.report((*where, "mapping", error.path), error.sentence, key=True)


def overlaid(feed: FeedModel, stream: S) -> S:
    """A stream with a feed's own rules over it: single fields, named rules, the sign of a withdrawal."""
    return replace(
        stream,
        mapping={**stream.mapping, **feed.mapping},
        ignore={**stream.ignore, **feed.ignore},
        deleted=feed.deleted or stream.deleted,
    )


def _try(doc: Document, where: tuple[Any, ...], build: Callable[[], object]) -> None:
    try:
        build()
    except ValueError as error:
        doc.report(where, str(error))
