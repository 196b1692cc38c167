"""Any REST source, described in a county's file: docs/declared-sources.md."""

from typing import ClassVar

from adapters.kit import (
    Datasets,
    DeclaredWebAdapter,
    RestAdapter,
    RestSettings,
    RestStream,
    SignedSettings,
    SourceSettings,
)


class RestSource(RestSettings, SignedSettings):
    datasets: Datasets[RestStream]


class Rest(DeclaredWebAdapter, RestAdapter):
    name = "rest"
    title = "REST 接口（县文件里写明）"
    Settings: ClassVar[type[SourceSettings]] = RestSource
    settings: RestSource
