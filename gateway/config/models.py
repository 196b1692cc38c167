"""What `config/` may say, as pydantic models; every model forbids what it does not know (DESIGN §6)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictStr

from adapters.kit import DatasetName, DeletedRule, FieldRule, IgnoreRule, Span


def _county(value: str) -> str:
    if not re.fullmatch(r"\d{6}", value):
        raise ValueError("请写六位区划代码，如 “360981”")
    return value


CountyCode = Annotated[StrictStr, AfterValidator(_county)]
FeedKey = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
UpdateFrequency = Literal[
    "实时更新", "每小时", "每日", "每周", "每旬", "每半月", "每月", "每季度", "每半年", "每年", "不定期", "一次性"
]


class Strict(BaseModel):
    """Knows what it knows: an unknown key is an error with its place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretRef(Strict):
    """Where a secret is; never the secret."""

    env: StrictStr | None = None
    file: StrictStr | None = None
    credential: StrictStr | None = None
    """A systemd credential (`LoadCredential=`)."""


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


class CatalogueEntry(Strict):
    """One dataset of the catalogue: who owes it, how often, and on which terms it is passed on."""

    title: StrictStr
    agency: StrictStr
    update_frequency: UpdateFrequency
    deadline: StrictStr | None = None
    grace: Span = timedelta(0)
    sharing: SharingModel


class CatalogueFile(Strict):
    datasets: dict[DatasetName, CatalogueEntry]


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


class FeedModel(Strict):
    """One dataset of one source, polled."""

    source: StrictStr
    dataset: DatasetName
    poll: Span | None = None
    cron: StrictStr | None = None
    channel: Literal["SYSTEM", "MANUAL"] = "SYSTEM"
    mapping: dict[str, FieldRule | str] = {}
    ignore: dict[str, IgnoreRule] = {}
    deleted: DeletedRule | None = None
    vanish_limit: float = Field(default=0.2, gt=0, le=1)
    ask_again: Span = Field(default=timedelta(days=30), ge=timedelta(days=1))
    """How long a person of the worklist is left in peace, whole days."""
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


class SinkModel(Strict):
    kind: Literal["local"]
    path: StrictStr = "chain.db"


class WebModel(Strict):
    host: StrictStr = "127.0.0.1"
    port: int = Field(default=8360, ge=0, le=65535)


class GatewayFile(Strict):
    store: StrictStr | None = None
    """An SQLAlchemy URL; absent: SQLite in the data directory."""
    submitter: StrictStr
    sinks: dict[FeedKey, SinkModel] = {"local": SinkModel(kind="local")}
    payloads: StrictStr = "shared"
    members: dict[FeedKey, MemberModel] = {}
    web: WebModel = WebModel()
    batch_size: int = Field(default=1000, ge=1, le=10000)
    workers: int = Field(default=4, ge=1, le=64)
