"""Any SOAP source, described in a county's file: docs/declared-sources.md."""

from typing import ClassVar

from adapters.kit import (
    Datasets,
    DeclaredWebAdapter,
    SignedSettings,
    SoapAdapter,
    SoapSettings,
    SoapStream,
    SourceSettings,
)


class SoapSource(SoapSettings, SignedSettings):
    datasets: Datasets[SoapStream]

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        streams = (name for stream in self.datasets.values() for name in stream.secrets_needed)
        return tuple(dict.fromkeys((*super().secrets_needed, *streams)))


class Soap(DeclaredWebAdapter, SoapAdapter):
    name = "soap"
    title = "SOAP 服务（县文件里写明）"
    Settings: ClassVar[type[SourceSettings]] = SoapSource
    settings: SoapSource
