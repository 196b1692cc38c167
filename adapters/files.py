"""Any drop of files, described in a county's file: docs/declared-sources.md."""

from typing import ClassVar

from adapters.kit import (
    Datasets,
    DeclaredAdapter,
    DeclaredSettings,
    FilesAdapter,
    FilesConnection,
    FilesStream,
    SourceSettings,
)


class FilesSource(FilesConnection, DeclaredSettings):
    datasets: Datasets[FilesStream]


class Files(DeclaredAdapter, FilesAdapter):
    name = "files"
    title = "文件投放（县文件里写明）"
    Settings: ClassVar[type[SourceSettings]] = FilesSource
    settings: FilesSource
