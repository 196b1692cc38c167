"""Any platform that pushes, described in a county's file: docs/push.md."""

from typing import ClassVar

from adapters.kit import (
    Datasets,
    DeclaredAdapter,
    DeclaredSettings,
    PushAdapter,
    PushSettings,
    PushStream,
    SourceSettings,
)


class PushSource(PushSettings, DeclaredSettings):
    datasets: Datasets[PushStream]


class Push(DeclaredAdapter, PushAdapter):
    name = "push"
    title = "推送（县文件里写明）"
    Settings: ClassVar[type[SourceSettings]] = PushSource
    settings: PushSource
