"""What `config/` may say, as pydantic models; every model forbids what it does not know (DESIGN §6)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, model_validator

from adapters.kit import DatasetName, DeletedRule, FieldRule, IgnoreRule, Span
from gateway.calendar import WorkingCalendar
from gateway.config.alerting import AlertsModel
from gateway.config.base import CountyCode, FeedKey, SecretRef, Strict
from gateway.config.stale import StaleModel
from gateway.config.wording import hint
from gateway.promise import DATED, FREQUENCIES, Promise, Rule, default_rule, read_frequency, read_rule
from schemas import DATASETS
from schemas.divisions import name_of


class _Unread(str):
    """A frequency code that its table does not hold: the sentence that says so."""

    __slots__ = ()


def _frequency(value: Any) -> Any:
    if isinstance(value, _Unread):
        raise ValueError(str(value))  # noqa: TRY004 # pydantic turns a ValueError into a fault with its place
    if isinstance(value, str) and (found := read_frequency(value)):
        return found
    if isinstance(value, str) and not value.strip().isdigit():
        near, known = hint(value, tuple(FREQUENCIES)), "、".join(FREQUENCIES)
        raise ValueError(f"“{value}”不是更新周期。{near}可用的有：{known}")
    raise ValueError("数字代码各平台含义不同：请写明代码表 table 和代码 code，代码表写在 frequency_codes")


def _office(value: str) -> str:
    if set("{}") & set(value.replace("{county}", "")):
        raise ValueError("部门名称里只能写 {county}，代表县（市、区）的名称")
    return value


def _deadline(value: Any) -> Any:
    return read_rule(value) if isinstance(value, str) else value


Office = Annotated[StrictStr, AfterValidator(_office)]
UpdateFrequency = Literal[
    "实时更新", "每小时", "每日", "每周", "每旬", "每半月", "每月", "每季度", "每半年", "每年", "不定期", "一次性"
]
Frequency = Annotated[UpdateFrequency, BeforeValidator(_frequency)]
Deadline = Annotated[Rule, BeforeValidator(_deadline)]


class BudgetModel(Strict):
    """An account's allowance at its agency."""

    per_minute: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)
    concurrency: int = Field(default=1, ge=1, le=64)
    window: StrictStr | None = Field(default=None, pattern=r"^\d{2}:\d{2}-\d{2}:\d{2}$")
    failures: int = Field(default=5, ge=1)
    cool_down: Span = timedelta(minutes=1)


class AccountModel(Strict):
    """A credential with its quota, secrets and breaker; may serve many counties."""

    title: StrictStr | None = None
    secrets: dict[str, SecretRef] = {}
    budget: BudgetModel = BudgetModel()


class SharingModel(Strict):
    """The terms on which a dataset may be shared; sealing enforces them (DESIGN §5.9)."""

    type: Literal["无条件共享", "有条件共享", "不予共享"]
    approval: StrictStr | None = None
    recipients: tuple[StrictStr, ...] = ()
    fields: tuple[StrictStr, ...] | Literal["all"] = "all"
    expires: date | None = None


class ExceptionModel(Strict):
    """Where one county's promise differs from the catalogue's."""

    agency: Office | None = None
    update_frequency: Frequency | None = None
    deadline: Deadline | None = None
    grace: Span | None = None
    period_by: StrictStr | None = None
    waived_until: date | None = None
    """Periods that begin up to this day are waived, for `reason`."""
    reason: StrictStr | None = None


_AS_ALL: Final = ExceptionModel()


class CatalogueEntry(Strict):
    """One dataset of the catalogue: who owes it, how often, and on which terms it is passed on."""

    title: StrictStr
    agency: Office
    """`{county}` stands for the county's name: each has an office of its own."""
    update_frequency: Frequency
    deadline: Deadline | None = None
    grace: Span = timedelta(0)
    period_by: StrictStr | None = None
    """The field whose date names the period a row counts for, or `as_of`; absent: the dataset's own (DESIGN §2a)."""
    heartbeat: bool = False
    counties: dict[CountyCode, ExceptionModel] = {}
    sharing: SharingModel
    stale: StaleModel = StaleModel()
    """What a report does with its facts while their source is late."""

    def promise(self, dataset: str, county: str) -> Promise:
        """What is owed of this dataset in this county."""
        own = self.counties.get(county, _AS_ALL)
        frequency = own.update_frequency or self.update_frequency
        same = frequency == self.update_frequency
        stated = own.deadline or (self.deadline if same else None)
        rule = (stated or default_rule(frequency)) if frequency in DATED else None
        return Promise(
            county=county,
            dataset=dataset,
            agency=(own.agency or self.agency).replace("{county}", name_of(county) or county),
            frequency=frequency,
            rule=rule,
            grace=self.grace if own.grace is None else own.grace,
            period_by=own.period_by or self.period_by or DATASETS[dataset].period_by,
            heartbeat=self.heartbeat,
            waived_until=own.waived_until,
            reason=own.reason,
        )


class CatalogueFile(Strict):
    frequency_codes: dict[StrictStr, dict[StrictStr, Frequency]] = {}
    """Platform -> its numeric code -> the frequency it means there (china-facts §1.8)."""
    datasets: dict[DatasetName, CatalogueEntry]

    @model_validator(mode="after")
    def _stale_fields(self) -> CatalogueFile:
        for name, entry in self.datasets.items():
            if unknown := "、".join(entry.stale.unknown(DATASETS[name].fields)):
                known = "、".join(DATASETS[name].fields)
                raise ValueError(f"{name} 的 stale.fields 里没有字段 {unknown}。可用的有：{known}")
        return self

    @model_validator(mode="before")
    @classmethod
    def _read_codes(cls, data: Any) -> Any:
        """Frequencies given as `{table: …, code: …}` are looked up before anything else is read."""
        tables = data.get("frequency_codes") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("datasets"), dict):
            return data
        known = tables if isinstance(tables, dict) else {}
        return {**data, "datasets": {name: _decoded(entry, known) for name, entry in data["datasets"].items()}}


def _decoded(entry: Any, tables: dict[Any, Any]) -> Any:
    """An entry, or a county's exception of one, with its frequency looked up."""
    if not isinstance(entry, dict):
        return entry
    out = dict(entry)
    given = out.get("update_frequency")
    if isinstance(given, dict):
        table = tables.get(given.get("table"))
        word = table.get(str(given.get("code"))) if isinstance(table, dict) else None
        known = "、".join(map(str, table if isinstance(table, dict) else tables)) or "（没有）"
        out["update_frequency"] = word or _Unread(f"代码表里查不到这个更新周期代码。可用的有：{known}")
    if isinstance(out.get("counties"), dict):
        out["counties"] = {code: _decoded(own, tables) for code, own in out["counties"].items()}
    return out


class CalendarFile(Strict):
    """`calendar.yaml`: what the State Council announced after the calendar library was made, and a county's own days."""

    valid_through: date
    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()

    @property
    def calendar(self) -> WorkingCalendar:
        return WorkingCalendar(self.valid_through, frozenset(self.holidays), frozenset(self.workdays))


class AccountsFile(Strict):
    accounts: dict[str, AccountModel]


class CountyModel(Strict):
    code: CountyCode
    name: StrictStr
    bureau: StrictStr


class SourceModel(BaseModel):
    """One system of an agency. What else a source may say is its adapter's own `Settings`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    adapter: StrictStr
    account: StrictStr

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


OnChange = Literal["evolve", "freeze", "quarantine"]


class DriftModel(Strict):
    """What is to happen when a source's fields change, by kind of change: go on and tell, stop, or hold the page back."""

    new: OnChange = "evolve"
    missing: OnChange = "freeze"
    renamed: OnChange = "freeze"
    retyped: OnChange = "evolve"


class FeedModel(Strict):
    """One dataset of one source, polled."""

    source: StrictStr
    dataset: DatasetName
    poll: Span | None = None
    cron: StrictStr | None = None
    channel: Literal["SYSTEM", "MANUAL"] | None = None
    """Absent: as its adapter has it."""
    mapping: dict[str, FieldRule | str] = {}
    ignore: dict[str, IgnoreRule] = {}
    deleted: DeletedRule | None = None
    vanish_limit: float = Field(default=0.2, gt=0, le=1)
    ask_again: Span = Field(default=timedelta(days=30), ge=timedelta(days=1))
    """How long a person of the worklist is left in peace, whole days."""
    drift: DriftModel = DriftModel()
    renamed_from: StrictStr | None = None
    paused: bool = False


class CountyFile(Strict):
    county: CountyModel
    sources: dict[FeedKey, SourceModel]
    feeds: dict[FeedKey, FeedModel]


class MemberModel(Strict):
    """An institution of the consortium: its public key file and the groups it is granted, by dataset."""

    title: StrictStr
    key: StrictStr
    groups: dict[DatasetName, tuple[StrictStr, ...] | Literal["all"]]
    queries_per_day: int | None = Field(default=None, ge=0)
    """How many reports it may ask for on one day; absent: any number."""


class LocalSinkModel(Strict):
    """The embedded ledger."""

    kind: Literal["local"]
    path: StrictStr = "chain.db"


class SinkSecrets(Strict):
    sender: SecretRef
    """The private key of the account that writes: 32 bytes in hex."""


class EvmSinkModel(Strict):
    """A node of a consortium chain that speaks Ethereum JSON-RPC, and the account that writes there."""

    kind: Literal["evm"]
    profile: Literal["fisco-bcos", "besu-qbft", "dev"]
    url: StrictStr = Field(pattern=r"^https?://\S+$")
    chain_id: int = Field(ge=1)
    contract: StrictStr | None = Field(default=None, pattern=r"^0x[0-9a-fA-F]{40}$")
    """Absent: the one that `chain deploy` made."""
    secrets: SinkSecrets
    gas_price: int = Field(default=0, ge=0)
    confirmations: int | None = Field(default=None, ge=1, le=1000)
    """Absent: as the profile says."""
    window: int = Field(default=64, ge=1, le=1000)
    """Transactions under way at once."""
    timeout: Span = timedelta(seconds=10)
    ca: StrictStr | None = None
    client_cert: StrictStr | None = None
    client_key: StrictStr | None = None


SinkModel = Annotated[LocalSinkModel | EvmSinkModel, Field(discriminator="kind")]


class WebModel(Strict):
    host: StrictStr = "127.0.0.1"
    port: int = Field(default=8360, ge=0, le=65535)
    url: StrictStr | None = Field(default=None, pattern=r"^https?://[^/\s]+$")
    """Where others reach it, without a path; absent: where it listens."""

    @property
    def address(self) -> str:
        return self.url or f"http://{self.host}:{self.port}"


class GatewayFile(Strict):
    store: StrictStr | None = None
    """An SQLAlchemy URL; absent: SQLite in the data directory."""
    submitter: StrictStr
    sinks: dict[FeedKey, SinkModel] = {"local": LocalSinkModel(kind="local")}
    payloads: StrictStr = "shared"
    members: dict[FeedKey, MemberModel] = {}
    web: WebModel = WebModel()
    alerts: AlertsModel = AlertsModel()
    suite: Literal["intl-1", "gm-1"] = "intl-1"
    """Algorithms of a new installation; an older one changes with `keys rewrap`."""
    batch_size: int = Field(default=1000, ge=1, le=10000)
    workers: int = Field(default=4, ge=1, le=64)
